"""Signs in with a credential as workloads do, and notes how it went."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, assert_never

from appcredential.domain import actions as act
from appcredential.domain.judgement import judged
from appcredential.domain.marker import Owner
from appcredential.domain.observed.operation import Operation
from appcredential.domain.promised import required
from appcredential.domain.proof import PROVEN, Proof, SignInResult, record
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import ClientId, CredentialType, VerificationScope
from appcredential.domain.spec.trusts import trust_attempt
from appcredential.domain.status.problems_kube import no_account, no_token
from appcredential.effects.application import note_refusal
from appcredential.effects.context import Context
from appcredential.effects.events import about
from appcredential.errors import NotFoundError, PermissionDeniedError, RejectedError
from appcredential.gather.state import ResourceState
from appcredential.ports.entra import SignIn

log = logging.getLogger(__name__)

_ACCOUNT_RETRY: Final = timedelta(seconds=30)


async def sign_in(action: act.SignInPending | act.SignInPublished, context: Context) -> None:
    """Sign in once with the value of the pending or of the target Secret."""
    facts = context.facts
    if isinstance(action, act.SignInPending):
        pending = required(facts.successor)
        attempt, value = str(pending.attempt), required(pending.value)
    else:
        attempt = str(required(facts.published).attempt)
        value = required(required(facts.target).value)
    spec, endpoint = facts.spec, context.session.sign_in
    known = As(spec.type, spec.client_id, spec.verification.scope)
    result = await sign_in_with(endpoint, known, value, attempt)
    now, memory = context.clock.now(), context.state.memory
    if isinstance(action, act.SignInPending):
        _log_answer(context.owner, memory.pending_proof, result)
        proof = record(memory.pending_proof, attempt, result, now)
        context.state.memory = replace(memory, pending_proof=proof)
    else:
        note_published(context.state, context.owner, attempt, result, now)


def note_published(
    state: ResourceState, owner: Owner, attempt: str, result: SignInResult, now: datetime
) -> None:
    """Note how a sign-in with what is published went."""
    memory = state.memory
    _log_answer(owner, memory.published_proof, result)
    state.memory = replace(
        memory,
        published_proof=record(memory.published_proof, attempt, result, now),
        refused=judged(memory.refused, attempt, result, now),
    )


def _log_answer(owner: Owner, before: Proof | None, result: SignInResult) -> None:
    """Log a sign-in: at INFO when it is refused otherwise than the one before."""
    is_known = before is not None and before.result == result
    level = logging.DEBUG if result == PROVEN or is_known else logging.INFO
    cause = {"outcome": str(result.reason), "code": result.code}
    log.log(level, "sign-in", extra={**cause, **about(owner)})


@dataclass(frozen=True, slots=True)
class As:
    """Who signs in: an application with a type of credential, for the token of a scope."""

    type: CredentialType
    client_id: ClientId
    scope: VerificationScope


async def sign_in_with(
    endpoint: SignIn, known: As, value: SecretValue, attempt: str
) -> SignInResult:
    """Sign in as workloads of the type do. Never raises."""
    match known.type:
        case CredentialType.CLIENT_SECRET:
            return await endpoint.with_secret(known.client_id, value, known.scope, attempt)
        case CredentialType.CERTIFICATE:
            return await endpoint.with_certificate(known.client_id, value, known.scope, attempt)
        case CredentialType.FEDERATED_IDENTITY:
            raise AssertionError("a federated credential has no value: its tokens are exchanged")
        case _:
            assert_never(known.type)


async def exchange(action: act.ProveFederated, context: Context) -> None:
    """Exchange a token as a pod of the ServiceAccount does; both tokens are dropped."""
    name, trust, spec = action.service_account, action.trust, context.facts.spec
    accounts = context.kube.service_accounts
    try:
        token = await accounts.token(context.owner.namespace, name, trust.audience)
    except NotFoundError:
        note_refusal(context, Operation.PROVE, no_account(name), _ACCOUNT_RETRY)
        return
    except (PermissionDeniedError, RejectedError):
        note_refusal(context, Operation.PROVE, no_token(name, trust.audience))
        return
    context.state.memory = context.state.memory.succeeded(Operation.PROVE)
    attempt = str(trust_attempt(context.facts.identity, trust.pair))
    scope = spec.verification.scope
    result = await context.session.sign_in.with_assertion(spec.client_id, token, scope, attempt)
    memory = context.state.memory
    _log_answer(context.owner, memory.pending_proof, result)
    proof = record(memory.pending_proof, attempt, result, context.clock.now())
    context.state.memory = replace(memory, pending_proof=proof)
