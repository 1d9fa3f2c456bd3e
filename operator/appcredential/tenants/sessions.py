"""The open sessions: one that works for each tenant, and beside it the one that is to follow.

A new credential of the operator's takes the place of the old one once it has signed in,
not before: what works keeps working.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from appcredential.domain.conditions import Problem
from appcredential.domain.observed.app_policy import UNREAD, AppPolicy
from appcredential.domain.operator_credential import (
    OperatorCredential,
)
from appcredential.domain.spec.model import EntraTenantSpec, TenantIdentity
from appcredential.domain.status.cluster_kinds import ProbeOutcome
from appcredential.domain.status.problems_entra import (
    CUSTOM_CLOUD_NOT_CONFIGURED,
    TENANT_UNREACHABLE,
    tenant_refusal,
)
from appcredential.errors import (
    AppCredentialError,
    ConflictError,
    NotFoundError,
    ThrottledError,
    UnavailableError,
)
from appcredential.ports.entra import OpenSession, Probe, Session
from appcredential.ports.local import Clock

log = logging.getLogger(__name__)

_SECOND_TRY: Final = timedelta(seconds=5)
_PROBE: Final = timedelta(hours=1)
_SKEWED_PROBE: Final = timedelta(minutes=1)


@dataclass(slots=True)
class OpenTenant:
    """A session, and what is known of it.

    Attributes:
        identity: as whom it signs in, and with `own`.
        is_proven: it signed in, and was not refused since.
        probed: when it was last probed; None asks for a probe.
        failing: what the last probe that counts came to.
        second_try: when a probe that failed in passing is made once more.
        is_skewed: somebody was held because the tenant's clock is wrong.
        expiration: when the operator's own credential ends, as far as is known.
        policy: what Entra's policy allows, as the last probe that learnt it saw it.
    """

    identity: TenantIdentity
    own: OperatorCredential
    session: Session
    is_proven: bool = False
    probed: datetime | None = None
    failing: Problem | None = None
    second_try: datetime | None = None
    is_skewed: bool = False
    expiration: datetime | None = None
    policy: AppPolicy = UNREAD

    def signs_in_with(self, identity: TenantIdentity, own: OperatorCredential) -> bool:
        """Tell whether this is the session for that credential."""
        return self.identity == identity and self.own == own


class TenantSessions:
    """Opens, probes, replaces and closes sessions, by the EntraTenant's name.

    Args:
        may_act: whether this process may write.
        policy_changed: called with the name of a tenant whose policy is another one than before.
        retry: the longest pause before a second try.
        max_skew: more keeps the tenant's users from doing anything.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        open_session: OpenSession,
        may_act: Callable[[], bool],
        policy_changed: Callable[[str], None],
        retry: timedelta,
        max_skew: timedelta,
    ) -> None:
        self._clock = clock
        self._open_session = open_session
        self._may_act = may_act
        self._policy_changed = policy_changed
        self._retry = retry
        self._max_skew = max_skew
        self._open: dict[str, OpenTenant] = {}
        self._next: dict[str, OpenTenant] = {}

    def get(self, name: str) -> OpenTenant | None:
        """Return the session in use."""
        return self._open.get(name)

    async def use(
        self, name: str, spec: EntraTenantSpec, own: OperatorCredential | Problem
    ) -> ProbeOutcome | None:
        """Use a credential as soon as it is usable, and go on with the one before until then.

        Args:
            name: of the EntraTenant.
            spec: its spec.
            own: what the operator signs in with now, or why that cannot be used.

        Returns:
            What to say of the tenant; None when it has to be looked at once more first.
        """
        held = self._open.get(name)
        if isinstance(own, Problem):
            await self._drop_next(name)
            return await self._go_on(name, held, own)
        if held is not None and held.signs_in_with(spec.identity, own):
            await self._drop_next(name)
            return await self._look(name, held)
        opened = self._take_next(name, spec, own) or self._make(name, spec, own)
        if opened is None:
            await self.close(name)
            return ProbeOutcome(CUSTOM_CLOUD_NOT_CONFIGURED)
        if held is not None and held.is_proven:
            return await self._try_next(name, held, opened)
        await self._replace(name, opened)
        return await self._look(name, opened)

    def blocks(self, held: OpenTenant) -> bool:
        """Tell whether the tenant's clock keeps its users from doing anything."""
        skew = held.session.directory.skew()
        return skew is not None and abs(skew) > self._max_skew

    async def close(self, name: str) -> None:
        """Close a tenant's sessions."""
        await self._drop_next(name)
        held = self._open.pop(name, None)
        if held is not None:
            await held.session.close()

    async def close_all(self) -> None:
        """Close all of them."""
        for name in list(self._open):
            await self.close(name)

    # --- one credential after the other -----------------------------------------------------

    async def _go_on(
        self, name: str, held: OpenTenant | None, problem: Problem
    ) -> ProbeOutcome | None:
        """Use what signed in before; what stands there now cannot be used."""
        if held is None or not held.is_proven:
            return ProbeOutcome(problem)
        look = await self._look(name, held)
        if look is None:
            return None
        return ProbeOutcome(warning=problem) if look.problem is None else ProbeOutcome(problem)

    async def _try_next(
        self, name: str, held: OpenTenant, opened: OpenTenant
    ) -> ProbeOutcome | None:
        """Sign in with the one that is to follow, beside the one in use."""
        await self._drop_next(name)
        self._next[name] = opened
        told = await self._look(name, opened)
        if told is not None and told.problem is None:
            del self._next[name]
            await self._replace(name, opened)
            return told
        look = await self._look(name, held)
        if look is not None and look.problem is None:
            return ProbeOutcome(warning=told.problem if told is not None else None)
        # Refused by now, it holds nothing up any more: the next look is at the other one.
        return look if held.is_proven else told

    def _make(self, name: str, spec: EntraTenantSpec, own: OperatorCredential) -> OpenTenant | None:
        session = self._open_session(spec, own, self._may_act)
        if session is None:
            return None
        held = self._open.get(name)
        policy = held.policy if held is not None else UNREAD
        return OpenTenant(spec.identity, own, session, expiration=own.end, policy=policy)

    def _take_next(
        self, name: str, spec: EntraTenantSpec, own: OperatorCredential
    ) -> OpenTenant | None:
        """Return the one that is to follow when it is for this credential still."""
        opened = self._next.get(name)
        if opened is None or not opened.signs_in_with(spec.identity, own):
            return None
        return self._next.pop(name)

    async def _replace(self, name: str, opened: OpenTenant) -> None:
        # At no moment without a session: the tenant would pass for one that does not exist.
        held = self._open.get(name)
        opened.is_skewed = held is not None and held.is_skewed
        self._open[name] = opened
        await self._drop_next(name)
        if held is not None:
            await held.session.close()

    async def _drop_next(self, name: str) -> None:
        opened = self._next.pop(name, None)
        if opened is not None:
            await opened.session.close()

    # --- probing ----------------------------------------------------------------------------

    async def _look(self, name: str, held: OpenTenant) -> ProbeOutcome | None:
        """Probe when due; None when one more probe has to confirm what the last one found."""
        now = self._clock.now()
        if held.second_try is not None and now < held.second_try:
            return None
        if not self._is_probe_due(held, now):
            return ProbeOutcome()
        held.probed = now
        try:
            self._learn(name, held, await held.session.probe())
        except (UnavailableError, ThrottledError, ConflictError, NotFoundError) as exc:
            log.warning("tenant unreachable", extra={"tenant": name, "error": str(exc)})
            if held.second_try is None and held.failing != TENANT_UNREACHABLE:
                held.second_try = now + self._pause_after(held, exc)
                return None
            held.failing = TENANT_UNREACHABLE
        except AppCredentialError as exc:
            log.warning("tenant refuses the operator", extra={"tenant": name, "error": str(exc)})
            held.failing, held.is_proven = tenant_refusal(held.identity, exc), False
        else:
            held.failing, held.is_proven = None, True
        held.second_try = None
        return ProbeOutcome(held.failing)

    def _learn(self, name: str, held: OpenTenant, found: Probe) -> None:
        """Note what a good probe told; another policy means other lifetimes for all users."""
        held.expiration = found.expiration
        if found.policy is None or found.policy == held.policy:
            return
        was_known, held.policy = held.policy != UNREAD, found.policy
        if was_known:
            self._policy_changed(name)

    def _is_probe_due(self, held: OpenTenant, now: datetime) -> bool:
        if held.probed is None or held.failing is not None or held.second_try is not None:
            return True
        return now - held.probed >= (_SKEWED_PROBE if self.blocks(held) else _PROBE)

    def _pause_after(self, held: OpenTenant, error: AppCredentialError) -> timedelta:
        """Return when to try again after one failure, which may be nobody's fault.

        Those who wait for the first look at a tenant do not wait for long.
        """
        soon = min(_SECOND_TRY, self._retry)
        if isinstance(error, ThrottledError) and held.is_proven:
            return max(error.retry_after, soon)
        return soon
