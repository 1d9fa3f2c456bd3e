"""Reads, makes, changes and removes federated credentials.

Graph knows no resourceVersion, so what would be harmful is looked at again right
before it is done. Making and changing can be done twice without harm.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from appcredential.domain import actions as act
from appcredential.domain.audit import AuditRecord
from appcredential.domain.facts.facts import Facts
from appcredential.domain.observed.federated import FederatedCredential
from appcredential.domain.observed.memory import READ_SPACING
from appcredential.domain.observed.operation import Operation
from appcredential.domain.rules.federated import SUPERSEDED
from appcredential.domain.spec.trusts import MAX_CREDENTIALS, Trust
from appcredential.domain.status.problems_entra import PRINCIPAL_IS_A_CLIENT
from appcredential.effects.annotations import remove_annotations, say_left
from appcredential.effects.application import note_failure, note_refusal
from appcredential.effects.context import Context
from appcredential.effects.events import emit
from appcredential.effects.federated_audit import (
    attempt_of,
    changed,
    find_out,
    lose,
    made,
    removed,
)
from appcredential.effects.issuing import is_first_failure, live_grant
from appcredential.effects.not_taken import note_not_taken
from appcredential.errors import (
    AppCredentialError,
    ConflictError,
    NotFoundError,
    OutcomeUnknownError,
    PermissionDeniedError,
    RejectedError,
)


async def read(context: Context, max_age: timedelta) -> bool:
    """Read the application's federated credentials; return whether that was possible.

    Args:
        context: of the effect.
        max_age: a shared read that is not older will do.
    """
    state, object_id = context.state, context.facts.application.object_id
    try:
        oldest = context.state.asked.max_age(max_age, context.clock.now())
        found = await context.session.directory.federated(object_id, oldest)
    except NotFoundError:
        # Whether the application is gone is found out by reading it, which no earlier read tells.
        now, known = context.clock.now(), context.facts.application
        state.application = replace(known, doubted=now)
        state.memory = state.memory.awaits_turn(now + READ_SPACING)
        return False
    except AppCredentialError as exc:
        note_failure(context, Operation.READ, exc)
        return False
    state.federated = found
    state.memory = state.memory.saw_federated(found, context.clock.now())
    await find_out(context, found)
    return True


# --- creating -------------------------------------------------------------------------------


async def put(action: act.CreateFederated | act.PatchFederated, context: Context) -> None:
    """Create a federated credential, or change one.

    Raises:
        ConflictError: no grant allows it any more.
    """
    if isinstance(action, act.CreateFederated):
        await _create(action, context)
    else:
        await _patch(action, context)


async def _create(action: act.CreateFederated, context: Context) -> None:
    await live_grant(context)
    directory, object_id = context.session.directory, context.facts.application.object_id
    try:
        if await _names_a_client(context):
            note_refusal(context, Operation.MINT, PRINCIPAL_IS_A_CLIENT)
            return
        await directory.add_federated(object_id, action.name, action.trust, action.description)
    except (ConflictError, RejectedError) as exc:
        await _find_out_why(action, context, exc)
        return
    except AppCredentialError as exc:
        await _note_failed_write(context, exc, made(action, context, exc), action.description)
        return
    _note_written(context, action.description, is_changed=True)
    note = f"The federated credential {action.name} was created."
    await emit(context, "Issued", note, found=made(action, context))


async def _names_a_client(context: Context) -> bool:
    """Ask whether the principal id is a client id: Entra would take it and never match."""
    federated = context.facts.spec.federated
    principal_id = federated.principal_id if federated is not None else ""
    return bool(principal_id) and await context.session.directory.is_client_id(principal_id)


async def _find_out_why(
    action: act.CreateFederated, context: Context, error: ConflictError | RejectedError
) -> None:
    """Look for a twin that an old read did not show, ours or not; without one it is not taken."""
    if not await read(context, timedelta(0)):
        return
    found = context.state.federated
    twins = [c for c in found.credentials if _is_twin(c, action)] if found is not None else []
    is_full = found is not None and len(found.credentials) >= MAX_CREDENTIALS
    if not twins and not is_full:
        note_not_taken(context, action.description, error)
    elif twins and twins[0].description == action.description:
        _note_written(context, action.description, is_changed=True)


def _is_twin(c: FederatedCredential, action: act.CreateFederated) -> bool:
    return c.pair == action.trust.pair or c.name.casefold() == action.name.casefold()


# --- changing -------------------------------------------------------------------------------


async def _patch(action: act.PatchFederated, context: Context) -> None:
    if action.reason != SUPERSEDED:
        await live_grant(context)
    directory, object_id = context.session.directory, context.facts.application.object_id
    try:
        await directory.update_federated(object_id, action.id, action.trust, action.description)
    except NotFoundError:
        context.state.federated = None
        return
    except AppCredentialError as exc:
        if isinstance(exc, RejectedError) and action.reason != SUPERSEDED:
            note_not_taken(context, action.description, exc)
            return
        found = changed(action, context, exc)
        await _note_failed_write(context, exc, found, action.description)
        return
    is_changed = _trusted(context.facts, action.id) != action.trust
    _note_written(context, action.description, is_changed=is_changed)
    note = f"The federated credential {action.id} was changed: {action.reason}."
    await emit(context, "Changed", note, found=changed(action, context))


def _trusted(facts: Facts, id_: str) -> Trust | None:
    """Return what a credential trusted when it was decided to change it."""
    for c in _listed(facts):
        if c.id == id_ and len(c.audiences) == 1:
            return Trust(*c.pair, c.audiences[0])
    return None


def _listed(facts: Facts) -> tuple[FederatedCredential, ...]:
    """Return the federated credentials that the decision rests on."""
    federation = facts.observation.federation
    listed = federation.listed if federation is not None else None
    return listed.credentials if listed is not None else ()


def _note_written(context: Context, description: str, *, is_changed: bool) -> None:
    """Note a write; what it changed has to be read again."""
    state, now = context.state, context.clock.now()
    attempt = attempt_of(description)
    state.memory = state.memory.wrote_federated(attempt, now, is_changed=is_changed)
    state.federated = state.lost_answer = None


async def _note_failed_write(
    context: Context, error: AppCredentialError, found: AuditRecord, description: str
) -> None:
    is_first = is_first_failure(context)
    note_failure(context, Operation.MINT, error)
    if isinstance(error, OutcomeUnknownError):
        context.state.federated = None
        await lose(context, found, description, is_first=is_first)


# --- removing -------------------------------------------------------------------------------


async def delete(action: act.DeleteFederated, context: Context) -> None:
    """Delete, after live reads of the resource and of the credential."""
    if not await _may_still_delete(action, context):
        return
    await _remove_annotations(action, context)
    state, object_id = context.state, context.facts.application.object_id
    absent: NotFoundError | None = None
    try:
        await context.session.directory.remove_federated(object_id, action.id)
    except NotFoundError as exc:
        absent = exc  # gone already, or not known to that replica yet: a later read decides
    except AppCredentialError as exc:
        is_first = is_first_failure(context)
        note_failure(context, Operation.REMOVE, exc)
        if isinstance(exc, OutcomeUnknownError):
            await lose(context, removed(action, context, exc), is_first=is_first)
        return
    state.federated = state.lost_answer = None
    state.memory = state.memory.removed_federated(action.id, context.clock.now())
    note = f"The federated credential {action.id} was removed from the application."
    await emit(context, "Retired", note, found=removed(action, context, absent))


async def _remove_annotations(action: act.DeleteFederated, context: Context) -> None:
    if not action.service_account:
        return
    accounts, client_id = context.kube.service_accounts, context.facts.spec.client_id
    try:
        await remove_annotations(accounts, context.owner, client_id, action.service_account)
    except PermissionDeniedError as exc:
        say_left(context.owner, action.service_account, exc)  # the trust is what matters


async def _may_still_delete(action: act.DeleteFederated, context: Context) -> bool:
    """Race: the spec changed, or another resource took the trust over, which keeps its id."""
    facts, state = context.facts, context.state
    live = await context.kube.resources.get(context.owner)
    same = (
        live is not None
        and live.uid == facts.resource.uid
        and live.generation == facts.resource.generation
        and live.deletion_time is None
    )
    if not same or not await read(context, timedelta(0)):
        state.drop()
        return False
    state.resource.set(live, context.clock.monotonic())
    if context.tools.process.guard.problem() is not None or state.federated is None:
        return False
    known = {c.id: c for c in _listed(facts)}
    # Also its issuer and subject: what was edited meanwhile may be wanted again.
    return any(c.id == action.id and known.get(c.id) == c for c in state.federated.credentials)
