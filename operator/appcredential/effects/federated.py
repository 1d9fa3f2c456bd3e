"""Performs what the rules of federated credentials decided. See effects.py.

Graph knows no resourceVersion, so what would be harmful is looked at again right
before it is done; what can be done twice without harm is not.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from appcredential.domain import actions as act
from appcredential.domain.conditions import Problem
from appcredential.domain.facts.annotations import (
    annotation_removals,
)
from appcredential.domain.facts.facts import Facts
from appcredential.domain.marker import Owner
from appcredential.domain.observed.entra import Grant
from appcredential.domain.observed.federated import FederatedCredential, ServiceAccount
from appcredential.domain.observed.memory import Operation
from appcredential.domain.proof import record
from appcredential.domain.rules.federated import SUPERSEDED
from appcredential.domain.spec.model import ClientId
from appcredential.domain.spec.trusts import Trust, marker_of, trust_attempt
from appcredential.domain.status.problems_entra import PRINCIPAL_IS_A_CLIENT, federated_refusal
from appcredential.domain.status.problems_kube import (
    account_problem,
    no_account,
    no_token,
    output_problem,
)
from appcredential.errors import (
    AppCredentialError,
    ConflictError,
    NotFoundError,
    OutcomeUnknownError,
    PermissionDeniedError,
    RejectedError,
)
from appcredential.gather.state import ResourceState
from appcredential.ports.entra import Session
from appcredential.ports.kube import Events, EventSubject, Outputs, Resources, ServiceAccounts
from appcredential.ports.local import Clock

log = logging.getLogger(__name__)

NoteFailure = Callable[[ResourceState, Operation, AppCredentialError], None]
"""Turns a failing call to the directory into a Problem in memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FederatedEffects:
    """Performs the actions on federated credentials, ServiceAccounts and outputs."""

    clock: Clock
    resources: Resources
    service_accounts: ServiceAccounts
    outputs: Outputs
    events: Events
    permission_retry: timedelta
    note_failure: NoteFailure
    is_open: Callable[[], bool]
    live_grant: Callable[[Facts], Awaitable[Grant | Problem]]

    async def perform(
        self, action: act.Action, view: ResourceState, facts: Facts, session: Session
    ) -> None:
        """Do it. Raises errors of the Kubernetes side that another look may cure."""
        match action:
            case act.ReadFederated():
                await self._read(view, facts, session, action.max_age)
            case act.CreateFederated():
                await self._create(action, view, facts, session)
            case act.PatchFederated():
                await self._patch(action, view, facts, session)
            case act.DeleteFederated():
                await self._delete(action, view, facts, session)
            case act.ProveFederated():
                await self._prove(action, view, facts, session)
            case act.AnnotateServiceAccount():
                await self._annotate(action, view, facts)
            case act.WriteOutput():
                await self._write_output(action, view, facts)
            case _:
                raise AssertionError(f"not an effect of this class: {type(action).__name__}")

    # --- Entra ----------------------------------------------------------------------------

    async def _read(
        self, view: ResourceState, facts: Facts, session: Session, max_age: timedelta
    ) -> bool:
        try:
            found = await session.directory.federated(facts.application.object_id, max_age)
        except NotFoundError:
            view.application = None  # whether the application is gone is found out by reading it
            return False
        except AppCredentialError as exc:
            self.note_failure(view, Operation.READ, exc)
            return False
        view.federated = found
        view.memory = view.memory.saw_federated(found, self.clock.now())
        return True

    async def _create(
        self, action: act.CreateFederated, view: ResourceState, facts: Facts, session: Session
    ) -> None:
        await self._check_grant(facts)
        object_id = facts.application.object_id
        try:
            if await self._names_a_client(facts, session):
                self._refuse(view, Operation.MINT, PRINCIPAL_IS_A_CLIENT)
                return
            await session.directory.add_federated(
                object_id, action.name, action.trust, action.description
            )
        except (ConflictError, RejectedError) as exc:
            await self._refused(action, view, facts, session, exc)
            return
        except AppCredentialError as exc:
            self._failed(view, exc)
            return
        self._written(view, action.description, is_changed=True)
        log.info("federated credential created", extra={"credential": action.name, **_about(facts)})
        note = f"The federated credential {action.name} was created."
        await self.events.emit(_subject(facts), "Issued", note, warning=False)

    async def _check_grant(self, facts: Facts) -> None:
        """Ask the grants as they are now: what was decided rests on what a watch showed.

        Raises:
            ConflictError: they allow it no more; gather again.
        """
        if isinstance(await self.live_grant(facts), Problem):
            raise ConflictError("no grant matches any more")

    async def _names_a_client(self, facts: Facts, session: Session) -> bool:
        """Look whether the principal id is a client id: Entra would take it and never match."""
        principal_id = facts.spec.federated.principal_id if facts.spec.federated is not None else ""
        return bool(principal_id) and await session.directory.is_client_id(principal_id)

    async def _refused(
        self,
        action: act.CreateFederated,
        view: ResourceState,
        facts: Facts,
        session: Session,
        error: AppCredentialError,
    ) -> None:
        """Find out why: a twin that an old read did not show, ours or not, or a real refusal."""
        if not await self._read(view, facts, session, timedelta(0)):
            return
        found = view.federated
        twins = [c for c in found.credentials if _is_twin(c, action)] if found is not None else []
        if not twins and isinstance(error, RejectedError):
            self._refuse(view, Operation.MINT, federated_refusal(error.code))
        elif not twins:
            self.note_failure(view, Operation.MINT, error)
        elif twins[0].description == action.description:
            self._written(view, action.description, is_changed=True)

    async def _patch(
        self, action: act.PatchFederated, view: ResourceState, facts: Facts, session: Session
    ) -> None:
        if action.reason != SUPERSEDED:
            await self._check_grant(facts)
        object_id = facts.application.object_id
        try:
            await session.directory.update_federated(
                object_id, action.id, action.trust, action.description
            )
        except NotFoundError:
            view.federated = None
            return
        except AppCredentialError as exc:
            self._failed(view, exc)
            return
        trusted = _trusted(facts, action.id)
        self._written(view, action.description, is_changed=trusted != action.trust)
        cause = {"credential": action.id, "cause": action.reason}
        log.info("federated credential changed", extra={**cause, **_about(facts)})
        note = f"The federated credential {action.id} was changed: {action.reason}."
        await self.events.emit(_subject(facts), "Changed", note, warning=False)

    async def _delete(
        self, action: act.DeleteFederated, view: ResourceState, facts: Facts, session: Session
    ) -> None:
        """Delete, after live reads of the resource and of the credential."""
        if not await self._may_still_delete(action, view, facts, session):
            return
        if action.service_account:
            owner, client_id = facts.resource.owner, facts.spec.client_id
            try:
                await remove_annotations(
                    self.service_accounts, owner, client_id, action.service_account
                )
            except PermissionDeniedError as exc:
                _tell_left(owner, action.service_account, exc)  # the trust is what matters
        try:
            await session.directory.remove_federated(facts.application.object_id, action.id)
        except NotFoundError:
            pass  # gone already, or not known to that replica yet: a later read decides
        except AppCredentialError as exc:
            self.note_failure(view, Operation.REMOVE, exc)
            return
        view.federated = None
        view.memory = view.memory.removed_federated(action.id, self.clock.now())
        log.info("federated credential removed", extra={"credential": action.id, **_about(facts)})
        note = f"The federated credential {action.id} was removed from the application."
        await self.events.emit(_subject(facts), "Retired", note, warning=False)

    async def _may_still_delete(
        self, action: act.DeleteFederated, view: ResourceState, facts: Facts, session: Session
    ) -> bool:
        owner = facts.resource.owner
        live = await self.resources.get(owner)
        same = (
            live is not None
            and live.uid == facts.resource.uid
            and live.generation == facts.resource.generation
            and live.deletion_time is None
        )
        if not same or not await self._read(view, facts, session, timedelta(0)):
            view.drop()
            return False
        view.resource.set(live, self.clock.monotonic())
        before = (
            facts.observation.federation.listed
            if facts.observation.federation is not None
            else None
        )
        if not self.is_open() or view.federated is None or before is None:
            return False
        known = {c.id: c for c in before.credentials}
        # Also its issuer and subject: what was edited meanwhile may be wanted again.
        return any(c.id == action.id and known.get(c.id) == c for c in view.federated.credentials)

    def _written(self, view: ResourceState, description: str, *, is_changed: bool) -> None:
        """Note the write, and whether something else is trusted now."""
        mark = marker_of(description)
        attempt = mark.attempt if mark is not None else ""
        view.memory = view.memory.wrote_federated(attempt, self.clock.now(), is_changed=is_changed)
        view.federated = None

    def _failed(self, view: ResourceState, exc: AppCredentialError) -> None:
        self.note_failure(view, Operation.MINT, exc)
        if isinstance(exc, OutcomeUnknownError):
            view.federated = None

    # --- Kubernetes -----------------------------------------------------------------------

    async def _prove(
        self, action: act.ProveFederated, view: ResourceState, facts: Facts, session: Session
    ) -> None:
        """Exchange a token as a pod of the ServiceAccount does; both tokens are dropped."""
        namespace, name = facts.resource.owner.namespace, action.service_account
        try:
            token = await self.service_accounts.token(namespace, name, action.trust.audience)
        except NotFoundError:
            self._refuse(view, Operation.PROVE, no_account(name), _ACCOUNT_RETRY)
            return
        except (PermissionDeniedError, RejectedError):
            self._refuse(view, Operation.PROVE, no_token(name, action.trust.audience))
            return
        view.memory = view.memory.succeeded(Operation.PROVE)
        attempt = str(trust_attempt(facts.identity, action.trust.pair))
        scope = facts.spec.verification.scope
        result = await session.sign_in.with_assertion(facts.spec.client_id, token, scope, attempt)
        log.debug("exchanged", extra={"outcome": str(result.reason), "code": result.code})
        proof = record(view.memory.pending_proof, attempt, result, self.clock.now())
        view.memory = replace(view.memory, pending_proof=proof)

    async def _annotate(
        self, action: act.AnnotateServiceAccount, view: ResourceState, facts: Facts
    ) -> None:
        live = view.service_account.value
        if not isinstance(live, ServiceAccount):
            raise ConflictError("the ServiceAccount went meanwhile")
        try:
            written = await self.service_accounts.annotate(live, action.annotations)
        except (PermissionDeniedError, RejectedError) as exc:
            self._refuse(view, Operation.ANNOTATE, account_problem(exc))
            return
        view.service_account.set(written, self.clock.monotonic())
        view.memory = view.memory.succeeded(Operation.ANNOTATE)
        log.info("ServiceAccount annotated", extra={"account": live.name, **_about(facts)})
        note = f"The ServiceAccount {live.name} was annotated."
        await self.events.emit(_subject(facts), "Published", note, warning=False)

    async def _write_output(
        self, action: act.WriteOutput, view: ResourceState, facts: Facts
    ) -> None:
        live = view.output.value
        if isinstance(live, Problem):
            raise ConflictError("the output ConfigMap could not be read")
        name = facts.spec.federated.config_map if facts.spec.federated is not None else ""
        try:
            written = await self.outputs.put(facts.resource.owner, name, action.data, live)
        except (PermissionDeniedError, RejectedError) as exc:
            self._refuse(view, Operation.OUTPUT, output_problem(exc))
            return
        view.output.set(written, self.clock.monotonic())
        view.memory = view.memory.succeeded(Operation.OUTPUT)

    def _refuse(
        self,
        view: ResourceState,
        operation: Operation,
        problem: Problem,
        retry: timedelta | None = None,
    ) -> None:
        log.warning("refused", extra={"operation": str(operation), "reason": str(problem.reason)})
        again = self.clock.now() + (retry or self.permission_retry)
        view.memory = view.memory.failed(operation, problem, again)


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
        _tell_left(owner, name, exc)


def _tell_left(owner: Owner, name: str, error: AppCredentialError) -> None:
    about = {"ns": owner.namespace, "account": name, "error": str(error)}
    log.warning("annotations stay", extra=about)


_ACCOUNT_RETRY = timedelta(seconds=30)


def _trusted(facts: Facts, id_: str) -> Trust | None:
    """Return what a credential trusted when it was decided to change it."""
    listed = (
        facts.observation.federation.listed if facts.observation.federation is not None else None
    )
    for c in listed.credentials if listed is not None else ():
        if c.id == id_ and len(c.audiences) == 1:
            return Trust(*c.pair, c.audiences[0])
    return None


def _is_twin(c: FederatedCredential, action: act.CreateFederated) -> bool:
    return c.pair == action.trust.pair or c.name.casefold() == action.name.casefold()


def _subject(facts: Facts) -> EventSubject:
    r = facts.resource
    return EventSubject(
        kind="AppCredential", namespace=r.owner.namespace, name=r.owner.name, uid=r.uid
    )


def _about(facts: Facts) -> dict[str, str]:
    owner = facts.resource.owner
    return {"ns": owner.namespace, "obj": owner.name}
