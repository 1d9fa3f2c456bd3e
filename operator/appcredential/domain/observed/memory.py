"""What only this process knows of a resource between two looks, and how it learns that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.empty import no_entries
from appcredential.domain.judgement import Judgement
from appcredential.domain.observed.entra import Application
from appcredential.domain.observed.federated import FederatedList, FederatedMemory
from appcredential.domain.observed.operation import Operation
from appcredential.domain.observed.refusals import OF_SPEC
from appcredential.domain.observed.target import Pending, Target
from appcredential.domain.proof import Proof
from appcredential.domain.spec.model import KeyId

REQUIRED_READS: Final = 3
READ_SPACING: Final = timedelta(seconds=5)
RETRY: Final = timedelta(seconds=10)
"""How long to leave Graph alone after a failure that passes by itself."""
RETRY_CAP: Final = timedelta(minutes=5)
"""The same after a failure that only a person can end."""

_MAX_MISSES: Final = 9
_MAX_REPAIRS: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What only this process knows: to lose it costs time, never safety. Methods return a copy.

    Attributes:
        pending_proof: sign-ins with the pending Secret's value.
        published_proof: sign-ins with the target Secret's value.
        refused: what Entra answered to these that was no token; of a FederatedIdentity, too.
        absences: consecutive direct reads that lacked a key.
        absent_since: time of the first of these reads.
        consecutive_reads: times of the last consecutive direct reads that showed a key that a
            Secret holds.
        application_missing: times of consecutive 404 answers for the application.
        removals: when this process removed a key.
        met: when this process first met a recorded time that lies ahead.
        issued: when this process last asked Entra for a credential.
        repairs: when this process last wrote the target Secret only because its rendering
            differed.
        federated: of a FederatedIdentity.
        directory_problem: why the last operation failed.
        problem_operation: which one that was; None without a problem.
        problem_skew: Entra's clock minus ours then; None when it was not known.
        retry_time: no Graph call for this resource before then.
    """

    pending_proof: Proof | None = None
    published_proof: Proof | None = None
    refused: Judgement | None = None
    absences: Mapping[KeyId, int] = field(default_factory=no_entries)
    absent_since: Mapping[KeyId, datetime] = field(default_factory=no_entries)
    consecutive_reads: Mapping[KeyId, tuple[datetime, ...]] = field(default_factory=no_entries)
    application_missing: tuple[datetime, ...] = ()
    removals: Mapping[KeyId, datetime] = field(default_factory=no_entries)
    met: Mapping[datetime, datetime] = field(default_factory=no_entries)
    issued: datetime | None = None
    repairs: tuple[datetime, ...] = ()
    federated: FederatedMemory = field(default_factory=FederatedMemory)
    directory_problem: Problem | None = None
    problem_operation: Operation | None = None
    problem_skew: timedelta | None = None
    retry_time: datetime | None = None

    @property
    def lacks_application(self) -> bool:
        """Two direct reads in a row did not find the application: a replica seldom lags twice."""
        return len(self.application_missing) > 1

    # --- failures -------------------------------------------------------------------------

    def failed(
        self,
        operation: Operation,
        problem: Problem,
        retry_time: datetime,
        skew: timedelta | None = None,
    ) -> Memory:
        """Note why an operation failed, when to try again, and Entra's clock minus ours then."""
        return replace(
            self,
            directory_problem=problem,
            problem_operation=operation,
            problem_skew=skew,
            retry_time=retry_time,
        )

    def succeeded(self, operation: Operation) -> Memory:
        """Drop the problem of an operation that works now, or a pause that is of no problem."""
        if self.problem_operation not in {None, operation}:
            return self
        return self.without_problem()

    def spec_changed(self) -> Memory:
        """Drop a refusal of what the former spec asked for: nobody has judged the new one.

        Nor is it a repair to write what a person has just asked for: the pauses between repairs
        are for those who alter what was written.
        """
        return replace(self.spared(OF_SPEC).tries_trusts(), repairs=())

    def spared(self, reasons: frozenset[Reason]) -> Memory:
        """Drop the problem, and its pause, if it has one of these reasons."""
        problem = self.directory_problem
        return self if problem is None or problem.reason not in reasons else self.without_problem()

    def awaits_turn(self, until: datetime) -> Memory:
        """Note when to come again: others go first. It is nobody's problem, and hides none."""
        return replace(self, retry_time=until)

    def without_problem(self) -> Memory:
        """Drop the last problem with its pause, so that it is tried again now."""
        return replace(self, directory_problem=None, problem_operation=None, retry_time=None)

    def tries_trusts(self) -> Memory:
        """Drop what Entra did not take of a list, so that each is tried again now."""
        return replace(self, federated=replace(self.federated, failed=no_entries()))

    # --- reads of the application -----------------------------------------------------------

    def saw_application(
        self,
        found: Application,
        before: Application | None,
        *,
        target: Target | None,
        pending: Pending | None,
    ) -> Memory:
        """Note which of the keys that the Secrets record a read showed.

        Args:
            found: the application as read now.
            before: as read last; the same read counts once, however many ask for it.
            target: the target Secret.
            pending: the pending Secret.
        """
        memory = replace(self, application_missing=()).succeeded(Operation.READ)
        if before is not None and found.read_time == before.read_time:
            return memory
        listed, held = {c.key_id for c in found.credentials}, _held_keys(target, pending)
        retiring = {r.key_id for r in target.retiring} if target is not None else set()
        lacking = (retiring | held) - listed
        return replace(
            memory,
            published_proof=self._proof_beside(lacking, target),
            absences={
                key: 0 if key in listed else self.absences.get(key, 0) + 1
                for key in retiring | held
            },
            absent_since={key: self.absent_since.get(key, found.read_time) for key in lacking},
            consecutive_reads={key: self._reads_of(key, found) for key in held & listed},
        )

    def _proof_beside(self, lacking: set[KeyId], target: Target | None) -> Proof | None:
        """Return the sign-ins with what is published, as far as they tell whether it is gone.

        What was refused while Entra listed it had another cause. Else one read of a replica that
        lags would make old refusals the proof that it is gone.
        """
        proof, published = self.published_proof, target.published if target is not None else None
        if proof is None or published is None:
            return proof
        is_first = published.key_id in lacking and published.key_id not in self.absent_since
        return proof.without_refusals() if is_first else proof

    def _reads_of(self, key: KeyId, found: Application) -> tuple[datetime, ...]:
        """Return the reads in a row that showed a key, so far apart that they count."""
        seen = self.consecutive_reads.get(key, ())
        if not seen or found.read_time - seen[-1] >= READ_SPACING:
            seen = (*seen, found.read_time)[-REQUIRED_READS:]
        return seen

    def missed_application(self, now: datetime) -> Memory:
        """Note a 404 answer. The first one is kept: it tells for how long."""
        missing = (*self.application_missing, now)
        pause = min(RETRY * 2 ** min(len(missing) - 1, 5), RETRY_CAP)
        kept = (missing[0], *missing[1:][1 - _MAX_MISSES :])
        return replace(self, application_missing=kept, retry_time=now + pause)

    # --- writes ---------------------------------------------------------------------------

    def removed(self, key: KeyId, now: datetime) -> Memory:
        """Note that this process removed a credential."""
        return replace(self, removals={**self.removals, key: now}).succeeded(Operation.REMOVE)

    def issues(self, now: datetime) -> Memory:
        """Note that Entra is asked for a credential, whatever comes of it."""
        return replace(self, issued=now)

    def repaired(self, now: datetime) -> Memory:
        """Note that the target Secret was written only because its rendering differed."""
        return replace(self, repairs=(*self.repairs, now)[-_MAX_REPAIRS:])

    # --- federated credentials --------------------------------------------------------------

    def saw_federated(self, found: FederatedList, now: datetime) -> Memory:
        """Note since when each of the listed federated credentials is seen."""
        known = self.federated.seen
        seen = {c.id: known.get(c.id, now) for c in found.credentials}
        federated = replace(self.federated, seen=seen)
        return replace(self, federated=federated).succeeded(Operation.READ)

    def wrote_federated(self, attempt: str, now: datetime, *, is_changed: bool) -> Memory:
        """Note that a federated credential was made or changed.

        What exchanges have shown of the former trust says nothing of the new one.

        See `FederatedMemory.wrote`.
        """
        federated = self.federated.wrote(attempt, now, is_changed=is_changed)
        found = self._without_exchanges(attempt) if is_changed else self
        return replace(found, federated=federated).succeeded(Operation.MINT)

    def _without_exchanges(self, attempt: str) -> Memory:
        tried, published, refused = self.pending_proof, self.published_proof, self.refused
        return replace(
            self,
            pending_proof=None if tried is not None and tried.attempt == attempt else tried,
            published_proof=(
                None if published is not None and published.attempt == attempt else published
            ),
            refused=None if refused is not None and refused.attempt == attempt else refused,
        )

    def removed_federated(self, id_: str, now: datetime) -> Memory:
        """Note that this process removed a federated credential."""
        removed = {**self.federated.removed, id_: now}
        federated = replace(self.federated, removed=removed)
        return replace(self, federated=federated).succeeded(Operation.REMOVE)


def _held_keys(target: Target | None, pending: Pending | None) -> set[KeyId]:
    """Return the keys of the credentials whose values the Secrets hold."""
    published = target.published if target is not None else None
    successor = pending.credential if pending is not None else None
    return {c.key_id for c in (published, successor) if c is not None}
