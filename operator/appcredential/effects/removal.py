"""Removes one credential from the application.

Graph knows no resourceVersion, so everything that could make a removal harmful is looked at
again right before it.
"""

from __future__ import annotations

from typing import assert_never

from appcredential.domain import actions as act
from appcredential.domain.audit import AuditRecord, Change, Result
from appcredential.domain.facts.published import known_keys
from appcredential.domain.marker import parse_marker
from appcredential.domain.observed.observation import Resource
from appcredential.domain.observed.operation import Operation
from appcredential.domain.observed.target import Pending, Target
from appcredential.domain.promised import required
from appcredential.domain.spec.model import CredentialType, KeyId, ObjectId
from appcredential.effects import audit
from appcredential.effects.application import note_failure
from appcredential.effects.context import Context
from appcredential.effects.events import emit
from appcredential.effects.issuing import is_first_failure, tell_unknown
from appcredential.effects.pods import ask_whom_it_concerns, whom_it_concerns
from appcredential.errors import AppCredentialError, NotFoundError, OutcomeUnknownError
from appcredential.graph_call import GraphCall
from appcredential.ports.entra import Directory


async def remove(action: act.Remove, context: Context) -> None:
    """Remove, after live reads of the resource and of both Secrets."""
    if not await _may_still_remove(action, context) or not _is_recent(context):
        return
    if action.is_revocation:
        ask_whom_it_concerns(context)
    facts, state = context.facts, context.state
    object_id = required(state.application).object_id
    result, graph = Result.DONE, None
    try:
        await remove_credential(
            context.session.directory, facts.spec.type, object_id, action.key_id, known_keys(facts)
        )
    except NotFoundError as exc:
        # Gone already, or not known to that replica yet: a later read decides.
        result, graph = Result.ABSENT, exc.graph
    except AppCredentialError as exc:
        is_first = is_first_failure(context)
        note_failure(context, Operation.REMOVE, exc)
        if isinstance(exc, OutcomeUnknownError):
            unknown = _record(action, context, Result.UNKNOWN, audit.lost_call(exc))
            await tell_unknown(context, unknown, is_first=is_first)
        return
    state.memory = state.memory.removed(action.key_id, context.clock.now())
    found = _record(action, context, result, graph)
    note = f"Credential {action.key_id} was removed from the application."
    if action.is_revocation:
        pods = await whom_it_concerns(action, context)
        await emit(context, "Revoked", f"{note}{pods}", found=found, warning=bool(pods))
    else:
        await emit(context, "Retired" if action.cause else "OrphanRemoved", note, found=found)


def _record(
    action: act.Remove, context: Context, result: Result, graph: GraphCall | None
) -> AuditRecord:
    change = Change.RETIRED if action.cause else Change.ORPHAN_REMOVED
    return audit.record(
        context,
        Change.REVOKED if action.is_revocation else change,
        result,
        key_id=action.key_id,
        attempt=action.attempt,
        cause=str(action.cause or ""),
        graph=graph,
    )


async def remove_credential(
    directory: Directory,
    kind: CredentialType,
    object_id: ObjectId,
    key_id: KeyId,
    known: frozenset[KeyId],
) -> None:
    """Remove one credential of the application.

    Args:
        directory: Graph.
        kind: the credential's type.
        object_id: the application.
        key_id: the credential.
        known: certificates that are recorded to exist: a list without one of them is stale.

    Raises:
        NotFoundError: gone already, or not known to that replica yet.
    """
    match kind:
        case CredentialType.CLIENT_SECRET:
            await directory.remove_password(object_id, key_id)
        case CredentialType.CERTIFICATE:
            await directory.remove_certificate(object_id, key_id, known - {key_id})
        case CredentialType.FEDERATED_IDENTITY:
            await directory.remove_federated(object_id, key_id)
        case _:
            assert_never(kind)


# --- live re-checks -------------------------------------------------------------------------


async def _may_still_remove(action: act.Remove, context: Context) -> bool:
    """Race: a person changed the spec or a Secret, or another process published this key."""
    now, state = context.clock.monotonic(), context.state
    resource = await context.kube.resources.get(context.owner)
    namespace, name = context.owner.namespace, context.facts.spec.secret.name
    target = await context.kube.secrets.target(namespace, name)
    pending = await context.kube.secrets.pending(context.owner)
    if not _is_as_decided(context, resource, target, pending):
        state.drop()
        return False
    state.resource.set(resource, now)
    state.target.set(target, now)
    state.pending.set(pending, now)
    return _is_listed_as_ours(action.key_id, context)


def _is_as_decided(
    context: Context, resource: Resource | None, target: Target | None, pending: Pending | None
) -> bool:
    facts = context.facts
    return (
        resource is not None
        and resource.uid == facts.resource.uid
        and resource.generation == facts.resource.generation
        and resource.deletion_time is None
        and target == context.state.target.value
        and pending == context.state.pending.value
    )


def _is_listed_as_ours(key_id: KeyId, context: Context) -> bool:
    """Return whether the last read of the application lists this key with our marker."""
    listed = {c.key_id: c for c in required(context.state.application).credentials}
    credential = listed.get(key_id)
    marker = parse_marker(credential.display_name) if credential is not None else None
    return marker is not None and marker.is_removable_by(context.facts.identity, context.owner)


def _is_recent(context: Context) -> bool:
    """Race: the process was paused since the reads, or does not hold the Lease any more."""
    process = context.tools.process
    age = context.state.age(context.clock.monotonic())
    if age <= process.freshness and process.guard.problem() is None:
        return True
    context.state.drop()
    return False
