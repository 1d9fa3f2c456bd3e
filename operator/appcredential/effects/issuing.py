"""What issuing has in common, whatever the type: the grant, the intent, and how it ended."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta

from appcredential.domain import actions as act
from appcredential.domain.audit import AuditRecord, Change, Result
from appcredential.domain.conditions import Problem
from appcredential.domain.grants import evaluate
from appcredential.domain.marker import Attempt, attempt_id
from appcredential.domain.observed.entra import Grant
from appcredential.domain.observed.operation import Operation
from appcredential.domain.observed.target import IssuedCredential, Pending
from appcredential.domain.rotation import asked_lifetime
from appcredential.effects import audit
from appcredential.effects.application import note_failure
from appcredential.effects.context import Context
from appcredential.effects.events import about, emit
from appcredential.errors import (
    AppCredentialError,
    ConflictError,
    NotFoundError,
    OutcomeUnknownError,
    TooLateError,
)
from appcredential.gather.granted import read_tags
from appcredential.ports.kube import Intent, Staged

log = logging.getLogger(__name__)


async def live_grant(context: Context) -> Grant:
    """Ask the grants as they are now: the decision rests on what a watch showed.

    Raises:
        ConflictError: none allows this any more, or one does by tags that were not read just now;
            gather again.
    """
    source, facts, state = context.tools.grants, context.facts, context.state
    asker = await source.live_asker(context.owner.namespace, read_tags(state))
    grants = await source.live()
    grant = evaluate(grants, asker, facts.spec, facts.tenant)
    if isinstance(grant, Problem):
        raise ConflictError("no grant matches any more")
    held = state.application
    if held is None or facts.is_fresh:
        return grant
    if isinstance(evaluate(grants, replace(asker, tags=None), facts.spec, facts.tenant), Problem):
        # Some effects rest on other reads than this one. The next pass makes it.
        state.application = replace(held, doubted=context.clock.now())
        raise ConflictError("the tags of the application were read too long ago")
    return grant


async def granted_lifetime(action: act.Mint, context: Context) -> timedelta:
    """Return the lifetime to ask for, as the grants allow it now.

    Raises:
        ConflictError: they allow no credential any more; gather again.
    """
    grant = await live_grant(context)
    lifetime = asked_lifetime(action.lifetime, grant.max_lifetime)
    if lifetime < context.facts.settings.min_lifetime:
        raise ConflictError("the grants allow too short a lifetime now")
    return lifetime


async def write_intent(action: act.Mint, context: Context, staged: Staged | None = None) -> Pending:
    """Write into the pending Secret what is about to be issued.

    Args:
        action: what was decided.
        context: of the effect.
        staged: the value, when it is ours before the credential exists.

    Raises:
        ConflictError: the pending Secret is not as observed any more.
    """
    facts = context.facts
    intent = Intent(
        owner=context.owner,
        cluster=facts.identity.cluster,
        tenant_id=facts.tenant.tenant_id,
        object_id=facts.application.object_id,
        attempt_number=action.attempt_number,
        holder=context.tools.process.holder,
        time=context.clock.now(),
        abandoned=action.abandoned,
        staged=staged,
        labels=facts.spec.secret.labels,
        annotations=facts.spec.secret.annotations,
    )
    written = await context.kube.secrets.put_intent(intent, context.state.pending.value)
    context.state.pending.set(written, context.clock.monotonic())
    attempt = attempt_id(facts.identity, written.uid, written.attempt_number)
    context.state.made = (attempt, context.tools.process.terms.begun)
    return written


async def note_mint_failure(
    context: Context, error: AppCredentialError, attempt: Attempt, key_id: str = ""
) -> None:
    """Note why Graph issued or registered nothing, as far as that is known.

    Args:
        context: of the effect.
        error: what the call raised.
        attempt: that was to be made.
        key_id: of a certificate; nobody knows that of a client secret yet.
    """
    if isinstance(error, NotFoundError):
        # A write path that does not know the object proves nothing: read again.
        context.state.application = None
        return
    if isinstance(error, TooLateError):
        # The next pass finds an intent that nobody works on.
        log.warning("a mint came too late and was not sent", extra=about(context.owner))
        return
    is_first = is_first_failure(context)
    note_failure(context, Operation.MINT, error)
    if isinstance(error, OutcomeUnknownError):
        found = audit.record(
            context,
            Change.ISSUED,
            Result.UNKNOWN,
            key_id=key_id,
            attempt=attempt,
            graph=audit.lost_call(error),
        )
        await tell_unknown(context, found, is_first=is_first)


def is_first_failure(context: Context) -> bool:
    """Return whether all went well before: to be asked before a failure is noted."""
    return context.state.memory.directory_problem is None


async def tell_unknown(context: Context, found: AuditRecord, *, is_first: bool) -> None:
    """Write the record of a change whose answer was lost.

    It comes last: an API server that hangs may cost the Event, and nothing else.

    Args:
        context: of the effect.
        found: the record.
        is_first: an Event tells of it, too. While Entra has an outage, every try may end so.
    """
    if not is_first:
        audit.write(found)
        return
    note = "The answer to a change of a credential was lost: it may have been done. What it "
    await emit(context, "OutcomeUnknown", f"{note}did is looked for.", found=found, warning=True)


async def note_issued(context: Context, issued: IssuedCredential) -> None:
    """Note that a credential exists, and that its value is kept."""
    context.state.memory = context.state.memory.succeeded(Operation.MINT)
    found = audit.record(context, Change.ISSUED, key_id=issued.key_id, attempt=issued.attempt)
    note = f"Credential {issued.key_id} was issued; it is proven next."
    await emit(context, "Issued", note, found=found)
