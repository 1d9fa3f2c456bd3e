"""Sessions per EntraTenant: the one in use, and its successor while a new credential is proven.

A new credential of the operator's own replaces the old one once it has signed in, and not
before: a working session stays in use.
"""

from __future__ import annotations

from collections.abc import Callable

from appcredential.domain.conditions import Problem
from appcredential.domain.observed.app_policy import UNREAD
from appcredential.domain.operator_credential import OperatorCredential
from appcredential.domain.spec.model import EntraTenantSpec
from appcredential.domain.status.cluster_kinds import ProbeOutcome
from appcredential.domain.status.problems_tenant import CUSTOM_CLOUD_NOT_CONFIGURED
from appcredential.ports.session import OpenSession, Session
from appcredential.runtime.samples import SessionSample
from appcredential.tenants.probing import OpenTenant, Prober


class TenantSessions:
    """Opens, replaces and closes sessions, by the EntraTenant's name.

    Args:
        may_act: returns whether this process may write.
    """

    def __init__(
        self, *, open_session: OpenSession, prober: Prober, may_act: Callable[[], bool]
    ) -> None:
        self._open_session = open_session
        self._prober = prober
        self._may_act = may_act
        self._in_use: dict[str, OpenTenant] = {}
        self._successors: dict[str, OpenTenant] = {}

    def get(self, name: str) -> OpenTenant | None:
        """Return the session in use."""
        return self._in_use.get(name)

    def samples(self) -> list[SessionSample]:
        """Return what a scrape shows of the sessions in use; for any thread."""
        return [_sample(name, held.session) for name, held in list(self._in_use.items())]

    async def use(
        self, name: str, spec: EntraTenantSpec, credential: OperatorCredential | Problem
    ) -> ProbeOutcome | None:
        """Use a credential as soon as it works; until then go on with the former one.

        Args:
            name: of the EntraTenant.
            spec: its spec.
            credential: what the operator signs in with now, or why that cannot be used.

        Returns:
            The outcome for the tenant; None when another probe has to confirm it first.
        """
        held = self._in_use.get(name)
        if isinstance(credential, Problem):
            await self._drop_successor(name)
            return await self.go_on(name, credential)
        if held is not None and held.signs_in_with(spec.identity, credential):
            await self._drop_successor(name)
            return await self._prober.probe(name, held)
        opened = self._take_successor(name, spec, credential) or self._open(name, spec, credential)
        if opened is None:
            await self.close(name)
            return ProbeOutcome(CUSTOM_CLOUD_NOT_CONFIGURED)
        if held is not None and held.is_proven:
            return await self._try_successor(name, held, opened)
        await self._replace(name, opened)
        return await self._prober.probe(name, opened)

    async def go_on(self, name: str, problem: Problem) -> ProbeOutcome | None:
        """Go on with a session that signed in before: the present credential cannot be used.

        Args:
            name: of the EntraTenant.
            problem: why not.

        Returns:
            The outcome for the tenant; None when another probe has to confirm it first.
        """
        held = self._in_use.get(name)
        if held is None or not held.is_proven:
            return ProbeOutcome(problem)
        outcome = await self._prober.probe(name, held)
        if outcome is None:
            return None
        is_usable = outcome.problem is None
        return ProbeOutcome(warning=problem) if is_usable else ProbeOutcome(problem)

    async def close(self, name: str) -> None:
        """Close a tenant's sessions."""
        await self._drop_successor(name)
        held = self._in_use.pop(name, None)
        if held is not None:
            await held.session.close()

    async def close_all(self) -> None:
        """Close the sessions of all tenants."""
        for name in list(self._in_use):
            await self.close(name)

    async def _try_successor(
        self, name: str, held: OpenTenant, opened: OpenTenant
    ) -> ProbeOutcome | None:
        """Sign in with the new credential next to the session in use."""
        await self._drop_successor(name)
        self._successors[name] = opened
        found = await self._prober.probe(name, opened)
        if found is not None and found.problem is None:
            del self._successors[name]
            await self._replace(name, opened)
            return found
        outcome = await self._prober.probe(name, held)
        if outcome is not None and outcome.problem is None:
            return ProbeOutcome(warning=found.problem if found is not None else None)
        # Once the former one is refused as well, the tenant is judged by the new one.
        return outcome if held.is_proven else found

    def _open(
        self, name: str, spec: EntraTenantSpec, credential: OperatorCredential
    ) -> OpenTenant | None:
        session = self._open_session(spec, credential, self._may_act)
        if session is None:
            return None
        held = self._in_use.get(name)
        policy = held.policy if held is not None else UNREAD
        end = credential.end
        return OpenTenant(spec.identity, credential, session, expiration=end, policy=policy)

    def _take_successor(
        self, name: str, spec: EntraTenantSpec, credential: OperatorCredential
    ) -> OpenTenant | None:
        """Return the successor if it is still the one for this credential."""
        opened = self._successors.get(name)
        if opened is None or not opened.signs_in_with(spec.identity, credential):
            return None
        return self._successors.pop(name)

    async def _replace(self, name: str, opened: OpenTenant) -> None:
        # The new one is set before the old one closes: a tenant without any session would
        # pass for one that does not exist.
        held = self._in_use.get(name)
        opened.is_skewed = held is not None and held.is_skewed
        self._in_use[name] = opened
        await self._drop_successor(name)
        if held is not None:
            await held.session.close()

    async def _drop_successor(self, name: str) -> None:
        opened = self._successors.pop(name, None)
        if opened is not None:
            await opened.session.close()


def _sample(name: str, session: Session) -> SessionSample:
    skew, pace = session.directory.skew(), session.pace()
    return SessionSample(
        tenant=name,
        skew=skew.total_seconds() if skew is not None else None,
        units=pace.units,
        writes=pace.writes,
        pause=pace.pause,
        pauses=pace.pauses,
    )
