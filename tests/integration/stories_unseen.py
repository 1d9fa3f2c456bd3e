"""Resources that go without their finalizer: what they left in Entra is revoked all the same."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from localcluster.errors import ApiError
from tests.integration.installation import Installation, Team, parse
from tests.integration.stories_federation import Federated

GRACE: Final = {"deletionGracePeriod": "6s"}
CERTIFICATE: Final[dict[str, Any]] = {
    "type": "Certificate",
    "clientSecret": None,
    "certificate": {},
    "secret": {"name": "app"},
}


def without_finalizer(team: Team, name: str = "app") -> None:
    """Delete a resource as its operator never sees it: replaced without the finalizer first."""
    path = team.path(name)

    def replace(found: dict[str, Any]) -> None:
        found["metadata"].pop("finalizers", None)

    for _ in range(20):
        try:
            team.i.kube.edit(path, replace)  # what `kubectl replace` sends
        except (ApiError, AssertionError):
            assert team.i.kube.get(path) is None
            return  # it was marked for deletion already, and went with the finalizer
        team.i.kube.delete(path)
        if team.i.kube.get(path) is None:
            return
    raise AssertionError("the operator was faster each time")


def _recorded(team: Team) -> dict[str, str]:
    (record,) = team.i.records(team.namespace)
    found: dict[str, str] = record["data"]
    return found


def _scheduled(team: Team) -> dict[str, Any]:
    """Return the ticket, once it is there; the record is gone then."""
    team.until(lambda: team.i.tickets(team.namespace), "its revocation is scheduled")
    team.until(lambda: team.i.records(team.namespace) == [], "its record is gone")
    (ticket,) = team.i.tickets(team.namespace)
    return ticket


def _finished(team: Team, is_gone: Callable[[], bool]) -> None:
    i = team.i
    (ticket,) = i.tickets(team.namespace)
    i.pass_time(parse(ticket["data"]["due"]) - timedelta(seconds=1))
    assert not is_gone(), "revoked within the grace period"
    team.until(is_gone, "it is revoked")
    i.until(lambda: i.tickets(team.namespace) == [], "the deletion is finished")


def replaced_and_deleted(i: Installation) -> None:
    """`kubectl replace` drops the finalizer, and a delete follows before it is back."""
    team = i.team("replaced", passwords=[{"displayName": "theirs"}])
    others = team.key_ids()
    team.apply(**GRACE)
    team.ready()
    values = team.values()
    recorded = _recorded(team)
    assert recorded["clientId"] == team.client_id
    assert values["AZURE_CLIENT_SECRET"] not in str(recorded)
    without_finalizer(team)
    ticket = _scheduled(team)
    assert ticket["data"]["secretUid"] == (team.secret() or {})["metadata"]["uid"]
    annotations = (team.secret() or {})["metadata"]["annotations"]
    assert annotations["appcredential.io/revocation-time"] == ticket["data"]["due"]
    _finished(team, lambda: team.key_ids() == others)
    assert team.secret() is None
    assert not team.sign_in(values)
    reasons = [reason for _, reason, _ in team.events()]
    assert reasons == ["Issued", "Published", "RevocationScheduled", "Revoked"]


def a_certificate_goes_too(i: Installation) -> None:
    """The same for a certificate."""
    team = i.team("replaced")
    spec = {k: v for k, v in {**CERTIFICATE, **GRACE}.items() if v is not None}
    manifest = team.manifest("app", **spec)
    del manifest["spec"]["clientSecret"]
    i.kube.create(team.path("").removesuffix("/"), manifest)
    team.ready()
    without_finalizer(team)
    _scheduled(team)
    _finished(team, lambda: team.certificates() == {})
    assert team.secret() is None


def a_trust_goes_too(i: Installation) -> None:
    """The same for a federated identity, whose annotations go as well."""
    team = i.team("replaced")
    federated = Federated(team)
    federated.account()
    federated.apply(serviceAccount={"name": "orders"}, **GRACE)
    federated.ready()
    without_finalizer(team)
    _scheduled(team)
    _finished(team, lambda: federated.listed() == [])
    assert federated.annotations() == {}


def one_that_is_back_in_time_keeps_all(i: Installation) -> None:
    """Created again within the grace period: the same credential goes on."""
    team = i.team("back")
    team.apply(**GRACE)
    team.ready()
    key, values = team.key(), team.values()
    without_finalizer(team)
    due = parse(_scheduled(team)["data"]["due"])
    team.apply(**GRACE)
    team.ready()
    team.until(lambda: i.tickets(team.namespace) == [], "its revocation is cancelled")
    i.pass_time(due + timedelta(seconds=4))
    assert (team.key_ids(), team.key(), team.minted()) == ([key], key, 1)
    assert team.sign_in(values)
    assert _recorded(team)["resourceUid"] == team.live()["metadata"]["uid"]


def retain_keeps_all(i: Installation) -> None:
    """Under Retain all stays; so it does when the policy was changed since the issue."""
    team = i.team("kept")
    team.apply(**GRACE)
    team.ready()
    team.change(deletionPolicy="Retain")
    team.until(lambda: _recorded(team)["policy"] == "Retain", "the record follows the spec")
    without_finalizer(team)
    team.until(lambda: i.records(team.namespace) == [], "its record is gone")
    i.pass_time(i.now() + timedelta(seconds=8))
    assert i.tickets(team.namespace) == []
    assert team.signs_in()


def a_deletion_that_is_seen_leaves_no_record(i: Installation) -> None:
    """The ticket takes over; with nothing to revoke there is neither."""
    team = i.team("seen")
    team.apply(**GRACE)
    team.ready()
    team.delete()
    assert len(i.tickets(team.namespace)) == 1
    assert i.records(team.namespace) == []
