"""Has published credentials sign in now and then, which finds what no list shows.

A disabled service principal or Conditional Access is in no list of applications. A refusal only
raises a doubt: it has the resource looked at, and signs in again soon. What cannot be tried, or is
not answered, proves nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from appcredential.cache.store import Known, Store
from appcredential.controllers.sign_in_timetable import Timetable
from appcredential.domain.exchange_pace import exchange_waits, quiet_ends
from appcredential.domain.judgement import retry, says_nothing
from appcredential.domain.marker import Owner
from appcredential.domain.promised import required
from appcredential.domain.proof import SignInClass
from appcredential.domain.published_sign_ins import SignInBudget
from appcredential.domain.spec.model import ClientId, CredentialType
from appcredential.effects.context import Tools
from appcredential.effects.events import about
from appcredential.effects.published_sign_in import (
    Answer,
    Publisher,
    note_answer,
    sign_in_published,
)
from appcredential.errors import AppCredentialError
from appcredential.gather.state import ResourceState, ResourceStates
from appcredential.kube.custom_resources import APP_CREDENTIALS
from appcredential.ports.session import Access
from appcredential.runtime.logs import within
from appcredential.runtime.metrics_of_rounds import SignInMetrics
from appcredential.runtime.ready import Key

log = logging.getLogger(__name__)

_MEMBERS_SECONDS: Final = 15.0
"""How often those who sign in are counted anew."""
_SECONDS: Final = 30.0


class Outcome(StrEnum):
    """What came of one sign-in, as the metric names it."""

    PROVEN = "proven"
    REFUSED = "refused"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(slots=True, kw_only=True)
class PublishedSignIns:
    """Keeps published credentials signing in, for every tenant that can be used. For one loop.

    Attributes:
        states: a refusal is noted in the state of its resource, which need not have one yet.
        wake: has a resource reconciled at once.
    """

    tools: Tools
    store: Store
    states: ResourceStates
    budget: SignInBudget
    metrics: SignInMetrics
    wake: Callable[[Key], None]
    _tables: dict[str, Timetable] = field(default_factory=dict)
    _running: set[asyncio.Task[None]] = field(default_factory=set)
    _counted: float | None = None

    async def run_once(self) -> None:
        """Begin the sign-ins that are due; they go on by themselves."""
        if not self.budget.per_second:
            return
        if self.tools.process.guard.problem() is not None:
            self._tables.clear()  # another process goes on by the same timetable
            self._counted = None
            return
        self._count_members()
        now, seconds = self.tools.clock.now(), self.tools.clock.monotonic()
        for tenant, table in self._tables.items():
            access = self.tools.access(tenant)
            if not isinstance(access, Access):
                continue
            for owner in table.take(now, seconds):
                self._begin(owner, table, access)

    def ask(self, owner: Owner) -> None:
        """Have a published credential sign in soon: somebody asked for a complete look."""
        known = self.store.get(_key(owner))
        table = self._tables.get(known.tenant) if known is not None else None
        if table is not None:
            table.ask(owner, self.tools.clock.now(), self.tools.clock.monotonic())

    async def finish(self) -> None:
        """Wait for the sign-ins that are under way."""
        await asyncio.gather(*self._running)

    async def close(self) -> None:
        """End all sign-ins."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _count_members(self) -> None:
        seconds = self.tools.clock.monotonic()
        if self._counted is not None and seconds - self._counted < _MEMBERS_SECONDS:
            return
        is_first, self._counted = self._counted is None, seconds
        members: dict[str, dict[Owner, bool]] = {}
        for key in self.store.own_keys(APP_CREDENTIALS):
            known = self.store.get(key)
            if known is not None and known.sign_in is not None:
                found = members.setdefault(known.tenant, {})
                found[Owner(key.namespace, key.name)] = known.sign_in.is_refused
        self._tables = {
            tenant: self._tables.get(tenant) or Timetable(self.budget) for tenant in members
        }
        self.metrics.period.clear()
        for tenant, table in self._tables.items():
            table.set_members(members[tenant], self.tools.clock.now(), is_first=is_first)
            self.metrics.period.labels(tenant).set(table.period.total_seconds())

    def _begin(self, owner: Owner, table: Timetable, access: Access) -> None:
        known = self.store.get(_key(owner))
        if known is None or known.sign_in is None or self._must_wait(owner, known, table):
            return
        table.running += 1
        task = asyncio.create_task(
            self._sign_in(owner, known, table, access), name=f"sign-in of {owner}"
        )
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def _must_wait(self, owner: Owner, known: Known, table: Timetable) -> bool:
        """Return whether an exchange would come too early; have a hasty one come when it may."""
        state, now = self.states.known(owner), self.tools.clock.now()
        if state is None or not CredentialType(known.type).is_federated:
            return False
        until = exchange_waits(state.memory, self.tools.process.settings, now)
        if until is not None and owner in table.soon:
            table.look_into(owner, until)
        return until is not None

    def _is_outdated(self, answer: Answer, state: ResourceState) -> bool:
        """Return whether the trust was changed meanwhile: the answer may be of the former one."""
        settings, now = self.tools.process.settings, self.tools.clock.now()
        return answer.is_exchange and quiet_ends(state.memory, settings, now) is not None

    async def _sign_in(self, owner: Owner, known: Known, table: Timetable, access: Access) -> None:
        outcome = Outcome.SKIPPED
        try:
            async with asyncio.timeout(_SECONDS):
                answer = await sign_in_published(_publisher(owner, known), self.tools, access)
            if answer is not None:
                with within(application=known.client_id):
                    outcome = self._take(owner, known, table, answer)
        except (AppCredentialError, TimeoutError) as exc:
            told = {**about(owner), "kind": type(exc).__name__}
            log.debug("nothing could be read to sign in with", extra=told)
        except Exception:  # an outer guard: the next one may succeed
            log.exception("a sign-in broke", extra=about(owner))
        finally:
            table.running -= 1
        self.metrics.outcomes.labels(str(outcome)).inc()

    def _take(self, owner: Owner, known: Known, table: Timetable, answer: Answer) -> Outcome:
        """Note an answer: what it says, and when the next sign-in is due."""
        clock, result, key = self.tools.clock, answer.result, _key(owner)
        if result.kind is SignInClass.TRANSIENT:
            table.failed(result, clock.monotonic())
        if says_nothing(result):
            return Outcome.FAILED
        if self.store.get(key) is None:
            return Outcome.SKIPPED  # deleted meanwhile: nothing may be held of it
        state = self.states.of(owner)
        if self._is_outdated(answer, state):
            return Outcome.SKIPPED
        was_refused = state.memory.refused is not None or required(known.sign_in).is_refused
        note_answer(owner, state, answer, clock.now())
        table.answered(owner, clock.now(), clock.monotonic())
        judgement = state.memory.refused
        if judgement is not None:
            pause = retry(judgement, self.tools.process.settings)
            table.look_into(owner, clock.now() + pause, pause)
        if judgement is not None or was_refused:
            self.wake(key)
        return Outcome.PROVEN if judgement is None else Outcome.REFUSED


def _key(owner: Owner) -> Key:
    return Key(APP_CREDENTIALS, owner.namespace, owner.name)


def _publisher(owner: Owner, known: Known) -> Publisher:
    return Publisher(
        owner=owner,
        type=CredentialType(known.type),
        client_id=ClientId(known.client_id),
        secret=known.secret,
        scope=required(known.sign_in).scope,
    )
