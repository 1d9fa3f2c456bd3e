"""Keeps the store in step with the cluster: watch events in between, our own lists now and then."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from typing import Any

from appcredential.cache.seen import key_of, known_of
from appcredential.cache.store import Known, Store
from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.demanded import (
    APPLY_CRDS,
    MIN_KUBERNETES,
    SCHEMA_VERSION,
    schema_version,
)
from appcredential.domain.spec.model import ApplicationGrantSpec
from appcredential.domain.spec.parse import parse_application_grant
from appcredential.domain.urgency import Urgency
from appcredential.errors import InvalidSpecError, PermissionDeniedError
from appcredential.kube.custom_resources import (
    APP_CREDENTIALS,
    GRANTS,
    KINDS,
    TENANTS,
    KubeObjects,
)
from appcredential.kube.own_writes import is_newer
from appcredential.runtime.ready import Key
from appcredential.runtime.workqueue import Wake

log = logging.getLogger(__name__)


class Informer:
    """Feeds the store and wakes whoever a change concerns.

    Args:
        objects: the API server.
        store: what is kept.
        namespaces: those that are served; empty for all.
        wake: queues an object.
        wake_beside: queues one that wants the same Secret as another.
        team_label: as `known_of` takes it.

    Attributes:
        left_out: the namespaces that the last list could not read.
        schema_problem: why the cluster is too old for this operator; empty if it is not.
    """

    def __init__(
        self,
        objects: KubeObjects,
        store: Store,
        namespaces: tuple[str, ...],
        wake: Wake,
        wake_beside: Callable[[Key], None],
        team_label: str | None = None,
    ) -> None:
        self._objects = objects
        self._store = store
        self._namespaces = namespaces
        self._wake = wake
        self._wake_neighbour = wake_beside
        self._team_label = team_label
        self._told_meanwhile: set[str] | None = None
        self.left_out: set[str] = set()
        self.schema_problem = "the CRDs were not read yet"

    async def relist(self) -> None:
        """Replace the store by lists of our own: a watch may miss a deletion in a gap."""
        self._note(await self._check_server() or await self._check_schema())
        self.left_out = set()
        try:
            for plural in (TENANTS, GRANTS, APP_CREDENTIALS):
                await self._relist(plural)
        finally:
            self._told_meanwhile = None

    async def _relist(self, plural: str) -> None:
        self._told_meanwhile = set()
        # Only what was known before the list began can be missing from it.
        before = {key: self._uid(key) for key in self._store.keys(plural)}
        seen: set[Key] = set()
        for namespace in self._scopes(plural):
            seen |= await self._list(plural, namespace, before.keys())
        for key, uid in before.items():
            if key not in seen and self._uid(key) == uid:  # else it was made anew meanwhile
                self._lose(key)
        self._store.complete.add(plural)

    def _uid(self, key: Key) -> str:
        known = self._store.get(key)
        return known.uid if known is not None else ""

    async def _list(self, plural: str, namespace: str, before: Collection[Key]) -> set[Key]:
        """Return what is there; a namespace that may not be listed keeps what was known of it."""
        seen: set[Key] = set()
        try:
            async for document in self._objects.pages(plural, namespace):
                key = key_of(plural, document)
                seen.add(key)
                if not self._is_outdated(key, document["metadata"]):
                    self._see(plural, document)
        except PermissionDeniedError as exc:
            if not namespace:
                raise
            # Gone with its Role, or not bound yet: the others must not suffer.
            self.left_out.add(namespace)
            log.warning("namespace cannot be listed", extra={"ns": namespace, "error": str(exc)})
            return {key for key in before if key.namespace == namespace}
        return seen

    def _is_outdated(self, key: Key, metadata: Mapping[str, Any]) -> bool:
        """Return whether the watch told of something newer than a list shows.

        All pages of a list show the moment of its first one, and many pages take a while.
        """
        if metadata["uid"] not in (self._told_meanwhile or ()):
            return False
        held = self._store.get(key)
        if held is None or held.uid != metadata["uid"]:
            return True
        return is_newer(held.version, metadata["resourceVersion"])

    def on_event(self, plural: str, event: str, document: dict[str, Any]) -> None:
        """Take one watch event."""
        if self._told_meanwhile is not None:
            self._told_meanwhile.add(document["metadata"]["uid"])
        if event == "DELETED":
            self._lose(key_of(plural, document))
        else:
            self._see(plural, document)

    def _scopes(self, plural: str) -> tuple[str, ...]:
        return (self._namespaces or ("",)) if plural == APP_CREDENTIALS else ("",)

    def _note(self, problem: str) -> None:
        """Keep it for /readyz, and tell it in the log for those who cannot ask a pod."""
        if problem and problem != self.schema_problem:
            log.error("not ready", extra={"problem": problem})
        self.schema_problem = problem

    async def _check_server(self) -> str:
        """Compare the API server's version with the oldest that the schema's rules work on."""
        found = await self._objects.server_version()
        if found >= MIN_KUBERNETES:
            return ""
        wanted, told = (".".join(map(str, version)) for version in (MIN_KUBERNETES, found))
        return (
            f"this operator needs Kubernetes {wanted} or newer, and the API server is {told}; "
            "upgrade the cluster"
        )

    async def _check_schema(self) -> str:
        """Compare the CRDs with what this operator writes: an unknown field is an HTTP 500."""
        for plural in KINDS:
            if schema_version(await self._objects.crd(plural)) < SCHEMA_VERSION:
                return (
                    f"the CRD {plural} is missing or older than this operator; apply the current "
                    f"ones: {APPLY_CRDS}"
                )
        return ""

    def _see(self, plural: str, document: dict[str, Any]) -> None:
        key, known = key_of(plural, document), known_of(plural, document, self._team_label)
        before = self._store.get(key)
        if self._store.put(key, known):
            if plural == GRANTS:
                self._see_grant(key, document)
            self._wake_for(key, known, before)
            for other in self._store.neighbours(key):
                self._wake_neighbour(other)

    def _wake_for(self, key: Key, known: Known, before: Known | None) -> None:
        """Reconcile an object for its new version, unless our own write made it.

        What a person asked for is always looked at. The answer to a write of ours may come after
        its event: the queue asks again before it works on a key once more.
        """
        own = self._objects.own_writes
        if before is None or before.uid != known.uid:
            self._wake(key)
        elif before.asked != known.asked:
            if known.check not in {0, before.check}:
                self._store.ask_check(key)
            self._wake(key, Urgency.CHANGED)
        elif not own.cover(known.uid, known.version):
            self._wake(key, unless=lambda: own.cover(known.uid, known.version))

    def _see_grant(self, key: Key, document: dict[str, Any]) -> None:
        before = self._store.grants.get(key.name)
        after = self._store.grants[key.name] = parse_grant(document)
        if before != after:
            self._wake_users(before, after)

    def _wake_users(self, *grants: ApplicationGrantSpec | Problem | None) -> None:
        """Reconcile whoever a grant names, before or after its change."""
        named = (self._store.named_by(g) for g in grants if isinstance(g, ApplicationGrantSpec))
        for user in {key for keys in named for key in keys}:
            self._wake(user, Urgency.ISSUE)  # Stalled until now, it would be looked at last

    def _lose(self, key: Key) -> None:
        lost = self._store.grants.get(key.name) if key.kind == GRANTS else None
        known, beside = self._store.get(key), self._store.neighbours(key)
        self._store.drop(key)
        if known is not None:
            self._objects.own_writes.forget(known.uid)
        self._wake(key)
        for other in beside:
            self._wake_neighbour(other)
        self._wake_users(lost)
        if key.kind == APP_CREDENTIALS and known is not None:
            tenant = Key(TENANTS, "", known.tenant)
            held = self._store.get(tenant)
            if held is not None and held.is_leaving:
                self._wake(tenant)  # its finalizer may go now
            for heir in self._store.heirs_of(key, known):
                self._wake(heir)


def parse_grant(document: Mapping[str, Any]) -> ApplicationGrantSpec | Problem:
    """Read an ApplicationGrant; an unusable one allows nothing and says why."""
    try:
        return parse_application_grant(document)
    except InvalidSpecError as exc:
        return Problem(reason=Reason.INVALID_SPEC, message=str(exc))
