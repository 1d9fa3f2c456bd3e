"""Choose the fault for each request. Seeded: the same requests get the same faults."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from typing import assert_never

import msgspec

from entra_emulator.faults import documents as ft

_ON_WRITES = (ft.Conflict, ft.TimeoutAfterCommit)


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A request, as rules see it."""

    operation: str
    now: datetime
    writes: bool = False
    tenant: str = ""
    app_names: frozenset[str] = frozenset()
    challenge_time: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveRule:
    """A rule, and the instant at which it was set."""

    rule: ft.AnyRule
    since: datetime


class FaultEngine:
    """Holds the rules, how often each may still fire, and the latest writes."""

    def __init__(self) -> None:
        self._rules: dict[str, ActiveRule] = {}
        self._left: dict[str, int] = {}
        self._random = random.Random(1)  # noqa: S311 - repeatable on purpose
        self._latest_write: dict[str, datetime] = {}
        self._latest_add: dict[str, datetime] = {}
        self._numbers = 0

    def configure(self, rules: tuple[ft.AnyRule, ...], seed: int, now: datetime) -> None:
        """Replace all rules, and restart the random numbers from the seed."""
        self._rules.clear()
        self._left.clear()
        self._random = random.Random(f"faults {seed}")  # noqa: S311
        for rule in rules:
            self.add(rule, now)

    def add(self, rule: ft.AnyRule, now: datetime) -> str:
        """Add a rule, or replace the one with the same id; return its id."""
        self._numbers += 1
        name = rule.id or f"rule-{self._numbers}"
        self._rules[name] = ActiveRule(rule=msgspec.structs.replace(rule, id=name), since=now)
        self._left.pop(name, None)
        if rule.count is not None:
            self._left[name] = rule.count
        return name

    def remove(self, name: str) -> bool:
        """Remove a rule; return whether there was one."""
        self._left.pop(name, None)
        return self._rules.pop(name, None) is not None

    def rules(self) -> list[tuple[ft.AnyRule, int | None]]:
        """Return every rule, and how often it may still fire; None means without limit."""
        return [(one.rule, self._left.get(name)) for name, one in self._rules.items()]

    def latency(self, incoming: Incoming) -> float:
        """Return by how many real seconds to delay the answer."""
        delay = 0.0
        for active in self._rules.values():
            if isinstance(active.rule, ft.Latency) and self._fires(active, incoming):
                delay += self._random.uniform(*active.rule.seconds)
        return delay

    def decide(self, incoming: Incoming) -> ActiveRule | None:
        """Return the first rule that applies to this request, and count it."""
        for active in self._rules.values():
            if not isinstance(active.rule, ft.Latency) and self._fires(active, incoming):
                return active
        return None

    def wrote(self, incoming: Incoming) -> None:
        """Remember a committed write, for the rules about writes in quick succession."""
        for name in incoming.app_names:
            self._latest_write[name] = incoming.now
            if incoming.operation == "application.addPassword":
                self._latest_add[name] = incoming.now

    def _fires(self, active: ActiveRule, incoming: Incoming) -> bool:
        rule = active.rule
        if self._left.get(rule.id) == 0 or not _matches(rule, incoming):
            return False
        if not self._applies(active, incoming):
            return False
        if rule.probability < 1 and self._random.random() >= rule.probability:
            return False
        if rule.id in self._left:
            self._left[rule.id] -= 1
        return True

    def _applies(self, active: ActiveRule, incoming: Incoming) -> bool:
        match active.rule:
            case ft.Conflict(seconds=seconds):
                return _recent(self._latest_write, incoming, seconds)
            case ft.RemoveAfterAdd(seconds=seconds):
                return _recent(self._latest_add, incoming, seconds)
            case ft.ClaimsChallenge():
                answered = incoming.challenge_time or 0
                return answered < int(active.since.timestamp())
            case (
                ft.Latency()
                | ft.Throttle()
                | ft.ServerError()
                | ft.Unavailable()
                | ft.TimeoutAfterCommit()
                | ft.Hang()
                | ft.ExpiredToken()
                | ft.Forbidden()
                | ft.NotFound()
                | ft.GraphErrorFault()
                | ft.TokenErrorFault()
            ):
                return True
            case _:
                assert_never(active.rule)


def _recent(times: dict[str, datetime], incoming: Incoming, seconds: float) -> bool:
    latest = [times[name] for name in incoming.app_names if name in times]
    return bool(latest) and 0 <= (incoming.now - max(latest)).total_seconds() < seconds


def _matches(rule: ft.AnyRule, incoming: Incoming) -> bool:
    match = rule.match
    if match.tenant is not None and match.tenant != incoming.tenant:
        return False
    if match.app is not None and match.app not in incoming.app_names:
        return False
    if isinstance(rule, _ON_WRITES) and not incoming.writes:
        return False
    if match.operation is None and incoming.operation == "batch":
        # Rules apply to the requests inside the batch.
        return False
    wanted = match.operation or _usual_operation(rule)
    if wanted is None:
        return incoming.operation != "token"
    return fnmatchcase(incoming.operation, wanted)


def _usual_operation(rule: ft.AnyRule) -> str | None:
    """Return the operation of a rule that names none; None means all operations of Graph."""
    match rule:
        case ft.TokenErrorFault():
            return "token"
        case ft.RemoveAfterAdd():
            return "application.removePassword"
        case ft.Latency() | ft.Hang():
            return "*"
        case (
            ft.Conflict()
            | ft.Throttle()
            | ft.ServerError()
            | ft.Unavailable()
            | ft.TimeoutAfterCommit()
            | ft.ExpiredToken()
            | ft.ClaimsChallenge()
            | ft.Forbidden()
            | ft.NotFound()
            | ft.GraphErrorFault()
        ):
            return None
        case _:
            assert_never(rule)
