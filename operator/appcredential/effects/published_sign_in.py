"""One sign-in with a published credential, only to see whether it still signs in.

What workloads use is read for it and dropped after it: the value of the target Secret, or a token
of the ServiceAccount. A failure of this proves nothing; an answer of Entra may raise a doubt.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from appcredential.domain.marker import Owner
from appcredential.domain.proof import SignInClass, SignInResult, record
from appcredential.domain.published_sign_ins import is_served_as
from appcredential.domain.secret.value import can_sign_in, type_of
from appcredential.domain.spec.model import (
    AppCredentialSpec,
    ClientId,
    CredentialType,
    VerificationScope,
)
from appcredential.domain.spec.trusts import service_account_subject, trust_attempt
from appcredential.effects.context import Tools
from appcredential.effects.signin import As, note_published, sign_in_with
from appcredential.gather.state import ResourceState
from appcredential.ports.session import Access

_OF_WHAT_ENTRA_LISTS: Final = frozenset(
    {SignInClass.NOT_YET, SignInClass.APPLICATION, SignInClass.UNMATCHED}
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What Entra answered to a sign-in with what this attempt made.

    Attributes:
        is_exchange: a token was exchanged, by a trust.
    """

    attempt: str
    result: SignInResult
    is_exchange: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Publisher:
    """The AppCredential that published a credential.

    Attributes:
        secret: the name of its target Secret.
        scope: what the token is asked for.
    """

    owner: Owner
    type: CredentialType
    client_id: ClientId
    secret: str
    scope: VerificationScope


async def sign_in_published(by: Publisher, tools: Tools, access: Access) -> Answer | None:
    """Sign in once with what is published now.

    Args:
        by: who published it.
        tools: the API server.
        access: its tenant.

    Returns:
        None if there is nothing to sign in with that is certainly the tenant's.

    Raises:
        AppCredentialError: what is needed could not be read.
    """
    if by.type.is_federated:
        return await _exchange(by.owner, tools, access)
    found = await tools.kube.secrets.target(by.owner.namespace, by.secret)
    if found is None or found.owner != str(by.owner) or found.deletion_time is not None:
        return None
    value, published = found.value, found.published
    if value is None or published is None or not can_sign_in(value):
        return None
    if found.tenant_id != access.tenant.tenant_id or published.expires <= tools.clock.now():
        return None
    who, attempt = As(type_of(value), by.client_id, by.scope), str(published.attempt)
    return Answer(attempt, await sign_in_with(access.session.sign_in, who, value, attempt))


async def _exchange(owner: Owner, tools: Tools, access: Access) -> Answer | None:
    """Exchange a token as a pod of the ServiceAccount does, by the trust that status shows."""
    resource = await tools.kube.resources.get(owner)
    if resource is None or not isinstance(resource.spec, AppCredentialSpec):
        return None
    spec, told = resource.spec, resource.status.get("federatedIdentities") or ()
    account = spec.federated.account if spec.federated is not None else ""
    if resource.deletion_time is not None or not account or not told:
        return None
    if not is_served_as(resource.status, spec.client_id):
        return None  # no grant ever allowed to ask for this application
    trust, accounts = told[0], tools.kube.service_accounts
    if trust["subject"] != service_account_subject(owner.namespace, account):
        return None
    token = await accounts.token(owner.namespace, account, trust["audience"])
    attempt = trust_attempt(tools.process.identity, (trust["issuer"], trust["subject"]))
    scope, endpoint = spec.verification.scope, access.session.sign_in
    result = await endpoint.with_assertion(spec.client_id, token, scope, attempt)
    return Answer(attempt, result, is_exchange=True)


def note_answer(owner: Owner, state: ResourceState, answer: Answer, now: datetime) -> None:
    """Note it. A refusal of the credential raises a doubt, which only a direct read settles."""
    note_published(state, owner, answer.attempt, answer.result, now)
    if answer.is_exchange:
        _note_exchange(state, answer, now)
    if answer.result.kind not in _OF_WHAT_ENTRA_LISTS:
        return
    if state.application is not None:
        state.application = replace(state.application, doubted=now)
    if state.federated is not None:
        state.federated = replace(state.federated, doubted=now)


def _note_exchange(state: ResourceState, answer: Answer, now: datetime) -> None:
    """Note a try of the trust: should it have to be proven anew, the next one is far from it."""
    memory = state.memory
    proof = record(memory.pending_proof, answer.attempt, answer.result, now)
    state.memory = replace(memory, pending_proof=proof)
