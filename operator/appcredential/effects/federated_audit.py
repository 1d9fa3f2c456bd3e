"""The records of changes of federated credentials, and what becomes of a lost answer."""

from __future__ import annotations

from dataclasses import replace

from appcredential.domain import actions as act
from appcredential.domain.audit import AuditRecord, Change, LostAnswer, Result, was_done
from appcredential.domain.observed.federated import FederatedList
from appcredential.domain.spec.trusts import marker_of
from appcredential.effects import audit
from appcredential.effects.context import Context
from appcredential.effects.events import emit
from appcredential.effects.issuing import tell_unknown
from appcredential.errors import AppCredentialError, NotFoundError


def made(
    action: act.CreateFederated, context: Context, error: AppCredentialError | None = None
) -> AuditRecord:
    """Return the record of a creation.

    Args:
        action: that was decided.
        context: of the effect.
        error: what the call raised, if it did: that its answer was lost, or that there is none.
    """
    attempt = attempt_of(action.description)
    return _record(context, Change.ISSUED, error, attempt=attempt, name=action.name)


def changed(
    action: act.PatchFederated, context: Context, error: AppCredentialError | None = None
) -> AuditRecord:
    """Return the record of a change; see `made`."""
    attempt = attempt_of(action.description)
    return _record(
        context, Change.CHANGED, error, key_id=action.id, attempt=attempt, cause=action.reason
    )


def removed(
    action: act.DeleteFederated, context: Context, error: AppCredentialError | None = None
) -> AuditRecord:
    """Return the record of a removal; see `made`."""
    return _record(context, Change.RETIRED, error, key_id=action.id)


async def lose(
    context: Context, found: AuditRecord, description: str = "", *, is_first: bool
) -> None:
    """Tell of a change whose answer was lost, and keep it until it is found out."""
    context.state.lost_answer = LostAnswer(found, description, context.clock.now())
    await tell_unknown(context, found, is_first=is_first)


def _record(
    context: Context,
    change: Change,
    error: AppCredentialError | None = None,
    *,
    key_id: str = "",
    attempt: str = "",
    name: str = "",
    cause: str = "",
) -> AuditRecord:
    if isinstance(error, NotFoundError):
        result = Result.ABSENT
    else:
        result = Result.DONE if error is None else Result.UNKNOWN
    return audit.record(
        context,
        change,
        result,
        key_id=key_id,
        attempt=attempt,
        name=name,
        cause=cause,
        graph=audit.lost_call(error) if error is not None else None,
    )


async def find_out(context: Context, found: FederatedList) -> None:
    """Tell of a change whose answer was lost, once a read from after it shows that it was done."""
    lost = context.state.lost_answer
    if lost is None or not was_done(lost, found):
        return
    context.state.lost_answer = None
    note = "A change of a federated credential whose answer was lost was done."
    await emit(context, "OutcomeFound", note, found=replace(lost.record, result=Result.FOUND))


def attempt_of(description: str) -> str:
    """Return the attempt in the marker of a description; empty without one."""
    mark = marker_of(description)
    return str(mark.attempt) if mark is not None else ""
