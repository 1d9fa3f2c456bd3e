"""Annotates ServiceAccounts for the azure-workload-identity webhook, and writes the output."""

from __future__ import annotations

import logging

from appcredential.domain import actions as act
from appcredential.domain.audit import Change
from appcredential.domain.conditions import Problem
from appcredential.domain.facts.annotations import annotation_removals
from appcredential.domain.facts.federated import assess_federated
from appcredential.domain.marker import Owner
from appcredential.domain.observed.federated import ServiceAccount
from appcredential.domain.observed.operation import Operation
from appcredential.domain.spec.model import ClientId
from appcredential.domain.status.problems_kube import account_problem, output_problem
from appcredential.effects import audit
from appcredential.effects.application import note_refusal
from appcredential.effects.context import Context
from appcredential.effects.events import emit
from appcredential.errors import (
    AppCredentialError,
    ConflictError,
    NotFoundError,
    PermissionDeniedError,
    RejectedError,
)
from appcredential.ports.kube import ServiceAccounts

log = logging.getLogger(__name__)


async def annotate(action: act.AnnotateServiceAccount, context: Context) -> None:
    """Annotate the ServiceAccount.

    Raises:
        ConflictError: it went or changed meanwhile.
    """
    state, live = context.state, context.state.service_account.value
    if not isinstance(live, ServiceAccount):
        raise ConflictError("the ServiceAccount went meanwhile")
    try:
        written = await context.kube.service_accounts.annotate(live, action.annotations)
    except (PermissionDeniedError, RejectedError) as exc:
        note_refusal(context, Operation.ANNOTATE, account_problem(exc))
        return
    state.service_account.set(written, context.clock.monotonic())
    state.memory = state.memory.succeeded(Operation.ANNOTATE)
    trusted = _trusted(context)
    named = ", ".join(trusted)
    found = audit.record(
        context,
        Change.PUBLISHED,
        key_id=trusted[0] if len(trusted) == 1 else "",
        name=named if len(trusted) > 1 else "",
        object_=f"ServiceAccount/{live.name}",
    )
    note = f"The ServiceAccount {live.name} was annotated for the federated credential {named}."
    await emit(context, "Published", note, found=found)


def _trusted(context: Context) -> list[str]:
    """Return the ids of the federated credentials that the spec asks for."""
    facts = assess_federated(context.facts)
    if isinstance(facts, Problem):
        return []
    found = (facts.exists(trust) for trust in facts.trusts)
    return [credential.id for credential in found if credential is not None]


async def write_output(action: act.WriteOutput, context: Context) -> None:
    """Write the output ConfigMap.

    Raises:
        ConflictError: it changed meanwhile, or could not be read.
    """
    state, live = context.state, context.state.output.value
    if isinstance(live, Problem):
        raise ConflictError("the output ConfigMap could not be read")
    federated = context.facts.spec.federated
    name = federated.config_map if federated is not None else ""
    try:
        written = await context.kube.outputs.put(context.owner, name, action.data, live)
    except (PermissionDeniedError, RejectedError) as exc:
        note_refusal(context, Operation.OUTPUT, output_problem(exc))
        return
    state.output.set(written, context.clock.monotonic())
    state.memory = state.memory.succeeded(Operation.OUTPUT)


async def remove_annotations(
    accounts: ServiceAccounts, owner: Owner, client_id: ClientId, name: str
) -> None:
    """Take the annotations away that we wrote for an application, and no others.

    Where a rule of admission refuses that they stay: a pod that still reads them is
    refused by Entra, which is what was asked for.

    Raises:
        PermissionDeniedError: the operator may not read or annotate ServiceAccounts there.
    """
    try:
        account = await accounts.get(owner.namespace, name)
        removals = annotation_removals(account, owner.name, client_id)
        if account is not None and removals:
            await accounts.annotate(account, removals)
    except (RejectedError, NotFoundError) as exc:
        say_left(owner, name, exc)


def say_left(owner: Owner, name: str, error: AppCredentialError) -> None:
    """Log that a ServiceAccount keeps our annotations, and why."""
    account = {"ns": owner.namespace, "account": name, "error": str(error)}
    log.warning("annotations stay", extra=account)
