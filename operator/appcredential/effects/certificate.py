"""Issues a certificate: key and certificate are made and kept first, and registered then.

So no answer of Graph is ever needed to know a value, and registering again is the
same as registering once.
"""

from __future__ import annotations

import asyncio
import base64
import uuid
from datetime import datetime, timedelta
from typing import Final

from appcredential.domain import actions as act
from appcredential.domain.facts.facts import Facts
from appcredential.domain.facts.published import gone_keys, known_keys
from appcredential.domain.facts.source import source_end, usable_source
from appcredential.domain.marker import build_display_name
from appcredential.domain.observed.memory import RETRY_CAP
from appcredential.domain.observed.operation import Operation
from appcredential.domain.observed.target import Pending
from appcredential.domain.promised import required
from appcredential.domain.secret import pem
from appcredential.domain.secret.value import can_sign_in, leaf_of
from appcredential.domain.spec.model import KeyId
from appcredential.domain.status.source import UNUSABLE_SUBJECT
from appcredential.effects.context import Context
from appcredential.effects.events import emit
from appcredential.effects.issuing import (
    granted_lifetime,
    live_grant,
    note_issued,
    note_mint_failure,
    write_intent,
)
from appcredential.errors import AppCredentialError, ConflictError, RejectedError
from appcredential.ports.entra import NewCertificate
from appcredential.ports.kube import Staged
from appcredential.x509 import generate as certificates

_SECOND: Final = timedelta(seconds=1)
_MAX_COMMON_NAME: Final = 64

# --- the value ------------------------------------------------------------------------------


async def stage(action: act.Mint, context: Context) -> None:
    """Write an intent that holds key and certificate already; they are registered next.

    Raises:
        ConflictError: the grants, the source, or the pending Secret, are not as observed any
            more.
    """
    lifetime = await granted_lifetime(action, context)
    try:
        staged = await _make(context.facts, lifetime)
    except ValueError:
        again = context.clock.now() + RETRY_CAP
        memory = context.state.memory.failed(Operation.MINT, UNUSABLE_SUBJECT, again)
        context.state.memory = memory
        return
    await write_intent(action, context, staged)
    context.state.memory = context.state.memory.issues(context.clock.now())
    await _warn_of_race(context, staged)


async def _warn_of_race(context: Context, staged: Staged) -> None:
    """Say that workloads which read the source themselves may be ahead of us."""
    target = context.facts.target
    held = target.value if target is not None else None
    is_news = held is not None and leaf_of(held) != leaf_of(staged.value)
    if is_news and not can_sign_in(staged.value):
        note = (
            "The certificate was renewed at its source and is registered next; workloads that "
            "read the source may fail to sign in until then."
        )
        await emit(context, "SourceRace", note, warning=True)


async def _make(facts: Facts, lifetime: timedelta) -> Staged:
    """Make a key pair as the spec asks for it, or take what the source supplies.

    Its key id is ours from the start.

    Raises:
        ConflictError: the source changed meanwhile.
        ValueError: the subject is no distinguished name.
    """
    wanted, now = facts.spec.certificate, facts.entra_now
    end = (now + lifetime).replace(microsecond=0)
    if facts.spec.is_supplied:
        return _take_supplied(facts, end)
    pair = await asyncio.to_thread(
        certificates.generate, wanted.subject or _subject(facts), wanted.key_size, now, end
    )
    return Staged(
        key_id=KeyId(str(uuid.uuid4())),
        value=pair.value,
        # What is recorded is what Entra will say: within the certificate's own times.
        not_before=now.replace(microsecond=0),
        expires=pair.end,
    )


def _take_supplied(facts: Facts, latest: datetime) -> Staged:
    supplied = usable_source(facts)
    if supplied is None:
        raise ConflictError("the source changed meanwhile")
    start = max(facts.entra_now, supplied.start + _SECOND)
    return Staged(
        key_id=KeyId(str(uuid.uuid4())),
        value=supplied.value,
        not_before=start.replace(microsecond=0),
        expires=min(source_end(facts, supplied), latest),
    )


def _subject(facts: Facts) -> str:
    """Return the default subject: namespace and name, cut to what X.520 allows."""
    owner = facts.resource.owner
    return f"CN={owner.namespace}.{owner.name}"[: _MAX_COMMON_NAME + len("CN=")]


# --- the registration -----------------------------------------------------------------------


async def register(context: Context) -> None:
    """Register what the pending Secret holds.

    A lost answer leaves nothing behind: the next pass registers the same again.

    Raises:
        ConflictError: no grant allows it any more, or the pending Secret changed.
    """
    facts, state, pending = context.facts, context.state, required(context.facts.pending)
    await live_grant(context)
    certificate = _to_register(facts, pending)
    state.memory = state.memory.issues(context.clock.now())
    try:
        await context.session.directory.add_certificate(
            facts.application.object_id, certificate, known_keys(facts), gone_keys(facts)
        )
    except AppCredentialError as exc:
        await note_mint_failure(context, exc, pending.attempt, certificate.key_id)
        if isinstance(exc, RejectedError):
            # The same would be refused again; the next one is made as is asked for then.
            written = await context.kube.secrets.put_abandoned(context.owner, pending)
            state.pending.set(written, context.clock.monotonic())
        return
    issued, value = required(pending.credential), required(pending.value)
    written = await context.kube.secrets.put_minted(context.owner, pending, issued, value)
    state.pending.set(written, context.clock.monotonic())
    await note_issued(context, issued)


def _to_register(facts: Facts, pending: Pending) -> NewCertificate:
    """Return what Graph is told of a staged certificate."""
    staged, value = required(pending.credential), required(pending.value)
    owner, description = facts.resource.owner, facts.spec.description
    return NewCertificate(
        key_id=staged.key_id,
        display_name=build_display_name(facts.identity, owner, pending.attempt, description),
        start=staged.not_before,
        end=staged.expires,
        content=base64.b64encode(pem.leaf_der(value.reveal())).decode(),
    )
