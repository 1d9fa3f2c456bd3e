"""Two AppCredentials of one namespace that want the same Secret, in one world."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from appcredential.domain.marker import Owner
from appcredential.domain.observed.target import Target, TargetOwner
from appcredential.domain.spec.model import AppCredentialSpec
from tests.domain.worlds.driver import World
from tests.domain.worlds.workloads import check_sign_in
from tests.support.builders import NOW, OTHER_OWNER, OWNER, SECOND

OLD: Final = OWNER
NEW: Final = OTHER_OWNER
SLICE: Final = 20 * SECOND


class Neighbours:
    """The operator works on `old` and `new` in turn; a workload reads their Secret.

    `is_watched`: what the Secret holds must be valid in Entra at any time from then on.
    """

    def __init__(self, old: AppCredentialSpec, new: AppCredentialSpec) -> None:
        self.now = NOW
        self.old = World(spec=old, owner=OLD)
        self.new = World(spec=new, owner=NEW, key_prefix="new")
        self.new.entra = self.old.entra
        self.target: Target | None = None
        self.is_watched = False
        self.seen: list[str] = []
        """Whose the Secret was, one after another."""
        self._absent: dict[Owner, datetime] = {}
        self._applied: set[Owner] = {OLD}

    # --- acting ---------------------------------------------------------------------------

    def apply_new(self) -> None:
        """Create the new one now."""
        self._applied.add(NEW)
        self._begin(self.new)

    def _begin(self, world: World) -> None:
        world.resource = replace(world.resource, creation_time=self.now, last_applied_time=self.now)

    def delete(self, world: World) -> None:
        """Delete one, and let it go with its ticket."""
        self.turn(world)
        if world.resource.has_finalizer:
            world.delete()
            world.run(timedelta(minutes=1))
            assert world.released
        self.target = world.target
        self._absent[world.owner] = self.now
        self.now = max(self.now, world.now)

    def apply_again(self, world: World) -> None:
        """Create a deleted one anew; its ticket is still open."""
        self._absent.pop(world.owner)
        world.now = self.now
        world.apply_again(f"another-uid-{self.now:%H%M%S}")

    def change(self, world: World, new: AppCredentialSpec) -> None:
        """Apply another spec."""
        world.now = self.now
        world.change(new)

    def run(self, for_: timedelta) -> None:
        """Let the operator work on both in turn."""
        self.until(lambda: False, for_)

    def until(self, condition: Callable[[], object], for_: timedelta) -> None:
        """Let it work until something holds, or a time is over."""
        end = self.now + for_
        while self.now < end and not condition():
            for world in self.present():
                self.turn(world)
                world.run(SLICE)
                self._take_back(world)
            self.now += SLICE

    def turn(self, world: World) -> None:
        """Show one of them the world as it is."""
        world.now = max(world.now, self.now)
        world.target = self.target
        world.target_owner = self._owner_seen_by(world)

    def _take_back(self, world: World) -> None:
        self.target = world.target
        owner = self.target.owner if self.target is not None else ""
        if not self.seen or self.seen[-1] != owner:
            self.seen.append(owner)
        if self.is_watched:
            check_sign_in(self.target, self.old.entra, self.now)

    # --- looking --------------------------------------------------------------------------

    def present(self) -> list[World]:
        """Return those that exist."""
        both = (self.old, self.new)
        return [w for w in both if w.owner in self._applied and w.owner not in self._absent]

    def _owner_seen_by(self, world: World) -> TargetOwner | None:
        other = self.new if world is self.old else self.old
        if self.target is None or self.target.owner != str(other.owner):
            return None
        if other.owner in self._absent:
            return TargetOwner(str(other.owner), absent_since=self._absent[other.owner])
        return TargetOwner(str(other.owner), other.resource.uid, other.resource.generation)

    @property
    def owner(self) -> str:
        """Whose the Secret is; empty without one."""
        return self.target.owner if self.target is not None else ""
