"""Issues a client secret. Graph shows its value once, in the answer to addPassword.

So the pending Secret says first that it is about to be issued, and takes the value up before
anything else happens.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import Final

from appcredential.domain import actions as act
from appcredential.domain.audit import AuditRecord, Change, Result
from appcredential.domain.marker import Attempt, attempt_id, build_display_name
from appcredential.domain.observed.target import IssuedCredential, Pending
from appcredential.domain.secret_value import SecretValue
from appcredential.effects import audit
from appcredential.effects.context import Context
from appcredential.effects.events import about, emit
from appcredential.effects.issuing import (
    granted_lifetime,
    is_first_failure,
    note_issued,
    note_mint_failure,
    tell_unknown,
    write_intent,
)
from appcredential.errors import (
    AppCredentialError,
    ConflictError,
    NotFoundError,
    OutcomeUnknownError,
    PermissionDeniedError,
    RejectedError,
    ThrottledError,
    UnavailableError,
)
from appcredential.ports.entra import MintedPassword

log = logging.getLogger(__name__)

_INTENT_TO_MINT: Final = 10.0
_PERSIST_TRIES: Final = 5
_PERSIST_PAUSE: Final = 0.5


async def mint(action: act.Mint, context: Context) -> None:
    """Write the intent, add the password, and keep its value in the pending Secret.

    Raises:
        ConflictError: the grants, or the pending Secret, are not as observed any more.
    """
    lifetime = await granted_lifetime(action, context)
    # The intent is what others respect: its age is what counts, from before it was written.
    deadline = context.clock.monotonic() + _INTENT_TO_MINT
    pending = await write_intent(action, context)
    attempt = attempt_id(context.facts.identity, pending.uid, pending.attempt_number)
    context.state.memory = context.state.memory.issues(context.clock.now())
    try:
        minted = await _add_password(context, attempt, lifetime, deadline)
    except AppCredentialError as exc:
        await note_mint_failure(context, exc, attempt)
        return
    issued = IssuedCredential(
        key_id=minted.credential.key_id,
        attempt=attempt,
        value_sha256=minted.value.sha256(),
        not_before=minted.credential.start,
        expires=minted.credential.end,
    )
    await _persist(context, pending, issued, minted.value)


async def _add_password(
    context: Context, attempt: Attempt, lifetime: timedelta, deadline: float
) -> MintedPassword:
    facts = context.facts
    name = build_display_name(facts.identity, context.owner, attempt, facts.spec.description)
    # Whole seconds: what Graph stores is then what we wrote.
    end = (facts.entra_now + lifetime).replace(microsecond=0)
    return await context.session.directory.add_password(
        facts.application.object_id, name, end, deadline=deadline
    )


async def _persist(
    context: Context, pending: Pending, issued: IssuedCredential, value: SecretValue
) -> None:
    """Keep the only copy of the value. Not bound by freshness: resourceVersion guards it."""
    for _ in range(_PERSIST_TRIES):
        try:
            written = await context.kube.secrets.put_minted(context.owner, pending, issued, value)
        except (ConflictError, NotFoundError):
            if not await _was_persisted(context, issued):
                await _discard(context, issued)
            return
        except (PermissionDeniedError, RejectedError):
            # A quota or a rule of admission that came between: nobody will ever hold it.
            await _discard(context, issued)
            raise
        except (UnavailableError, ThrottledError):
            await asyncio.sleep(_PERSIST_PAUSE)
            continue
        context.state.pending.set(written, context.clock.monotonic())
        await note_issued(context, issued)
        return
    log.error("a minted value could not be stored; it will be replaced", extra=about(context.owner))
    context.state.pending.drop()


async def _was_persisted(context: Context, issued: IssuedCredential) -> bool:
    """Return whether a write whose answer was lost did arrive."""
    live = await context.kube.secrets.pending(context.owner)
    context.state.pending.set(live, context.clock.monotonic())
    if live is None or live.credential is None or live.credential.key_id != issued.key_id:
        return False
    await note_issued(context, issued)
    return True


async def _discard(context: Context, issued: IssuedCredential) -> None:
    """Remove what the pending Secret did not take, unless workloads have it.

    Another process that wrote the pending Secret meanwhile may have published the value.
    """
    extra = about(context.owner)
    try:
        if await _is_in_target(context, issued):
            log.warning(
                "the pending Secret changed while minting; the target Secret holds the credential",
                extra=extra,
            )
            return
        log.warning(
            "the pending Secret changed while minting; the credential is discarded", extra=extra
        )
        await context.session.directory.remove_password(
            context.facts.application.object_id, issued.key_id
        )
    except AppCredentialError as exc:
        # Its attempt is fenced with the pending Secret or stranded: a later pass removes it.
        log.warning("discarding failed", extra={"error": str(exc), **extra})
        if isinstance(exc, OutcomeUnknownError):
            unknown = _discarded(context, issued, Result.UNKNOWN, exc)
            await tell_unknown(context, unknown, is_first=is_first_failure(context))
        return
    note = f"Credential {issued.key_id} was removed at once: its value could not be kept."
    await emit(context, "OrphanRemoved", note, found=_discarded(context, issued, Result.DONE))


def _discarded(
    context: Context,
    issued: IssuedCredential,
    result: Result,
    error: AppCredentialError | None = None,
) -> AuditRecord:
    return audit.record(
        context,
        Change.DISCARDED,
        result,
        key_id=issued.key_id,
        attempt=issued.attempt,
        graph=audit.lost_call(error) if error is not None else None,
    )


async def _is_in_target(context: Context, issued: IssuedCredential) -> bool:
    namespace, name = context.owner.namespace, context.facts.spec.secret.name
    live = await context.kube.secrets.target(namespace, name)
    context.state.target.set(live, context.clock.monotonic())
    if live is None:
        return False
    published = {live.published.key_id} if live.published is not None else set()
    return issued.key_id in published | {r.key_id for r in live.retiring}
