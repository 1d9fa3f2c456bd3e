"""Performs one action of a decision. Whether it is right was decided; here it is only done.

Each effect re-checks by a live read what would make it harmful, and notes what
it learned in the view. A failing directory call becomes a Problem in memory.
"""

from __future__ import annotations

import asyncio
import logging
import secrets as randomness
import string
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeVar

from appcredential import certificate_issuing, strategies
from appcredential.domain import actions as act
from appcredential.domain.conditions import Problem
from appcredential.domain.facts.facts import Facts
from appcredential.domain.facts.publication import next_publication, publication
from appcredential.domain.facts.published import gone_keys, known_keys
from appcredential.domain.marker import attempt_id, build_display_name, parse_marker
from appcredential.domain.observed.entra import Grant
from appcredential.domain.observed.memory import RETRY_CAP, Operation
from appcredential.domain.observed.observation import Resource
from appcredential.domain.observed.target import (
    IssuedCredential,
    Pending,
    PendingState,
)
from appcredential.domain.proof import record
from appcredential.domain.rotation import asked_lifetime
from appcredential.domain.rules.target import REPAIRED
from appcredential.domain.secret.content import render
from appcredential.domain.secret.records import Publication
from appcredential.domain.secret.value import can_sign_in, leaf_of
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import ClientId, CredentialType
from appcredential.domain.status.problems_entra import directory_problem
from appcredential.domain.status.source import UNUSABLE_SUBJECT
from appcredential.effects.federated import FederatedEffects
from appcredential.errors import (
    AppCredentialError,
    ConflictError,
    NotFoundError,
    OutcomeUnknownError,
    PermissionDeniedError,
    RejectedError,
    ThrottledError,
    TooLateError,
    UnavailableError,
)
from appcredential.gather.certificate_source import derive
from appcredential.gather.state import ResourceState
from appcredential.ports.entra import MintedPassword, Session
from appcredential.ports.kube import (
    Events,
    EventSubject,
    Intent,
    Outputs,
    Resources,
    ServiceAccounts,
    Staged,
)
from appcredential.ports.kube import Secrets as SecretsPort
from appcredential.ports.local import Clock

log = logging.getLogger(__name__)

_ALPHABET = string.ascii_letters + string.digits
_INTENT_TO_MINT = 10.0
_PERSIST_TRIES = 5
_PERSIST_PAUSE = 0.5

R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One effect's surroundings."""

    view: ResourceState
    facts: Facts
    session: Session


class Effects:
    """Performs the actions behind the gates: everything that touches Entra, T or P."""

    def __init__(
        self,
        *,
        clock: Clock,
        holder: str,
        secrets: SecretsPort,
        resources: Resources,
        events: Events,
        permission_retry: timedelta,
        live_grant: Callable[[Facts], Awaitable[Grant | Problem]],
        is_open: Callable[[], bool],
        service_accounts: ServiceAccounts,
        outputs: Outputs,
    ) -> None:
        self._clock = clock
        self._holder = holder
        self._secrets = secrets
        self._resources = resources
        self._events = events
        self._permission_retry = permission_retry
        self._live_grant = live_grant
        self._is_open = is_open
        self._federating = FederatedEffects(
            clock=clock,
            resources=resources,
            service_accounts=service_accounts,
            outputs=outputs,
            events=events,
            permission_retry=permission_retry,
            note_failure=self._note_failure,
            is_open=is_open,
            live_grant=live_grant,
        )

    async def perform(self, action: act.Action, context: Context) -> None:
        """Do it. Raises errors of the Kubernetes side; directory errors go into memory."""
        if context.facts.spec.type is CredentialType.FEDERATED_IDENTITY:
            await self._federating.perform(action, context.view, context.facts, context.session)
            return
        match action:
            case act.DeletePending():
                await self._delete_pending(context)
            case act.WriteTarget():
                await self._write_target(action, context)
            case act.Remove():
                await self._remove(action, context)
            case act.Fence():
                await self._fence(action, context)
            case act.SignInPending() | act.SignInPublished():
                await self._sign_in(action, context)
            case act.Publish():
                await self._publish(context)
            case _:
                await self._issue(action, context)

    async def _issue(self, action: act.Action, context: Context) -> None:
        match action:
            case act.Mint() if context.facts.spec.type is CredentialType.CERTIFICATE:
                await self._stage(action, context)
            case act.Mint():
                await self._mint(action, context)
            case act.Register():
                await self._register(context)
            case _:
                raise AssertionError(f"not an effect of this class: {type(action).__name__}")

    # --- reading --------------------------------------------------------------------------

    async def read_application(
        self, view: ResourceState, session: Session, client_id: ClientId, max_age: timedelta
    ) -> None:
        """Read the application; note absences of the keys that T knows."""
        try:
            found = await session.directory.application(client_id, max_age)
        except NotFoundError:
            view.application = None
            view.memory = view.memory.missed_application(self._clock.now())
            return
        except AppCredentialError as exc:
            self._note_failure(view, Operation.READ, exc)
            return
        view.memory = view.memory.saw_application(
            found, view.application, target=view.target.value, pending=view.pending.value
        )
        view.application = found

    def _note_failure(
        self, view: ResourceState, operation: Operation, exc: AppCredentialError
    ) -> None:
        problem, pause = directory_problem(exc, self._permission_retry)
        log.warning(
            "directory call failed",
            extra={"operation": str(operation), "reason": str(problem.reason)},
        )
        view.memory = view.memory.failed(operation, problem, self._clock.now() + pause)

    # --- T and P --------------------------------------------------------------------------

    async def _delete_pending(self, context: Context) -> None:
        pending = _required(context.view.pending.value)
        await self._secrets.delete_pending(context.facts.resource.owner, pending)
        context.view.pending.set(None, self._clock.monotonic())

    async def _fence(self, action: act.Fence, context: Context) -> None:
        written = await self._secrets.put_abandoned(
            context.facts.resource.owner, _required(context.view.pending.value)
        )
        context.view.pending.set(written, self._clock.monotonic())
        log.warning("attempt fenced", extra={"cause": action.reason, **_about(context)})

    async def _write_target(self, action: act.WriteTarget, context: Context) -> None:
        record_ = replace(
            publication(context.facts), retiring=action.retiring, abandoned=action.abandoned
        )
        await self._put_target(
            context, record_, _required(_required(context.view.target.value).value)
        )
        if action.reason == REPAIRED:
            context.view.memory = context.view.memory.repaired(self._clock.now())
        log.info("target written", extra={"cause": action.reason, **_about(context)})

    async def _put_target(self, context: Context, record_: Publication, value: SecretValue) -> None:
        live, spec = context.view.target.value, context.facts.spec
        derived = await derive(spec, value, live, context.view.held.password)
        wanted = render(
            spec, context.facts.tenant, value, record_, live, _generate, derived=derived
        )
        owner = context.facts.resource.owner
        written = await self._secrets.put_target(owner.namespace, spec.secret.name, live, wanted)
        context.view.target.set(written, self._clock.monotonic())

    async def _publish(self, context: Context) -> None:
        facts, held = context.facts, _required(context.view.pending.value)
        live = await self._secrets.pending(facts.resource.owner)
        context.view.pending.set(live, self._clock.monotonic())
        if live is None or live.uid != held.uid or live.attempt != held.attempt:
            return
        if live.state is not PendingState.MINTED or live.value is None or live.credential is None:
            return
        if facts.spec.has_keystore and context.view.held.password is None:
            raise ConflictError("the keystore's password went meanwhile")
        await self._put_target(
            context, next_publication(facts, live, self._clock.now()), live.value
        )
        log.info("published", extra={"key_id": live.credential.key_id, **_about(context)})
        await self._emit(context, "Published", _published_note(facts))

    # --- Entra ----------------------------------------------------------------------------

    async def _sign_in(
        self, action: act.SignInPending | act.SignInPublished, context: Context
    ) -> None:
        facts = context.facts
        if isinstance(action, act.SignInPending):
            pending = _required(facts.successor)
            attempt, value = str(pending.attempt), _required(pending.value)
        else:
            attempt = str(_required(facts.published).attempt)
            value = _required(_required(facts.target).value)
        result = await strategies.sign_in(context.session.sign_in, facts.spec, value, attempt)
        now = self._clock.now()
        log.debug("signed in", extra={"outcome": str(result.reason), "code": result.code})
        memory = context.view.memory
        if isinstance(action, act.SignInPending):
            proof = record(memory.pending_proof, attempt, result, now)
            context.view.memory = replace(memory, pending_proof=proof)
        else:
            proof = record(memory.published_proof, attempt, result, now)
            context.view.memory = replace(memory, published_proof=proof)

    async def _remove(self, action: act.Remove, context: Context) -> None:
        """Remove, after live reads of the resource, T, P and the application."""
        if not await self._may_still_remove(action, context):
            return
        age = context.view.age(self._clock.monotonic())
        if age > context.facts.settings.freshness.total_seconds() or not self._is_open():
            context.view.drop()  # paused between the reads and here: Graph knows no resourceVersion
            return
        application = _required(context.view.application)
        try:
            await strategies.remove(
                context.session.directory,
                context.facts.spec.type,
                application.object_id,
                action.key_id,
                known_keys(context.facts),
            )
        except NotFoundError:
            pass  # gone already, or not known to that replica yet: a later read decides
        except AppCredentialError as exc:
            self._note_failure(context.view, Operation.REMOVE, exc)
            return
        context.view.memory = context.view.memory.removed(action.key_id, self._clock.now())
        log.info(
            "removed",
            extra={"key_id": action.key_id, "cause": str(action.cause), **_about(context)},
        )
        note = f"Credential {action.key_id} was removed from the application."
        if action.is_revocation:
            await self._emit(context, "Revoked", note)
        else:
            await self._emit(context, "Retired" if action.cause else "OrphanRemoved", note)

    async def _may_still_remove(self, action: act.Remove, context: Context) -> bool:
        facts = context.facts
        owner, now = facts.resource.owner, self._clock.monotonic()
        resource = await self._resources.get(owner)
        target = await self._secrets.target(owner.namespace, facts.spec.secret.name)
        pending = await self._secrets.pending(owner)
        same = (
            resource is not None
            and resource.uid == facts.resource.uid
            and resource.generation == facts.resource.generation
            and resource.deletion_time is None
            and target == facts.live
            and (pending is None) == (facts.observation.pending is None)
            and (pending is None or pending == facts.observation.pending)
        )
        if not same:
            context.view.drop()
            return False
        context.view.resource.set(resource, now)
        context.view.target.set(target, now)
        context.view.pending.set(pending, now)
        listed = {k.key_id: k for k in _required(context.view.application).credentials}
        credential = listed.get(action.key_id)
        marker = parse_marker(credential.display_name) if credential is not None else None
        return marker is not None and marker.is_removable_by(facts.identity, owner)

    async def _mint(self, action: act.Mint, context: Context) -> None:
        facts = context.facts
        lifetime = await self._granted_lifetime(action, facts)
        # The intent is what others respect: its age is what counts, from before it was written.
        deadline = self._clock.monotonic() + _INTENT_TO_MINT
        pending = await self._write_intent(action, context)
        context.view.pending.set(pending, self._clock.monotonic())
        attempt = attempt_id(facts.identity, pending.uid, pending.attempt_number)
        name = build_display_name(
            facts.identity, facts.resource.owner, attempt, facts.spec.description
        )
        # Whole seconds: what Graph stores is then what we wrote.
        end = (facts.entra_now + lifetime).replace(microsecond=0)
        try:
            minted = await context.session.directory.add_password(
                facts.application.object_id, name, end, deadline=deadline
            )
        except AppCredentialError as exc:
            self._note_mint_failure(context, exc)
            return
        await self._persist(context, pending, minted)

    async def _stage(self, action: act.Mint, context: Context) -> None:
        """Write an intent that holds key and certificate already; they are registered next."""
        lifetime = await self._granted_lifetime(action, context.facts)
        try:
            staged = await certificate_issuing.stage(context.facts, lifetime)
        except ValueError:
            self._note_unusable_subject(context)
            return
        context.view.pending.set(
            await self._write_intent(action, context, staged), self._clock.monotonic()
        )
        held = context.facts.target.value if context.facts.target is not None else None
        is_news = held is not None and leaf_of(held) != leaf_of(staged.value)
        if is_news and not can_sign_in(staged.value):
            note = (
                "The certificate was renewed at its source and is registered next; workloads that "
                "read the source may fail to sign in until then."
            )
            await self._emit(context, "SourceRace", note, warning=True)

    def _note_unusable_subject(self, context: Context) -> None:
        """X.520 has bounds of its own, such as two letters for a country."""
        again = self._clock.now() + RETRY_CAP
        context.view.memory = context.view.memory.failed(Operation.MINT, UNUSABLE_SUBJECT, again)

    async def _register(self, context: Context) -> None:
        """Register what P holds. A lost answer is no orphan: the next pass does it again."""
        facts, pending = context.facts, _required(context.view.pending.value)
        if isinstance(await self._live_grant(facts), Problem):
            raise ConflictError("no grant matches any more")
        wanted = certificate_issuing.to_register(facts, pending)
        try:
            await context.session.directory.add_certificate(
                facts.application.object_id, wanted, known_keys(facts), gone_keys(facts)
            )
        except AppCredentialError as exc:
            self._note_mint_failure(context, exc)
            if isinstance(exc, RejectedError):
                # The same would be refused again; the next one is made as is asked for then.
                written = await self._secrets.put_abandoned(facts.resource.owner, pending)
                context.view.pending.set(written, self._clock.monotonic())
            return
        minted = _required(pending.credential)
        owner = facts.resource.owner
        written = await self._secrets.put_minted(owner, pending, minted, _required(pending.value))
        context.view.pending.set(written, self._clock.monotonic())
        await self._issued(context, minted)

    async def _granted_lifetime(self, action: act.Mint, facts: Facts) -> timedelta:
        """Ask the grants as they are now: what was decided rests on what a watch showed.

        Raises:
            ConflictError: they allow no credential any more; gather again.
        """
        grant = await self._live_grant(facts)
        if isinstance(grant, Problem):
            raise ConflictError("no grant matches any more")
        lifetime = asked_lifetime(action.lifetime, grant.max_lifetime)
        if lifetime < facts.settings.min_lifetime:
            raise ConflictError("the grants allow too short a lifetime now")
        return lifetime

    async def _write_intent(
        self, action: act.Mint, context: Context, staged: Staged | None = None
    ) -> Pending:
        facts = context.facts
        intent = Intent(
            owner=facts.resource.owner,
            cluster=facts.identity.cluster,
            tenant_id=facts.tenant.tenant_id,
            object_id=facts.application.object_id,
            attempt_number=action.attempt_number,
            holder=self._holder,
            time=self._clock.now(),
            abandoned=action.abandoned,
            staged=staged,
        )
        return await self._secrets.put_intent(intent, context.view.pending.value)

    def _note_mint_failure(self, context: Context, exc: AppCredentialError) -> None:
        if isinstance(exc, NotFoundError):
            # A write path that does not know the object proves nothing: read again.
            context.view.application = None
            return
        if isinstance(exc, TooLateError):
            # The next pass finds an intent that nobody works on.
            log.warning("a mint came too late and was not sent", extra=_about(context))
            return
        self._note_failure(context.view, Operation.MINT, exc)
        if isinstance(exc, OutcomeUnknownError):
            log.warning("a mint's answer was lost", extra=_about(context))

    async def _persist(self, context: Context, pending: Pending, made: MintedPassword) -> None:
        """Keep the only copy of the value. Not bound by freshness: resourceVersion guards it."""
        owner = context.facts.resource.owner
        minted = IssuedCredential(
            key_id=made.credential.key_id,
            attempt=attempt_id(context.facts.identity, pending.uid, pending.attempt_number),
            value_sha256=made.value.sha256(),
            not_before=made.credential.start,
            expires=made.credential.end,
        )
        for _ in range(_PERSIST_TRIES):
            try:
                written = await self._secrets.put_minted(owner, pending, minted, made.value)
            except (ConflictError, NotFoundError):
                if not await self._was_persisted(context, minted):
                    await self._discard(context, minted)
                return
            except (PermissionDeniedError, RejectedError):
                # A quota or a rule of admission that came between: nobody will ever hold it.
                await self._discard(context, minted)
                raise
            except (UnavailableError, ThrottledError):
                await asyncio.sleep(_PERSIST_PAUSE)
                continue
            context.view.pending.set(written, self._clock.monotonic())
            await self._issued(context, minted)
            return
        log.error("a minted value could not be stored; it will be replaced", extra=_about(context))
        context.view.pending.drop()

    async def _was_persisted(self, context: Context, minted: IssuedCredential) -> bool:
        """Tell whether a write whose answer was lost did arrive."""
        live = await self._secrets.pending(context.facts.resource.owner)
        context.view.pending.set(live, self._clock.monotonic())
        if live is None or live.credential is None or live.credential.key_id != minted.key_id:
            return False
        await self._issued(context, minted)
        return True

    async def _issued(self, context: Context, minted: IssuedCredential) -> None:
        context.view.memory = context.view.memory.succeeded(Operation.MINT)
        log.info("issued", extra={"key_id": minted.key_id, **_about(context)})
        await self._emit(
            context, "Issued", f"Credential {minted.key_id} was issued; it is proven next."
        )

    async def _discard(self, context: Context, minted: IssuedCredential) -> None:
        """Remove what P did not take, unless workloads have it.

        Whoever wrote P meanwhile may have kept the value and published it.
        """
        try:
            if await self._is_in_target(context, minted):
                log.warning(
                    "P changed while minting; T holds the credential", extra=_about(context)
                )
                return
            log.warning(
                "P changed while minting; the credential is discarded", extra=_about(context)
            )
            await context.session.directory.remove_password(
                context.facts.application.object_id, minted.key_id
            )
        except AppCredentialError as exc:
            # Its attempt is fenced with P or stranded: a later pass removes it.
            log.warning("discarding failed", extra={"error": str(exc), **_about(context)})

    async def _is_in_target(self, context: Context, minted: IssuedCredential) -> bool:
        facts = context.facts
        live = await self._secrets.target(facts.resource.owner.namespace, facts.spec.secret.name)
        context.view.target.set(live, self._clock.monotonic())
        if live is None:
            return False
        published = {live.published.key_id} if live.published is not None else set()
        return minted.key_id in published | {r.key_id for r in live.retiring}

    async def _emit(
        self, context: Context, reason: str, note: str, *, warning: bool = False
    ) -> None:
        await self._events.emit(subject_of(context.facts.resource), reason, note, warning=warning)


def subject_of(r: Resource) -> EventSubject:
    """Return the AppCredential as an Event's subject."""
    return EventSubject(
        kind="AppCredential", namespace=r.owner.namespace, name=r.owner.name, uid=r.uid
    )


def _published_note(facts: Facts) -> str:
    if facts.taken is None:
        return "The new credential is in the Secret; workloads may use it."
    if facts.observation.target_owner is not None:  # that name was looked up: it may be told
        owner = facts.observation.target_owner.owner
        return f"The Secret was taken over from {owner} and holds the new credential."
    return "The Secret was adopted and holds the new credential."


def _generate(length: int) -> SecretValue:
    return SecretValue("".join(randomness.choice(_ALPHABET) for _ in range(length)))


def _about(context: Context) -> dict[str, str]:
    owner = context.facts.resource.owner
    return {"ns": owner.namespace, "obj": owner.name}


def _required(value: R | None) -> R:
    if value is None:
        raise AssertionError("the decision promised this to be there")
    return value
