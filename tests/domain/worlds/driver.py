"""One resource with a Secret in memory: an Entra application, the target and the pending Secret.

See `loop.py` for who decides and how promises are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from appcredential.domain import actions as act
from appcredential.domain.conditions import Problem
from appcredential.domain.facts.publication import next_publication, publication
from appcredential.domain.inventory import FLOOR
from appcredential.domain.marker import attempt_id, build_display_name, parse_marker
from appcredential.domain.observed.entra import Application, Credential, Tenant
from appcredential.domain.observed.operation import Operation
from appcredential.domain.observed.target import (
    IssuedCredential,
    Pending,
    PendingState,
    Target,
    TargetOwner,
)
from appcredential.domain.proof import PROVEN, SignInResult, record
from appcredential.domain.rules.target import REPAIRED
from appcredential.domain.secret.content import render
from appcredential.domain.secret.records import Publication, read_target
from appcredential.domain.secret.value import find_value
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import AppCredentialSpec, KeyId, RetireWhen, VerificationMode
from tests.domain.worlds.loop import Loop, promise
from tests.domain.worlds.pods import Pods
from tests.domain.worlds.workloads import Workloads
from tests.support.builders import (
    HOLDER,
    HOUR,
    IDENTITY,
    NOT_YET,
    OBJECT_ID,
    TENANT_ID,
    application,
    facts,
    grant,
    pending,
    spec,
    target,
)
from tests.support.windows import is_open, next_close

DEFAULT = spec(lifetime=6 * HOUR)


@dataclass
class World(Loop):
    """One resource, its Secrets and an Entra application."""

    spec: AppCredentialSpec = DEFAULT
    key_prefix: str = "key"
    """Begins the key ids of what is minted here, where several share one application."""
    target: Target | None = None
    pending: Pending | None = None
    target_owner: TargetOwner | None = None
    is_crd_deleted: bool = False
    skew: timedelta = timedelta(0)
    sign_in_lag: timedelta = timedelta(seconds=5)
    put_takes: timedelta = timedelta(0)
    """How long a publish takes until workloads have it."""
    mint_answers: list[str] = field(default_factory=list)
    """What the next mints do: `lost` (made, answer lost), `crash` (never sent); else they work."""
    read_answer: str = ""
    """`fails` or `missing`; else a read works."""
    lists: str = ""
    """`confirm` or `doubt`, rightly or not: what lists say of the last read."""
    hidden: set[KeyId] = field(default_factory=set)
    """Credentials that a stale replica does not list."""
    answer: Callable[[KeyId], SignInResult | None] = lambda _: None
    """Another answer to a sign-in than the true one."""

    entra: dict[KeyId, Credential] = field(default_factory=dict)
    given: set[KeyId] = field(default_factory=set)
    """What was ever published."""
    made: str = ""
    """The attempt that this process made and has not begun to publish."""
    seen: Application | None = None
    crd_seen: bool | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self._last_read: Application | None = None
        self._count = 0
        self._workloads = Workloads()
        self.pods = Pods()

    # --- what tests do ---------------------------------------------------------------------

    def forget(self) -> None:
        self.seen, self.crd_seen, self._last_read = None, None, None
        self.made = ""
        self.pods.seen = None

    def set_clock(self, by: timedelta) -> None:
        """Set the operator's clock, or go on with a replica whose clock differs by so much."""
        self.now += by
        self.skew -= by

    def calm_down(self) -> None:
        """End whatever was wrong; what was lost stays lost."""
        self.read_answer, self.lists, self.hidden, self.grant = "", "", set(), grant()
        self.answer = lambda _: None
        self.mint_answers.clear()
        self.pods.answer = ""

    def start_pod(self, owner: str = "Deployment/orders") -> None:
        """Start a pod that reads the Secret once."""
        now, superseded = self.now + self.skew, self._workloads.superseded
        self.pods.start(owner, now, self.published, superseded)

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
    def published(self) -> KeyId:
        assert self.target is not None
        assert self.target.published is not None
        return self.target.published.key_id

    # --- act -------------------------------------------------------------------------------

    def see(self) -> Mapping[str, Any]:
        self._hear_from_lists()
        return {
            "directory_skew": self.skew,
            "cluster_skew": self.skew,
            "pods": self.pods.seen,
            "target": self.target,
            "pending": self.pending,
            "crd_deleted": self.crd_seen,
            "application": self.seen,
            "target_owner": self.target_owner,
            "unpublished_attempt": self.made,
        }

    def _hear_from_lists(self) -> None:
        seen = self.seen
        if seen is None or self.now - seen.read_time < FLOOR:
            return
        if self.lists == "confirm":
            self.seen = replace(seen, confirmed=self.now, doubted=None)
        elif self.lists == "doubt":
            self.seen = replace(seen, doubted=self.now)

    def apply(self, action: act.Action) -> None:
        match action:
            case act.ReadCrd():
                self.crd_seen = self.is_crd_deleted
            case act.ReadApplication():
                self._read(action)
            case act.ReadPods():
                self.pods.show(action.secrets, self.now)
            case act.DeletePending():
                self.pending = None
            case act.Fence():
                self.pending = replace(self._pending, state=PendingState.ABANDONED, value=None)
            case act.SignInPending() | act.SignInPublished():
                self._sign_in(action)
            case _:
                promise(self.revocation_uid is None, "nothing is done while a deletion is open")
                self._write(action)

    def _write(self, action: act.Action) -> None:
        promise(self.resource.deletion_time is None, "nothing is done while being deleted")
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
        promise(self._is_own_target(), "another's Secret is never touched")
        records = publication(facts(self.observe()))
        assert self.target is not None
        assert self.target.value is not None
        if action.is_restarted:
            records = replace(records, restart_since=None)
        self._put_target(
            replace(records, retiring=action.retiring, abandoned=action.abandoned),
            self.target.value,
        )
        if action.reason == REPAIRED:
            self.memory = self.memory.repaired(self.now)

    @property
    def _pending(self) -> Pending:
        assert self.pending is not None
        return self.pending

    def _read(self, action: act.ReadApplication) -> None:
        if self.read_answer == "missing":
            self.seen = None
            self.memory = self.memory.missed_application(self.now)
            return
        if self.read_answer == "fails":
            self.fail(Operation.READ)
            return
        held = self._last_read
        if held is None or self.now - held.read_time > action.max_age:
            listed = [c for c in self.entra.values() if c.key_id not in self.hidden]
            held = self._last_read = application(*listed, read_time=self.now)
        self.memory = self.memory.saw_application(
            held, self.seen, target=self.target, pending=self.pending
        )
        self.seen = held

    def _sign_in(self, action: act.SignInPending | act.SignInPublished) -> None:
        if isinstance(action, act.SignInPending):
            held = self._pending.credential
        else:
            assert self.target is not None
            held = self.target.published
        assert held is not None
        result = self.answer(held.key_id) or self._true_answer(held.key_id)
        if result is PROVEN:
            self._workloads.note_sign_in(held.key_id, self.now)
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
        promise(not isinstance(self.grant, Problem), "nothing is issued without a grant")
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
        self.pending, self.made = intent, intent.attempt
        self.memory = self.memory.issues(self.now)
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
            self.fail(Operation.MINT)
            return
        minted = IssuedCredential(
            key_id=key,
            attempt=attempt_id(IDENTITY, uid, number),
            value_sha256=value.sha256(),
            not_before=made.start,
            expires=made.end,
        )
        self.pending = replace(intent, state=PendingState.MINTED, credential=minted, value=value)
        self.memory = self.memory.succeeded(Operation.MINT)

    def _publish(self) -> None:
        held, o = self._pending, self.observe()
        t = self.target if self._is_own_target() else None
        promise(
            self.target is None or t is not None or self._may_take(self.target),
            "another's Secret is taken over only by who may",
        )
        assert held.credential is not None
        assert held.value is not None
        if self.current_spec.verification.mode is VerificationMode.REQUIRED:
            promise(
                self._workloads.runs.get(held.credential.key_id, 0) >= 3,
                "only what signed in is given",
            )
        promise(not isinstance(self.grant, Problem), "nothing is published without a grant")
        former = t.published if t is not None else None
        if former is not None and t is not None and t.value is not None:
            promise(self._may_replace(former), "what works is replaced within a window only")
        if former is not None:
            self._workloads.superseded[former.key_id] = self.now + self.skew + self.put_takes
        self.made = ""
        self.given.add(held.credential.key_id)
        self._put_target(next_publication(facts(o), self.now), held.value)
        self.now += self.put_takes

    def _may_replace(self, former: IssuedCredential) -> bool:
        """Judge whether workloads' credential may be replaced now, although it works."""
        entra_now, rotation = self.now + self.skew, self.current_spec.rotation
        if not rotation.windows or is_open(rotation.windows, entra_now):
            return True
        before = rotation.revoke_issued_before
        if before is not None and former.not_before < before <= entra_now:
            return True
        plan = facts(self.observe()).schedule
        assert plan is not None
        ends_too_soon = next_close(rotation.windows, entra_now) + plan.overlap > former.expires
        is_lost = self.answer(former.key_id) is not None or former.key_id not in self.entra
        return ends_too_soon or is_lost

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
        found = read_target(wanted.annotations)
        assert found.credential is not None
        self.target = replace(
            live or target(creation_time=self.now.replace(microsecond=0)),
            owner=found.owner,
            tenant_id=found.tenant_id,
            object_id=found.object_id,
            taken_from=found.taken_from,
            handed_over=found.handed_over,
            published=found.credential,
            value=find_value(wanted.data, found.credential.value_sha256),
            verified_time=found.verified_time,
            published_time=found.published_time,
            retiring=found.retiring,
            abandoned=found.abandoned,
            data=wanted.data,
            labels=wanted.labels,
            annotations=wanted.annotations,
        )

    def _remove(self, action: act.Remove) -> None:
        made = self.entra.pop(action.key_id, None)
        if made is not None:
            self._check_removal(made)
        self._last_read = None
        self.memory = self.memory.removed(action.key_id, self.now)

    def _check_removal(self, leaving: Credential) -> None:
        marker, key = parse_marker(leaving.display_name), leaving.key_id
        promise(
            marker is not None and marker.is_removable_by(IDENTITY, self.owner),
            "nothing that is not ours is removed",
        )
        held, t = self.pending, self.target
        promise(
            t is None or t.published is None or t.published.key_id != key,
            "the published one stays",
        )
        is_pending = (
            held is not None and held.credential is not None and held.credential.key_id == key
        )
        in_vain = t is not None and not self._is_own_target() and key not in self.given
        promise(not is_pending or in_vain, "the pending one stays, unless nobody can ever have it")
        survivor = self.entra.get(t.published.key_id) if t is not None and t.published else None
        rotation, entra_now = self.current_spec.rotation, self.now + self.skew
        self._workloads.check_removal(leaving, survivor, rotation, self.now, entra_now)
        before = rotation.revoke_issued_before
        is_revoked = before is not None and leaving.start < before <= entra_now
        may_fail = is_revoked or rotation.retire_when is not RetireWhen.ROLLED_OUT
        promise(
            may_fail or entra_now >= leaving.end or not self.pods.use(key),
            "no pod from before uses what goes",
        )
