"""The operator renews its own client secret, whatever happens on the way."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from appcredential.domain.marker import ClusterIdentity
from appcredential.domain.own import secret_rotation
from appcredential.domain.own.actions import Publish, Remove
from appcredential.domain.own.secret import LABEL, OwnContent, OwnSecret
from appcredential.domain.own.secret_observed import SecretObservation
from appcredential.domain.own.secret_records import NEXT_SECRET
from appcredential.domain.own.secret_rotation import SecretDecision
from appcredential.domain.spec.model import KeyId
from appcredential.entra.rate_limit import RateLimiter
from appcredential.errors import UnavailableError
from appcredential.kube.client import KubeClient
from appcredential.tenants import own_secret_rotation, own_secret_steps
from appcredential.tenants.own_secret_rotation import OwnSecretRotation
from entra_emulator.admin.policies import set_default
from entra_emulator.admin.seed import read_document
from entra_emulator.policies.documents import TenantPolicy
from localcluster import Cluster
from tests.entra.own_scene import (
    RETRY,
    FatedSecrets,
    Killed,
    Process,
    Scene,
    keep_time,
    lose_lease,
    pause,
)
from tests.entra.own_secret_scene import DAY, SecretScene
from tests.support.clock import HandClock
from tests.support.emulator import OWNED_BY, Emulator

pytestmark = pytest.mark.cluster
MINUTE = timedelta(minutes=1)
ADD = {"operation": "application.addPassword"}


@pytest.fixture
async def scene(
    still_emulator: Emulator, cluster: Cluster, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[SecretScene]:
    still_emulator.clear_faults()
    kube = await KubeClient.connect(HandClock(), str(cluster.kubeconfig))
    made = SecretScene(still_emulator, kube, namespace)
    keep_time(monkeypatch, made.clock)
    yield made
    await made.close()
    await kube.close()


async def due(scene: SecretScene) -> Process:
    """Return an operator whose client secret is due now, before it looks."""
    process = scene.process()
    await process.look()
    await process.look()
    assert not await scene.has_successor()
    scene.pass_(7 * DAY)
    return process


async def test_it_is_renewed_when_a_third_of_its_life_is_left(scene: SecretScene) -> None:
    await scene.create()
    process, before = await due(scene), scene.names()
    assert (await scene.status())["identity"]["renewalTime"] > "2026"
    await scene.until(process, scene.is_renewed)
    assert await scene.signs_in()
    await process.look()
    assert [c["type"] for c in (await scene.status())["conditions"]] == ["Ready", "WritePermitted"]
    scene.pass_(6 * DAY)
    await process.look()
    assert before.keys() < scene.names().keys()
    assert len(scene.names()) == len(before) + 1


# --- killed ------------------------------------------------------------------------------------


async def live_through(scene: SecretScene, until: int = 4) -> None:
    """Let an operator renew what it made before; one that is killed is followed by another.

    Raises:
        AssertionError: at some moment the Secret held nothing that signs in.
    """
    scene.proofs = 2
    await scene.create(annotations=scene.made_before())
    process = scene.process()
    for jump, looks, step in (
        (timedelta(0), 2, MINUTE),
        (7 * DAY, 9, 2 * MINUTE),
        (timedelta(hours=2), 2, MINUTE),
        (2 * DAY, 3, MINUTE),
    )[:until]:
        scene.pass_(jump)
        for _ in range(looks):
            with suppress(Killed):
                await process.look()
            if scene.fate.is_over:
                process, scene.fate.is_over = scene.process(), False
            assert await scene.signs_in(), scene.fate.points
            scene.pass_(step)


WRITES = ["Secret", "addPassword", "Secret", "Secret", "removePassword", "Secret"]
ENDS = [f"{when} {write}" for write in WRITES for when in ("before", "after")]


async def test_each_moment_is_one_of_these(scene: SecretScene) -> None:
    await live_through(scene)
    assert scene.fate.points == ENDS
    assert scene.by_hand[0] not in scene.names()


@pytest.mark.parametrize("at", range(len(ENDS)), ids=ENDS)
async def test_killed_at_any_moment_it_ends_with_the_right_secrets(
    scene: SecretScene, at: int
) -> None:
    """Also an entry whose value was lost with the process is gone in the end."""
    others = scene.names()
    scene.fate.at = at
    await live_through(scene)
    assert await scene.is_renewed()
    assert not await scene.has_successor()
    records = await scene.records()
    assert records is not None
    assert (records.asked, [one.key_id for one in records.made]) == ((), [records.main])
    assert scene.names().keys() == {*others, records.main}


def publish_at_once(patch: pytest.MonkeyPatch) -> None:
    """A successor takes the place of the one in use before it signs in."""

    def decided(o: SecretObservation) -> SecretDecision:
        found = right(o)
        is_unproven = o.next_made() is not None and o.successor != o.main
        return SecretDecision(Publish(), None) if is_unproven else found

    right = secret_rotation.decide
    patch.setattr(own_secret_rotation, "decide", decided)


async def test_a_wrong_order_is_noticed(
    scene: SecretScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_at_once(monkeypatch)
    scene.emulator.set_faults(lag={"token": {"add": [200, 280], "remove": [0, 1]}})
    with pytest.raises(AssertionError):
        await live_through(scene)


def remove_what_is_in_use(patch: pytest.MonkeyPatch) -> None:
    """The one before is removed as soon as its successor is stored."""

    def decided(o: SecretObservation) -> SecretDecision:
        former, successor = o.ours().of(o.main), o.next_made()
        if former is None or successor is None or successor == former:
            return right(o)
        return SecretDecision(Remove(KeyId(former.key_id)), None)

    right = secret_rotation.decide
    patch.setattr(own_secret_rotation, "decide", decided)


async def test_a_removal_too_early_is_noticed(
    scene: SecretScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    remove_what_is_in_use(monkeypatch)
    with pytest.raises(AssertionError):
        await live_through(scene)


# --- the Lease ---------------------------------------------------------------------------------


async def interrupt(scene: SecretScene, interruption: Callable[[Scene, Process], None]) -> Process:
    """Let something happen between the reads and the removal of a former client secret.

    Raises:
        AssertionError: it was removed all the same.
    """
    await live_through(scene, until=2)
    scene.pass_(3 * DAY)
    process = scene.process()
    scene.after_read = lambda: interruption(scene, process)
    for _ in range(3):
        await process.look()
    assert scene.by_hand[0] in scene.names()
    return process


async def test_nothing_is_removed_by_what_was_read_before_a_pause(scene: SecretScene) -> None:
    process = await interrupt(scene, pause)
    scene.after_read = lambda: None
    await process.look()
    assert scene.by_hand[0] not in scene.names()


async def test_nothing_is_removed_by_who_lost_the_lease_since_it_began(
    scene: SecretScene,
) -> None:
    await interrupt(scene, lose_lease)


@pytest.mark.parametrize("interruption", [pause, lose_lease])
async def test_that_it_was_removed_by_an_old_read_would_be_noticed(
    scene: SecretScene,
    interruption: Callable[[Scene, Process], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(OwnSecretRotation, "_may_still", lambda *_: True)
    with pytest.raises(AssertionError):
        await interrupt(scene, interruption)


async def test_none_is_asked_for_whose_value_the_lease_may_not_last_to_store(
    scene: SecretScene,
) -> None:
    await scene.create()
    process, before = await due(scene), scene.names()
    process.gate.remaining = lambda: 40.0
    await process.look()
    assert (scene.names(), await scene.records()) == (before, None)
    process.gate.remaining = lambda: 60.0
    await scene.until(process, scene.is_renewed)


async def ask_late(scene: SecretScene) -> None:
    """Let a process be paused between the check of its Lease and the call.

    Raises:
        AssertionError: it asked for a client secret all the same.
    """
    await scene.create()
    process, before = await due(scene), scene.names()
    scene.after_read = lambda: pause(scene, process)
    await process.look()
    assert scene.names() == before
    records = await scene.records()
    assert records is not None
    assert records.asked == ()


async def test_none_is_asked_for_long_after_the_lease_was_looked_at(scene: SecretScene) -> None:
    await ask_late(scene)


async def test_that_it_was_asked_for_late_would_be_noticed(
    scene: SecretScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_secret_steps, "_SENT_WITHIN", 60.0)
    with pytest.raises(AssertionError):
        await ask_late(scene)


# --- Entra -------------------------------------------------------------------------------------


async def test_a_replica_that_lags_delays_it_and_nothing_more(scene: SecretScene) -> None:
    window = {"add": [200, 280], "remove": [0, 1]}
    scene.emulator.set_faults(lag={"token": window, "application": window})
    await live_through(scene)
    assert await scene.is_renewed()


async def test_a_lost_answer_leaves_nothing_behind(scene: SecretScene) -> None:
    await scene.create()
    process, before = await due(scene), scene.names()
    foreign = scene.add(f"appcred1-identity.other.{'a' * 20}.{'b' * 16}", 90)[0]
    scene.emulator.add_rule("timeout-after-commit", match=ADD, count=1)
    await process.look()
    assert len(scene.names()) == len(before) + 2
    assert not await scene.has_successor()
    await scene.until(process, scene.is_renewed)
    await process.look()
    scene.pass_(timedelta(hours=2))
    for _ in range(3):
        await process.look()
    records = await scene.records()
    assert records is not None
    assert scene.names().keys() == {*before, foreign, records.main}


async def test_a_value_whose_write_got_no_answer_is_found_again(
    scene: SecretScene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    write = FatedSecrets.write

    async def unanswered(of: FatedSecrets, name: str, live: OwnSecret, wanted: OwnContent) -> None:
        await write(of, name, live, wanted)
        if NEXT_SECRET in wanted.data:
            raise UnavailableError("no answer")

    await scene.create()
    process = await due(scene)
    monkeypatch.setattr(FatedSecrets, "write", unanswered)
    scene.emulator.reset_log()
    await process.look()
    assert await scene.has_successor()
    messages = [record.message for record in caplog.records]
    assert "own client secret: not stored" in messages
    assert "own client secret: a step failed" not in messages
    await scene.until(process, scene.is_renewed)
    assert scene.emulator.counts()["application.addPassword"] == 1


async def throttled(scene: SecretScene) -> None:
    """Let Graph ask for a pause of two minutes, twice.

    Raises:
        AssertionError: a call came sooner.
    """
    await scene.create()
    process = await due(scene)
    scene.emulator.add_rule("throttle", match=ADD, count=2, retryAfter=120)
    scene.emulator.reset_log()
    await scene.until(process, scene.is_renewed, looks=120)
    gaps = scene.gaps("application.addPassword")
    assert len(gaps) == 2
    assert min(gaps) >= timedelta(seconds=120)
    assert await scene.signs_in()


async def test_throttling_is_waited_for(scene: SecretScene) -> None:
    await throttled(scene)


async def test_that_a_pause_was_ignored_would_be_noticed(
    scene: SecretScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RateLimiter, "pause", lambda *_: None)
    with pytest.raises(AssertionError):
        await throttled(scene)


async def test_an_operator_that_does_not_own_its_application_says_so(scene: SecretScene) -> None:
    scene.emulator.set_owners(scene.client_id)
    await scene.create()
    process, before = await due(scene), scene.names()
    data = (await scene.secret())["data"]
    scene.emulator.reset_log()
    for _ in range(3):
        await process.look()
        scene.pass_(MINUTE)
    assert scene.emulator.counts()["application.addPassword"] == 1
    stalled = await scene.condition("Stalled")
    assert stalled["reason"] == "IdentityNotRenewed"
    assert "an owner of the operator's own app registration" in stalled["message"]
    assert (await scene.condition("Ready"))["status"] == "True"
    assert ((await scene.secret())["data"], scene.names()) == (data, before)
    scene.emulator.set_owners(scene.client_id, scene.client_id)
    scene.pass_(timedelta(hours=1))
    await scene.until(process, scene.is_renewed)


async def test_a_policy_that_forbids_it_is_told_and_nothing_is_lost(scene: SecretScene) -> None:
    await scene.create()
    process = await due(scene)
    restrict(scene, {"restrictionType": "passwordAddition", "maxLifetime": None})
    await process.look()
    assert (await scene.condition("Stalled"))["reason"] == "IdentityNotRenewed"
    assert "policy" in (await scene.condition("Stalled"))["message"]
    assert await scene.signs_in()


async def test_who_lowers_the_lifetime_as_a_refusal_says_gets_one_that_the_policy_allows(
    scene: SecretScene,
) -> None:
    scene.emulator.set_permissions(scene.tenant, scene.client_id, OWNED_BY)  # it cannot read it
    await scene.create({"lifetime": "90d"})
    restrict(scene, {"restrictionType": "passwordLifetime", "maxLifetime": "P30D"})
    process = await due(scene)
    for _ in range(4):
        await process.look()
        scene.pass_(timedelta(hours=1))
    assert "lower rotation.lifetime" in (await scene.condition("Stalled"))["message"]
    await scene.edit_rotation({"lifetime": "28d"})
    await scene.until(process, scene.is_renewed)
    assert await scene.signs_in()
    await process.look()
    assert (await scene.condition("Stalled")) == {}


async def test_a_policy_for_newer_applications_only_shortens_it_before_it_is_refused(
    scene: SecretScene,
) -> None:
    await scene.create({"lifetime": "90d"})
    since = {"restrictForAppsCreatedAfterDateTime": "2019-01-01T00:00:00Z"}
    restrict(scene, {"restrictionType": "passwordLifetime", "maxLifetime": "P30D", **since})
    scene.emulator.reset_log()
    await scene.until(scene.process(), scene.is_renewed)
    assert scene.emulator.counts()["application.addPassword"] == 1


def restrict(scene: SecretScene, restriction: dict[str, str | None]) -> None:
    """Let the tenant's default policy restrict client secrets."""
    restrictions = {"passwordCredentials": [restriction], "keyCredentials": []}
    document = {"isEnabled": True, "applicationRestrictions": restrictions}
    policy = read_document(TenantPolicy, document)
    scene.emulator.do(lambda world: set_default(world, scene.tenant, policy))


async def test_by_a_doubtful_clock_nothing_is_made(scene: SecretScene) -> None:
    await scene.create()
    process, before = await due(scene), scene.names()
    scene.emulator.move_clock(400)
    for _ in range(3):
        await process.look()
        scene.pass_(MINUTE)
    assert scene.names() == before
    assert "clocks" in (await scene.status())["identity"]["renewalProblem"]
    scene.emulator.move_clock(-400)


# --- people ------------------------------------------------------------------------------------


async def test_once_somebody_removed_the_one_in_use_its_successor_signs_in(
    scene: SecretScene,
) -> None:
    await scene.create(annotations=scene.made_before())
    process = await due(scene)
    scene.fate.at = 5  # the successor is stored
    with pytest.raises(Killed):
        await process.look()
    scene.emulator.remove_password(scene.client_id, scene.by_hand[0])
    process = scene.process()
    await scene.until(process, scene.is_renewed)
    assert await scene.signs_in()


async def test_what_a_person_puts_there_stays_for_as_long_as_entra_may_lag(
    scene: SecretScene,
) -> None:
    """Also by an operator that starts then, for which the successor alone signs in."""
    scene.proofs = 2
    await scene.create()
    process = await due(scene)
    scene.fate.at = 5  # the successor is stored
    with pytest.raises(Killed):
        await process.look()
    scene.first_value = "a" * 40  # Entra does not know it
    changed = base64.b64encode(scene.first_value.encode()).decode()
    await scene.edit(lambda found: found["data"].update(clientSecret=changed))
    process = scene.process()
    for _ in range(6):
        await process.look()
        assert not await scene.is_renewed()
        scene.pass_(4 * MINUTE)
    assert (await scene.condition("Stalled"))["reason"] == "IdentityRejected"
    scene.pass_(8 * MINUTE)
    await scene.until(process, scene.is_renewed)
    assert await scene.signs_in()


async def test_a_removal_that_a_replica_does_not_show_is_not_repeated_at_once(
    scene: SecretScene,
) -> None:
    await live_through(scene, until=2)
    scene.emulator.set_faults(lag={"application": {"add": [0, 0], "remove": [200, 280]}})
    scene.pass_(3 * DAY)
    process, end = scene.process(), scene.clock.now() + 5 * MINUTE
    scene.emulator.reset_log()
    while scene.clock.now() < end:
        again = await process.look()
        scene.pass_(max(again - scene.clock.now(), timedelta(seconds=1)))
    assert scene.by_hand[0] not in scene.names()
    assert scene.emulator.counts()["application.removePassword"] <= 10


async def test_what_stays_on_the_former_app_registration_is_told(scene: SecretScene) -> None:
    await live_through(scene, until=2)  # the first one of the operator's own is still there
    former, before = scene.client_id, scene.names()
    await scene.move()
    process = scene.process()
    for _ in range(4):
        await process.look()
        scene.pass_(RETRY)
    assert "IdentityLeftBehind" in await scene.told()
    scene.pass_(3 * DAY)
    for _ in range(4):
        await process.look()
        scene.pass_(RETRY)
    assert "IdentityRetired" not in await scene.told()
    records = await scene.records()
    assert records is not None
    assert (records.made, records.asked, records.client) == ((), (), scene.client_id)
    scene.client_id = former
    assert scene.names() == before


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"labels": {}}, "appcredential.io/identity=true"),
        (
            {"labels": {LABEL: "true"}, "annotations": {"external-secrets.io/a": "b"}},
            "external-secrets.io",
        ),
    ],
)
async def test_a_secret_that_is_not_the_operator_s_is_left_alone(
    scene: SecretScene, change: dict[str, Any], words: str
) -> None:
    await scene.create(**change)
    before, names = await scene.secret(), scene.names()
    process = await due(scene)
    await process.look()
    stalled = await scene.condition("Stalled")
    assert stalled["reason"] == "IdentitySecretNotOurs"
    assert words in stalled["message"]
    assert (await scene.secret(), scene.names()) == (before, names)


async def test_two_tenants_may_not_share_one_secret(scene: SecretScene) -> None:
    await scene.create()
    await scene.create_tenant(f"{scene.name}-too", {})
    process, names = await due(scene), scene.names()
    await process.look()
    assert f"{scene.name}-too" in (await scene.condition("Stalled"))["message"]
    assert scene.names() == names


async def test_a_copy_in_another_cluster_is_renewed_at_once(scene: SecretScene) -> None:
    scene.proofs = 2
    await scene.create(annotations=scene.made_before())
    names = scene.names()
    other = scene.process(ClusterIdentity.of("another uid"))
    await scene.until(other, scene.is_renewed)
    scene.pass_(5 * DAY)
    await other.look()
    assert names.keys() < scene.names().keys()
