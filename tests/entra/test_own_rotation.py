"""The operator renews its own certificate, whatever happens on the way."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any, TypeAlias

import pytest

from appcredential.domain.conditions import Problem
from appcredential.domain.marker import ClusterIdentity
from appcredential.domain.own import rotation
from appcredential.domain.own.actions import Look, OwnAction, Publish, Remove
from appcredential.domain.own.observed import OwnObservation, OwnPair
from appcredential.domain.own.secret import LABEL
from appcredential.kube.client import APPLY_PATCH, KubeClient
from appcredential.kube.custom_resources import TENANTS, path_of
from appcredential.kube.secret_store import secrets_path
from appcredential.runtime.ready import Key
from appcredential.tenants.operator_credential import OperatorCredentials
from entra_emulator.admin.policies import set_default
from entra_emulator.admin.seed import read_document
from entra_emulator.policies.documents import TenantPolicy
from localcluster import Cluster
from tests.entra.own_scene import (
    RETRY,
    Killed,
    Process,
    Scene,
    keep_time,
    lose_lease,
    pause,
)
from tests.support.clock import HandClock
from tests.support.emulator import OWNED_BY, Emulator
from tests.support.keys import MadeCertificate

pytestmark = pytest.mark.cluster
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
Interruption: TypeAlias = Callable[[Scene, Process], None]
ADD_KEY = {"operation": "application.addKey"}


def encoded(certificate: MadeCertificate) -> dict[str, str]:
    data = {"tls.crt": certificate.pem, "tls.key": certificate.key_pem}
    return {key: base64.b64encode(value).decode() for key, value in data.items()}


@pytest.fixture
async def scene(
    still_emulator: Emulator, cluster: Cluster, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Scene]:
    still_emulator.clear_faults()
    kube = await KubeClient.connect(HandClock(), str(cluster.kubeconfig))
    made = Scene(still_emulator, kube, namespace)
    keep_time(monkeypatch, made.clock)
    yield made
    await made.close()
    await kube.close()


async def at_work(scene: Scene) -> Process:
    """Return an operator whose certificate is soon due."""
    process = scene.process()
    await process.look()
    await process.look()
    scene.pass_(58 * DAY)
    await process.look()
    assert not await scene.has_successor()
    return process


async def due(scene: Scene) -> Process:
    """Return an operator whose certificate is due now, before it looks."""
    process = await at_work(scene)
    scene.pass_(2 * DAY)
    return process


async def test_it_is_renewed_when_a_third_of_its_life_is_left(scene: Scene) -> None:
    await scene.create()
    process = await at_work(scene)
    assert (await scene.status())["identity"]["renewalTime"] > "2026"
    scene.pass_(2 * DAY)
    await scene.until(process, scene.is_renewed)
    assert await scene.signs_in()
    await process.look()
    status = await scene.status()
    assert status["identity"]["thumbprint"] == await scene.thumbprint()
    assert [c["type"] for c in status["conditions"]] == ["Ready", "WritePermitted"]


async def test_a_year_passes_without_one_failed_call(scene: Scene) -> None:
    await scene.create()
    process, seen = scene.process(), set()
    await process.look()
    scene.emulator.reset_log()
    end = scene.clock.now() + 365 * DAY
    while scene.clock.now() < end:
        again = await process.look()
        assert (await scene.condition("Ready"))["status"] == "True"
        seen.add(await scene.thumbprint())
        is_busy = await scene.has_successor() or again <= scene.clock.now()
        scene.pass_(max(again - scene.clock.now(), SECOND) if is_busy else 5 * DAY)
    assert len(seen) == 7
    assert await scene.signs_in()
    failed = [r for r in scene.emulator.requests() if r.status >= 400]
    assert failed == []
    kept = {scene.first.thumbprint, scene.foreign.thumbprint, await scene.thumbprint()}
    assert kept <= set(scene.listed())
    assert len(scene.listed()) <= len(kept) + 1  # its predecessor, for the overlap
    await process.end()


# --- killed ------------------------------------------------------------------------------------


async def live_through(scene: Scene) -> None:
    """Let an operator renew what it added before; one that is killed is followed by another.

    Raises:
        AssertionError: at some moment the Secret held nothing that signs in.
    """
    scene.proofs = 2
    await scene.create({"lifetime": "10d"}, annotations=scene.added_before())
    process = scene.process()
    for jump, looks in ((timedelta(0), 2), (7 * DAY, 8), (2 * DAY, 4)):
        scene.pass_(jump)
        for _ in range(looks):
            with suppress(Killed):
                await process.look()
            if scene.fate.is_over:
                process, scene.fate.is_over = scene.process(), False
            assert await scene.signs_in(), scene.fate.points
            scene.pass_(60 * SECOND)


WRITES = ["Secret", "addKey", "Secret", "removeKey", "Secret"]
ENDS = [f"{when} {write}" for write in WRITES for when in ("before", "after")]


async def test_each_moment_is_one_of_these(scene: Scene) -> None:
    await live_through(scene)
    assert scene.fate.points == ENDS
    assert scene.first.thumbprint not in scene.listed()


@pytest.mark.parametrize("at", range(len(ENDS)), ids=ENDS)
async def test_killed_at_any_moment_it_ends_with_the_right_certificates(
    scene: Scene, at: int
) -> None:
    scene.fate.at = at
    await live_through(scene)
    right = [scene.foreign.thumbprint, await scene.thumbprint()]
    assert await scene.is_renewed()
    assert scene.listed() == sorted(right)
    assert not await scene.has_successor()


def publish_at_once(patch: pytest.MonkeyPatch) -> None:
    """A successor takes the place of the one in use before it signs in."""
    patch.setattr(rotation, "_prove", lambda o, successor: Publish())


def remove_at_once(patch: pytest.MonkeyPatch) -> None:
    """The one in use is removed before its successor is published."""

    def prove(o: OwnObservation, successor: OwnPair) -> OwnAction | Problem:
        keys = {key.shown: key.key_id for key in o.keys or ()}
        if o.keys is None:
            return Look()
        is_added = successor.thumbprint in keys and o.main.thumbprint in keys
        return Remove(keys[o.main.thumbprint]) if is_added else right(o, successor)

    right: Callable[..., OwnAction | Problem] = rotation._prove
    patch.setattr(rotation, "_prove", prove)


@pytest.mark.parametrize("broken", [publish_at_once, remove_at_once])
async def test_a_wrong_order_is_noticed(
    scene: Scene, broken: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken(monkeypatch)
    with pytest.raises(AssertionError):
        await live_through(scene)


# --- the Lease ---------------------------------------------------------------------------------


async def interrupt(scene: Scene, interruption: Interruption) -> Process:
    """Let something happen between the reads and the removal of a former certificate.

    Raises:
        AssertionError: it was removed all the same.
    """
    scene.proofs = 2
    await scene.create(annotations=scene.added_before())
    process = await due(scene)
    await scene.until(process, scene.is_renewed)
    scene.pass_(20 * DAY)
    scene.after_read = lambda: interruption(scene, process)
    for _ in range(3):
        await process.look()
    assert scene.first.thumbprint in scene.listed()
    return process


async def test_nothing_is_removed_by_what_was_read_before_a_pause(scene: Scene) -> None:
    process = await interrupt(scene, pause)
    scene.after_read = lambda: None
    await process.look()
    assert scene.first.thumbprint not in scene.listed()


async def test_nothing_is_removed_by_who_lost_the_lease_since_it_began(scene: Scene) -> None:
    await interrupt(scene, lose_lease)


async def test_what_a_process_made_in_an_earlier_term_may_be_known_to_entra(scene: Scene) -> None:
    """Another leader found it in the Secret, asked Entra to add it, and got no answer."""
    scene.proofs = 2
    await scene.create()
    process = await due(scene)
    scene.emulator.add_rule("throttle", match=ADD_KEY, count=1, retryAfter=60)
    await process.look()
    other = scene.process()
    scene.pass_(timedelta(minutes=1))
    window = {"add": [200, 280], "remove": [0, 1]}
    scene.emulator.set_faults(lag={"token": window, "application": window})
    scene.emulator.add_rule("timeout-after-commit", match=ADD_KEY, count=1)
    await scene.until(other, scene.is_known)
    process.this.terms.begin(scene.clock.now())
    await scene.edit_rotation({"lifetime": "28d"})
    successor = await scene.successor()
    await scene.until(process, scene.is_renewed, looks=120)
    assert await scene.thumbprint() == successor
    assert len(scene.listed()) == 3


# --- Entra -------------------------------------------------------------------------------------


async def test_a_replica_that_lags_delays_it_and_nothing_more(scene: Scene) -> None:
    await scene.create()
    process = await due(scene)
    window = {"add": [200, 280], "remove": [0, 1]}
    scene.emulator.set_faults(lag={"token": window, "application": window})
    started = scene.clock.now()
    for _ in range(200):
        again = await process.look()
        assert await scene.signs_in()
        if await scene.is_renewed():
            break
        scene.pass_(max(again - scene.clock.now(), SECOND))
    assert scene.clock.now() - started > timedelta(seconds=200)
    assert len(scene.listed()) == 3


async def test_a_lost_answer_adds_no_second_one(scene: Scene) -> None:
    await scene.create()
    process = await due(scene)
    scene.emulator.add_rule("timeout-after-commit", match=ADD_KEY, count=1)
    await scene.until(process, scene.is_renewed)
    assert len(scene.listed()) == 3


async def test_throttling_is_waited_for(scene: Scene) -> None:
    scene.proofs = 2
    await scene.create()
    process = await due(scene)
    scene.emulator.add_rule("throttle", match=ADD_KEY, count=2, retryAfter=120)
    scene.emulator.reset_log()
    await scene.until(process, scene.is_renewed)
    gaps = scene.gaps("application.addKey")
    assert len(gaps) == 2
    assert min(gaps) >= timedelta(seconds=120)
    assert await scene.signs_in()


async def test_a_policy_that_forbids_it_is_told_and_nothing_is_lost(scene: Scene) -> None:
    scene.emulator.set_permissions(scene.tenant, scene.client_id, OWNED_BY)  # it cannot read it
    await scene.create()
    process = await due(scene)
    forbid_certificates(scene, longest="P30D")
    await process.look()
    stalled = await scene.condition("Stalled")
    assert stalled["reason"] == "IdentityNotRenewed"
    assert "CredentialInvalidLifetimeAsPerAppPolicy" in stalled["message"]
    assert (await scene.condition("Ready"))["status"] == "True"
    asked = scene.emulator.counts()["application.addKey"]
    scene.pass_(timedelta(minutes=30))
    await process.look()
    assert scene.emulator.counts()["application.addKey"] == asked
    forbid_certificates(scene, longest="P365D")
    scene.pass_(timedelta(minutes=31))
    await scene.until(process, scene.is_renewed)
    await process.look()
    assert (await scene.condition("Stalled")) == {}


async def refused(scene: Scene) -> Process:
    """Return an operator whose due successor a policy refuses, which it cannot read."""
    scene.emulator.set_permissions(scene.tenant, scene.client_id, OWNED_BY)
    scene.proofs = 2
    await scene.create({"lifetime": "90d", "renewBefore": "7d"})
    process = scene.process()
    await process.look()
    scene.pass_(83 * DAY)
    forbid_certificates(scene, longest="P30D")
    await process.look()
    await process.look()
    assert "lower rotation.lifetime" in (await scene.condition("Stalled"))["message"]
    return process


@pytest.mark.parametrize("is_restarted", [False, True])
async def test_who_lowers_the_lifetime_as_a_refusal_says_gets_one_that_the_policy_allows(
    scene: Scene, *, is_restarted: bool
) -> None:
    process = await refused(scene)
    too_long = await scene.successor()
    if is_restarted:
        await process.end()
        process = scene.process()
    await scene.edit_rotation({"lifetime": "28d", "renewBefore": "7d"})
    began = scene.clock.now()
    await scene.until(process, scene.is_renewed, looks=120)
    assert scene.clock.now() - began < timedelta(hours=1)
    assert await scene.signs_in()
    assert await scene.thumbprint() != too_long
    await process.look()
    assert (await scene.condition("Stalled")) == {}


def keep_what_is_refused(patch: pytest.MonkeyPatch) -> None:
    """A successor that is too long is sent again and again."""
    patch.setattr(rotation, "_is_too_long", lambda o, successor: False)


async def test_once_it_has_expired_status_says_that_a_person_has_to_make_another(
    scene: Scene,
) -> None:
    """Not that the operator tries on, nor to register the one that Entra refuses."""
    process = await refused(scene)
    await process.end()
    process = scene.process()
    scene.pass_(7 * DAY - timedelta(minutes=10))
    for _ in range(4):
        await process.look()
        scene.pass_(RETRY)
    assert (await scene.condition("Ready"))["status"] == "True"
    scene.pass_(timedelta(minutes=9))
    await process.look()
    assert (await scene.condition("Ready"))["status"] == "True"  # by the token that it still has
    assert "has expired" in (await scene.status())["identity"]["renewalProblem"]
    assert (await scene.condition("Stalled"))["reason"] == "IdentityCertificateUnusable"
    scene.pass_(DAY)
    for _ in range(3):
        await process.look()
        scene.pass_(RETRY)
    ready = await scene.condition("Ready")
    assert (ready["status"], ready["reason"]) == ("False", "IdentityCertificateUnusable")
    assert "has expired: put a valid one there" in ready["message"]


async def test_one_that_stays_as_long_as_it_was_ends_in_a_lockout(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_what_is_refused(monkeypatch)
    process = await refused(scene)
    await scene.edit_rotation({"lifetime": "28d", "renewBefore": "7d"})
    for _ in range(8):
        scene.pass_(DAY)
        await process.look()
    assert not await scene.signs_in()


async def test_a_policy_for_newer_applications_only_shortens_it_before_it_is_refused(
    scene: Scene,
) -> None:
    await scene.create({"lifetime": "90d"})
    process = scene.process()
    await process.look()
    forbid_certificates(scene, longest="P30D", since="2019-01-01T00:00:00Z")
    scene.pass_(60 * DAY)
    scene.emulator.reset_log()
    await scene.until(process, scene.is_renewed)
    assert scene.emulator.counts()["application.addKey"] == 1
    assert "30d" in (await scene.status())["appManagementPolicy"]["certificate"]


async def asked_without_answer(scene: Scene) -> None:
    """Add a successor whose answer is lost, to Entra whose replicas lag; then want a shorter one.

    Raises:
        AssertionError: what Entra knows was dropped.
    """
    scene.proofs = 2
    await scene.create()
    process = await due(scene)
    window = {"add": [200, 280], "remove": [0, 1]}
    scene.emulator.set_faults(lag={"token": window, "application": window})
    scene.emulator.add_rule("timeout-after-commit", match=ADD_KEY, count=1)
    await process.look()
    successor = await scene.successor()
    assert await scene.is_known()
    await process.end()
    await scene.edit_rotation({"lifetime": "28d"})
    process = scene.process()  # it does not know that Entra was asked
    await scene.until(process, scene.is_renewed, looks=120)
    assert await scene.thumbprint() == successor
    assert len(scene.listed()) == 3


async def test_what_a_lost_answer_may_have_added_is_not_dropped_by_a_shorter_lifetime(
    scene: Scene,
) -> None:
    await asked_without_answer(scene)


async def test_that_it_was_dropped_too_soon_would_be_noticed(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotation, "_is_lost", lambda o: True)
    with pytest.raises(AssertionError):
        await asked_without_answer(scene)


async def test_by_a_doubtful_clock_nothing_is_made(scene: Scene) -> None:
    await scene.create()
    process = await due(scene)
    scene.emulator.move_clock(400)  # so little that the operator still signs in
    for _ in range(3):
        await process.look()
        scene.pass_(timedelta(minutes=1))
    assert not await scene.has_successor()
    assert "clocks" in (await scene.status())["identity"]["renewalProblem"]
    scene.emulator.move_clock(-400)
    scene.pass_(timedelta(hours=1))
    await scene.until(process, scene.is_renewed)


def forbid_certificates(scene: Scene, *, longest: str, since: str = "") -> None:
    """Let the tenant's default policy allow certificates for so long, or those of newer apps."""
    keys = [{"restrictionType": "asymmetricKeyLifetime", "maxLifetime": longest}]
    if since:
        keys[0]["restrictForAppsCreatedAfterDateTime"] = since
    restrictions = {"passwordCredentials": [], "keyCredentials": keys}
    document = {"isEnabled": True, "applicationRestrictions": restrictions}
    policy = read_document(TenantPolicy, document)
    scene.emulator.do(lambda world: set_default(world, scene.tenant, policy))


# --- people ------------------------------------------------------------------------------------


async def test_who_puts_another_one_there_meanwhile_is_not_overwritten(scene: Scene) -> None:
    await scene.create()
    process = await due(scene)
    scene.fate.at = 1
    with pytest.raises(Killed):
        await process.look()
    await process.end()
    assert await scene.has_successor()
    other = scene.register(scene.made("by hand"))
    await scene.edit(lambda found: found["data"].update(encoded(other)))
    process = scene.process()
    for _ in range(6):
        await process.look()
        scene.pass_(30 * SECOND)
    assert await scene.thumbprint() == other.thumbprint
    assert not await scene.has_successor()
    assert await scene.signs_in()


async def test_two_clusters_with_a_copy_of_one_secret_leave_each_other_alone(
    scene: Scene,
) -> None:
    await scene.create()
    first = await due(scene)
    await scene.until(first, scene.is_renewed)
    await first.end()
    copied, other = await scene.secret(), ClusterIdentity.of("another uid")
    second = scene.process(other)
    before = await scene.thumbprint()

    async def has_its_own() -> bool:
        return await scene.thumbprint() != before

    await scene.until(second, has_its_own)
    own = await scene.thumbprint()
    scene.pass_(40 * DAY)
    await second.look()
    await second.look()
    assert {before, own} <= set(scene.listed())
    await second.end()
    # The first one goes on with its own Secret.
    await scene.edit(
        lambda found: found.update(
            data=copied["data"],
            metadata={**found["metadata"], "annotations": copied["metadata"]["annotations"]},
        )
    )
    first = scene.process()
    scene.pass_(21 * DAY)
    await scene.until(first, has_its_own)
    scene.pass_(20 * DAY)
    for _ in range(4):
        await first.look()
        scene.pass_(30 * SECOND)
    assert before not in scene.listed()
    assert own in scene.listed()
    await first.end()


async def test_who_copied_only_the_content_of_the_secret_renews_it_at_once(scene: Scene) -> None:
    """The other cluster removes what it made, whenever it renews."""
    scene.proofs = 2
    await scene.create()
    first = await due(scene)
    await scene.until(first, scene.is_renewed)
    await first.end()
    await scene.edit(lambda found: found["metadata"].pop("annotations"))
    before = await scene.thumbprint()

    async def has_its_own() -> bool:
        return await scene.thumbprint() != before

    await scene.until(scene.process(ClusterIdentity.of("another uid")), has_its_own)
    assert await scene.signs_in()
    assert before in scene.listed()


async def test_what_stays_on_the_former_app_registration_is_told(scene: Scene) -> None:
    scene.proofs = 2
    await scene.create(annotations=scene.added_before())
    process = await due(scene)
    await scene.until(process, scene.is_renewed)
    former, before, moved = scene.client_id, scene.listed(), await scene.thumbprint()
    await scene.move()
    for _ in range(4):
        await process.look()
        scene.pass_(RETRY)
    assert "IdentityLeftBehind" in await scene.told()

    async def is_renewed_there() -> bool:
        return await scene.thumbprint() != moved

    scene.pass_(61 * DAY)
    await scene.until(process, is_renewed_there)
    scene.pass_(20 * DAY)
    for _ in range(4):
        await process.look()
    assert "IdentityRetired" not in await scene.told()
    assert scene.listed() == sorted([moved, await scene.thumbprint()])  # a person added the first
    scene.client_id = former
    assert scene.listed() == before


async def test_after_a_long_outage_the_successor_still_signs_in(scene: Scene) -> None:
    """The one in use has expired, and cannot vouch for anything any more."""
    await scene.create()
    process = await due(scene)
    scene.fate.at = 3
    with pytest.raises(Killed):
        await process.look()
    await process.end()
    scene.pass_(50 * DAY)
    assert not await scene.signs_in()
    process = scene.process()
    await scene.until(process, scene.is_renewed)
    assert await scene.signs_in()
    await process.look()
    assert (await scene.condition("Ready"))["status"] == "True"
    await process.end()


async def interrupted(scene: Scene) -> None:
    """Leave a successor that Entra knows beside the certificate in use."""
    scene.proofs = 2
    await scene.create(annotations=scene.added_before())
    process = await due(scene)
    scene.fate.at = 3
    with pytest.raises(Killed):
        await process.look()
    await process.end()
    assert await scene.has_successor()


async def test_once_somebody_removed_the_one_in_use_its_successor_signs_in(scene: Scene) -> None:
    """Or restored the Secret as it was then."""
    await interrupted(scene)
    scene.lose(scene.first.thumbprint)
    process = scene.process()
    await scene.until(process, scene.is_renewed)
    assert await scene.signs_in()
    assert (await scene.condition("Ready"))["status"] == "True"


async def test_without_that_it_would_be_locked_out(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def none(*_: object) -> None:
        """Only the certificate in use signs in."""

    monkeypatch.setattr(OperatorCredentials, "spare", none)
    await interrupted(scene)
    scene.lose(scene.first.thumbprint)
    process = scene.process()
    for _ in range(3):
        await process.look()
        scene.pass_(30 * SECOND)
    assert not await scene.signs_in()


async def test_the_successor_stays_until_what_a_person_put_there_signs_in(scene: Scene) -> None:
    await interrupted(scene)
    scene.lose(scene.first.thumbprint)
    other = scene.made("registered later")
    await scene.edit(lambda found: found["data"].update(encoded(other)))
    process = scene.process()
    for _ in range(3):
        await process.look()
        scene.pass_(30 * SECOND)
    assert (await scene.thumbprint(), await scene.has_successor()) == (other.thumbprint, True)
    await process.end()
    process = scene.process()  # it has nothing but the Secret
    await process.look()
    assert (await scene.condition("Ready"))["status"] == "True"
    scene.register(other)
    for _ in range(3):
        await process.look()
        scene.pass_(30 * SECOND)
    assert await scene.signs_in()
    assert not await scene.has_successor()


async def test_what_cannot_be_read_is_told_while_the_successor_signs_in(scene: Scene) -> None:
    await interrupted(scene)
    await scene.edit(lambda found: found["data"].update({"tls.crt": "YQ=="}))
    process = scene.process()
    await process.look()
    await process.look()
    assert (await scene.condition("Ready"))["status"] == "True"
    assert (await scene.condition("Stalled"))["reason"] == "IdentityCertificateUnusable"
    assert "cannot be read" in (await scene.status())["identity"]["renewalProblem"]


async def test_an_entra_tenant_that_its_users_keep_is_renewed(scene: Scene) -> None:
    await scene.create()
    process = await at_work(scene)
    scene.users = [Key("appcredentials", "team", "app")]
    await scene.kube.request("DELETE", path_of(TENANTS, "", scene.name))
    scene.pass_(2 * DAY)
    await scene.until(process, scene.is_renewed)
    await process.look()
    assert (await scene.status())["identity"]["renewalTime"]
    scene.users = []
    await process.look()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"labels": {}}, "appcredential.io/identity=true"),
        (
            {"labels": {LABEL: "true"}, "annotations": {"cert-manager.io/certificate-name": "a"}},
            "cert-manager.io/certificate-name",
        ),
    ],
)
async def test_a_secret_that_is_not_the_operator_s_is_left_alone(
    scene: Scene, change: dict[str, Any], words: str
) -> None:
    await scene.create(**change)
    before = await scene.secret()
    await due(scene)
    stalled = await scene.condition("Stalled")
    assert stalled["reason"] == "IdentitySecretNotOurs"
    assert words in stalled["message"]
    assert (await scene.condition("Ready"))["status"] == "True"
    assert await scene.secret() == before


async def test_one_that_something_applies_is_left_alone(scene: Scene) -> None:
    await scene.create()
    applied = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": scene.name}}
    await scene.kube.request(
        "PATCH",
        secrets_path(scene.namespace, scene.name),
        body={**applied, "data": {"other": "YQ=="}},
        query=(("fieldManager", "somebody"),),
        content_type=APPLY_PATCH,
    )
    await due(scene)
    assert "somebody" in (await scene.condition("Stalled"))["message"]


async def test_two_tenants_may_not_share_one_secret(scene: Scene) -> None:
    await scene.create()
    await scene.create_tenant(f"{scene.name}-too", {})
    process = await due(scene)
    await process.look()
    assert f"{scene.name}-too" in (await scene.condition("Stalled"))["message"]
    assert not await scene.has_successor()
    await process.end()


async def test_one_that_begins_to_share_it_later_loses_nothing(scene: Scene) -> None:
    await interrupted(scene)
    await scene.create_tenant(f"{scene.name}-too", {})
    process = scene.process()
    for _ in range(6):
        await process.look()
        scene.pass_(30 * SECOND)
    assert f"{scene.name}-too" in (await scene.condition("Stalled"))["message"]
    assert not await scene.is_renewed()
