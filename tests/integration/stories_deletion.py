"""What a deletion leaves, for how long, and what takes it back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from tests.integration.installation import CORE, GROUP, Installation, Team, condition_of, parse

_GRACE: Final = timedelta(seconds=20)
_AT_ONCE: Final = {"deletionGracePeriod": "0s"}
_TOLD: Final = ("RevocationScheduled", "Revoked")
_UNKNOWN: Final = "99999999-9999-4999-8999-999999999999"


def _finished(i: Installation, team: Team, seconds: float = 60) -> None:
    i.until(lambda: i.tickets(team.namespace) == [], "the deletion is finished", seconds)


def a_revocation_waits_out_the_grace(i: Installation) -> None:
    """Until then the Secret is there and signs in; then credential, Secret and ticket go."""
    team = i.team("revoked", passwords=[{"displayName": "theirs"}])
    others = team.key_ids()
    team.apply(deletionGracePeriod="20s")
    team.ready()
    key, values, secret = team.key(), team.values(), team.secret() or {}
    asked = i.now()
    team.delete()
    found = i.tickets(team.namespace)
    assert found, "revoked within the grace period"
    (ticket,) = found
    due = parse(ticket["data"]["due"])
    assert due >= asked.replace(microsecond=0) + _GRACE, "due within the grace period"
    assert ticket["data"]["policy"] == "Revoke"
    assert values["AZURE_CLIENT_SECRET"] not in str(ticket)
    i.pass_time(due - timedelta(seconds=2))
    assert key in team.key_ids(), "revoked within the grace period"
    assert _without_time(team.secret(), ticket["data"]["due"]) == secret["data"]
    assert team.signs_in()
    team.until(lambda: key not in team.key_ids(), "the credential is revoked")
    assert i.now() >= due
    _finished(i, team)
    assert team.secret() is None
    assert team.key_ids() == others
    assert not team.sign_in(values)
    reasons = [(kind, reason) for kind, reason, _ in team.events()]
    assert reasons == [("Normal", r) for r in ("Issued", "Published", *_TOLD)], reasons


def _without_time(secret: dict[str, Any] | None, due: str) -> dict[str, str]:
    """Return the values of a Secret that says when it is revoked."""
    assert secret is not None, "revoked within the grace period"
    assert secret["metadata"]["annotations"]["appcredential.io/revocation-time"] == due
    found: dict[str, str] = secret["data"]
    return found


def a_return_within_the_grace_changes_nothing(i: Installation) -> None:
    """Deleted and applied again, as a GitOps tool may do: the same credential goes on."""
    team = i.team("returned")
    team.apply(deletionGracePeriod="8s")
    team.ready()
    key, values = team.key(), team.values()
    team.delete()
    (ticket,) = i.tickets(team.namespace)
    team.apply(deletionGracePeriod="8s")
    team.ready()
    assert i.tickets(team.namespace) == []
    i.pass_time(parse(ticket["data"]["due"]) + timedelta(seconds=4))
    assert team.key_ids() == [key], "revoked although the resource is back"
    assert (team.values(), team.key(), team.minted()) == (values, key, 1)
    assert team.signs_in()


def retain_leaves_a_working_credential(i: Installation) -> None:
    """Credential and Secret stay and sign in; the ticket goes; a new resource takes them over."""
    team = i.team("retained")
    team.apply(**_AT_ONCE, deletionPolicy="Retain")
    team.ready()
    key, secret = team.key(), team.secret()
    team.delete()
    _finished(i, team)
    assert team.key_ids() == [key], "a retained credential was removed"
    assert team.secret() == secret
    assert team.signs_in()
    team.apply()
    team.ready()
    assert (team.key(), team.minted()) == (key, 1)


def retain_clears_what_was_never_published(i: Installation) -> None:
    """A successor on its way when the resource goes is removed; what is published stays."""
    team = i.team("underway")
    rotation: dict[str, Any] = {"renewBefore": "30m"}
    team.apply(**_AT_ONCE, deletionPolicy="Retain", rotation=rotation)
    team.ready()
    key = team.key()
    rule = i.add_rule(fault="token-error", code=7000215, match={"app": team.client_id})
    team.rotate()
    team.until(lambda: team.status().get("pending"), "a successor is pending")
    assert len(team.key_ids()) == 2
    team.delete()
    _finished(i, team)
    i.drop_rule(rule)
    assert team.key_ids() == [key]
    assert team.pending() == []
    assert team.signs_in()


def a_deletion_never_waits_for_graph(i: Installation) -> None:
    """The resource goes at once; the ticket waits until Graph answers again."""
    team = i.team("outage")
    team.apply(**_AT_ONCE)
    team.ready()
    key = team.key()
    match = {"app": team.client_id, "operation": "application.*"}
    rule = i.add_rule(fault="server-error", match=match)
    team.delete()
    i.pass_time(i.now() + timedelta(seconds=6))
    (ticket,) = i.tickets(team.namespace)
    assert ticket["data"]["name"] == "app"
    assert team.key_ids() == [key]
    i.drop_rule(rule)
    _finished(i, team)
    assert team.key_ids() == []
    assert team.secret() is None


def what_is_not_granted_causes_no_call(i: Installation) -> None:
    """As long as it is there, nothing about its application leaves the cluster."""
    team = i.team("ungranted", granted=False)
    team.apply()
    team.until(lambda: team.condition("Stalled") or team.key(), "it is looked at")
    assert i.requests(team.client_id) == [], "asked without a grant"
    assert team.condition("Stalled")["reason"] == "NotGranted"


def what_was_never_granted_is_deleted_without_a_call(i: Installation) -> None:
    """Nothing was issued, so nothing is asked of Entra at the deletion either."""
    team = i.team("ungranted", granted=False)
    team.apply(**_AT_ONCE)
    team.until(lambda: team.condition("Stalled"), "it is looked at")
    team.delete()
    _finished(i, team)
    assert i.requests(team.client_id) == []


def a_suspended_resource_is_deleted_all_the_same(i: Installation) -> None:
    """`suspend` is no lock on the deletion."""
    team = i.team("paused")
    team.apply(**_AT_ONCE)
    team.ready()
    team.change(suspend=True)
    team.until(lambda: team.has("Ready", "True", "Suspended"), "it is suspended")
    team.delete()
    _finished(i, team)
    assert team.key_ids() == []


def a_deleted_namespace_is_not_held_up(i: Installation) -> None:
    """The namespace goes with all that is in it; the credential is revoked after the grace."""
    team = i.team("namespace")
    team.apply(deletionGracePeriod="20s")
    team.apply("never", **_AT_ONCE, application={"clientId": _UNKNOWN})
    team.ready()
    key, values = team.key(), team.values()
    path = f"{CORE}/namespaces/{team.namespace}"
    i.kube.delete(path)
    i.until(lambda: i.kube.get(path) is None, "the namespace is gone", 40)
    tickets = {t["data"]["name"]: t for t in i.tickets(team.namespace)}
    due = parse(tickets["app"]["data"]["due"])
    i.pass_time(due - timedelta(seconds=2))
    assert team.sign_in(values)
    i.until(lambda: key not in team.key_ids(), "the credential is revoked")
    assert i.now() >= due
    _finished(i, team)
    assert team.key_ids() == []


def an_entra_tenant_stays_until_all_is_revoked(i: Installation) -> None:
    """Deleted in one go with its AppCredential, as `kubectl delete -f file` does."""
    team = i.team("together", granted=False)
    team.tenant = f"tenant-{team.namespace}"
    i.make_tenant(team.tenant)
    team.grant()
    team.apply(deletionGracePeriod="8s")
    team.ready()
    path = f"{GROUP}/entratenants/{team.tenant}"
    i.kube.delete(path)
    i.kube.delete(team.path())
    team.until(lambda: i.tickets(team.namespace), "the revocation is scheduled")
    i.until(lambda: _holds(i, team), "the EntraTenant says for what it stays", 60)
    _finished(i, team)
    assert team.key_ids() == []
    i.until(lambda: i.kube.get(path) is None, "the EntraTenant is gone", 60)


def _holds(i: Installation, team: Team) -> bool:
    told = condition_of(i.tenant(team.tenant), "Reconciling")
    return told.get("reason") == "RevocationsOpen" and f"{team.namespace}/app" in told["message"]
