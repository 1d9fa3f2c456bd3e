"""What became of the steps of a rotation is counted."""

from __future__ import annotations

from appcredential.domain.proof import classify
from appcredential.errors import PermissionDeniedError, TooLateError
from tests.controllers.test_certificate import Certified
from tests.controllers.test_federated_identity import Federated
from tests.support.builders import DAY, OWNER
from tests.support.world import World

ROW = {"namespace": OWNER.namespace, "name": OWNER.name}


def counted(world: World, metric: str, /, **labels: str) -> float | None:
    return world.metrics.registry.get_sample_value(f"appcredential_{metric}", labels)


async def test_an_issue_and_a_renewal_are_counted() -> None:
    world = World()
    await world.publish()
    assert counted(world, "rotations_total", result="published", trigger="initial") == 1
    assert counted(world, "mints_total", type="ClientSecret", outcome="issued") == 1
    proofs = counted(world, "proofs_total", subject="pending", outcome="Proven")
    assert proofs
    assert proofs >= 1
    world.clock.advance(65 * DAY)
    first = world.status["credential"]["keyId"]
    await world.until(lambda: world.status["credential"]["keyId"] != first)
    assert counted(world, "rotations_total", result="published", trigger="renewal") == 1
    assert counted(world, "rotation_failures_consecutive", **ROW) is None


async def test_a_certificate_counts_once_it_is_registered() -> None:
    world = Certified()
    await world.publish()
    assert counted(world, "mints_total", type="Certificate", outcome="issued") == 1
    assert counted(world, "rotations_total", result="published", trigger="initial") == 1


async def test_a_trust_is_counted_when_it_is_made() -> None:
    world = Federated()
    await world.look_at_tenant()
    await world.until(lambda: world.ready["status"] == "True")
    assert counted(world, "mints_total", type="FederatedIdentity", outcome="issued") == 1


async def test_refusals_in_a_row_are_counted_by_their_reason_until_one_is_published() -> None:
    world = World()
    await world.look_at_tenant()
    world.entra.add_errors = [PermissionDeniedError("no right") for _ in range(3)]
    await world.until(lambda: not world.entra.add_errors)
    outcome = {"type": "ClientSecret", "outcome": "PermissionDenied"}
    assert counted(world, "mints_total", **outcome) == 3
    assert counted(world, "rotations_total", result="failed", trigger="initial") == 3
    assert counted(world, "rotation_failures_consecutive", **ROW) == 3
    await world.until(lambda: world.ready["status"] == "True")
    assert counted(world, "rotation_failures_consecutive", **ROW) is None


async def test_a_lost_answer_is_an_attempt_of_which_nothing_is_known() -> None:
    world = World()
    await world.look_at_tenant()
    world.entra.add_errors = [TooLateError("not sent")]
    await world.until(lambda: not world.entra.add_errors)
    assert counted(world, "mints_total", type="ClientSecret", outcome="unknown") == 1


async def test_a_credential_that_never_signs_in_is_a_failed_attempt() -> None:
    world = World()
    await world.look_at_tenant()
    world.entra.sign_in_result = classify(401, (7000215,))
    failed = {"result": "failed", "trigger": "initial"}
    await world.until(lambda: counted(world, "rotations_total", **failed))
    assert counted(world, "proofs_total", subject="pending", outcome="NotYet")
    assert counted(world, "rotations_total", result="published", trigger="initial") is None
