"""Probes the sessions of EntraTenants: whether the operator signs in and may read applications."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from appcredential.domain.conditions import Problem
from appcredential.domain.lifecycle_settings import LifecycleSettings
from appcredential.domain.observed.app_policy import UNREAD, AppPolicy
from appcredential.domain.operator_credential import OperatorCredential
from appcredential.domain.spec.model import TenantIdentity
from appcredential.domain.status.cluster_kinds import ProbeOutcome
from appcredential.domain.status.problems_tenant import tenant_refusal, tenant_unreachable
from appcredential.errors import (
    AppCredentialError,
    ConflictError,
    NotFoundError,
    ThrottledError,
    UnavailableError,
)
from appcredential.ports.entra import Probe
from appcredential.ports.local import Clock
from appcredential.ports.session import Session
from appcredential.tenants import unexpected
from appcredential.tenants.waking import TenantQueue

log = logging.getLogger(__name__)

PASSING: Final = (UnavailableError, ThrottledError, ConflictError, NotFoundError)
"""What a probe may raise that passes by itself; all else is a refusal."""

_SECOND_TRY: Final = timedelta(seconds=5)
_PROBE: Final = timedelta(hours=1)
_SKEWED_PROBE: Final = timedelta(minutes=1)


@dataclass(slots=True)
class OpenTenant:
    """A session, and what is known of it.

    Attributes:
        identity: as which the operator signs in.
        credential: what it signs in with.
        is_proven: it signed in, and was not refused since.
        probed: when it was last probed; None asks for a probe.
        failing: the problem that the last conclusive probe found.
        second_try: when to probe again after a failure that may pass by itself.
        is_skewed: an AppCredential was held up because the tenant's clock is wrong.
        expiration: when the operator's own credential ends, as far as that is known.
        policy: what Entra's policy allows, by the last probe that could read it.
        roles: the permissions that the operator's token named at the last probe that succeeded;
            None where it cannot be read.
        unowned: how many of the applications that AppCredentials use the operator does not own;
            None while that is not known.
    """

    identity: TenantIdentity
    credential: OperatorCredential
    session: Session
    is_proven: bool = False
    probed: datetime | None = None
    failing: Problem | None = None
    second_try: datetime | None = None
    is_skewed: bool = False
    expiration: datetime | None = None
    policy: AppPolicy = UNREAD
    roles: frozenset[str] | None = None
    unowned: int | None = None

    def signs_in_with(self, identity: TenantIdentity, credential: OperatorCredential) -> bool:
        """Return whether this is the session for that credential."""
        return self.identity == identity and self.credential == credential

    def is_clock_wrong(self) -> bool:
        """Return whether the tenant's clock differs too much for its users to do anything."""
        skew = self.session.directory.skew()
        return skew is not None and abs(skew) > LifecycleSettings.max_clock_skew


class Prober:
    """Probes open tenants: hourly, and at once after a failure or on request.

    Args:
        queue: hears of a tenant whose policy is another one than before.
        retry: the longest pause before a second try.
    """

    def __init__(self, *, clock: Clock, queue: TenantQueue, retry: timedelta) -> None:
        self._clock = clock
        self._queue = queue
        self._retry = retry

    async def probe(self, name: str, tenant: OpenTenant) -> ProbeOutcome | None:
        """Probe a tenant when that is due.

        Returns:
            What the last probe found; None when a second one has to confirm it first.
        """
        now = self._clock.now()
        if tenant.second_try is not None and now < tenant.second_try <= now + _PROBE:
            return None
        if not _is_due(tenant, now):
            return ProbeOutcome()
        tenant.probed = now
        try:
            self._learn(name, tenant, await tenant.session.probe())
        except PASSING as exc:
            log.warning("tenant unreachable", extra={"tenant": name, "error": str(exc)})
            unreachable = tenant_unreachable(exc)
            if tenant.second_try is None and tenant.failing != unreachable:
                tenant.second_try = now + self._pause_after(tenant, exc)
                return None
            tenant.failing = unreachable
        except AppCredentialError as exc:
            log.warning("tenant refuses the operator", extra={"tenant": name, "error": str(exc)})
            tenant.failing, tenant.is_proven = tenant_refusal(tenant.identity, exc), False
        except Exception as exc:  # noqa: BLE001 - the same outer guard, for a session in use
            tenant.failing = unexpected.told(name, exc)
        else:
            tenant.failing, tenant.is_proven = None, True
        tenant.second_try = None
        return ProbeOutcome(tenant.failing)

    def _learn(self, name: str, tenant: OpenTenant, found: Probe) -> None:
        """Record what a successful probe returned. A new policy changes all users' lifetimes."""
        tenant.expiration, tenant.roles = found.expiration, found.roles
        if found.policy is None or found.policy == tenant.policy:
            return
        was_known, tenant.policy = tenant.policy != UNREAD, found.policy
        if was_known:
            self._queue.wake_users(name)

    def _pause_after(self, tenant: OpenTenant, error: AppCredentialError) -> timedelta:
        """Return when to try again after one failure that may pass by itself.

        Users that wait for the first probe of a tenant do not wait long.
        """
        soon = min(_SECOND_TRY, self._retry)
        if isinstance(error, ThrottledError) and tenant.is_proven:
            return max(error.retry_after, soon)
        return soon


def _is_due(tenant: OpenTenant, now: datetime) -> bool:
    if tenant.probed is None or tenant.failing is not None or tenant.second_try is not None:
        return True
    age = now - tenant.probed  # negative if the clock was set back
    return not timedelta(0) <= age < (_SKEWED_PROBE if tenant.is_clock_wrong() else _PROBE)
