"""Counts what became of the steps of a rotation, from what an effect noted."""

from __future__ import annotations

from typing import TypeAlias, assert_never

from appcredential.domain import actions as act
from appcredential.domain.facts.trigger import trigger
from appcredential.domain.observed.memory import Memory
from appcredential.domain.observed.observation import Observation
from appcredential.domain.observed.operation import Operation
from appcredential.domain.promised import required
from appcredential.effects.context import Step
from appcredential.runtime.metrics_of_work import RotationMetrics

_SignIn: TypeAlias = act.SignInPending | act.SignInPublished | act.ProveFederated

_ISSUED = "issued"
_UNKNOWN = "unknown"


def count_outcome(metrics: RotationMetrics, step: Step) -> None:
    """Count the outcome of an action that was performed; most have none.

    Args:
        metrics: where it is counted.
        step: as it was decided; its state holds what the effect noted.
    """
    match step.decision.action:
        case act.SignInPending() | act.SignInPublished() | act.ProveFederated() as action:
            _count_proof(metrics, action, step.state.memory)
        case act.Mint() | act.Register():
            _count_mint(metrics, step)
        case act.CreateFederated() | act.PatchFederated():
            metrics.mints.labels(_type_of(step), _refusal(step) or _ISSUED).inc()
        case act.Publish() if _is_published(step):
            _count_rotation(metrics, step, "published")
            step.state.failures = 0
        case act.Fence() if _is_issued(step.observation):
            _fail(metrics, step)
        case _:
            pass  # what it does is counted as an effect, and has no outcome of its own


def _count_proof(metrics: RotationMetrics, action: _SignIn, memory: Memory) -> None:
    match action:
        case act.SignInPending():
            subject, proof = "pending", memory.pending_proof
        case act.SignInPublished():
            subject, proof = "published", memory.published_proof
        case act.ProveFederated():
            subject, proof = "federated", memory.pending_proof
        case _:
            assert_never(action)
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
    """Return the reason for which Entra refused what the step asked for."""
    memory = step.state.memory
    is_mint = memory.problem_operation is Operation.MINT
    problem = memory.directory_problem if is_mint else None
    return str(problem.reason) if problem is not None else None


def _fail(metrics: RotationMetrics, step: Step) -> None:
    step.state.failures += 1
    _count_rotation(metrics, step, "failed")


def _count_rotation(metrics: RotationMetrics, step: Step, result: str) -> None:
    metrics.rotations.labels(result, str(trigger(required(step.decision.facts)))).inc()


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
