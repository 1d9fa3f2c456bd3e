"""Certificates: the same life as a client secret's, registered beside what others put there."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from tests.integration.installation import Installation, Team, stamp
from tests.support.keys import make_certificate

_CERTIFICATE: Final[dict[str, Any]] = {
    "type": "Certificate",
    "clientSecret": None,
    "certificate": {"subject": "CN=orders,O=Contoso"},
}
_LONG: Final[dict[str, Any]] = {
    "rotation": {"renewBefore": "30m", "overlap": "5s", "retireWhen": "OverlapElapsed"}
}
_KEYS: Final = {
    "AZURE_TENANT_ID",
    "AZURE_CLIENT_ID",
    "AZURE_AUTHORITY_HOST",
    "AZURE_CLIENT_CERTIFICATE_PATH",
    "client.pem",
    "tls.crt",
    "tls.key",
}


def apply(team: Team, **spec: Any) -> None:
    """Create an AppCredential of type Certificate."""
    wanted = {**_CERTIFICATE, **_LONG, **spec}
    manifest = team.manifest(**wanted)
    manifest["spec"] = {k: v for k, v in manifest["spec"].items() if v is not None}
    path = team.path().rsplit("/", 1)[0]
    team.i.kube.create(path, manifest)


def a_certificate_lives_like_a_secret(i: Installation) -> None:
    """Made, registered, proven, published, rotated with overlap, retired, revoked."""
    foreign = make_certificate("of another team").pem.decode()
    team = i.team("certificate", keys=[{"certificate": foreign}])
    others = set(team.certificates())
    apply(team, deletionGracePeriod="0s")
    status = team.ready(seconds=60)
    first, old = team.key(), team.values()
    assert set(old) == _KEYS
    assert old["client.pem"] == old["tls.key"] + old["tls.crt"]
    assert old["AZURE_CLIENT_CERTIFICATE_PATH"] == "/var/run/secrets/appcredential/client.pem"
    assert team.signs_in()
    assert status["credential"]["type"] == "Certificate"
    assert status["credential"]["thumbprint"] == team.certificates()[first]
    assert status["inventory"] == {"managed": 1, "foreign": 1, "expired": 0}
    second = team.rotated()
    assert team.sign_in(old), "the old one is refused during the overlap"
    assert team.signs_in()
    assert set(team.certificates()) == others | {first, second}
    team.until(lambda: first not in team.certificates(), "the old one is retired", seconds=60)
    assert not team.sign_in(old)
    assert team.signs_in()
    team.delete()
    team.until(lambda: second not in team.certificates(), "ours is revoked", seconds=60)
    assert set(team.certificates()) == others, "a foreign certificate is gone"


def a_lost_answer_is_no_second_key(i: Installation) -> None:
    """Key and key id are kept before they are sent: the same is registered again."""
    team = i.team("lostanswer")
    i.add_rule(
        fault="timeout-after-commit",
        count=1,
        match={"app": team.client_id, "operation": "application.update"},
    )
    apply(team)
    team.ready(seconds=90)
    assert list(team.certificates()) == [team.key()]
    assert team.signs_in()


def a_leaked_key_is_revoked_at_once(i: Installation) -> None:
    """`revokeIssuedBefore` on a certificate: no overlap, and others' certificates stay."""
    foreign = make_certificate("of another team").pem.decode()
    team = i.team("leakedkey", keys=[{"certificate": foreign}])
    others = set(team.certificates())
    apply(team, rotation={"renewBefore": "30m", "overlap": "20m"})
    team.ready(seconds=60)
    first, old = team.key(), team.values()
    i.pass_time(team.time("startTime") + timedelta(seconds=2))
    rotation = team.live()["spec"]["rotation"]
    team.change(rotation={**rotation, "revokeIssuedBefore": stamp(i.now())})
    team.until(lambda: first not in team.certificates(), "it is revoked", seconds=90)
    team.until(lambda: team.key() not in {"", first}, "status follows")
    team.ready()
    assert set(team.certificates()) == others | {team.key()}
    assert team.signs_in()
    assert not team.sign_in(old)


def the_policy_of_the_tenant_shortens_what_is_asked(i: Installation) -> None:
    """Where the operator may read it: it is told, and nothing is refused."""
    limit = {"restrictionType": "asymmetricKeyLifetime", "maxLifetime": "PT50M"}
    team = i.strict_team(keyCredentials=[limit])
    apply(team, lifetime="2h")
    assert team.ready(seconds=60)["requestedLifetime"] == "49m30s"
    told = i.tenant(team.tenant)["status"]["appManagementPolicy"]
    assert told == {"clientSecret": "not restricted", "certificate": "at most 50m"}
    assert team.time("expirationTime") - team.time("startTime") <= timedelta(minutes=50)
    assert "LifetimeOverPolicy" not in team.warnings()
    assert team.signs_in()


def a_policy_refuses_and_the_one_in_use_stays(i: Installation) -> None:
    """What a tenant's policy says of certificates is told with its remedy."""
    team = i.team("policy")
    apply(team)
    team.ready(seconds=60)
    held, first = team.values(), team.key()
    limit = {"restrictionType": "asymmetricKeyLifetime", "maxLifetime": "PT55M"}
    i.put_under_policy(team.client_id, keyCredentials=[limit])
    team.rotate()
    team.until(
        lambda: team.has("Stalled", "True", "LifetimeOverPolicy"), "the refusal is told", seconds=60
    )
    assert "spec.lifetime" in team.condition("Stalled")["message"]
    assert team.condition("Ready")["status"] == "True"
    assert team.values() == held
    assert team.signs_in()
    assert list(team.certificates()) == [first]
    team.change(lifetime="50m")
    team.until(lambda: team.key() not in {"", first}, "it is issued after all", seconds=90)
    assert team.signs_in()


def a_damaged_secret_is_mended_or_replaced(i: Installation) -> None:
    """What surrounds key and certificate is repaired; a lost key is replaced by a new one."""
    team = i.team("damaged")
    apply(team)
    team.ready(seconds=60)
    first = team.key()
    path = team.secret_path()
    i.kube.edit(path, lambda found: found["data"].pop("client.pem"))
    team.until(lambda: "client.pem" in team.values(), "client.pem is back")
    assert team.key() == first
    i.kube.edit(path, lambda found: [found["data"].pop(k) for k in ("tls.key", "client.pem")])
    team.until(lambda: team.key() not in {"", first}, "a new one is made", seconds=60)
    assert team.signs_in()


def a_subject_that_no_certificate_can_have_is_told(i: Installation) -> None:
    """What the schema cannot know: X.520's own bounds."""
    team = i.team("subject")
    apply(team, certificate={"subject": "CN=orders,C=Germany"})
    team.until(lambda: team.has("Stalled", "True", "InvalidSpec"), "it is told", seconds=60)
    assert "spec.certificate.subject" in team.condition("Stalled")["message"]
    team.change(certificate={"subject": "CN=orders,C=DE"})
    team.ready(seconds=60)
    assert team.signs_in()
