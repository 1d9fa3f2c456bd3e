"""Counts what became of the steps of a rotation, from what an effect noted."""

from __future__ import annotations

from appcredential.domain import actions as act
from appcredential.domain.facts.trigger import trigger
from appcredential.domain.observed.observation import Observation
from appcredential.domain.observed.operation import Operation
from appcredential.domain.promised import required
from appcredential.domain.proof import Proof
from appcredential.effects.context import Step
from appcredential.effects.federated_audit import attempt_of
from appcredential.gather.term_notes import TermNotes
from appcredential.runtime.metrics_of_work import RotationMetrics

_ISSUED = "issued"
_UNKNOWN = "unknown"


def count_outcome(metrics: RotationMetrics, step: Step) -> None:
    """Count the outcome of an action that was performed; most have none.

    Args:
        metrics: where it is counted.
        step: as it was decided; its state holds what the effect noted.
    """
    action, memory = step.decision.action, step.state.memory
    if isinstance(action, act.SignInPending):
        _count_proof(metrics, "pending", memory.pending_proof)
    elif isinstance(action, act.SignInPublished):
        _count_proof(metrics, "published", memory.published_proof)
    elif isinstance(action, act.ProveFederated):
        _count_proof(metrics, "federated", memory.pending_proof)
    elif isinstance(action, act.Mint | act.Register):
        _count_mint(metrics, step)
    elif isinstance(action, act.CreateFederated | act.PatchFederated):
        metrics.mints.labels(_type_of(step), _refusal(step) or _written(step)).inc()
    else:
        _count_end(metrics, step)


def _count_end(metrics: RotationMetrics, step: Step) -> None:
    """Count the end of an attempt, if the action is one."""
    action = step.decision.action
    if isinstance(action, act.Publish) and _is_published(step):
        _count_rotation(metrics, step, "published")
        _notes(step).failures = 0
    elif isinstance(action, act.Fence) and _is_issued(step.observation):
        _fail(metrics, step)


def _count_proof(metrics: RotationMetrics, subject: str, proof: Proof | None) -> None:
    if proof is not None:
        metrics.proofs.labels(subject, str(proof.result.kind)).inc()


def _count_mint(metrics: RotationMetrics, step: Step) -> None:
    """Count a call that creates a credential; a certificate is made in the cluster before that."""
    is_staging = isinstance(step.decision.action, act.Mint) and _is_certificate(step)
    held = step.state.pending.value
    outcome = _refusal(step)
    if outcome is None and is_staging:
        return  # nothing was asked of Entra yet
    if outcome is None:
        outcome = _ISSUED if held is not None and held.credential is not None else _UNKNOWN
    metrics.mints.labels(_type_of(step), outcome).inc()
    if outcome != _ISSUED:
        _fail(metrics, step)


def _refusal(step: Step) -> str | None:
    """Return the reason for which Entra refused what the step asked for.

    What an earlier step was refused for stays in memory until something is issued.
    """
    memory = step.state.memory
    if (failed := _not_taken(step)) is not None:
        return failed
    is_news = memory.retry_time != step.observation.memory.retry_time
    is_mint = is_news and memory.problem_operation is Operation.MINT
    problem = memory.directory_problem if is_mint else None
    return str(problem.reason) if problem is not None else None


def _not_taken(step: Step) -> str | None:
    """Return why Entra did not take this one federated credential; None if it was not refused."""
    action = step.decision.action
    if not isinstance(action, act.CreateFederated | act.PatchFederated):
        return None
    attempt = attempt_of(action.description)
    before = step.observation.memory.federated.failed.get(attempt)
    after = step.state.memory.federated.failed.get(attempt)
    return str(after.problem.reason) if after is not None and after != before else None


def _written(step: Step) -> str:
    """Return what became of a federated credential that nobody refused to write."""
    before, after = step.observation.memory.federated, step.state.memory.federated
    return _ISSUED if after.written != before.written else _UNKNOWN


def _fail(metrics: RotationMetrics, step: Step) -> None:
    _notes(step).failures += 1
    _count_rotation(metrics, step, "failed")


def _count_rotation(metrics: RotationMetrics, step: Step, result: str) -> None:
    metrics.rotations.labels(result, str(trigger(required(step.decision.facts)))).inc()


def _notes(step: Step) -> TermNotes:
    return step.state.notes.of(step.tools.process.terms.begun)


def _is_published(step: Step) -> bool:
    """Return whether the target Secret holds now what the pending Secret held."""
    pending, target = step.observation.pending, step.state.target.value
    held = pending.credential if pending is not None else None
    published = target.published if target is not None else None
    return held is not None and published is not None and held.key_id == published.key_id


def _is_issued(observation: Observation) -> bool:
    pending = observation.pending
    return pending is not None and pending.credential is not None


def _is_certificate(step: Step) -> bool:
    return required(step.decision.facts).spec.type.is_certificate


def _type_of(step: Step) -> str:
    return str(required(step.decision.facts).spec.type)
