"""What became of the steps of a rotation is counted."""

from __future__ import annotations

from appcredential.domain.proof import classify
from appcredential.domain.spec.model import KeyId
from appcredential.errors import PermissionDeniedError, RejectedError, TooLateError
from tests.cache.test_samples import see_all
from tests.controllers.test_certificate import Certified
from tests.controllers.test_federated_identity import Federated
from tests.support.builders import DAY, OWNER, credential
from tests.support.directory import Failure
from tests.support.world import RESOURCE, World

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


async def test_what_failed_is_shown_only_by_the_leader_of_that_term() -> None:
    world = World()
    await world.look_at_tenant()
    world.entra.add_errors = [PermissionDeniedError("no right") for _ in range(3)]
    await world.until(lambda: not world.entra.add_errors)
    world.leads = False
    assert counted(world, "rotation_failures_consecutive", **ROW) is None, "another one leads"
    world.leads = True
    assert counted(world, "rotation_failures_consecutive", **ROW) == 3
    world.process.terms.begin(world.clock.now())
    assert counted(world, "rotation_failures_consecutive", **ROW) is None, "it leads anew"
    world.entra.add_errors = [PermissionDeniedError("no right")]
    await world.until(lambda: not world.entra.add_errors)
    assert counted(world, "rotation_failures_consecutive", **ROW) == 1


async def test_a_refusal_is_counted_once_though_the_next_certificate_is_made_meanwhile() -> None:
    world = Certified()
    world.entra.failures = [Failure("add", RejectedError("400", code="BadRequest"))]
    await world.publish()
    refused = {"type": "Certificate", "outcome": "CredentialRefused"}
    assert counted(world, "mints_total", **refused) == 1
    assert counted(world, "mints_total", type="Certificate", outcome="issued") == 1
    assert counted(world, "rotations_total", result="failed", trigger="initial") == 1


async def test_what_others_add_is_shown_though_status_is_not_written_for_it() -> None:
    world = World()
    await world.publish()
    see_all(world)
    versions = world.api.objects[RESOURCE]["metadata"]["resourceVersion"]
    theirs = credential(KeyId("theirs"), display_name="made in the portal")
    world.entra.credentials[theirs.key_id] = theirs
    world.clock.advance(DAY / 2)
    await world.look()
    assert world.api.objects[RESOURCE]["metadata"]["resourceVersion"] == versions
    see_all(world)
    row = 'foreign_credentials{name="orders",namespace="shop"}'
    assert f"{row} 1.0" in world.metrics.text().decode()
    world.leads = False
    assert row not in world.metrics.text().decode(), "what a standby knows of it is old"


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
