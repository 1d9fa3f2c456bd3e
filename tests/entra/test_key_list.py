"""A second writer changes the certificates between our reads and our write, thousands of times."""

from __future__ import annotations

import asyncio
import logging
import random
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from appcredential.domain.spec.model import KeyId, ObjectId
from appcredential.entra import key_entries
from appcredential.entra.key_entries import ListedKey, Loss, Timing, new_entry
from appcredential.entra.key_list import KeyList
from appcredential.errors import OutcomeUnknownError, RejectedError, UnavailableError
from appcredential.ports.entra import NewCertificate
from entra_emulator.clock import EmulatorClock
from entra_emulator.directory.application_record import ApplicationRecord
from entra_emulator.directory.entities import ApplicationProperties
from entra_emulator.directory.replication import ChangeKind, ReadKind, Replicas
from entra_emulator.errors.graph import GraphError
from entra_emulator.faults.documents import Lag, ReadLag
from entra_emulator.graph.render import render_key
from entra_emulator.rules.key_list import replaced_keys
from tests.support.keys import make_certificate

OBJECT: Final = ObjectId("44444444-0000-0000-0000-000000000004")
START: Final = datetime.now(UTC).replace(microsecond=0)
CERTIFICATE: Final = make_certificate()
SEEDS: Final = 3000
ALARMS: Final = {Loss.NOT_RESTORED, Loss.REMOVED_BY_OTHERS}


def new_key(number: int, name: str = "ours") -> NewCertificate:
    return NewCertificate(
        key_id=KeyId(f"{number:08x}-0000-4000-8000-000000000000"),
        display_name=name,
        start=CERTIFICATE.certificate.not_valid_before_utc,
        end=CERTIFICATE.certificate.not_valid_after_utc,
        content=CERTIFICATE.base64,
    )


OURS: Final = new_key(1)
EARLIER: Final = [new_key(2, "portal"), new_key(3, "terraform")]


@dataclass
class EmulatedKeyStore:
    """The emulator's rules on one application, in virtual time. Implements KeyStore."""

    seed: int
    lag: tuple[float, float]
    events: list[tuple[float, Callable[[], None]]] = field(default_factory=list)
    seconds: float = 0.0
    shown_to_us: set[KeyId] = field(default_factory=set)
    undone_by_us: set[KeyId] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)  # noqa: S311 - repeatable
        row = ReadLag(add=self.lag, remove=self.lag)
        self.replicas = Replicas(Lag(replicas=3, application=row), self.seed)
        self.clock = EmulatorClock(lambda: START)
        self.clock.stop()
        self.record = ApplicationRecord(
            id=OBJECT,
            app_id="app",
            tenant_id="tenant",
            ordinal=1,
            created=self.clock.stamp(),
            properties=ApplicationProperties(display_name="orders"),
            change=self.replicas.settled_change(START),
        )
        self.put([new_entry(key) for key in EARLIER])
        self.replicas.settle()

    # --- time ---

    def monotonic(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    def advance(self, seconds: float) -> None:
        """Let time pass, with what others do in it."""
        until = self.seconds + seconds
        while due := [event for event in self.events if event[0] <= until]:
            at, act = min(due, key=lambda event: event[0])
            self.events.remove((at, act))
            self.at(max(at, self.seconds))
            act()
        self.at(until)

    def at(self, seconds: float) -> None:
        self.seconds = seconds
        self.clock.set_to(self.now())

    async def sleep(self, seconds: float) -> None:
        self.advance(seconds)

    # --- Graph ---

    def truth(self) -> set[KeyId]:
        return {KeyId(key.key_id) for key in self.record.truth().keys}

    def get(self, *, with_content: bool = False) -> list[dict[str, Any]]:
        """Answer as one replica does."""
        view = self.record.view(self.replicas.reader(ReadKind.APPLICATION, self.now()), self.now())
        assert view is not None
        return [render_key(key, with_key=with_content) for key in view.keys]

    def put(self, entries: list[dict[str, Any]]) -> None:
        """Replace the list, whatever it was."""
        before = self.record.truth()
        wanted = replaced_keys(
            before, entries, self.clock, lambda: self.replicas.change(ChangeKind.ADD, self.now())
        )
        for key in before.keys:
            if key.key_id not in wanted.kept:
                change = self.replicas.change(ChangeKind.REMOVE, self.now())
                self.record.remove_key(key.key_id, change)
        for key in wanted.added:
            self.record.add_key(key)

    # --- KeyStore ---

    async def read(self, object_id: ObjectId, *, with_content: bool) -> tuple[ListedKey, ...]:
        assert object_id == OBJECT
        self.advance(self.dice.uniform(0.02, 0.2))
        entries = self.get(with_content=with_content)
        self.shown_to_us |= {KeyId(entry["keyId"]) for entry in entries}
        return tuple(
            ListedKey(
                key_id=KeyId(entry["keyId"]),
                echo={name: value for name, value in entry.items() if name != "key"},
                content=entry["key"],
            )
            for entry in entries
        )

    async def replace(
        self, object_id: ObjectId, entries: list[dict[str, Any]], *, deadline: float
    ) -> None:
        assert object_id == OBJECT
        self.advance(self.dice.uniform(0.02, 0.2))
        before = self.truth()
        try:
            self.put(entries)
        except GraphError as error:
            raise UnavailableError(error.code) from None
        self.undone_by_us |= before - self.truth()


class AzureCli:
    """`az ad app credential reset --append`: reads, appends, writes, looks no further."""

    def __init__(self, directory: EmulatedKeyStore, at: float, key: NewCertificate) -> None:
        self.directory = directory
        self.key = key
        self.added = False
        self.removed = False
        self.listed: list[dict[str, Any]] = []
        directory.events.append((at, self.read))

    def read(self) -> None:
        self.listed = self.directory.get()
        pause = self.directory.dice.uniform(0.1, 2.5)
        self.directory.events.append((self.directory.seconds + pause, self.write))

    def write(self) -> None:
        try:
            self.directory.put([*self.listed, new_entry(self.key)])
        except GraphError:
            return
        self.added = True


class Terraform(AzureCli):
    """The azuread provider: adds, and removes its former key a while later."""

    def write(self) -> None:
        super().write()
        later = self.directory.seconds + self.directory.dice.uniform(20, 50)
        self.directory.events.append((later, self.remove))

    def remove(self) -> None:
        former = EARLIER[1].key_id
        kept = [entry for entry in self.directory.get() if entry["keyId"] != former]
        try:
            self.directory.put(kept)
        except GraphError:
            return
        self.removed = True


@dataclass
class Outcome:
    """What one interleaving ended in."""

    directory: EmulatedKeyStore
    losses: list[Loss]
    writers: list[AzureCli]


def interleave(seed: int, timing: Timing = key_entries.TIMING, lag: float = 18.0) -> Outcome:
    """Run one change of ours among the others' writes, until everything has settled."""
    dice = random.Random(seed)  # noqa: S311
    spread = dice.choice([(0.0, 0.0), (0.0, lag / 6), (lag / 4, lag)])
    directory = EmulatedKeyStore(seed, spread)
    losses: list[Loss] = []
    keys = KeyList(
        directory,
        clock=directory,
        sleep=directory.sleep,
        timing=timing,
        report=lambda *loss: losses.append(loss[-1]),
    )
    begun = 30.0
    kinds: list[type[AzureCli]] = dice.choice(
        [[AzureCli], [Terraform], [AzureCli, AzureCli], [AzureCli, Terraform]]
    )
    writers = [
        kind(directory, begun + dice.uniform(-8, 8), new_key(10 + number, "theirs"))
        for number, kind in enumerate(kinds)
    ]

    @asynccontextmanager
    async def turn() -> AsyncIterator[None]:
        yield

    async def run() -> None:
        known = frozenset(key.key_id for key in EARLIER)
        await directory.sleep(begun)
        for _ in range(120):
            try:
                changed = await keys.change(OBJECT, add=OURS, known=known)
            except UnavailableError:
                await directory.sleep(10)
                known = frozenset()
                continue
            if not changed:
                break
            await keys.confirm(OBJECT, turn)
        await directory.sleep(120)

    asyncio.run(run())
    return Outcome(directory, losses, writers)


def foreign(outcome: Outcome) -> set[KeyId]:
    """Return the keys that the second writers added."""
    return {writer.key.key_id for writer in outcome.writers}


def unrepaired(outcome: Outcome) -> set[KeyId]:
    """Return foreign keys that a write of ours removed, and that are gone for good."""
    directory = outcome.directory
    return (directory.undone_by_us & foreign(outcome)) - directory.truth()


def test_no_foreign_certificate_is_lost_that_a_read_showed(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """What no read ever showed cannot be known; how often that is, is told and bounded."""
    caplog.set_level(logging.CRITICAL)
    found: Counter[str] = Counter()
    for seed in range(SEEDS):
        outcome = interleave(seed)
        directory = outcome.directory
        assert OURS.key_id in directory.truth(), seed
        lost = unrepaired(outcome)
        unseen = lost - directory.shown_to_us
        told = [loss for loss in outcome.losses if loss in ALARMS]
        assert len(lost - unseen) <= len(told), seed
        found["removed by our writes"] += len(foreign(outcome) & directory.undone_by_us)
        found["lost, never shown to us"] += len(unseen)
        found["lost, reported"] += len(lost - unseen)
        for writer in outcome.writers:
            # What its owner has removed stays removed.
            assert not (writer.removed and EARLIER[1].key_id in directory.truth()), seed
    with capsys.disabled():
        sys.stdout.write(f"\n{SEEDS} interleavings: {dict(found)}\n")
    assert found["removed by our writes"] > SEEDS // 10, "the interleavings hardly met the gap"
    assert found["lost, never shown to us"] <= SEEDS // 20
    assert found["lost, reported"] <= SEEDS // 20


@contextmanager
def careless(monkeypatch: pytest.MonkeyPatch, name: str) -> Iterator[None]:
    """Break one promise of the key list."""

    async def nothing(*_: Any) -> None:
        return

    broken: dict[str, Any] = {"_look": nothing, "confirm": nothing}
    with monkeypatch.context() as patch:
        patch.setattr(KeyList, name, broken[name])
        yield


@pytest.mark.parametrize("name", ["_look", "confirm"])
def test_without_confirmation_certificates_are_lost(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    with careless(monkeypatch, name):
        outcomes = [interleave(seed) for seed in range(SEEDS // 3)]
    assert any(unrepaired(o) or OURS.key_id not in o.directory.truth() for o in outcomes)


def test_with_a_single_stale_read_certificates_are_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two reads are what keeps a replica that lags from deciding alone."""

    async def once(self: KeyList, object_id: ObjectId, _: frozenset[KeyId]) -> Any:
        return await self._store.read(object_id, with_content=False)

    monkeypatch.setattr(KeyList, "_agreed", once)
    outcomes = [interleave(seed, lag=60.0) for seed in range(SEEDS // 3)]
    undone = [len(o.directory.undone_by_us) for o in outcomes]
    monkeypatch.undo()
    careful = [len(interleave(seed, lag=60.0).directory.undone_by_us) for seed in range(SEEDS // 3)]
    assert sum(undone) > 1.2 * sum(careful)


def quiet(seed: int = 1) -> tuple[EmulatedKeyStore, KeyList, list[Loss]]:
    losses: list[Loss] = []
    directory = EmulatedKeyStore(seed, (0.0, 0.0))
    keys = KeyList(
        directory,
        clock=directory,
        sleep=directory.sleep,
        report=lambda *loss: losses.append(loss[-1]),
    )
    return directory, keys, losses


async def test_registering_twice_sends_once() -> None:
    directory, keys, _ = quiet()
    assert await keys.change(OBJECT, add=OURS)
    assert not await keys.change(OBJECT, add=OURS)
    assert directory.truth() == {OURS.key_id, *(key.key_id for key in EARLIER)}


async def test_removals_ride_on_an_addition() -> None:
    directory, keys, _ = quiet()
    await keys.change(OBJECT, add=OURS)
    later = new_key(4, "successor")
    assert await keys.change(OBJECT, add=later, remove=frozenset({OURS.key_id}))
    assert directory.truth() == {later.key_id, *(key.key_id for key in EARLIER)}
    assert not await keys.change(OBJECT, remove=frozenset({OURS.key_id}))


async def test_a_read_without_what_is_known_is_stale() -> None:
    directory, keys, _ = quiet()
    known = frozenset({KeyId("recorded elsewhere")})
    with pytest.raises(UnavailableError, match="do not agree"):
        await keys.change(OBJECT, add=OURS, known=known)
    assert OURS.key_id not in directory.truth()


async def test_what_was_seen_is_demanded_for_a_quarter_of_an_hour() -> None:
    directory, keys, _ = quiet()
    foreign = new_key(5, "theirs")
    keys.saw(OBJECT, [foreign.key_id])
    with pytest.raises(UnavailableError):
        await keys.change(OBJECT, add=OURS)
    await directory.sleep(901)
    assert await keys.change(OBJECT, add=OURS)


async def test_a_foreign_key_that_its_owner_removes_is_not_put_back() -> None:
    directory, keys, losses = quiet()
    await keys.change(OBJECT, add=OURS)
    gone = EARLIER[0].key_id
    kept = [entry for entry in directory.get() if entry["keyId"] != gone]
    directory.events.append((directory.seconds + 5, lambda: directory.put(kept)))

    @asynccontextmanager
    async def turn() -> AsyncIterator[None]:
        yield

    await keys.confirm(OBJECT, turn)
    assert gone not in directory.truth()
    assert losses == [Loss.REMOVED_BY_OTHERS]


async def test_a_later_change_takes_over_the_confirmation() -> None:
    directory, keys, losses = quiet()
    successor = new_key(6, "successor")
    await keys.change(OBJECT, add=OURS)
    reads = 0

    async def change_meanwhile(seconds: float) -> None:
        nonlocal reads
        reads += 1
        directory.advance(seconds)
        if reads == 3:
            keys._sleep = directory.sleep
            await keys.change(OBJECT, add=successor, remove=frozenset({OURS.key_id}))

    keys._sleep = change_meanwhile

    @asynccontextmanager
    async def turn() -> AsyncIterator[None]:
        yield

    await keys.confirm(OBJECT, turn)
    assert losses == []
    assert directory.truth() == {successor.key_id, *(key.key_id for key in EARLIER)}


async def test_a_process_that_may_no_longer_write_mends_nothing() -> None:
    """Another replica leads now; what it removed must not come back by our hand."""
    directory = EmulatedKeyStore(1, (0.0, 0.0))
    losses: list[Loss] = []
    leads = True
    keys = KeyList(
        directory,
        clock=directory,
        sleep=directory.sleep,
        report=lambda *loss: losses.append(loss[-1]),
        may_act=lambda: leads,
    )
    await keys.change(OBJECT, add=OURS)
    without = [entry for entry in directory.get() if entry["keyId"] != OURS.key_id]
    directory.events.append((directory.seconds + 5, lambda: directory.put(without)))
    leads = False

    @asynccontextmanager
    async def turn() -> AsyncIterator[None]:
        yield

    await keys.confirm(OBJECT, turn)
    assert OURS.key_id not in directory.truth()
    assert losses == [Loss.NOT_RESTORED]


async def test_what_came_and_went_after_our_write_is_not_put_back() -> None:
    """Its owner added it, saw that it was wrong, and removed it again."""
    directory, keys, losses = quiet()
    await keys.change(OBJECT, add=OURS)
    foreign = new_key(7, "theirs")
    begun = directory.seconds

    def come() -> None:
        directory.put([*directory.get(), new_entry(foreign)])

    def go() -> None:
        directory.put([e for e in directory.get() if e["keyId"] != foreign.key_id])

    directory.events += [(begun + 10, come), (begun + 30, go)]

    @asynccontextmanager
    async def turn() -> AsyncIterator[None]:
        yield

    await keys.confirm(OBJECT, turn)
    assert foreign.key_id in directory.shown_to_us
    assert foreign.key_id not in directory.truth()
    assert losses == [Loss.REMOVED_BY_OTHERS]


@pytest.mark.parametrize("applied", [True, False])
async def test_a_list_whose_answer_was_lost_is_watched_as_well(applied: bool) -> None:
    directory, keys, _ = quiet()
    replace_list = directory.replace

    async def lose(object_id: ObjectId, entries: list[dict[str, Any]], *, deadline: float) -> None:
        if applied:
            await replace_list(object_id, entries, deadline=deadline)
        raise OutcomeUnknownError("no answer")

    directory.replace = lose  # type: ignore[method-assign]
    before = keys.sent(OBJECT)
    with pytest.raises(OutcomeUnknownError):
        await keys.change(OBJECT, add=OURS)
    assert keys.sent(OBJECT) is not before
    directory.replace = replace_list  # type: ignore[method-assign]
    await keys.change(OBJECT, add=OURS)
    assert OURS.key_id in directory.truth()


async def test_a_list_that_was_refused_leaves_nothing_to_watch() -> None:
    directory, keys, _ = quiet()

    async def refuse(*_: Any, **__: Any) -> None:
        raise RejectedError("policy", code="CredentialInvalidLifetimeAsPerAppPolicy")

    directory.replace = refuse  # type: ignore[method-assign]
    with pytest.raises(RejectedError):
        await keys.change(OBJECT, add=OURS)
    assert keys.sent(OBJECT) is None


async def test_a_second_change_goes_on_with_what_the_first_had_to_mend() -> None:
    directory, keys, losses = quiet()
    await keys.change(OBJECT, add=OURS)
    sent = keys._sent[OBJECT]
    lost = new_key(8, "theirs")
    sent.shown[lost.key_id] = ListedKey(
        key_id=lost.key_id,
        echo={k: v for k, v in new_entry(lost).items() if k != "key"},
        content=lost.content,
    )
    await keys.change(OBJECT, add=new_key(9, "successor"))

    @asynccontextmanager
    async def turn() -> AsyncIterator[None]:
        yield

    await keys.confirm(OBJECT, turn)
    assert lost.key_id in directory.truth()
    assert losses == [Loss.RESTORED]
