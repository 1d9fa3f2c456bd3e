"""Renews the operator's own certificate, one step after another, for each EntraTenant."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import cached_property

from appcredential.domain.conditions import Problem
from appcredential.domain.observed.entra import Application
from appcredential.domain.operator_credential import pair_of
from appcredential.domain.own import problems
from appcredential.domain.own.actions import OwnAction, OwnDecision
from appcredential.domain.own.lifetime import next_lifetime
from appcredential.domain.own.observed import OwnObservation, OwnPair
from appcredential.domain.own.renewal import NO_RENEWAL, OwnRenewal
from appcredential.domain.own.rotation import decide, takes_from_others
from appcredential.domain.own.secret import NEXT_KEY, OwnSecret, fault_of
from appcredential.domain.promised import required
from appcredential.domain.secret.pem import leaf_der
from appcredential.domain.spec.model import CertificateIdentity, CredentialType
from appcredential.errors import AppCredentialError
from appcredential.ports.events import EventSubject
from appcredential.tenants.own_memory import OwnMemory
from appcredential.tenants.own_sharing import is_clock_doubtful
from appcredential.tenants.own_steps import Turn
from appcredential.tenants.own_turns import OwnTurns
from appcredential.tenants.pairs import PairReader, Texts, split, thumbprint_of
from appcredential.tenants.probing import OpenTenant
from appcredential.x509.certificates import subject_in


class OwnRotation(OwnTurns[CertificateIdentity, Turn, OwnAction]):
    """Renews certificates."""

    what = "own certificate"

    @cached_property
    def _pairs(self) -> PairReader:
        return PairReader()

    def forget(self, name: str) -> None:
        """See `OwnTurns`."""
        super().forget(name)
        self._pairs.forget(name)

    async def _prepared(
        self, subject: EventSubject, identity: CertificateIdentity, tenant: OpenTenant
    ) -> Turn | OwnRenewal:
        """Read what the next step rests on; or return why there is none."""
        live = await self._secrets.read(identity.secret_name)
        if live is None:
            return NO_RENEWAL  # the tenant's own conditions tell it
        fault = fault_of(live, identity.secret_key)
        if fault:
            return OwnRenewal(problem=problems.not_ours(fault))
        main = await self._pair(subject.name, pair_of(live.data, identity))
        if isinstance(main, Problem):
            return OwnRenewal(problem=main)
        memory = self._recall(subject.name)
        seen = await self._seen(subject.name, identity, tenant, live, main)
        return Turn(
            subject=subject,
            identity=identity,
            tenant=tenant,
            live=live,
            seen=seen,
            memory=memory,
        )

    async def _seen(
        self,
        name: str,
        identity: CertificateIdentity,
        tenant: OpenTenant,
        live: OwnSecret,
        main: OwnPair,
    ) -> OwnObservation:
        memory = self._memory[name]
        beside = live.data.get(NEXT_KEY)
        read = None if beside is None else await self._pair(f"{name}/next", split(beside))
        successor = read if isinstance(read, OwnPair) else None
        thumbprint = successor.thumbprint if successor is not None else ""
        is_used = tenant.is_proven and tenant.identity == identity
        in_use = tenant.credential.thumbprint if is_used else ""
        return OwnObservation(
            now=self._clock.now(),
            settings=self._process.settings,
            cluster=self._process.identity.whole,
            tenant=name,
            client=identity.client_id,
            rotation=required(identity.rotation),
            longest=_longest(identity, tenant, memory),
            main=main,
            expires=tenant.expiration if in_use == main.thumbprint else None,
            successor=successor,
            records=live.records(),
            in_use=in_use,
            proof=memory.proof_of(thumbprint),
            is_new=bool(thumbprint) and memory.made == thumbprint,
            asked=memory.asked_for(thumbprint),
            is_clock_doubtful=is_clock_doubtful(tenant),
        )

    async def _pair(self, slot: str, texts: Texts | Problem) -> OwnPair | Problem:
        found = texts if isinstance(texts, Problem) else await self._pairs.read(slot, texts)
        if isinstance(found, Problem):
            return found
        current = found.current(self._clock.now())
        return OwnPair(
            value=current.value,
            start=current.start,
            end=current.end,
            thumbprint=thumbprint_of(current),
            subject=subject_in(leaf_der(current.value.reveal())),
        )

    def _decided(self, turn: Turn) -> OwnDecision:
        return decide(turn.seen)

    def _note(self, turn: Turn, found: Application) -> None:
        turn.object_id, turn.memory.created = found.object_id, found.created
        longest = _longest(turn.identity, turn.tenant, turn.memory)
        turn.seen = replace(turn.seen, keys=found.credentials, longest=longest)

    def _takes_from_others(self, turn: Turn, action: OwnAction) -> bool:
        return takes_from_others(turn.seen, action)

    def _refused(self, error: AppCredentialError) -> Problem | None:
        return problems.refused_call(error)


def _longest(identity: CertificateIdentity, tenant: OpenTenant, memory: OwnMemory) -> timedelta:
    wanted, kind = required(identity.rotation).lifetime, CredentialType.CERTIFICATE
    return next_lifetime(wanted, tenant.policy, kind, memory.created)
