"""Compares what lists show with what is held of direct reads, and raises doubts.

A doubt makes the next pass read directly. Nothing else follows from a list: what it lacks may
be there, and what it shows may be gone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, TypeAlias, TypeVar

from appcredential.cache.store import Store
from appcredential.domain.inventory import (
    Disagreement,
    fingerprint,
    fingerprint_of_trusts,
    is_outdated,
    made_since,
    with_what_we_made,
)
from appcredential.domain.marker import Owner
from appcredential.domain.observed.asker import Consent
from appcredential.domain.observed.entra import Application
from appcredential.domain.observed.federated import FederatedList
from appcredential.domain.spec.checks import is_guid
from appcredential.domain.spec.model import ClientId, ObjectId
from appcredential.gather.resumed import read_directly, see_application, see_trusts
from appcredential.gather.state import ResourceState, ResourceStates
from appcredential.kube.custom_resources import APP_CREDENTIALS
from appcredential.ports.local import Clock
from appcredential.runtime.ready import Key

Users: TypeAlias = dict[ClientId, list[Owner]]
"""The AppCredentials that this process serves, by application."""

R = TypeVar("R", Application, FederatedList)

_MISSING: Final = "missing"
_OUTDATED: Final = "outdated"
_TAGS: Final = "tags"
_MOST_WAITING: Final = 300


class Doubts:
    """Holds what is compared, and remembers for how long lists and direct reads disagree.

    Args:
        clock: of this process.
        store: the known resources.
        states: what is held of each.
        wake: has a resource reconciled at once.
        count: called for each doubt.
        settle: for how long after a write of ours replicas may not show it.
    """

    def __init__(
        self,
        clock: Clock,
        store: Store,
        states: ResourceStates,
        wake: Callable[[Key], None],
        count: Callable[[], None],
        settle: timedelta,
    ) -> None:
        self._clock = clock
        self._settle = settle
        self._store = store
        self._states = states
        self._wake = wake
        self._disagreements: dict[tuple[Owner, str], Disagreement] = {}
        self._count = count

    def users(self, tenant: str) -> Users:
        """Return who is served through an EntraTenant, or waits for nothing but a tag.

        Of others' applications nobody may ask. Who waits chose the application, and there is a
        bound of them in each namespace.
        """
        users: Users = {}
        waiting: Counter[str] = Counter()
        for key in self._store.users_of(tenant):
            known = self._store.get(key) if self._store.is_worked_on(key) else None
            if known is None or not is_guid(known.client_id):
                continue
            owner = Owner(key.namespace, key.name)
            if not known.is_served:
                if waiting[key.namespace] >= _MOST_WAITING or not self._awaits_tag(owner):
                    continue
                waiting[key.namespace] += 1
            users.setdefault(ClientId(known.client_id), []).append(owner)
        return users

    def _awaits_tag(self, owner: Owner) -> bool:
        state = self._states.known(owner)
        return state is not None and state.tags.is_awaited

    def trusting(self, users: Users) -> dict[ObjectId, list[Owner]]:
        """Return of these who has federated credentials, by the application's object id."""
        trusting: dict[ObjectId, list[Owner]] = {}
        for owner in (owner for owners in users.values() for owner in owners):
            state = self._states.known(owner)
            if state is not None and (object_id := _trusted_by(state)):
                trusting.setdefault(object_id, []).append(owner)
        return trusting

    def forget_gone(self) -> None:
        """Forget disagreements about resources that are gone."""
        held = self._disagreements.items()
        self._disagreements = {k: v for k, v in held if self._states.known(k[0]) is not None}

    def compare(self, owners: Iterable[Owner], found: Application | None, left: datetime) -> None:
        """Compare what a list showed of an application with what is held of it.

        Args:
            owners: who uses the application.
            found: what the list showed; None when it did not show it.
            left: when the request left.
        """
        shown = _MISSING if found is None else fingerprint(found)
        for owner, state in self._held(owners):
            self._note_tags(owner, state, found, left)
            held = state.application
            if held is not None:
                merged = self._with_what_we_made(held, found, state)
                if merged is not None and held.read_time < left:
                    if left < held.read_time + self._settle:
                        continue  # what rests on direct reads takes a young one for one
                    held = merged
                    self._wake(_key(owner))  # it may rest now
                outdated = is_outdated(held, state.target.value, left, self._settle)
                known = _OUTDATED if outdated else fingerprint(held)
                state.application = self._judged(owner, held, shown, known, left)
            elif state.resumed is not None:
                self._resume(owner, state, see_application(state, found, left))
            elif found is not None and state.memory.application_missing:
                self._is_back(owner, state, shown, left)

    def compare_trusts(
        self, owners: Iterable[Owner], found: FederatedList | None, left: datetime
    ) -> None:
        """Compare what a batch showed of federated credentials with what is held of them."""
        shown = _MISSING if found is None else fingerprint_of_trusts(found)
        for owner, state in self._held(owners):
            held = state.federated
            if held is not None:
                known = fingerprint_of_trusts(held)
                state.federated = self._judged(owner, held, shown, known, left)
            elif state.resumed is not None:
                self._resume(owner, state, see_trusts(state, found, left))

    def _note_tags(
        self, owner: Owner, state: ResourceState, found: Application | None, left: datetime
    ) -> None:
        """Note which tags a list shows; one that lacks the application tells nothing of them."""
        notes, about = state.tags, (owner, _TAGS)
        before = notes.consent
        if found is None or (before is not None and before.seen >= left):
            return
        is_news = before is None or before.tags != found.tags
        if not is_news:
            self._disagreements.pop(about, None)
        elif notes.is_awaited and not self._is_worth_a_read(
            about, found.tags, before.tags if before is not None else _MISSING
        ):
            return
        if found.tags or before is not None or notes.is_awaited:
            notes.consent = Consent(tags=found.tags, seen=left)
        if notes.is_awaited and is_news:
            self._wake(_key(owner))

    def _with_what_we_made(
        self, held: Application, found: Application | None, state: ResourceState
    ) -> Application | None:
        """Return an older direct read with what our Secrets hold since, if a list shows just that.

        Each first issue would cost another read else: the one before it lacks what was made since.
        """
        if found is None:
            return None
        target, pending = state.target.value, state.pending.value
        made = made_since(held, target, pending, self._clock.now(), self._settle)
        return with_what_we_made(held, found, made)

    def _resume(self, owner: Owner, state: ResourceState, is_as_status_says: bool) -> None:
        """Have a resource read directly of which lists show something else than its status."""
        if not is_as_status_says:
            read_directly(state)
            self._raise(owner)

    def _held(self, owners: Iterable[Owner]) -> Iterable[tuple[Owner, ResourceState]]:
        found = ((owner, self._states.known(owner)) for owner in owners)
        return ((owner, state) for owner, state in found if state is not None)

    def _judged(self, owner: Owner, held: R, shown: Hashable, known: Hashable, left: datetime) -> R:
        """Return what is held, confirmed or doubted; as it is where a direct read is newer.

        A direct read that lies ahead is from before the clock was set back. Nobody knows whether
        the list is newer, and the next pass, which forgets such times, finds out.
        """
        if held.read_time > self._clock.now():
            self._raise(owner)
            return held
        is_older = held.doubted is not None and left < held.doubted
        if held.read_time >= left or is_older:
            return held
        about = owner, type(held).__name__
        if shown == known:
            self._disagreements.pop(about, None)
            return replace(held, confirmed=left, doubted=None)
        if not self._is_worth_a_read(about, shown, known):
            return held
        self._raise(owner)
        return replace(held, doubted=left)

    def _is_back(self, owner: Owner, state: ResourceState, shown: Hashable, left: datetime) -> None:
        """Have an application that direct reads did not find looked for at once."""
        if self._is_worth_a_read((owner, _MISSING), shown, _MISSING):
            state.memory = state.memory.awaits_turn(left)
            self._raise(owner)

    def _is_worth_a_read(self, about: tuple[Owner, str], shown: Hashable, known: Hashable) -> bool:
        before = self._disagreements.get(about)
        now = Disagreement(shown, known) if before is None else before.again(shown, known)
        self._disagreements[about] = now
        return now.is_worth_a_read

    def _raise(self, owner: Owner) -> None:
        self._count()
        self._wake(_key(owner))


def _key(owner: Owner) -> Key:
    return Key(APP_CREDENTIALS, owner.namespace, owner.name)


def _trusted_by(state: ResourceState) -> ObjectId | None:
    """Return the application that trusts what a resource asks for, as far as that is known."""
    if state.federated is not None:
        return state.federated.object_id
    known = state.resumed
    return ObjectId(known.object_id) if known is not None and known.trusts else None
