"""Reads the target Secret, the pending Secret, and who else owns the target Secret."""

from __future__ import annotations

from typing import Any

from appcredential.domain.facts.takeover import other_owner
from appcredential.domain.marker import Owner
from appcredential.domain.observed.target import Target, TargetOwner
from appcredential.domain.spec.model import AppCredentialSpec
from appcredential.errors import PermissionDeniedError, SecretForbiddenError
from appcredential.gather.cached_read import CachedRead
from appcredential.gather.state import ResourceState
from appcredential.ports.kube import Resources, Secrets
from appcredential.runtime.this_process import ThisProcess


class SecretsReader:
    """Reads into the state what is older there than the freshness bound."""

    def __init__(self, process: ThisProcess, secrets: Secrets, resources: Resources) -> None:
        self._process = process
        self._secrets = secrets
        self._resources = resources

    async def read(
        self, owner: Owner, state: ResourceState, spec: AppCredentialSpec | None
    ) -> None:
        """Read both Secrets; the target Secret only with a spec that names it.

        Raises:
            SecretForbiddenError: no role lets the operator read Secrets there.
            UnavailableError: the API server did not answer.
        """
        try:
            await self._read(owner, state, spec)
        except SecretForbiddenError:
            if not await self._is_leaving(owner, state):
                raise
            now = self._process.clock.monotonic()
            state.target.set(None, now)
            state.pending.set(None, now)

    async def _is_leaving(self, owner: Owner, state: ResourceState) -> bool:
        """Return whether the resource's deletion is that of the whole namespace.

        The Role goes with the namespace, often before the Secrets. What cannot be read any more
        is as good as gone then: to wait for it would hold the namespace for ever.
        """
        resource = state.resource.value
        if resource is None or resource.deletion_time is None:
            return False
        try:
            return await self._resources.is_namespace_leaving(owner.namespace)
        except PermissionDeniedError:
            return False  # rights in every namespace do not include this one

    async def _read(
        self, owner: Owner, state: ResourceState, spec: AppCredentialSpec | None
    ) -> None:
        now = self._process.clock.monotonic()
        bound = state.bound(self._process.settings)
        if spec is not None and not state.target.is_fresh(now, bound):
            state.target.set(await self._target(owner.namespace, spec.secret.name, state), now)
        # Only the operator makes a pending Secret, so one that was absent stays unread until the
        # next full check. Its age counts all the same: before an effect everything is read anew.
        seldom = self._process.settings.full_check.total_seconds() / 2
        is_known_absent = state.pending.is_absent and state.pending.is_fresh(now, seldom)
        if not self._is_fresh(state.pending, now) and not is_known_absent:
            state.pending.set(await self._secrets.pending(owner), now)

    async def _target(self, namespace: str, name: str, state: ResourceState) -> Target | None:
        """Read the whole target Secret only when it is another version than the one we hold."""
        held = state.target.value
        is_whole = not state.target.is_outline
        if is_whole and held is not None and held.name == name and held.resource_version:
            version = await self._secrets.version(namespace, name)
            if version == held.resource_version:
                return held
            if version is None:
                return None
        return await self._secrets.target(namespace, name)

    async def read_target_owner(self, owner: Owner, state: ResourceState) -> None:
        """Look whether the resource exists that another's Secret names as its owner."""
        other, held = other_owner(owner, state.target.value), state.target_owner
        if other is None:
            state.target_owner = CachedRead()
            return
        known = held.value if held.value is not None and held.value.owner == str(other) else None
        now = self._process.clock.monotonic()
        if known is not None and self._is_fresh(held, now):
            return
        found = await self._resources.get(other)
        if found is not None:
            held.set(TargetOwner(str(other), found.uid, found.generation), now)
        else:
            since = known.absent_since if known is not None else None
            absent_since = since or self._process.clock.now()
            held.set(TargetOwner(str(other), absent_since=absent_since), now)

    def _is_fresh(self, held: CachedRead[Any], now: float) -> bool:
        return held.is_fresh(now, self._process.freshness)
