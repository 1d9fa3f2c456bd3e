"""What grants allow a resource, and what is known of the tags of its application."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.grants import awaits_tag, evaluate
from appcredential.domain.observed.asker import Consent, Tags
from appcredential.domain.observed.entra import Grant
from appcredential.domain.observed.observation import Resource
from appcredential.domain.spec.model import AppCredentialSpec
from appcredential.gather.state import ResourceState
from appcredential.ports.local import GrantSource
from appcredential.ports.session import Access

_BURST: Final = 60
_PER_SECOND: Final = 0.5
_MOST_NAMESPACES: Final = 1_000

_NO_GRANT = Problem(reason=Reason.NOT_GRANTED, message="Not looked at.", stalled=False)
"""A placeholder: an unusable spec names no application, and the gates judge that first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """What grants allow.

    Attributes:
        grant: the union of the matching ones, or why none matches.
        may_read_tags: nobody knows the tags that alone decide, and Entra may be asked for them.
        tags_seen: when the tags that count were seen; None while a direct read is held.
    """

    grant: Grant | Problem
    may_read_tags: bool = False
    tags_seen: datetime | None = None


@dataclass(slots=True)
class TagReads:
    """How many applications may be asked for their tags because a namespace names them.

    Who may create AppCredentials there chooses the client ids. What is beyond waits for the rounds
    over the tenant's applications, which read many at once.

    Attributes:
        now: the monotonic clock, in seconds.
    """

    now: Callable[[], float]
    _left: dict[str, tuple[float, float]] = field(default_factory=dict)

    def take(self, namespace: str) -> bool:
        """Return whether one more may be read now, and count it."""
        if len(self._left) > _MOST_NAMESPACES and namespace not in self._left:
            self._left.clear()
        left, since = self._left.get(namespace, (float(_BURST), self.now()))
        left = min(float(_BURST), left + (self.now() - since) * _PER_SECOND)
        is_allowed = left >= 1
        self._left[namespace] = (left - 1 if is_allowed else left, self.now())
        return is_allowed


def granted(
    resource: Resource,
    access: Access | Problem | None,
    state: ResourceState,
    grants: GrantSource,
    reads: TagReads,
) -> Granted:
    """Return what the grants, as last seen, allow a resource.

    Args:
        resource: as just read.
        access: to its tenant.
        state: what this process holds of it; that it waits for a tag is noted there.
        grants: as watched.
        reads: the pace of direct reads that only look for tags.
    """
    spec = resource.spec
    if not isinstance(spec, AppCredentialSpec):
        return Granted(grant=_NO_GRANT)
    tenant = access.tenant if isinstance(access, Access) else None
    known, tags = grants.known(), known_tags(state)
    asker = grants.asker(resource.owner.namespace, tags)
    found = evaluate(known, asker, spec, tenant)
    notes, retry = state.tags, state.memory.retry_time
    notes.is_awaited = (
        isinstance(found, Problem) and tenant is not None and awaits_tag(known, asker, spec, tenant)
    )
    is_unread = notes.is_awaited and tags is None
    # What was allowed once stays so until the read is made: other things may have to come first.
    notes.may_be_read = is_unread and (notes.may_be_read or reads.take(asker.namespace))
    is_seen = state.application is None and notes.consent is not None
    return Granted(
        grant=found,
        may_read_tags=notes.may_be_read and (retry is None or asker.now >= retry),
        tags_seen=notes.consent.seen if notes.consent is not None and is_seen else None,
    )


def known_tags(state: ResourceState) -> Tags | None:
    """Return the tags of a resource's application as last seen; None while nobody knows them.

    A doubt about them leaves them unknown until a direct read settles it.
    """
    held, consent = state.application, state.tags.consent
    if held is None:
        return None if consent is None else consent.tags
    if held.is_listed_only:
        return held.tags
    if consent is None or consent.seen <= held.read_time:
        state.tags.consent = Consent(tags=held.tags, seen=held.read_time)
    elif held.is_doubted and consent.tags != held.tags:
        return None
    return held.tags


def read_tags(state: ResourceState) -> Tags | None:
    """Return the tags that a direct read showed; None where nobody knows them from one."""
    held = state.application
    return None if held is None or held.is_listed_only else known_tags(state)
