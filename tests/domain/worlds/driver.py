"""A world of one resource in memory: applies what `decide` asks for, and watches the promises.

It performs actions as the reconciler does, on one Entra application, one target
and one pending Secret, in virtual time. Every effect that would break a promise
raises `BrokenPromiseError`, judged from what happened here, not by the rules' own words.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from appcredential.domain import actions as act
from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.facts.handover import former_owners, handed_over
from appcredential.domain.facts.publication import publication
from appcredential.domain.lifecycle import Decision, decide
from appcredential.domain.lifecycle_settings import LifecycleSettings
from appcredential.domain.marker import Owner, attempt_id, build_display_name, parse_marker
from appcredential.domain.observed.entra import Application, Credential, Grant, Tenant
from appcredential.domain.observed.memory import Memory
from appcredential.domain.observed.observation import Observation, Resource
from appcredential.domain.observed.target import (
    IssuedCredential,
    Pending,
    PendingState,
    RetireCause,
    Retiring,
    Target,
    TargetOwner,
)
from appcredential.domain.proof import PROVEN, SignInResult, record
from appcredential.domain.rules.target import REPAIRED
from appcredential.domain.secret.content import render
from appcredential.domain.secret.records import Publication
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import AppCredentialSpec, KeyId, TenantId, VerificationMode
from tests.support.builders import (
    HOLDER,
    HOUR,
    IDENTITY,
    NOT_YET,
    NOW,
    OBJECT_ID,
    OWNER,
    SECOND,
    TENANT_ID,
    application,
    facts,
    grant,
    observation,
    pending,
    resource,
    spec,
    target,
    tenant,
)

STEP = timedelta(milliseconds=100)
MAX_CALM = 60
DEFAULT = spec(lifetime=6 * HOUR)


class BrokenPromiseError(AssertionError):
    """An effect that no rule may ask for."""


@dataclass
class World:
    """Everything there is. Fields are what a test may change between runs."""

    spec: AppCredentialSpec = DEFAULT
    owner: Owner = OWNER
    key_prefix: str = "key"
    """Begins the key ids of what is minted here, where several share one application."""
    now: datetime = NOW
    settings: LifecycleSettings = field(default_factory=LifecycleSettings)
    tenant: Tenant | Problem = field(default_factory=tenant)
    grant: Grant | Problem = field(default_factory=grant)
    target: Target | None = None
    pending: Pending | None = None
    target_owner: TargetOwner | None = None
    revocation_uid: str | None = None
    is_crd_deleted: bool = False
    skew: timedelta = timedelta(0)
    sign_in_lag: timedelta = timedelta(seconds=5)
    mint_answers: list[str] = field(default_factory=list)
    """What the next mints do: `lost` (made, answer lost), `crash` (never sent); else they work."""
    read_answer: str = ""
    """`fails` or `missing`; else a read works."""
    hidden: set[KeyId] = field(default_factory=set)
    """Credentials that a stale replica does not list."""
    answer: Callable[[KeyId], SignInResult | None] = lambda _: None
    """Another answer to a sign-in than the true one."""

    entra: dict[KeyId, Credential] = field(default_factory=dict)
    memory: Memory = field(default_factory=Memory)
    seen: Application | None = None
    crd_seen: bool | None = None
    released: bool = False
    log: list[tuple[datetime, act.Action]] = field(default_factory=list)
    statuses: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        made = resource(
            self.spec,
            uid="resource-uid" if self.owner == OWNER else f"uid-of-{self.owner.name}",
            has_finalizer=False,
            creation_time=self.now,
            last_applied_time=self.now,
            status={"observedGeneration": -1},
        )
        self.resource: Resource = replace(made, owner=self.owner)
        self._keys: dict[str, KeyId] = {}
        self._last_read: Application | None = None
        self._count = 0
        self._run: dict[KeyId, int] = {}
        self._signed_in: dict[KeyId, datetime] = {}
        self._superseded: dict[KeyId, datetime] = {}

    # --- what tests do ---------------------------------------------------------------------

    def run(self, for_: timedelta = timedelta(0)) -> None:
        """Let the operator work for a while; at least until it sleeps."""
        until, calm = self.now + for_, 0
        while not self.released:
            decision = self.decide()
            if isinstance(decision.action, act.Sleep):
                assert decision.look_again > self.now
                if decision.look_again > until:
                    self.now = max(self.now, until)
                    return
                self.now, calm = decision.look_again, 0
                continue
            calm += 1
            assert calm <= MAX_CALM, f"livelock: {decision.action}"
            self.perform(decision)
            self.now += STEP

    def step(self) -> act.Action:
        """Perform the next action, however long it is until then, and return it."""
        while isinstance((decision := self.decide()).action, act.Sleep):
            self.now = decision.look_again
        self.perform(decision)
        self.now += STEP
        return decision.action

    def step_until(self, kind: type[act.Action]) -> None:
        """Work up to just before an action of this kind."""
        for _ in range(1000):
            while isinstance((decision := self.decide()).action, act.Sleep):
                self.now = decision.look_again
            if isinstance(decision.action, kind):
                return
            self.step()
        raise AssertionError(f"no {kind.__name__}")

    def change(self, new: AppCredentialSpec) -> None:
        """Apply another spec."""
        generation = self.resource.generation + 1
        self.resource = replace(
            self.resource, spec=new, generation=generation, last_applied_time=self.now
        )

    def restart(self) -> None:
        """Lose everything that only the process knows."""
        self.memory, self.seen, self.crd_seen, self._last_read = Memory(), None, None, None

    def delete(self) -> None:
        self.resource = replace(self.resource, deletion_time=self.now)

    def apply_again(self, uid: str) -> None:
        """Create the resource anew under its name, as long as the ticket waits."""
        self.resource = replace(
            self.resource,
            uid=uid,
            deletion_time=None,
            has_finalizer=False,
            status={"observedGeneration": -1},
            creation_time=self.now,
            last_applied_time=self.now,
        )
        self.restart()
        self.released = False

    @property
    def current_spec(self) -> AppCredentialSpec:
        assert isinstance(self.resource.spec, AppCredentialSpec)
        return self.resource.spec

    @property
    def published(self) -> KeyId:
        assert self.target is not None
        assert self.target.published is not None
        return self.target.published.key_id

    def names(self) -> list[str]:
        """Return the actions so far by name, without status writes."""
        return [type(a).__name__ for _, a in self.log if not isinstance(a, act.ApplyStatus)]

    def count(self, kind: type[act.Action]) -> int:
        return sum(isinstance(a, kind) for _, a in self.log)

    def condition(self, kind: str) -> tuple[str, str] | None:
        """Return status and reason of a condition, as last written."""
        for c in self.resource.status.get("conditions", ()):
            if c["type"] == kind:
                return c["status"], c["reason"]
        return None

    # --- decide and act --------------------------------------------------------------------

    def decide(self) -> Decision:
        return decide(self.observe())

    def observe(self) -> Observation:
        return observation(
            now=self.now,
            settings=self.settings,
            directory_skew=self.skew,
            resource=self.resource,
            tenant=self.tenant,
            grant=self.grant,
            target=self.target,
            pending=self.pending,
            revocation_uid=self.revocation_uid,
            crd_deleted=self.crd_seen,
            application=self.seen,
            memory=self.memory,
            target_owner=self.target_owner,
        )

    def perform(self, decision: Decision) -> None:
        action = decision.action
        self.log.append((self.now, action))
        match action:
            case act.ApplyStatus():
                self.resource = replace(self.resource, status=decision.status)
                self.statuses.append(decision.status)
            case act.AddFinalizer():
                self.resource = replace(self.resource, has_finalizer=True)
            case act.ReleaseFinalizer():
                self.released = True
            case act.ScheduleRevocation():
                self.revocation_uid = self.resource.uid
            case act.CancelRevocation():
                self.revocation_uid = None
            case act.ReadCrd():
                self.crd_seen = self.is_crd_deleted
            case _:
                self._perform_behind_gates(action)

    def _perform_behind_gates(self, action: act.Action) -> None:
        match action:
            case act.ReadApplication():
                self._read(action)
            case act.DeletePending():
                self.pending = None
            case act.Fence():
                self.pending = replace(self._pending, state=PendingState.ABANDONED, value=None)
            case act.SignInPending() | act.SignInPublished():
                self._sign_in(action)
            case _:
                self._promise(
                    self.revocation_uid is None, "nothing is done while a deletion is open"
                )
                self._perform_write(action)

    def _perform_write(self, action: act.Action) -> None:
        self._promise(self.resource.deletion_time is None, "nothing is done while being deleted")
        match action:
            case act.Mint():
                self._mint(action)
            case act.Publish():
                self._publish()
            case act.WriteTarget():
                self._write_target(action)
            case act.Remove():
                self._remove(action)
            case _:
                raise AssertionError(f"not an effect: {action}")

    def _write_target(self, action: act.WriteTarget) -> None:
        self._promise(self._is_own_target(), "another's Secret is never touched")
        records = publication(facts(self.observe()))
        assert self.target is not None
        assert self.target.value is not None
        self._put_target(
            replace(records, retiring=action.retiring, abandoned=action.abandoned),
            self.target.value,
        )
        if action.reason == REPAIRED:
            self.memory = replace(self.memory, repairs=(*self.memory.repairs, self.now))

    @property
    def _pending(self) -> Pending:
        assert self.pending is not None
        return self.pending

    def _promise(self, kept: bool, what: str) -> None:
        if not kept:
            raise BrokenPromiseError(what)

    def _read(self, action: act.ReadApplication) -> None:
        if self.read_answer == "missing":
            missing = (*self.memory.application_missing, self.now)
            pause = min(10 * SECOND * 2 ** min(len(missing) - 1, 5), timedelta(minutes=5))
            self.seen = None
            self.memory = replace(
                self.memory, application_missing=missing, retry_time=self.now + pause
            )
            return
        if self.read_answer == "fails":
            problem = Problem(
                reason=Reason.DIRECTORY_UNAVAILABLE, message="Graph fails.", stalled=False
            )
            self.memory = replace(
                self.memory,
                directory_problem=problem,
                problem_operation="read",
                retry_time=self.now + 10 * SECOND,
            )
            return
        held = self._last_read
        if held is None or self.now - held.read_time > action.max_age:
            listed = [c for c in self.entra.values() if c.key_id not in self.hidden]
            held = self._last_read = application(*listed, read_time=self.now)
        if self.seen is None or held.read_time != self.seen.read_time:
            self._note_absences(held)
        self.seen = held
        self.memory = replace(
            self.memory, application_missing=(), directory_problem=None, retry_time=None
        )

    def _note_absences(self, read: Application) -> None:
        listed = {c.key_id for c in read.credentials}
        known = [r.key_id for r in self.target.retiring] if self.target is not None else []
        counts = {k: 0 if k in listed else self.memory.absences.get(k, 0) + 1 for k in known}
        self.memory = replace(self.memory, absences=counts)

    def _sign_in(self, action: act.SignInPending | act.SignInPublished) -> None:
        if isinstance(action, act.SignInPending):
            held = self._pending.credential
        else:
            assert self.target is not None
            held = self.target.published
        assert held is not None
        result = self.answer(held.key_id) or self._true_answer(held.key_id)
        if result is PROVEN:
            self._run[held.key_id] = self._run.get(held.key_id, 0) + 1
            self._signed_in[held.key_id] = self.now
        if isinstance(action, act.SignInPending):
            proof = record(self.memory.pending_proof, held.attempt, result, self.now)
            self.memory = replace(self.memory, pending_proof=proof)
        else:
            proof = record(self.memory.published_proof, held.attempt, result, self.now)
            self.memory = replace(self.memory, published_proof=proof)

    def _true_answer(self, key: KeyId) -> SignInResult:
        made = self.entra.get(key)
        entra_now = self.now + self.skew
        known = made is not None and entra_now >= made.start + self.sign_in_lag
        return PROVEN if known and made is not None and entra_now < made.end else NOT_YET

    def _mint(self, action: act.Mint) -> None:
        self._promise(not isinstance(self.grant, Problem), "nothing is issued without a grant")
        self._count += 1
        held, number = self.pending, action.attempt_number
        uid = held.uid if held is not None else f"{self.key_prefix}-pending-uid-{self._count}"
        intent = pending(
            PendingState.INTENT,
            uid=uid,
            number=number,
            holder=HOLDER,
            intent_time=self.now,
            abandoned=action.abandoned[-5:],
            owner=self.owner,
        )
        self.pending = intent
        answer = self.mint_answers.pop(0) if self.mint_answers else ""
        if answer == "crash":
            return
        key = KeyId(f"{self.key_prefix}-{self._count}")
        value = SecretValue(f"canary-value-of-{key}")
        start = (self.now + self.skew).replace(microsecond=0)
        made = Credential(
            key_id=key,
            display_name=build_display_name(IDENTITY, self.owner, intent.attempt, ""),
            start=start,
            end=start + action.lifetime,
        )
        self.entra[key], self._last_read = made, None
        if answer == "lost":
            return
        minted = IssuedCredential(
            key_id=key,
            attempt=attempt_id(IDENTITY, uid, number),
            value_sha256=value.sha256(),
            not_before=made.start,
            expires=made.end,
        )
        self.pending = replace(intent, state=PendingState.MINTED, credential=minted, value=value)

    def _publish(self) -> None:
        held, o = self._pending, self.observe()
        t = self.target if self._is_own_target() else None
        self._promise(
            self.target is None or t is not None or self._may_take(self.target),
            "another's Secret is taken over only by who may",
        )
        assert held.credential is not None
        assert held.value is not None
        if self.current_spec.verification.mode is VerificationMode.REQUIRED:
            self._promise(
                self._run.get(held.credential.key_id, 0) >= 3, "only what signed in is given"
            )
        self._promise(not isinstance(self.grant, Problem), "nothing is published without a grant")
        former = t.published if t is not None else None
        before = t.retiring if t is not None else ()
        if former is not None and former.key_id not in {r.key_id for r in before}:
            entry = Retiring(
                key_id=former.key_id,
                end=former.expires,
                since=self.now,
                cause=RetireCause.REPLACED,
            )
            before = (*before, entry)
        if former is not None:
            self._superseded[former.key_id] = self.now
        proof = o.memory.pending_proof
        f = facts(o)
        records = Publication(
            owner=str(self.owner),
            cluster=IDENTITY.cluster,
            tenant_id=held.tenant_id,
            object_id=OBJECT_ID,
            credential=held.credential,
            verified_time=proof.last_success if proof is not None else None,
            published_time=self.now.replace(microsecond=0),
            retiring=tuple(r for r in before if r.key_id != held.credential.key_id),
            abandoned=(*(t.abandoned if t is not None else ()), *held.abandoned)[-5:],
            taken_from=former_owners(f),
            handed_over=handed_over(f, held.credential, self.now),
        )
        self._put_target(records, held.value)

    def _is_own_target(self) -> bool:
        return self.target is not None and self.target.owner == str(self.owner)

    def _may_take(self, t: Target) -> bool:
        """Judge, by these words, whether another's Secret may become ours."""
        named = self.current_spec.secret.take_over_from
        if named and t.owner == f"{self.owner.namespace}/{named}":
            return True
        seen = self.target_owner
        is_kept = seen is not None and seen.absent_since is None
        if not is_kept and t.annotations.get("appcredential.io/adopt") == str(self.owner):
            return True
        is_gone = seen is not None and seen.absent_since is not None
        return is_gone and (t.tenant_id, t.object_id) == (TENANT_ID, OBJECT_ID)

    def _put_target(self, records: Publication, value: SecretValue) -> None:
        assert isinstance(self.tenant, Tenant)
        live = self.target
        wanted = render(
            self.current_spec, self.tenant, value, records, live, lambda n: SecretValue("g" * n)
        )
        base = live or target(creation_time=self.now.replace(microsecond=0))
        self.target = replace(
            base,
            owner=records.owner,
            tenant_id=TenantId(records.tenant_id),
            object_id=records.object_id,
            taken_from=records.taken_from,
            handed_over=records.handed_over,
            published=records.credential,
            value=value,
            verified_time=records.verified_time,
            published_time=records.published_time,
            retiring=records.retiring,
            abandoned=records.abandoned[-5:],
            data=wanted.data,
            labels=wanted.labels,
            annotations=wanted.annotations,
        )

    def _remove(self, action: act.Remove) -> None:
        key, made = action.key_id, self.entra.get(action.key_id)
        if made is None:
            return
        marker = parse_marker(made.display_name)
        self._promise(
            marker is not None and marker.is_removable_by(IDENTITY, self.owner),
            "nothing that is not ours is removed",
        )
        held, t = self.pending, self.target
        self._promise(
            t is None or t.published is None or t.published.key_id != key,
            "the published one stays",
        )
        self._promise(
            held is None or held.credential is None or held.credential.key_id != key,
            "the pending one stays",
        )
        if key in self._superseded and self.now + self.skew < made.end:
            if self._is_leaked(made.start):
                self._promise_a_successor()
            else:
                self._promise_a_survivor(key, made)
        del self.entra[key]
        self._last_read = None
        self.memory = replace(self.memory, removals={**self.memory.removals, key: self.now})

    def _is_leaked(self, issued: datetime) -> bool:
        """Tell whether the spec asks for the revocation of what was issued then."""
        before = self.current_spec.rotation.revoke_issued_before
        return before is not None and issued < before <= self.now + self.skew

    def _promise_a_successor(self) -> None:
        """Check that workloads have something that was not leaked, and that it works."""
        t = self.target
        held = self.entra.get(t.published.key_id) if t is not None and t.published else None
        self._promise(
            held is not None and not self._is_leaked(held.start),
            "nothing is revoked without a successor",
        )
        signed = self._signed_in.get(held.key_id) if held is not None else None
        self._promise(
            signed is not None and self.now - signed <= 15 * SECOND,
            "nothing is revoked before the successor signs in",
        )

    def _promise_a_survivor(self, key: KeyId, made: Credential) -> None:
        """Check that workloads had the overlap to move to something that works longer."""
        overlap = self.current_spec.rotation.overlap or HOUR
        t = self.target
        self._promise(
            self.now - self._superseded[key] >= overlap - SECOND, "both are valid for the overlap"
        )
        survivor = self.entra.get(t.published.key_id) if t is not None and t.published else None
        self._promise(
            survivor is not None and survivor.end > made.end,
            "what workloads have now lives longer",
        )
