"""What status says when the API server refuses a Secret, in the words it uses itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import pytest

from appcredential.errors import (
    AppCredentialError,
    NamespaceTerminatingError,
    PermissionDeniedError,
    RejectedError,
    SecretForbiddenError,
    SecretRefusal,
    SecretRefusedError,
)
from appcredential.kube.translate import raise_for_status
from tests.support.builders import DAY, MINUTE, OWNER
from tests.support.world import RESOURCE, SECRETS, TARGET, World

ROLE = (
    'secrets is forbidden: User "system:serviceaccount:quota:op" cannot create resource "secrets" '
    'in API group "" in the namespace "shop"'
)
QUOTA = (
    'secrets "orders-entra" is forbidden: exceeded quota: objects, requested: count/secrets=1, '
    "used: count/secrets=10, limited: count/secrets=10"
)
WEBHOOK = 'admission webhook "validation.gatekeeper.sh" denied the request: [owners] no label team'
POLICY = (
    "secrets \"orders-entra\" is forbidden: ValidatingAdmissionPolicy 'labels' with binding "
    "'labels-shop' denied request: label team is missing"
)
INVALID = 'Secret "orders-entra" is invalid: data: Too long: may not be more than 1048576 bytes'
ISSUED = f"POST {SECRETS}"


def raised(status: int, reason: str, message: str, call: str) -> AppCredentialError:
    with pytest.raises(AppCredentialError) as caught:
        raise_for_status(status, {"reason": reason, "message": message}, {}, call)
    assert "team" not in str(caught.value)  # the server's text stays out
    return caught.value


@pytest.mark.parametrize(
    ("status", "reason", "message", "cause"),
    [
        (403, "Forbidden", QUOTA, SecretRefusal.QUOTA),
        (403, "Forbidden", QUOTA.replace("exceeded", "failed"), SecretRefusal.QUOTA),
        (403, "Forbidden", WEBHOOK, SecretRefusal.ADMISSION),
        (400, "", WEBHOOK, SecretRefusal.ADMISSION),
        (422, "Invalid", POLICY, SecretRefusal.ADMISSION),
        (403, "Forbidden", POLICY, SecretRefusal.ADMISSION),
        (422, "Invalid", INVALID, SecretRefusal.INVALID),
        (413, "RequestEntityTooLarge", "", SecretRefusal.INVALID),
    ],
)
def test_a_refused_secret_is_told_from_a_missing_role(
    status: int, reason: str, message: str, cause: SecretRefusal
) -> None:
    error = raised(status, reason, message, ISSUED)
    assert isinstance(error, SecretRefusedError)
    assert error.cause is cause


@pytest.mark.parametrize(
    ("call", "is_write"),
    [(ISSUED, True), (f"PUT {TARGET}", True), (f"DELETE {TARGET}", True), (f"GET {TARGET}", False)],
)
def test_a_missing_role_says_whether_it_is_to_read_or_to_write(call: str, is_write: bool) -> None:
    error = raised(403, "Forbidden", ROLE, call)
    assert isinstance(error, SecretForbiddenError)
    assert error.is_write is is_write


@pytest.mark.parametrize(
    ("status", "call", "kind"),
    [
        (401, f"GET {TARGET}", PermissionDeniedError),
        (403, "POST /api/v1/namespaces/secrets/configmaps", PermissionDeniedError),
        (403, f"PATCH {RESOURCE}/status", PermissionDeniedError),
        (422, "POST /api/v1/namespaces/secrets/configmaps", RejectedError),
        (400, f"GET {TARGET}", RejectedError),
    ],
)
def test_what_is_not_a_refused_secret_keeps_its_error(
    status: int, call: str, kind: type[AppCredentialError]
) -> None:
    assert type(raised(status, "Forbidden", QUOTA, call)) is kind


def test_a_namespace_that_goes_away_is_no_refusal() -> None:
    body = {"reason": "Forbidden", "details": {"causes": [{"reason": "NamespaceTerminating"}]}}
    with pytest.raises(NamespaceTerminatingError):
        raise_for_status(403, body, {}, ISSUED)


@pytest.mark.parametrize(
    ("status", "message", "reason", "says"),
    [
        (403, QUOTA, "SecretRefused", "quota of the namespace"),
        (403, WEBHOOK, "SecretRefused", "admission"),
        (422, POLICY, "SecretRefused", "admission"),
        (422, INVALID, "SecretRefused", "not valid"),
        (403, ROLE, "SecretForbidden", "Bind its role"),
    ],
)
async def test_a_first_secret_that_is_refused_is_told_and_issued_when_it_may_be(
    status: int, message: str, reason: str, says: str
) -> None:
    world = World()
    await world.look_at_tenant()
    refusal = world.api.refuse("POST", "/secrets", message, status=status)
    wait = await world.look()
    assert wait == MINUTE
    assert world.conditions["Stalled"]["reason"] == reason
    assert world.ready["status"] == "False"
    assert says in world.conditions["Stalled"]["message"]
    assert "team" not in world.conditions["Stalled"]["message"]
    assert "add" not in world.entra.calls
    assert [e["reason"] for e in world.events] == [reason]
    world.api.refusals.remove(refusal)
    await world.until(lambda: world.ready["status"] == "True")
    assert "Stalled" not in world.conditions


@pytest.mark.parametrize(
    ("message", "reason"), [(QUOTA, "SecretRefused"), (ROLE, "SecretForbidden")]
)
async def test_a_published_credential_stays_ready_when_its_successor_is_refused(
    message: str, reason: str
) -> None:
    world = World()
    await world.publish()
    published = world.status["credential"]
    world.clock.advance(70 * DAY)
    world.api.refuse("POST PUT", "/secrets", message)
    await world.look()
    assert world.ready["status"] == "True"
    assert world.ready["reason"] == "RotationFailing"
    assert world.conditions["Stalled"]["reason"] == reason
    assert world.status["credential"] == published


_LABELS: Final = {"app.kubernetes.io/part-of": "b"}


async def test_a_repair_that_is_refused_leaves_the_credential_ready() -> None:
    world = World()
    await world.publish()
    spec = world.api.objects[RESOURCE]["spec"]
    world.put_resource(OWNER, **(spec | {"secret": {"name": "orders-entra", "labels": _LABELS}}))
    world.api.refuse("PUT", "/secrets", WEBHOOK)
    world.clock.advance(MINUTE)
    await world.look()
    assert world.ready["status"] == "True"
    assert world.conditions["Stalled"]["reason"] == "SecretRefused"


async def test_a_refusal_that_lasts_changes_status_once() -> None:
    world = World()
    await world.look_at_tenant()
    await world.until(lambda: "sign-in" in world.entra.calls)
    world.api.refuse("POST", "/secrets", QUOTA)
    await world.until(lambda: "Stalled" in world.conditions)
    writes = world.api.count("PATCH", "/status")
    for _ in range(60):
        world.clock.advance(await world.look() or timedelta(0))
    assert world.api.count("PATCH", "/status") == writes
    assert world.conditions["Stalled"]["reason"] == "SecretRefused"
    assert world.entra.calls.count("add") == 1


async def test_another_spec_is_tried_at_once() -> None:
    world = World()
    await world.publish()
    world.clock.advance(70 * DAY)
    refusal = world.api.refuse("POST", "/secrets", WEBHOOK)
    await world.look()
    world.api.refusals.remove(refusal)
    world.put_resource(OWNER, lifetime="60d")
    adds = world.entra.calls.count("add")
    await world.reconciler.reconcile(
        OWNER, world.api.objects[RESOURCE]["metadata"]["resourceVersion"]
    )
    assert world.entra.calls.count("add") == adds + 1


async def test_a_secret_that_cannot_be_read_is_said_to_be_unreadable() -> None:
    world = World()
    await world.look_at_tenant()
    refusal = world.api.refuse("GET", "/secrets/orders-entra", ROLE)
    await world.look()
    assert world.conditions["Stalled"]["reason"] == "SecretForbidden"
    assert "may not read Secrets" in world.conditions["Stalled"]["message"]
    world.api.refusals.remove(refusal)
    await world.until(lambda: world.ready["status"] == "True")
