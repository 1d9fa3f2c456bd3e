"""What this process holds of one AppCredential between passes.

Pieces are re-read once they are older than the freshness bound; our own write
answers replace them. So an issue needs few reads, and no effect ever rests on
anything older than the bound.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from appcredential.domain.audit import LostAnswer
from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.lifecycle_settings import LifecycleSettings
from appcredential.domain.marker import Attempt, Owner
from appcredential.domain.observed.certificate import CertificateInputs
from appcredential.domain.observed.entra import Application
from appcredential.domain.observed.federated import FederatedList, OutputMap, ServiceAccount
from appcredential.domain.observed.memory import Memory
from appcredential.domain.observed.observation import Resource
from appcredential.domain.observed.pods import SeenPods
from appcredential.domain.observed.target import Pending, Target, TargetOwner
from appcredential.domain.observed.workloads import SeenWorkloads
from appcredential.domain.resumption import LastKnown
from appcredential.gather.asked import AskedLook
from appcredential.gather.cached_read import CachedRead
from appcredential.gather.certificate_source import HeldInputs
from appcredential.gather.clock_watch import ClockWatch
from appcredential.gather.outline import outline, resting
from appcredential.gather.shown import ShownTarget
from appcredential.gather.tag_notes import TagNotes
from appcredential.gather.term_notes import TermNotes

_LET_GO: Final = Problem(reason=Reason.INVALID_SPEC, message="Not held.")


@dataclass(slots=True)
class ResourceState:
    """Everything held of one resource.

    `application`, `federated` and `pods` are as old as they say. `awaits_pods`: a look at pods was
    asked for in this pass, and its answer is to come; `awaits_workloads` likewise. `restarted`:
    when this process restarted which workloads, by uid, until all are. `has_begun` says that this
    process began something that a deletion has to undo; `unbegun_term` is its last term in which
    it saw that nobody had begun anything yet. `made` is the attempt that this process made and has
    not begun to publish, with the term. `is_settled`: the last pass ended behind the gates with
    nothing to do, so that a change of what was read is news. `is_well`: all was as the spec asks.
    `resumed`: nothing was read yet but its status; see `gather/resumed.py`. `lost_answer`: a change
    of a federated credential that may have been done. `notes`: for the metrics.
    """

    resource: CachedRead[Resource] = field(default_factory=CachedRead)
    target: CachedRead[Target] = field(default_factory=CachedRead)
    pending: CachedRead[Pending] = field(default_factory=CachedRead)
    target_owner: CachedRead[TargetOwner] = field(default_factory=CachedRead)
    service_account: CachedRead[ServiceAccount | Problem] = field(default_factory=CachedRead)
    output: CachedRead[OutputMap | Problem] = field(default_factory=CachedRead)
    federated: FederatedList | None = None
    application: Application | None = None
    tags: TagNotes = field(default_factory=TagNotes)
    pods: SeenPods | None = None
    awaits_pods: bool = False
    workloads: SeenWorkloads | None = None
    awaits_workloads: bool = False
    restarted: dict[str, datetime] = field(default_factory=dict)
    certificate_inputs: CachedRead[CertificateInputs] = field(default_factory=CachedRead)
    held_inputs: HeldInputs = field(default_factory=HeldInputs)
    crd_deleted: bool | None = None
    memory: Memory = field(default_factory=Memory)
    clock: ClockWatch = field(default_factory=ClockWatch)
    stalled_reason: str = ""
    notes: TermNotes = field(default_factory=TermNotes)
    has_begun: bool = False
    unbegun_term: int | None = None
    made: tuple[Attempt, int] | None = None
    is_settled: bool = False
    is_well: bool = False
    shown_target: ShownTarget | None = None
    resumed: LastKnown | None = None
    lost_answer: LostAnswer | None = None
    asked: AskedLook = field(default_factory=AskedLook)

    def bound(self, settings: LifecycleSettings) -> float:
        """Return how many seconds old may be what a decision takes for the state of the cluster.

        While all is well, events and looks tell of each change. An effect and a write of status
        rest on fresh reads all the same: they have everything read anew first.
        """
        bound = settings.full_check / 2 if self.is_well else settings.freshness
        return max(bound, settings.freshness).total_seconds()

    def settle(self, *, is_well: bool) -> None:
        """Note that the last pass found nothing to do behind the gates.

        While all is well, nothing of either Secret's content stays in memory, and no
        document but what the looks need. The next pass, hours later or because of a change, reads
        both anew. What a person supplies stays: to open it again may cost seconds.
        """
        self.is_settled, self.is_well, self.resumed = True, is_well, None
        resource, target, pending = self.resource.value, self.target.value, self.pending.value
        if is_well and resource is not None:
            self.resource.keep_outline(replace(resource, status={}))
        if is_well:
            self.held_inputs.derived = None
        if is_well and pending is not None:
            self.pending.keep_outline(replace(pending, value=None))  # it waits for a window
        if is_well and target is not None:
            self.target.keep_outline(resting(target))

    def has_news(self) -> bool:
        """Return whether a watch showed another target Secret than was read last."""
        shown, held = self.shown_target, self.target
        return shown is not None and (held.read is None or shown.is_news_to(held.value))

    def begin_asked(self, now: datetime) -> None:
        """Let go of all reads, and of what keeps from trying, if a complete look begins now.

        What reads and sign-ins have proven stays: else who asks again and again would keep a
        missing credential from being noticed, and a successor from being proven.
        """
        if self.asked.begin(now):
            self.drop()
            self.application = self.federated = self.pods = self.workloads = None
            self.held_inputs = HeldInputs()
            self.memory = self.memory.without_problem().tries_trusts()

    def drop(self) -> None:
        """Make the next pass read all Kubernetes objects anew."""
        for part in (*self._parts(), self.certificate_inputs):
            part.drop()
        self.crd_deleted = None
        self.is_settled = self.is_well = False

    def drop_older(self, now: float, seconds: float) -> None:
        """Make the next pass read anew what was read more than `seconds` ago."""
        for part in (*self._parts(), self.certificate_inputs):
            if not part.is_fresh(now, seconds):
                part.drop()
        self.crd_deleted = None
        self.is_settled = self.is_well = False

    def let_go(self, *, is_granted: bool) -> None:
        """Keep of the cluster's objects only what small facts need, and read them anew next time.

        Who may create a resource, without any grant, decides how large it is, and which Secret,
        ServiceAccount and ConfigMap it names. Many resources may name the same large one.
        """
        self.is_settled = self.is_well = False
        held, target = self.resource.value, self.target.value
        if held is not None:
            self.resource.value = replace(held, spec=_LET_GO, status={}, finalizers=())
        is_ours = held is not None and target is not None and target.owner == str(held.owner)
        self.target.value = outline(target) if target is not None and is_ours else None
        self.resource.drop()
        self.target.drop()
        if not self.pending.is_absent:
            self.pending = CachedRead()
        self.service_account = CachedRead()
        self.output = CachedRead()
        self.pods = self.workloads = None
        if not is_granted:
            self.application = None  # a list may show its tags sooner than anybody reads it again

    @property
    def is_let_go(self) -> bool:
        """The last pass ended before a gate: the next one, in its time, reads all anew."""
        return self.resource.value is not None and self.resource.value.spec is _LET_GO

    def resource_changed(self) -> None:
        """Read the resource anew, and all else that is older than the freshness bound."""
        self.resource.drop()
        self.is_well = False

    def spec_changed(self) -> None:
        """Let go of what the former spec named, and of what was refused of it."""
        self.service_account.drop()
        self.output.drop()
        self.certificate_inputs.drop()
        self.memory = self.memory.spec_changed()

    def start_anew(self) -> None:
        """Forget all: a resource re-created under the same name is another one."""
        self.forget_times()
        self.restarted = {}
        self.has_begun = False
        self.unbegun_term = None
        self.made = None
        self.lost_answer, self.notes = None, TermNotes()

    def forget_times(self) -> None:
        """Forget what was read and learnt, as after a step of the clock.

        What this process began stays known: no clock can undo it.
        """
        self.drop()
        self.application = None
        self.federated = None
        self.tags = TagNotes()
        self.pods = self.workloads = None
        self.held_inputs = HeldInputs()
        self.memory = Memory()
        self.stalled_reason = ""

    def age(self, now: float) -> float:
        """Return the age in seconds of the oldest read of a Kubernetes object."""
        return max((now - p.read for p in self._parts() if p.read is not None), default=0.0)

    def _parts(self) -> tuple[CachedRead[Any], ...]:
        secrets: tuple[CachedRead[Any], ...] = (self.target, self.pending, self.target_owner)
        return (self.resource, *secrets, self.service_account, self.output)


class ResourceStates:
    """The state of each AppCredential, by its namespace and name."""

    def __init__(self) -> None:
        self._states: dict[Owner, ResourceState] = {}

    def of(self, owner: Owner) -> ResourceState:
        """Return the state of a resource; an empty one at first."""
        return self._states.setdefault(owner, ResourceState())

    def known(self, owner: Owner) -> ResourceState | None:
        """Return the state of a resource; None when nothing is held of it."""
        return self._states.get(owner)

    def invalidate(self, owner: Owner) -> None:
        """Make the next pass read the target Secret again: another resource may have it."""
        state = self._states.get(owner)
        if state is not None:
            state.target.drop()

    def settled(self) -> Iterator[tuple[Owner, ResourceState]]:
        """Yield the resources whose last pass found nothing to do behind the gates."""
        return ((o, state) for o, state in self._states.items() if state.is_settled)

    def resumed(self) -> Iterator[tuple[Owner, ResourceState]]:
        """Yield the resources of which only status is known."""
        return ((o, state) for o, state in self._states.items() if state.resumed is not None)

    def count_resumed(self) -> int:
        """Return how many of these there are; for any thread."""
        return sum(state.resumed is not None for state in list(self._states.values()))

    def noted(self, term: int) -> list[tuple[str, str, TermNotes]]:
        """Return what a term as the leader has taught of which resources; for any thread."""
        known = list(self._states.items())
        return [(o.namespace, o.name, s.notes) for o, s in known if s.notes.term == term]

    def forget(self, owner: Owner) -> None:
        """Drop what is held of a resource that is gone."""
        self._states.pop(owner, None)
