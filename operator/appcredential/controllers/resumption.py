"""Takes up what another process left, by lists: at the start of a term as the leader.

Of 10,000 AppCredentials nearly all need nothing now, and their status says so. They are not
passed at once: a due time comes from status, and their first look from the budget of looks. What
is not plainly settled is passed at once, urgent ones first.
"""

from __future__ import annotations

import asyncio
import logging
from collections import ChainMap
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from appcredential.cache.issued_records import KnownRecords
from appcredential.cache.open_revocations import OpenRevocations
from appcredential.cache.store import Store
from appcredential.domain.conditions import Problem
from appcredential.domain.facts.deletion import left_by
from appcredential.domain.facts.issued import record_name
from appcredential.domain.grants import evaluate
from appcredential.domain.observed.observation import Resource
from appcredential.domain.resumption import LastKnown, last_known
from appcredential.domain.spec.grant import NamedApplications
from appcredential.domain.spec.model import AppCredentialSpec, ApplicationGrantSpec
from appcredential.errors import AppCredentialError
from appcredential.gather.resumed import resume
from appcredential.gather.state import ResourceStates
from appcredential.kube.custom_resources import APP_CREDENTIALS, TENANTS
from appcredential.ports.kube import Resources
from appcredential.ports.local import Clock, GrantSource
from appcredential.runtime.ready import Key
from appcredential.runtime.workqueue import WorkQueue

log = logging.getLogger(__name__)

_AT_A_TIME: Final = 50
"""Resources that are judged before others get a turn of the event loop."""


@dataclass(slots=True)
class Grants:
    """Grants by tenant, and by application where they name some."""

    named: dict[tuple[str, str], dict[str, ApplicationGrantSpec]] = field(default_factory=dict)
    wide: dict[str, dict[str, ApplicationGrantSpec]] = field(default_factory=dict)

    def add(self, name: str, grant: ApplicationGrantSpec) -> None:
        """Take one more."""
        if not isinstance(grant.applications, NamedApplications):
            self.wide.setdefault(grant.tenant, {})[name] = grant
            return
        for client_id in grant.applications.client_ids:
            self.named.setdefault((grant.tenant, client_id), {})[name] = grant

    def about(self, spec: AppCredentialSpec) -> Mapping[str, ApplicationGrantSpec]:
        """Return those that may be about an application."""
        named = self.named.get((spec.tenant, spec.client_id), {})
        return ChainMap(named, self.wide.get(spec.tenant, {}))


@dataclass(slots=True, kw_only=True)
class Resumption:
    """Finds the resources that go on as their status says, and schedules their first look.

    Attributes:
        namespaces: those that are served; empty for all.
        resources: lists the AppCredentials once more: the last leader may have written since.
        askers: shows namespaces as grants look at them.
    """

    clock: Clock
    namespaces: tuple[str, ...]
    resources: Resources
    store: Store
    askers: GrantSource
    open_revocations: OpenRevocations
    records: KnownRecords
    states: ResourceStates
    queue: WorkQueue
    _found: list[tuple[Key, Resource, LastKnown]] = field(default_factory=list)

    async def take_up(self) -> Collection[Key]:
        """List all AppCredentials, and schedule those that are settled by their status.

        Returns:
            Those that are scheduled; all else is to be passed at once.
        """
        await self.find()
        return await self.begin()

    def end(self) -> None:
        """Let nothing go on by its status alone: who may act was in doubt since."""
        for _, state in list(self.states.resumed()):
            state.resumed = None

    async def find(self) -> None:
        """List all AppCredentials, and note those that are settled by their status.

        A list that fails costs no more than passes at once.
        """
        self._found = []
        grants = self._grants()
        shard = self.store.shard
        for namespace in self.namespaces or ("",):
            if namespace and not shard.serves(namespace):
                continue
            try:
                listed = await self.resources.list(namespace)
            except AppCredentialError as exc:
                log.warning("all are looked at at once", extra={"ns": namespace, "error": str(exc)})
                continue
            for number, resource in enumerate(listed):
                if number % _AT_A_TIME == 0:
                    await asyncio.sleep(0)
                if not shard.serves(resource.owner.namespace):
                    continue
                known = last_known(resource, self.clock.now(), self.clock.monotonic())
                if known is not None and self._is_plain(resource, grants):
                    owner = resource.owner
                    key = Key(APP_CREDENTIALS, owner.namespace, owner.name)
                    self._found.append((key, resource, known))

    async def begin(self) -> Collection[Key]:
        """Schedule what `find` noted; return it. All else is to be passed at once.

        Others get turns of the event loop meanwhile. What they pass goes on as that pass says.
        """
        found, self._found = self._found, []
        self.end()  # of an earlier term
        begun: set[Key] = set()
        for number, (key, resource, known) in enumerate(found):
            if number % _AT_A_TIME == 0:
                await asyncio.sleep(0)
            if self._is_begun(key, resource, known):
                begun.add(key)
        return begun

    def _is_begun(self, key: Key, resource: Resource, known: LastKnown) -> bool:
        seen = self.store.get(key)
        # Changed since; or a person asks for a look, and nobody knows whether it was had.
        is_news = seen is None or seen.version != resource.resource_version or seen.check
        state = self.states.known(resource.owner)
        read = state.resource.read if state is not None else None
        is_passed = read is not None and read >= known.since
        if is_news or is_passed or self.store.neighbours(key) or not self.queue.withdraw(key):
            return False
        resume(self.states.of(resource.owner), resource, known, self.clock)
        if known.due is not None:
            self.queue.add_at(key, known.due)
        return True

    def _is_plain(self, resource: Resource, grants: Grants) -> bool:
        """Return whether a settled resource is granted, recorded, and not to be revoked.

        Whether its tenant can be used is not known yet; if not, all its users are passed then.
        """
        spec, owner = resource.spec, resource.owner
        assert isinstance(spec, AppCredentialSpec)  # noqa: S101 - else nothing is known of it
        asker = self.askers.asker(owner.namespace, ())
        # The first look asks for the tags of its application, which a list shows by then.
        asker = replace(asker, tags=(asker.wanted_tag,))
        grant = evaluate(grants.about(spec), asker, spec, None)
        record = self.records.find(record_name(left_by(resource, spec)))
        is_recorded = record is not None and record.resource_uid == resource.uid
        is_granted = not isinstance(grant, Problem) and grant.name == resource.status.get("grant")
        has_tenant = self.store.get(Key(TENANTS, "", spec.tenant)) is not None
        is_wanted = is_granted and has_tenant and not self.open_revocations.of(owner)
        return is_wanted and is_recorded

    def _grants(self) -> Grants:
        """Return the grants by what they name: many resources times many grants take long."""
        found = Grants()
        for name, grant in self.store.valid_grants().items():
            found.add(name, grant)
        return found
