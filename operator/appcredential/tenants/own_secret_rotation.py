"""Renews the operator's own client secret, one step after another, for each EntraTenant."""

from __future__ import annotations

from dataclasses import replace

from appcredential.domain.conditions import Problem
from appcredential.domain.observed.entra import Application
from appcredential.domain.operator_credential import client_secret_of
from appcredential.domain.own import problems
from appcredential.domain.own.renewal import NO_RENEWAL, OwnRenewal
from appcredential.domain.own.secret import OwnSecret, fault_of
from appcredential.domain.own.secret_observed import SecretObservation
from appcredential.domain.own.secret_records import NEXT_SECRET, recorded
from appcredential.domain.own.secret_rotation import (
    SecretAction,
    SecretDecision,
    decide,
    takes_from_others,
)
from appcredential.domain.promised import required
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import ClientSecretIdentity
from appcredential.errors import AppCredentialError
from appcredential.ports.events import EventSubject
from appcredential.tenants.own_memory import OwnMemory
from appcredential.tenants.own_secret_steps import SecretTurn
from appcredential.tenants.own_sharing import is_clock_doubtful
from appcredential.tenants.own_turns import OwnTurns
from appcredential.tenants.probing import OpenTenant


class OwnSecretRotation(OwnTurns[ClientSecretIdentity, SecretTurn, SecretAction]):
    """Renews client secrets."""

    what = "own client secret"

    async def _prepared(
        self, subject: EventSubject, identity: ClientSecretIdentity, tenant: OpenTenant
    ) -> SecretTurn | OwnRenewal:
        """Read what the next step rests on; or return why there is none."""
        live = await self._secrets.read(identity.secret_name)
        if live is None:
            return NO_RENEWAL  # the tenant's own conditions tell it
        fault = fault_of(live, identity.secret_key, NEXT_SECRET)
        if fault:
            return OwnRenewal(problem=problems.not_ours(fault))
        main = client_secret_of(live.data, identity)
        if isinstance(main, Problem):
            return OwnRenewal(problem=main)
        memory = self._recall(subject.name)
        is_used = tenant.is_proven and tenant.identity == identity
        in_use = tenant.credential.value.sha256() if is_used else ""
        seen = SecretObservation(
            now=self._clock.now(),
            settings=self._process.settings,
            cluster=self._process.identity.whole,
            tenant=subject.name,
            client=identity.client_id,
            rotation=required(identity.rotation),
            main=main.sha256(),
            successor=_digest(live.data.get(NEXT_SECRET)),
            expires=tenant.expiration if in_use == main.sha256() else None,
            records=recorded(live.annotations),
            in_use=in_use,
            is_clock_doubtful=is_clock_doubtful(tenant),
        )
        return _turn(subject, identity, tenant, live, seen, memory)

    def _decided(self, turn: SecretTurn) -> SecretDecision:
        return decide(turn.seen)

    def _note(self, turn: SecretTurn, found: Application) -> None:
        turn.seen = replace(turn.seen, keys=found.credentials)

    def _takes_from_others(self, turn: SecretTurn, action: SecretAction) -> bool:
        return takes_from_others(turn.seen, action)

    def _refused(self, error: AppCredentialError) -> Problem | None:
        return problems.refused_password(error)


def _turn(
    subject: EventSubject,
    identity: ClientSecretIdentity,
    tenant: OpenTenant,
    live: OwnSecret,
    seen: SecretObservation,
    memory: OwnMemory,
) -> SecretTurn:
    """Return the turn, with what this process knows of the successor."""
    successor = seen.next_made()
    proof = memory.proof_of(successor.key_id) if successor is not None else None
    return SecretTurn(
        subject=subject,
        identity=identity,
        tenant=tenant,
        live=live,
        seen=replace(seen, proof=proof),
        memory=memory,
    )


def _digest(value: SecretValue | None) -> str:
    return value.sha256() if value is not None else ""
