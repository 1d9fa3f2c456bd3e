"""What a lost cluster issued, in a cluster into which its Secrets were restored."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, Final

from appcredential.domain.marker import ClusterIdentity, Owner, attempt_id, build_display_name
from appcredential.domain.observed.target import IssuedCredential
from appcredential.domain.secret.records import Publication, target_annotations
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import KeyId, ObjectId
from appcredential.domain.spec.trusts import build_description
from demo.seed import TENANT_ID
from tests.integration import stories_certificates as certificates
from tests.integration.installation import CORE, LOST, Installation, Team, parse
from tests.integration.stories_federation import AUDIENCE, Federated
from tests.support.keys import make_certificate

THEIRS: Final = ClusterIdentity.of("uid-of-its-kube-system", LOST)
_ATTEMPT: Final = attempt_id(THEIRS, "uid-of-its-pending-secret", 1)
_CI: Final = {"issuer": "https://ci.lost.example", "subject": "job:orders"}


def what_a_lost_cluster_issued_serves_and_stays(i: Installation) -> None:
    """Nothing is issued for the restored Secret; a renewal and a deletion leave its credential."""
    team, value = _restored(i)
    (theirs,) = team.key_ids()
    team.apply(lifetime="90d", deletionGracePeriod="0s")
    team.ready()
    assert (team.key(), team.minted()) == (theirs, 0)
    assert "Another cluster issued it" in team.condition("Ready")["message"]
    assert team.values()["AZURE_CLIENT_SECRET"] == value
    assert team.signs_in()
    old, second = team.values(), team.rotated()
    assert team.minted() == 1
    assert team.sign_in(old), "it was removed"
    assert team.signs_in()
    team.ready()
    assert team.status()["inventory"]["foreign"] == 1
    team.delete()
    team.until(lambda: second not in team.key_ids(), "ours is revoked")
    i.until(lambda: i.tickets(team.namespace) == [], "the deletion is finished")
    assert team.key_ids() == [theirs]
    i.until(lambda: "RevocationIncomplete" in team.warnings(), "it is said that it stays")


def what_should_be_revoked_and_may_not_is_named(i: Installation) -> None:
    """A person removes it in Entra; then the revocation is complete."""
    team, _ = _restored(i)
    (theirs,) = team.key_ids()
    team.apply(lifetime="90d")
    team.ready()
    i.pass_time(team.time("startTime").replace(microsecond=0))
    leak = team.i.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    team.change(rotation={"revokeIssuedBefore": leak})
    team.until(lambda: team.key() not in {"", theirs}, "a successor is published")
    team.until(lambda: team.has("Stalled", "True", "RevocationBlocked"), "the leak is told")
    assert theirs in team.condition("Stalled")["message"]
    assert theirs in team.key_ids()
    i.emulator.call("DELETE", f"/applications/{team.client_id}/passwords/{theirs}")
    team.until(team.is_ready, "nothing is left to be done")


def a_trust_of_a_lost_cluster_is_used_as_it_is(i: Installation) -> None:
    """It is neither created a second time nor changed, and a deletion leaves it."""
    federated, put = trusting(i)
    team, status = federated.team, federated.ready()
    assert [entry["id"] for entry in status["federatedIdentities"]] == [put["id"]]
    assert "Another cluster made" in team.condition("Ready")["message"]
    before = federated.listed()
    team.delete()
    i.until(lambda: i.tickets(team.namespace) == [], "the deletion is finished", 60)
    assert federated.listed() == before
    assert [c["description"] for c in before] == [put["description"]]


def a_certificate_of_a_lost_cluster_serves_and_stays(i: Installation) -> None:
    """Its successor is registered beside it, in the one list that both are in."""
    namespace, made = i.make_namespace("restored"), make_certificate("of a lost cluster")
    name = build_display_name(THEIRS, Owner(namespace, "app"), _ATTEMPT, "")
    seed = {"certificate": made.pem.decode(), "displayName": name}
    team = Team(i, namespace, i.make_application(keys=[seed]))
    (listed,) = i.emulator.call("GET", f"/applications/{team.client_id}")["keyCredentials"]
    files = {"tls.key": made.key_pem.decode(), "tls.crt": made.pem.decode()}
    _restore(team, listed, "".join(files.values()), files)
    certificates.apply(team, rotation={}, lifetime="90d")
    team.ready(seconds=60)
    theirs = listed["keyId"]
    assert (team.key(), list(team.certificates())) == (theirs, [theirs])
    assert "Another cluster issued it" in team.condition("Ready")["message"]
    assert team.signs_in()
    old, second = team.values(), team.rotated()
    assert set(team.certificates()) == {theirs, second}
    assert team.sign_in(old), "it was removed"
    assert team.signs_in()


def trusting(i: Installation) -> tuple[Federated, Mapping[str, Any]]:
    """Return a team whose AppCredential asks for a trust that the lost cluster made, and that."""
    team = i.team("trusting", granted=False)
    team.grant(federation={"issuers": [_CI["issuer"]]})
    made = build_description(THEIRS, Owner(team.namespace, "app"), (_CI["issuer"], _CI["subject"]))
    federated = Federated(team)
    put = federated.put(**_CI, name="theirs", audiences=[AUDIENCE], description=made)
    federated.apply(other=_CI, deletionGracePeriod="0s")
    return federated, put


def _restored(i: Installation) -> tuple[Team, str]:
    """Return a team with the Secret that a backup of the lost cluster holds, and its value."""
    namespace, value = i.make_namespace("restored"), f"canary{secrets.token_urlsafe(24)}"
    name = build_display_name(THEIRS, Owner(namespace, "app"), _ATTEMPT, "")
    seed = {"displayName": name, "value": value, "endInDays": 90}
    team = Team(i, namespace, i.make_application(passwords=[seed]))
    (listed,) = i.emulator.credentials(team.client_id)
    _restore(team, listed, value, {"AZURE_CLIENT_SECRET": value})
    return team, value


def _restore(team: Team, listed: Mapping[str, Any], value: str, data: Mapping[str, str]) -> None:
    """Grant the team its application, and restore the Secret with what Entra lists."""
    found = team.i.emulator.call("GET", f"/applications/{team.client_id}")
    held = IssuedCredential(
        key_id=KeyId(listed["keyId"]),
        attempt=_ATTEMPT,
        value_sha256=SecretValue(value).sha256(),
        not_before=parse(listed["startDateTime"]),
        expires=parse(listed["endDateTime"]),
    )
    records = Publication(
        owner=f"{team.namespace}/app",
        cluster=THEIRS.cluster,
        tenant_id=TENANT_ID,
        object_id=ObjectId(found["id"]),
        credential=held,
        verified_time=held.not_before,
        published_time=held.not_before,
        retiring=(),
        abandoned=(),
    )
    metadata = {
        "name": "app",
        "labels": {"app.kubernetes.io/managed-by": "appcredential"},
        "annotations": target_annotations(records),
    }
    path = f"{CORE}/namespaces/{team.namespace}/secrets"
    team.i.kube.create(path, {"metadata": metadata, "stringData": dict(data)})
    team.grant()
