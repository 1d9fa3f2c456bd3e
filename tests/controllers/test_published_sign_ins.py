"""Published credentials sign in now and then, which tells of what no list shows."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from appcredential.domain import published_sign_ins
from appcredential.domain.observed.memory import Memory
from appcredential.domain.proof import PROVEN, UNREACHABLE, SignInResult, classify
from appcredential.domain.published_sign_ins import SignInBudget
from appcredential.domain.status import refused_published
from appcredential.domain.times import parse_time
from tests.controllers.test_certificate import Certified
from tests.controllers.test_federated_identity import Federated
from tests.support.builders import HOUR, MINUTE, NOT_YET, OWNER, SECOND
from tests.support.watched import live
from tests.support.world import RESOURCE, TARGET, World


class Exchanging(Federated):
    """A world with a trust that is proven by exchanges, which a spec has to ask for."""

    def __init__(self) -> None:
        super().__init__(verification={"mode": "Required"})


KINDS = (World, Certified, Exchanging)
UNGRANTED = "99999999-9999-4999-8999-999999999999"
DISABLED = classify(400, (7000112,))
NO_PRINCIPAL = classify(400, (7000229,))
BLOCKED = classify(400, (53003,))
MISMATCH = classify(400, (700213,))
ROUND = timedelta(minutes=31, seconds=31)
"""Half an hour, and what the timetable adds to it."""


async def settled(kind: type[World] = World, **settings: Any) -> World:
    """Return a world with a published credential for which nothing is due."""
    world = kind()
    if settings:
        defaults = {"per_second": 2, "interval": timedelta(minutes=30)}
        world.sign_ins.budget = SignInBudget(**{**defaults, **settings})
    await world.look_at_tenant()
    await world.until(lambda: world.ready["status"] == "True", 120)
    await live(world, 2 * MINUTE)
    world.entra.calls.clear()
    world.entra.exchanges = 0
    world.api.requests.clear()
    return world


class Watching:
    """Counts the sign-ins of a world, and notes when each was."""

    def __init__(self, world: World) -> None:
        self.world, self.times = world, list[float]()
        for name in ("with_secret", "with_certificate", "with_assertion"):
            setattr(world.entra, name, self._noting(getattr(world.entra, name)))

    def _noting(self, method: Any) -> Any:
        async def noted(*args: Any) -> SignInResult:
            self.times.append(self.world.clock.monotonic())
            found: SignInResult = await method(*args)
            return found

        return noted

    @property
    def gaps(self) -> list[float]:
        return [late - early for early, late in zip(self.times, self.times[1:], strict=False)]


@pytest.mark.parametrize("kind", KINDS)
async def test_each_signs_in_every_half_hour_and_status_is_not_written_for_it(
    kind: type[World],
) -> None:
    world = await settled(kind)
    seen = Watching(world)
    await live(world, 3 * HOUR, signs_in=True)
    assert len(seen.times) in {5, 6}
    assert min(seen.gaps) >= 30 * 60
    assert max(seen.gaps) <= ROUND.total_seconds()
    writes = world.api.count("PUT PATCH DELETE", "")
    tokens = len(seen.times) if kind is Exchanging else 0
    assert (writes, world.api.count("POST", "")) == (0, tokens)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_sign_in_costs_one_read(kind: type[World]) -> None:
    world = await settled(kind)
    seen = Watching(world)
    await only_sign_ins(world, 3 * HOUR)
    assert world.api.count("GET", "") == len(seen.times) > 0


async def only_sign_ins(world: World, length: timedelta) -> None:
    """Let time pass in which nothing else goes on."""
    end = world.clock.now() + length
    while world.clock.now() < end:
        await world.sign_ins.run_once()
        await world.sign_ins.finish()
        world.clock.advance(SECOND)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("refused", [DISABLED, NO_PRINCIPAL])
async def test_a_disabled_principal_is_noticed_and_so_is_its_return(
    kind: type[World], refused: SignInResult
) -> None:
    world = await settled(kind)
    world.entra.sign_in_result = refused
    before = dict(world.api.objects.get(TARGET, {}))
    took = await live(world, HOUR, lambda: world.ready["status"] == "False", signs_in=True)
    assert took <= ROUND + MINUTE
    for condition in ("Ready", "Verified", "Stalled"):
        assert world.conditions[condition]["reason"] == str(refused.reason)
        assert f"AADSTS{refused.code}" in world.conditions[condition]["message"]
    assert world.conditions["Verified"]["status"] == "False"
    await live(world, 2 * HOUR, signs_in=True)
    assert {"add", "remove"}.isdisjoint(world.entra.calls), "no successor helps"
    assert world.api.objects.get(TARGET, {}) == before
    world.entra.sign_in_result = PROVEN
    took = await live(world, HOUR, lambda: world.ready["status"] == "True", signs_in=True)
    assert took <= timedelta(minutes=5, seconds=5)
    assert "Stalled" not in world.conditions
    assert world.conditions["Verified"]["status"] == "True"


@pytest.mark.parametrize("kind", KINDS)
async def test_conditional_access_says_nothing_of_workloads(kind: type[World]) -> None:
    world = await settled(kind)
    world.entra.sign_in_result = BLOCKED
    said = lambda: world.conditions["Verified"]["status"] == "Unknown"  # noqa: E731
    assert await live(world, HOUR, said, signs_in=True) <= ROUND + MINUTE
    assert world.conditions["Verified"]["reason"] == "BlockedByConditionalAccess"
    assert world.ready["status"] == "True"
    assert "Stalled" not in world.conditions
    await live(world, 2 * HOUR, signs_in=True)
    assert {"add", "remove"}.isdisjoint(world.entra.calls)
    world.entra.sign_in_result = PROVEN
    await live(world, 6 * MINUTE, signs_in=True)
    assert world.conditions["Verified"]["status"] == "True"


@pytest.mark.parametrize("kind", [World, Certified])
async def test_a_refusal_of_what_entra_lists_is_said_and_leads_to_no_successor(
    kind: type[World],
) -> None:
    world = await settled(kind)
    world.entra.sign_in_result = NOT_YET
    took = await live(world, HOUR, lambda: world.ready["status"] == "False", signs_in=True)
    assert took <= ROUND + MINUTE
    assert world.ready["reason"] == "SignInRejected"
    assert "read" in world.entra.calls, "a refusal leads to a look at once"
    await live(world, 2 * HOUR, signs_in=True)
    assert "add" not in world.entra.calls
    world.entra.sign_in_result = PROVEN
    await live(world, 6 * MINUTE, signs_in=True)
    assert world.ready["reason"] == "Published"


@pytest.mark.parametrize("kind", [World, Certified])
async def test_one_read_that_lacks_what_was_refused_while_listed_leads_to_no_successor(
    kind: type[World],
) -> None:
    """It is what a replica that lags answers during an outage."""
    world = await settled(kind)
    world.entra.sign_in_result = NOT_YET
    await live(world, HOUR, lambda: world.ready["status"] == "False", signs_in=True)
    await live(world, 20 * MINUTE, signs_in=True)
    listed, calls = dict(world.entra.credentials), world.entra.calls
    calls.clear()
    world.entra.credentials.clear()
    await live(world, 10 * MINUTE, lambda: "read" in calls, signs_in=True)
    assert "read" in calls
    world.entra.credentials.update(listed)
    world.entra.sign_in_result = PROVEN
    await live(world, 10 * MINUTE, signs_in=True)
    assert "add" not in calls
    assert world.status["credential"]["keyId"] in listed
    assert world.ready["reason"] == "Published"


@pytest.mark.parametrize("kind", [World, Certified])
async def test_what_goes_while_it_is_refused_is_replaced(kind: type[World]) -> None:
    world = await settled(kind)
    world.entra.sign_in_result = NOT_YET
    await live(world, HOUR, lambda: world.ready["status"] == "False", signs_in=True)
    await live(world, 20 * MINUTE, signs_in=True)
    world.entra.credentials.clear()
    seen = Watching(world)
    await live(world, 10 * MINUTE, lambda: world.entra.credentials, signs_in=True)
    assert world.entra.credentials
    assert len(seen.times) >= 3


@pytest.mark.parametrize("kind", [World, Certified])
async def test_a_refusal_of_what_is_gone_leads_to_a_successor(kind: type[World]) -> None:
    """No list tells here: they all lack nothing."""
    world = await settled(kind)
    former = world.status["credential"]["keyId"]
    world.entra.lists.stale = tuple(world.entra.credentials.values())
    world.entra.credentials.clear()
    world.entra.sign_in_result = NOT_YET
    took = await live(world, HOUR, lambda: world.entra.credentials, signs_in=True)
    assert took <= ROUND + MINUTE
    world.entra.sign_in_result = PROVEN
    await live(world, 5 * MINUTE, lambda: world.ready["reason"] == "Published", signs_in=True)
    assert world.status["credential"]["keyId"] != former
    assert world.ready["reason"] == "Published"


@pytest.mark.parametrize("kind", KINDS)
async def test_a_single_refusal_says_nothing(kind: type[World]) -> None:
    world = await settled(kind)
    before = world.status
    for refused in (DISABLED, BLOCKED, NOT_YET, MISMATCH):
        world.entra.sign_in_result = refused
        seen = Watching(world)
        await live(world, HOUR, lambda seen=seen: seen.times, signs_in=True)  # type: ignore[misc]
        world.entra.sign_in_result = PROVEN
        await live(world, 5 * MINUTE, signs_in=True)
        assert world.status == before
    assert world.api.count("PUT PATCH DELETE", "") == 0


# --- operators that are wrong on purpose ------------------------------------------------------


async def test_an_operator_that_believes_one_refusal_is_caught(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(refused_published, "is_confirmed", lambda *_: True)
    with pytest.raises(AssertionError):
        await test_a_single_refusal_says_nothing(World)


async def test_an_operator_that_counts_refusals_of_what_was_listed_is_caught(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Memory, "_proof_beside", lambda self, *_: self.published_proof)
    with pytest.raises(AssertionError):
        await test_one_read_that_lacks_what_was_refused_while_listed_leads_to_no_successor(World)


async def test_an_operator_that_signs_in_as_whatever_the_spec_names_is_caught(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(published_sign_ins, "is_served_as", lambda *_: True)
    monkeypatch.setattr(published_sign_ins, "_is_kept_out", lambda _: False)
    with pytest.raises(AssertionError):
        await test_nobody_signs_in_as_an_application_without_a_grant(World)


# --- trusts -----------------------------------------------------------------------------------


async def test_a_trust_that_fails_now_and_then_is_well() -> None:
    """Field reports: some exchanges with a trust that is well fail, and Entra remembers it."""
    world = await settled(Exchanging)
    seen = Watching(world)
    world.entra.sign_in_result = MISMATCH
    await live(world, HOUR, lambda: len(seen.times) == 5, signs_in=True)
    assert min(seen.gaps) >= 60
    assert world.ready["status"] == "True"
    await live(world, 3 * MINUTE, signs_in=True)
    assert (world.ready["status"], world.ready["reason"]) == ("False", "FederationMismatch")


async def test_a_trust_that_was_never_proven_is_tried_once_a_minute_by_one_alone() -> None:
    world = Exchanging()
    world.entra.sign_in_result = MISMATCH
    seen = Watching(world)
    await world.look_at_tenant()
    await live(world, 30 * MINUTE, signs_in=True)
    assert len(seen.times) > 5
    assert min(seen.gaps) >= 60
    assert world.ready["message"].count("yet") == 1
    assert world.conditions["Verified"]["message"] == world.ready["message"]
    world.entra.sign_in_result = PROVEN
    await live(world, 6 * MINUTE, lambda: world.ready["status"] == "True", signs_in=True)
    assert world.ready["status"] == "True"
    await live(world, 29 * MINUTE, signs_in=True)
    assert min(seen.gaps[-2:]) >= 60, "it joins the others"


@pytest.mark.parametrize("is_refused", [False, True])
async def test_a_trust_that_is_made_again_has_its_quiet_time(*, is_refused: bool) -> None:
    world = await settled(Exchanging)
    world.entra.sign_in_result = MISMATCH
    if is_refused:
        await live(world, HOUR, lambda: world.ready["status"] == "False", signs_in=True)
    seen, made, add = Watching(world), list[float](), world.entra.add_federated

    async def noted(*args: Any, **kwargs: Any) -> Any:
        made.append(world.clock.monotonic())
        return await add(*args, **kwargs)

    world.entra.add_federated = noted  # type: ignore[method-assign]
    world.entra.trusts.clear()
    await live(world, HOUR, lambda: made, signs_in=True)
    for _ in range(20):
        await live(world, 30 * SECOND, signs_in=True)
        world.sign_ins.ask(OWNER)
    later = [time - made[0] for time in seen.times if time > made[0]]
    assert 90 <= later[0] <= 120, "what the former one came to delays it no longer"
    assert min(seen.gaps) >= 60


async def test_who_asks_hastens_no_exchange_after_one_that_did_not_match() -> None:
    world = await settled(Exchanging)
    world.entra.sign_in_result = MISMATCH
    seen = Watching(world)
    await live(world, HOUR, lambda: seen.times, signs_in=True)
    for _ in range(200):
        world.sign_ins.ask(OWNER)
        await live(world, SECOND, signs_in=True)
    assert len(seen.times) == 4
    assert min(seen.gaps) >= 60


async def test_what_was_exchanged_by_a_trust_that_was_changed_meanwhile_proves_nothing() -> None:
    world = await settled(Exchanging)
    exchange = world.entra.with_assertion

    async def slow(*args: Any) -> SignInResult:
        state = world.states.of(OWNER)
        now = world.clock.now()
        state.memory = state.memory.wrote_federated(str(args[-1]), now, is_changed=True)
        return await exchange(*args)

    world.entra.with_assertion = slow  # type: ignore[assignment, method-assign]
    await only_sign_ins(world, 33 * MINUTE)
    assert world.entra.exchanges == 1
    assert world.states.of(OWNER).memory.pending_proof is None
    assert world.states.of(OWNER).memory.published_proof is None


NOTHING = (
    UNREACHABLE,
    classify(429, ()),
    classify(503, ()),
    classify(400, (90033,)),
    classify(400, (700024,)),
    classify(400, (500011,)),
)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("result", NOTHING, ids=lambda r: str(r.reason))
async def test_what_is_no_answer_about_a_credential_says_nothing(
    kind: type[World], result: SignInResult
) -> None:
    world = await settled(kind)
    before = world.status
    world.entra.sign_in_result = result
    seen = Watching(world)
    await live(world, 2 * HOUR, signs_in=True)
    assert seen.times
    assert world.status == before
    assert "add" not in world.entra.calls
    assert world.api.count("PUT PATCH DELETE", "") == 0


async def test_a_secret_that_cannot_be_read_says_nothing() -> None:
    world = await settled()
    seen = Watching(world)
    before = world.status
    world.api.refuse("GET", "/secrets/", "no role")
    await only_sign_ins(world, HOUR)
    assert not seen.times
    assert world.status == before


async def test_no_answer_in_between_delays_neither_a_confirmation_nor_a_recovery() -> None:
    world = await settled()
    seen = Watching(world)

    async def one(result: SignInResult) -> None:
        world.entra.sign_in_result, count = result, len(seen.times)
        await live(world, HOUR, lambda: len(seen.times) > count, signs_in=True)

    await one(DISABLED)
    await one(UNREACHABLE)
    world.entra.sign_in_result = DISABLED
    took = await live(world, HOUR, lambda: world.ready["status"] == "False", signs_in=True)
    assert took <= 3 * MINUTE
    await live(world, 10 * MINUTE, signs_in=True)
    await one(UNREACHABLE)
    await one(UNREACHABLE)
    world.entra.sign_in_result = PROVEN
    took = await live(world, HOUR, lambda: world.ready["status"] == "True", signs_in=True)
    assert took <= timedelta(minutes=5, seconds=10)


async def test_who_asks_during_an_outage_of_a_scope_is_not_tried_again_and_again() -> None:
    world = await settled()
    world.entra.sign_in_result = classify(400, (500011,))
    await only_sign_ins(world, MINUTE)
    world.sign_ins.ask(OWNER)
    seen = Watching(world)
    await only_sign_ins(world, 20 * MINUTE)
    assert len(seen.times) <= 2


async def test_two_refusals_hours_ago_and_one_now_say_nothing() -> None:
    world = await settled()
    world.entra.sign_in_result = DISABLED
    seen = Watching(world)
    await live(world, HOUR, lambda: len(seen.times) == 2, signs_in=True)
    world.put_resource(OWNER, suspend=True)
    await live(world, 5 * HOUR, signs_in=True)
    world.put_resource(OWNER)
    await live(world, 2 * HOUR, lambda: len(seen.times) == 3, signs_in=True)
    world.entra.sign_in_result = PROVEN
    await live(world, 3 * SECOND, signs_in=True)
    assert len(seen.times) == 3
    assert world.ready["status"] == "True"


async def test_with_0_nobody_signs_in() -> None:
    world = await settled(per_second=0)
    seen = Watching(world)
    await live(world, 2 * HOUR, signs_in=True)
    assert not seen.times


@pytest.mark.parametrize("kind", KINDS)
async def test_with_0_no_refusal_stands_for_ever(kind: type[World]) -> None:
    world = await settled(kind)
    world.entra.sign_in_result = DISABLED
    await live(world, HOUR, lambda: world.ready["status"] == "False", signs_in=True)
    world.entra.sign_in_result = PROVEN
    process = world.sign_ins.tools.process
    off = replace(process.settings, published_sign_in_rate=0)
    object.__setattr__(process, "settings", off)  # as after a restart with another setting
    restart(world)
    world.sign_ins.budget = SignInBudget(per_second=0, interval=30 * MINUTE)
    await live(world, 10 * MINUTE, signs_in=True)
    assert world.ready["status"] == "True"
    assert "Stalled" not in world.conditions


@pytest.mark.parametrize(
    "spec",
    [{"suspend": True}, {"mode": "Observe"}, {"verification": {"mode": "Disabled"}}],
    ids=str,
)
async def test_who_is_off_is_not_signed_in(spec: dict[str, Any]) -> None:
    world = await settled()
    world.put_resource(OWNER, **spec)
    await live(world, MINUTE)
    seen = Watching(world)
    await live(world, 2 * HOUR, signs_in=True)
    assert not seen.times


@pytest.mark.parametrize("kind", [World, Exchanging])
async def test_nobody_signs_in_as_an_application_without_a_grant(kind: type[World]) -> None:
    """The API server refuses such an edit; an installation may lack the rule."""
    world = await settled(kind)
    found = world.api.objects[RESOURCE]
    spec = {**found["spec"], "application": {"clientId": UNGRANTED}}
    found = world.api.put(RESOURCE, {**found, "spec": spec})
    if kind is World:
        world.sync.on_event("appcredentials", "MODIFIED", found)  # else the store is behind
    world.entra.sign_in_result = NOT_YET
    seen = Watching(world)
    await only_sign_ins(world, HOUR)
    assert not seen.times
    await live(world, 3 * HOUR, signs_in=True)
    assert not seen.times
    assert world.conditions["Verified"]["status"] == "True"


async def test_who_is_being_deleted_is_not_signed_in() -> None:
    world = await settled()
    found = world.api.objects[RESOURCE]
    found = {
        **found,
        "metadata": {**found["metadata"], "deletionTimestamp": "2026-01-01T00:00:00Z"},
    }
    world.sync.on_event("appcredentials", "MODIFIED", found)
    seen = Watching(world)
    await only_sign_ins(world, 3 * HOUR)
    assert not seen.times


async def test_a_standby_signs_nobody_in() -> None:
    world = await settled()
    world.gate.stopping = True
    seen = Watching(world)
    await only_sign_ins(world, HOUR)
    assert not seen.times


async def test_no_value_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    world = await settled()

    async def broken(*args: Any) -> SignInResult:
        raise RuntimeError("it broke")

    world.entra.with_secret = broken  # type: ignore[assignment]
    with caplog.at_level(logging.DEBUG):
        await live(world, HOUR, signs_in=True)
    assert "a sign-in broke" in caplog.text
    assert "canary" not in caplog.text
    assert "canary" not in str(world.status)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_restart_neither_hastens_a_sign_in_nor_forgets_the_timetable(
    kind: type[World],
) -> None:
    world = await settled(kind)
    seen = Watching(world)
    for _ in range(40):
        await only_sign_ins(world, 7 * MINUTE)
        restart(world)
    assert 4 <= len(seen.times) <= 9
    assert min(seen.gaps) >= 30 * 60


def restart(world: World) -> None:
    """Forget what a process knows."""
    world.states._states.clear()
    world.sign_ins = replace(world.sign_ins, _tables={}, _running=set(), _counted=None)


@pytest.mark.parametrize(
    ("kind", "refused"),
    [
        (World, NOT_YET),
        (Exchanging, MISMATCH),
        *((kind, refused) for kind in KINDS for refused in (DISABLED, BLOCKED)),
    ],
)
async def test_after_a_restart_what_was_said_stands_until_a_sign_in_succeeds(
    kind: type[World], refused: SignInResult
) -> None:
    world = await settled(kind)
    world.entra.sign_in_result = refused

    def is_said() -> bool:
        found: bool = world.conditions["Verified"]["status"] != "True"
        return found

    await live(world, HOUR, is_said, signs_in=True)
    assert is_said()
    before = world.conditions
    restart(world)
    world.api.requests.clear()
    await live(world, 4 * MINUTE)
    assert world.conditions == before
    assert world.api.count("PATCH", "") == 0
    world.entra.sign_in_result = PROVEN
    await live(world, MINUTE, lambda: not is_said(), signs_in=True)
    assert world.ready["status"] == "True"


@pytest.mark.parametrize("refused", [DISABLED, MISMATCH])
async def test_a_refused_trust_is_told_alike_by_each_process(refused: SignInResult) -> None:
    world = await settled(Exchanging)
    restart(world)  # it knows by status alone that the trust was proven
    world.entra.sign_in_result = refused
    await live(world, HOUR, lambda: world.ready["status"] == "False", signs_in=True)
    before = world.conditions
    assert before["Verified"]["message"] == world.ready["message"]
    for _ in range(3):
        seen = Watching(world)
        await live(world, 20 * MINUTE, signs_in=True)
        assert world.conditions == before
        assert len(seen.times) <= 5 + 20 / 5, "it is confirmed anew, and tried every five minutes"
        assert refused is DISABLED or min(seen.gaps) >= 60
        restart(world)


async def test_a_refused_trust_that_is_made_again_is_not_taken_for_proven() -> None:
    world = await settled(Exchanging)
    world.entra.sign_in_result = MISMATCH
    await live(world, HOUR, lambda: world.ready["status"] == "False", signs_in=True)
    former = set(world.entra.trusts)
    world.entra.trusts.clear()
    made_anew = lambda: world.entra.trusts and not former & set(world.entra.trusts)  # noqa: E731
    await live(world, HOUR, made_anew, signs_in=True)
    await live(world, 20 * MINUTE, signs_in=True)
    assert "any more" not in world.conditions["Verified"]["message"]
    restart(world)
    await live(world, MINUTE)
    assert world.conditions["Verified"] == {**world.conditions["Verified"], "status": "Unknown"}
    assert world.ready["status"] == "False"


async def test_a_new_trust_that_never_matched_is_not_taken_for_proven_after_a_restart() -> None:
    world = Exchanging()
    world.entra.sign_in_result = MISMATCH
    await world.look_at_tenant()
    await live(world, 20 * MINUTE, signs_in=True)
    assert world.conditions["Verified"]["status"] == "False"
    restart(world)
    await live(world, 20 * MINUTE, signs_in=True)
    assert world.ready["status"] == "False"
    assert world.conditions["Verified"]["message"] == world.ready["message"]
    assert world.api.count("PATCH", "/serviceaccounts/") == 0, "no workload learns of it"


async def test_a_refusal_is_noted_of_a_resource_that_no_pass_has_looked_at() -> None:
    world = await settled()
    restart(world)
    world.entra.sign_in_result = DISABLED
    seen = Watching(world)
    await only_sign_ins(world, 32 * MINUTE)
    assert seen.times
    assert world.woken
    await world.look()
    assert world.ready["reason"] == "ApplicationDisabled"


async def test_who_asks_has_it_sign_in_at_once_but_not_again_and_again() -> None:
    world = await settled()
    await only_sign_ins(world, MINUTE)
    seen = Watching(world)
    for _ in range(60):
        world.sign_ins.ask(OWNER)
        await only_sign_ins(world, SECOND)
    assert len(seen.times) == 2
    assert min(seen.gaps) >= 30


async def test_the_last_sign_in_is_in_status_when_that_is_written_anyhow() -> None:
    world = await settled()
    before = world.status["credential"]["verifiedTime"]
    await live(world, 3 * HOUR, signs_in=True)
    assert world.status["credential"]["verifiedTime"] == before
    world.put_resource(OWNER, suspend=True)  # which writes status
    await live(world, MINUTE)
    after = parse_time(world.status["credential"]["verifiedTime"])
    assert after is not None
    assert world.clock.now() - after < 2 * HOUR
    assert (after.minute, after.second) == (0, 0)
    restart(world)
    world.put_resource(OWNER)
    await live(world, MINUTE)
    assert parse_time(world.status["credential"]["verifiedTime"]) == after, "it never goes back"
