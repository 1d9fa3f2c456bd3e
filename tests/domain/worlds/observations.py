"""Observations of every kind, likely and not, for properties of `decide`.

Each is put together from a number alone, out of a few values around the bounds
that the rules compare with. Mostly the parts fit together, so that the later
rules are reached; now and then any part contradicts the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from random import Random
from typing import Final, NamedTuple, TypeVar

from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.marker import Attempt, ClusterIdentity, attempt_id
from appcredential.domain.observed.entra import Application, Credential, Grant, Tenant
from appcredential.domain.observed.issued import Recorded
from appcredential.domain.observed.memory import Memory
from appcredential.domain.observed.observation import Observation, Resource
from appcredential.domain.observed.pods import PodUser, PodUsers, SeenPods
from appcredential.domain.observed.target import (
    Abandoned,
    FormerOwner,
    IssuedCredential,
    Pending,
    PendingState,
    RetireCause,
    Retiring,
    Target,
    TargetOwner,
)
from appcredential.domain.observed.workloads import (
    Progress,
    Restarts,
    SeenWorkloads,
    Selection,
    Workload,
    WorkloadKind,
)
from appcredential.domain.proof import PROVEN, UNREACHABLE, Proof, SignInResult, classify
from appcredential.domain.spec.model import (
    AppCredentialSpec,
    KeyId,
    Limits,
    ObjectId,
    RetireWhen,
    TenantId,
    VerificationMode,
)
from appcredential.domain.spec.restart import RestartSpec
from appcredential.domain.status.problems_kube import PODS_FORBIDDEN
from appcredential.domain.status.problems_restart import RESTART_FORBIDDEN
from appcredential.domain.times import format_time
from tests.support.builders import (
    ADOPTING,
    CLIENT_ID,
    DAY,
    HOLDER,
    HOUR,
    IDENTITY,
    MINUTE,
    NEXT_SECRET,
    NOT_YET,
    NOW,
    OTHER_IDENTITY,
    OTHER_OWNER,
    OWNER,
    PENDING_UID,
    SECOND,
    SECRET,
    abandoned,
    application,
    credential,
    foreign_target,
    grant,
    minted,
    observation,
    pending,
    problem,
    proof,
    proven,
    resource,
    retiring,
    rotation,
    spec,
    target,
    tenant,
    window,
)

T = TypeVar("T")

CLONE: Final = ClusterIdentity(cluster=IDENTITY.cluster, system=OTHER_IDENTITY.system)
"""A cluster restored from ours: the same configured id, another kube-system."""


class Made(NamedTuple):
    """A credential that exists or existed, and the P that it was made from."""

    key: KeyId
    uid: str
    number: int

    @property
    def attempt(self) -> Attempt:
        return attempt_id(IDENTITY, self.uid, self.number)


CURRENT: Final = Made(KeyId("key-current"), "current-uid", 1)
COMING: Final = Made(KeyId("key-coming"), PENDING_UID, 1)
RETRIED: Final = Made(KeyId("key-retried"), PENDING_UID, 2)
OTHERS: Final = tuple(Made(KeyId(f"key-{n}"), f"uid-{n}", 1) for n in range(3))
NEW: Final = (COMING, RETRIED)
ALL: Final = (CURRENT, *NEW, *OTHERS)

FOREIGN: Final = ("portal", "owner", "clone", "cluster")

RECENT: Final = [n * SECOND for n in (0, 1, 5, 15, 16, 31, 59, 61, 121, 360)]
AGES: Final = [*RECENT, 11 * MINUTE, 59 * MINUTE, 61 * MINUTE, 3 * HOUR, 5 * HOUR, 20 * DAY]
OLD: Final = AGES[-3:]
LIVES: Final = [10 * MINUTE, HOUR, 4 * HOUR, 6 * HOUR, 30 * DAY, 90 * DAY]

_SPECS: Final = [
    spec(
        lifetime=lifetime,
        rotation=rotation(
            overlap=overlap, retire_when=when, rotate_issued_before=before, renew_before=renew
        ),
        verification=mode,
    )
    for lifetime, renew, overlap in ((None, None, None), (6 * HOUR, 2 * HOUR, HOUR))
    for when in (*RetireWhen, *RetireWhen, RetireWhen.OVERLAP_ELAPSED, RetireWhen.ROLLED_OUT)
    for before in (None, None, NOW - 3 * HOUR, NOW + HOUR)
    for mode in (VerificationMode.REQUIRED, VerificationMode.REQUIRED, VerificationMode.DISABLED)
] + [
    spec(rotation=rotation(retire_when=when, revoke_issued_before=before))
    for when in RetireWhen
    for before in (NOW - 3 * HOUR, NOW - 3 * HOUR, NOW - 20 * MINUTE, NOW + HOUR)
]
_TENANTS: Final[list[Tenant | Problem]] = [
    tenant(problem=problem(Reason.TENANT_NOT_READY)),
    tenant(limits=Limits(max_lifetime=5 * HOUR)),
    problem(Reason.TENANT_NOT_FOUND),
]
_GRANTS: Final[list[Grant | Problem]] = [*[grant()] * 8, grant(max_lifetime=4 * HOUR), problem()]
_RUNS: Final[tuple[tuple[SignInResult, ...], ...]] = (
    (PROVEN,) * 5,
    (PROVEN,) * 3,
    (PROVEN,),
    (PROVEN, PROVEN, UNREACHABLE, PROVEN),
    (*(PROVEN,) * 4, NOT_YET),
    (NOT_YET,) * 3,
    (NOT_YET,) * 40,
    (UNREACHABLE,) * 40,
    (classify(400, (53003,)),) * 40,
)
_PROOFS: Final = {
    (made.attempt, n, every): proof(made.attempt, *run, every=every)
    for made in ALL
    for n, run in enumerate(_RUNS)
    for every in (1, 20, 60)
}


class Dice(Random):
    """Choices of one observation: more than half of them calm, the others wild."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self._calm = 0.2 if self.random() < 0.6 else 1.0

    def likely(self, usual: T, *others: T, odds: float = 0.15) -> T:
        """Return the usual value, or now and then another one."""
        return self.choice(others) if self.random() < odds * self._calm else usual

    def some(self, values: Sequence[T], odds: float) -> list[T]:
        """Return each value with these odds."""
        return [v for v in values if self.random() < odds]

    def ago(self, ages: Sequence[timedelta] = tuple(AGES)) -> datetime:
        return NOW - self.choice(ages)

    def life(self) -> tuple[datetime, datetime]:
        """Return a start and an end, which may have passed."""
        start = self.ago()
        return start, start + self.choice(LIVES)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Which credential plays which part in one observation."""

    lives: dict[Made, tuple[datetime, datetime]]
    published: Made
    pending: Made | None
    retiring: list[Made]
    abandoned: list[Made]


@lru_cache(maxsize=8000)
def observe(seed: int) -> Observation:
    """Return the observation of this number."""
    dice = Dice(seed)
    plan = _plan(dice)
    r = _resource(dice)
    wanted = r.spec if isinstance(r.spec, AppCredentialSpec) else spec()
    t, p = _target(dice, plan, wanted), _pending(dice, plan)
    return _adopting(seed, _undecided(seed, _restarting(seed, _observation(dice, plan, r, t, p))))


def _observation(
    dice: Dice, plan: Plan, r: Resource, t: Target | None, p: Pending | None
) -> Observation:
    return observation(
        blocked=dice.likely(None, problem(Reason.NOT_LEADER), odds=0.02),
        directory_skew=dice.likely(
            timedelta(0), None, 4 * MINUTE, -4 * MINUTE, 6 * MINUTE, odds=0.1
        ),
        resource=r,
        tenant=dice.choice(_TENANTS) if dice.random() < 0.05 else tenant(),
        grant=dice.choice(_GRANTS),
        target=t,
        pending=p,
        revocation_uid=dice.likely(None, r.uid, "earlier-uid", odds=0.03),
        crd_deleted=dice.choice([None, False, True]),
        application=_application(dice, plan),
        memory=_memory(dice, plan, t, p),
        target_owner=_target_owner(dice, t),
        recorded=dice.likely(Recorded.CURRENT, *Recorded, odds=0.05),
        unowned_records=dice.likely(0, 499, 500, odds=0.05),
        pods=_pods(dice),
    )


def _adopting(seed: int, o: Observation) -> Observation:
    """Return the observation, now and then as of a cluster into which it all was restored."""
    dice, t = Dice(seed + 2**42), o.target
    if dice.random() < 0.8 or t is None or t.published is None or o.application is None:
        return o
    key, attempt = t.published.key_id, attempt_id(OTHER_IDENTITY, "their-uid", 1)
    theirs = {"appcredential.io/cluster": OTHER_IDENTITY.cluster}
    listed = [
        replace(
            c, display_name=credential(key, attempt=attempt, identity=OTHER_IDENTITY).display_name
        )
        if c.key_id == key or dice.random() < 0.3
        else c
        for c in o.application.credentials
    ]
    return replace(
        o,
        identity=dice.likely(ADOPTING, IDENTITY),
        application=replace(o.application, credentials=tuple(listed)),
        target=replace(
            t,
            published=replace(t.published, attempt=attempt),
            annotations={**t.annotations, **dice.likely(theirs, {})},
        ),
    )


def _undecided(seed: int, o: Observation) -> Observation:
    """Return the observation, now and then while nobody knows whether a grant matches."""
    dice = Dice(seed + 2**41)
    if dice.random() < 0.95:
        return o
    unknown = problem(Reason.GRANT_UNKNOWN, stalled=False)
    return replace(o, grant=unknown, may_read_tags=dice.choice([False, True]))


def _restarting(seed: int, o: Observation) -> Observation:
    """Return the observation, now and then with workloads that are to be restarted."""
    dice, wanted, t = Dice(seed + 2**40), o.resource.spec, o.target
    if dice.random() < 0.6 or not isinstance(wanted, AppCredentialSpec) or t is None:
        return o
    windows = dice.choice([(), (window("11:00", "12:00"),)])
    rotating = replace(wanted.rotation, restart=RestartSpec(), windows=windows)
    since = dice.likely(NOW - 4 * MINUTE, NOW - HOUR, NOW - MINUTE, NOW + DAY, odds=0.5)
    names = {"appcredential.io/restart-since": format_time(since)}
    signed = proven(t.published.attempt) if t.published is not None else None
    well = replace(o.memory, published_proof=signed, refused=None)
    known = dice.choice([well, well, o.memory])
    return replace(
        o,
        memory=known,
        grant=dice.likely(grant(), o.grant),
        resource=replace(o.resource, spec=replace(wanted, rotation=rotating)),
        target=replace(t, restart_since=since, annotations={**t.annotations, **names}),
        restarts=Restarts(
            seen=_seen_workloads(dice, wanted.secret.name),
            is_awaited=dice.random() < 0.05,
            patched=dice.choice([{}, {}, {"uid-0": NOW}]),
        ),
    )


def _seen_workloads(dice: Dice, secret: str) -> SeenWorkloads | None:
    stamps = [(), (NOW - SECOND,), (NOW - SECOND,), (NOW - 2 * HOUR,), (NOW + DAY,)]
    found = tuple(
        Workload(
            kind=WorkloadKind.DEPLOYMENT,
            name=f"w{number}",
            uid=f"uid-{number}",
            resource_version="1",
            stamps=dice.choice(stamps),
            progress=dice.choice(
                [Progress.COMPLETE, *Progress, Progress.FAILED, Progress.UNDER_WAY]
            ),
            pods=1,
            is_paused=dice.random() < 0.1,
        )
        for number in range(dice.choice([0, 1, 2, 3, 4]))
    )
    outcomes: list[tuple[Workload, ...] | Problem] = [found] * 5 + [RESTART_FORBIDDEN]
    seen = SeenWorkloads(
        selection=Selection(secret=secret),
        time=dice.choice([NOW] * 4 + [NOW - MINUTE]),
        found=dice.choice(outcomes),
    )
    return dice.choice([seen] * 5 + [None])


def _pods(dice: Dice) -> SeenPods | None:
    users = PodUsers(users=tuple(sorted(PodUser(dice.ago(), "Deployment/o") for _ in range(2))))
    outcomes: list[PodUsers | Problem] = [PodUsers(users=()), users, PODS_FORBIDDEN]
    found = dice.choice(outcomes)
    began = dice.choice([NOW, dice.ago()])
    time, names = dice.choice([NOW, began]), frozenset({spec().secret.name})
    seen = SeenPods(secrets=names, began=began, time=time, found=found)
    return dice.choice([seen, seen, seen, None, replace(seen, secrets=frozenset())])


def _plan(dice: Dice) -> Plan:
    parts = {
        made: dice.choice(["retiring", "retiring", "", dice.choice(["abandoned", ""])])
        for made in OTHERS
    }
    noise = dice.likely([], [dice.choice([CURRENT, COMING, RETRIED])])
    good = (dice.ago(OLD), NOW + 91 * DAY)
    return Plan(
        lives={CURRENT: dice.choice([good, good, good, dice.life()])}
        | {made: dice.likely((dice.ago(RECENT), NOW + 90 * DAY), dice.life()) for made in NEW}
        | {made: dice.choice([dice.life(), (dice.ago(OLD), NOW + 30 * DAY)]) for made in OTHERS},
        published=dice.likely(CURRENT, *ALL, odds=0.05),
        pending=dice.choice([None, dice.likely(COMING, RETRIED, CURRENT)]),
        retiring=[m for m, part in parts.items() if part == "retiring"] + dice.some(noise, 0.5),
        abandoned=[m for m, part in parts.items() if part == "abandoned"] + dice.some(noise, 0.5),
    )


def _resource(dice: Dice) -> Resource:
    usable = dice.choice(_SPECS)
    heir = replace(usable, secret=replace(usable.secret, take_over_from=OTHER_OWNER.name))
    usable = dice.likely(usable, heir, odds=0.3)
    odd: list[AppCredentialSpec | Problem] = [
        replace(usable, suspend=True),
        problem(Reason.INVALID_SPEC),
        spec(lifetime=MINUTE),
    ]
    seen = {"observedGeneration": 1, "application": {"clientId": CLIENT_ID}}
    return resource(
        dice.choice(odd) if dice.random() < 0.05 else usable,
        generation=dice.choice([1, 2]),
        has_finalizer=dice.random() > 0.03,
        deletion_time=dice.likely(None, NOW - MINUTE, NOW - SECOND, odds=0.05),
        creation_time=dice.ago(),
        status=dice.likely(seen, {"observedGeneration": -1}, {}),
    )


def _application(dice: Dice, plan: Plan) -> Application | None:
    theirs = {c.key_id: c for c in (_foreign(dice, whose) for whose in dice.some(FOREIGN, 0.2))}
    listed = (_listed(dice, plan, made) for made in ALL if made.key not in theirs)
    ours = [c for c in listed if c is not None]
    read = application(*ours, *theirs.values(), read_time=dice.likely(NOW, dice.ago()))
    return dice.likely(read, None, replace(read, object_id=ObjectId("another")), odds=0.04)


def _listed(dice: Dice, plan: Plan, made: Made) -> Credential | None:
    """Return how Entra lists this key, if at all."""
    used = {plan.published, plan.pending, *plan.retiring, *plan.abandoned}
    if dice.random() < (0.1 if made in used else 0.95):
        return None
    start, end = dice.likely(plan.lives[made], dice.life(), odds=0.05)
    return credential(made.key, attempt=made.attempt, start=start, end=end)


def _foreign(dice: Dice, whose: str) -> Credential:
    """Return a credential that is not ours; it may stand in our records all the same."""
    identity = {"clone": CLONE, "cluster": OTHER_IDENTITY}.get(whose, IDENTITY)
    made = dice.likely(Made(KeyId(f"key-of-{whose}"), "their-uid", 1), *OTHERS)
    start, end = dice.life()
    return credential(
        made.key,
        attempt=attempt_id(identity, made.uid, made.number),
        identity=identity,
        owner=OTHER_OWNER if whose == "owner" else OWNER,
        start=start,
        end=end,
        display_name="made in the portal" if whose == "portal" else None,
    )


def _target(dice: Dice, plan: Plan, wanted: AppCredentialSpec) -> Target | None:
    if dice.random() < 0.15:
        return dice.likely(None, _anothers(dice), odds=0.4)
    published = dice.likely(dice.ago(OLD), dice.ago(), odds=0.4)
    found = target(
        _holding(dice, plan, plan.published, is_next=False),
        spec=wanted,
        damaged=dice.random() < 0.05,
        retiring=tuple(_entry(dice, plan, made) for made in plan.retiring),
        abandoned=_journal(dice, plan),
        creation_time=dice.likely(published, dice.ago()),
        published_time=published,
    )
    odd = (
        replace(found, published=None, value=None),
        replace(found, immutable=True),
        replace(found, deletion_time=NOW),
        replace(found, object_id=ObjectId("another")),
        replace(found, labels={}),
    )
    return dice.likely(found, *odd, odds=0.08)


def _anothers(dice: Dice) -> Target:
    """Return a Secret that is not ours: taken from us, given to us, of nobody, or what else."""
    found = foreign_target()
    ours = FormerOwner(str(OWNER), "resource-uid", dice.choice([1, 2]))
    adopt = {"appcredential.io/adopt": str(dice.choice([OWNER, OTHER_OWNER]))}
    return dice.choice(
        [
            found,
            replace(found, taken_from=(ours,)),
            replace(found, immutable=True),
            replace(found, type="kubernetes.io/tls"),
            replace(found, owner="", published=None, value=None, annotations=adopt),
            replace(found, owner="billing/orders", annotations=adopt),
            replace(found, object_id=ObjectId("another")),
        ]
    )


def _target_owner(dice: Dice, t: Target | None) -> TargetOwner | None:
    """Return what is seen of the other resource that owns T."""
    if t is None or t.owner != str(OTHER_OWNER):
        return None
    gone = TargetOwner(t.owner, absent_since=dice.choice([NOW - MINUTE, NOW - 3 * MINUTE]))
    return dice.choice([TargetOwner(t.owner, "other-uid", 1), gone])


def _holding(dice: Dice, plan: Plan, made: Made, *, is_next: bool) -> IssuedCredential:
    start, end = dice.likely(plan.lives[made], dice.life(), odds=0.05)
    value = NEXT_SECRET if is_next else SECRET
    return minted(made.key, attempt=made.attempt, value=value, not_before=start, expires=end)


def _entry(dice: Dice, plan: Plan, made: Made) -> Retiring:
    entry = retiring(
        made.key,
        since=dice.likely(dice.ago(OLD), dice.ago(), odds=0.4),
        end=dice.likely(plan.lives[made][1], dice.life()[1]),
        cause=dice.choice(list(RetireCause)),
        removed=dice.likely(None, dice.ago(), odds=0.05),
    )
    aside = Random(f"{made.key} {entry.since} {entry.end}")  # noqa: S311 - seeded
    secret = aside.choice([*["orders-entra"] * 8, "", "another"])
    return replace(entry, secret=secret, ahead=aside.choice([timedelta(0), None, MINUTE]))


def _journal(dice: Dice, plan: Plan) -> tuple[Abandoned, ...]:
    used = dice.likely([], [COMING], odds=0.2)
    return tuple(abandoned(m.attempt) for m in (*dice.some(plan.abandoned, 0.7), *used))


def _pending(dice: Dice, plan: Plan) -> Pending | None:
    made, state = plan.pending, dice.choice([*PendingState, PendingState.MINTED])
    if made is None:
        return None
    odds = {PendingState.INTENT: 0.2, PendingState.MINTED: 1.0}.get(state, 0.4)
    holds = _holding(dice, plan, made, is_next=True) if dice.random() < odds else None
    found = pending(
        state,
        uid=made.uid,
        number=made.number,
        holder=dice.choice([HOLDER, "operator-1/2"]),
        intent_time=dice.ago(),
        minted_as=holds,
        value=dice.likely(NEXT_SECRET, None, odds=0.05),
        abandoned=_journal(dice, plan),
    )
    odd = (
        replace(found, uid="restored-uid"),
        replace(found, tenant_id=TenantId("another")),
        replace(found, credential=None, value=None),
    )
    return dice.likely(found, *odd, odds=0.08)


def _memory(dice: Dice, plan: Plan, t: Target | None, p: Pending | None) -> Memory:
    away = problem(Reason.DIRECTORY_UNAVAILABLE, stalled=False)
    held = t.published if t is not None else None
    return Memory(
        pending_proof=_proof(dice, p.attempt if p is not None else COMING.attempt),
        published_proof=_proof(dice, held.attempt if held is not None else CURRENT.attempt),
        absences={made.key: dice.choice([0, 2, 3]) for made in plan.retiring},
        removals={made.key: dice.ago() for made in dice.some(plan.retiring, 0.1)},
        directory_problem=dice.likely(None, away, odds=0.1),
        retry_time=dice.likely(None, NOW + SECOND, NOW - SECOND, odds=0.1),
    )


def _proof(dice: Dice, attempt: Attempt) -> Proof | None:
    if dice.random() < 0.2:
        return None
    whose = dice.likely(attempt, dice.choice(ALL).attempt, odds=0.1)
    if (whose, 0, 1) not in _PROOFS:
        return None
    run = _PROOFS[whose, dice.randrange(len(_RUNS)), dice.choice([1, 20, 60])]
    age = dice.likely(timedelta(0), *RECENT, odds=0.4)
    return replace(
        run,
        last_try=run.last_try - age,
        last_success=_earlier(run.last_success, age),
        failing_since=_earlier(run.failing_since, age),
        refused_since=_earlier(run.refused_since, age),
    )


def _earlier(time: datetime | None, by: timedelta) -> datetime | None:
    return time - by if time is not None else None
