"""The conditions of a client secret or certificate."""

from __future__ import annotations

from appcredential.domain.conditions import Condition, ConditionType, Problem, Reason
from appcredential.domain.facts.facts import Facts
from appcredential.domain.facts.published import is_missing, seems_gone
from appcredential.domain.facts.takeover import may_be_of_former_life
from appcredential.domain.facts.writable import holds_another_type
from appcredential.domain.observed.observation import Observation
from appcredential.domain.observed.target import IssuedCredential
from appcredential.domain.proof import SignInClass
from appcredential.domain.rotation import is_overdue, wanted_lifetime
from appcredential.domain.spec.model import AppCredentialSpec, VerificationMode
from appcredential.domain.status.adopted import adopted_note
from appcredential.domain.status.held import held_until
from appcredential.domain.status.lost_secret import lost_secret
from appcredential.domain.status.not_owner import not_owner
from appcredential.domain.status.published import (
    awaited,
    entra_now,
    is_keyless,
    is_known_gone,
    is_renewed_at_source,
    is_rotating,
    planned,
    valid_published,
)
from appcredential.domain.status.refused_published import NOT_LISTED, refusal_of
from appcredential.domain.status.restart import READY, restart_problem
from appcredential.domain.status.retiring import unreadable_pods_problem
from appcredential.domain.status.source import SOURCE_REASONS
from appcredential.domain.status.successor import pending_proof, sign_in_problem

PAUSED = frozenset({Reason.SUSPENDED, Reason.OBSERVING})
"""The operator does nothing because the spec says so."""

_BEING_TRIED = frozenset({Reason.SIGN_IN_REJECTED, Reason.CERTIFICATE_REJECTED})
"""A successor that Entra refuses is tried again until it is given up, and then made anew."""

_UNMET = frozenset({Reason.INVALID_SPEC, Reason.SECRET_TAKEN_OVER, Reason.APPLICATION_CHANGED})
"""Problems with which the Secret is not what this generation asks for."""


def ready(observation: Observation, facts: Facts | None, problem: Problem | None) -> Condition:
    """Return Ready: whether workloads can sign in with what the Secret holds.

    What is worst is said first: that nobody can sign in counts more than what keeps the operator
    from mending it.
    """
    published, kind = valid_published(observation), ConditionType.READY
    worst = _worst(observation, facts)
    if worst is not None:
        beside = "" if problem is None or problem == worst else f" {problem.message}"
        message = f"{worst.message}{beside}"
        return Condition.false(kind, worst.reason, message)
    if published is not None and not _is_unmet(observation, problem):
        return _ready(observation, facts, published, problem)
    if problem is not None:
        is_known = not may_be_of_former_life(observation)
        message = problem.message if is_known else f"{problem.message} {_FORMER}"
        return Condition.false(kind, problem.reason, message)
    return Condition.false(kind, Reason.PROGRESSING, "The credential is being issued and proven.")


def _worst(observation: Observation, facts: Facts | None) -> Problem | None:
    """Return why workloads cannot sign in with what the Secret holds, if that is known."""
    if (lost := lost_secret(observation)) is not None:
        return lost
    if is_known_gone(observation, facts):
        return _GONE
    if facts is not None and is_missing(facts):
        return _MISSING
    if (refused := refused_problem(observation)) is not None:
        return refused
    target = observation.own_target
    is_intact = target is not None and target.published is not None and target.value is not None
    return _EXPIRED if is_intact and valid_published(observation) is None else None


def refused_problem(observation: Observation) -> Problem | None:
    """Return why Entra refuses workloads, too, that sign in with the published credential."""
    published = valid_published(observation)
    refused = refusal_of(observation, published) if published is not None else None
    return refused.problem if refused is not None and refused.is_for_everybody else None


_GONE = Problem(reason=Reason.SIGN_IN_REJECTED, message="Entra refuses the published credential.")
_MISSING = Problem(
    reason=Reason.CREDENTIAL_MISSING,
    message="Entra does not list the published credential any more.",
)
_FORMER = (
    "The Secret holds what an earlier AppCredential of this name published. It counts as this "
    "one's once the operator has seen in Entra that it is of the same application."
)
_EXPIRED = Problem(reason=Reason.EXPIRED, message="The published credential has expired.")


def _is_unmet(observation: Observation, problem: Problem | None) -> bool:
    """Return whether a valid credential in the Secret is not what this generation asks for."""
    if problem is None:
        return False
    if problem.reason is Reason.APPLICATION_NOT_FOUND and observation.memory.lacks_application:
        return True
    spec = observation.resource.spec
    if problem.reason is Reason.LIFETIME_TOO_SHORT and isinstance(spec, AppCredentialSpec):
        return wanted_lifetime(spec) < observation.settings.min_lifetime  # else others' limits
    if may_be_of_former_life(observation):
        return True  # open gates show no such Secret as ours; closed ones may hide that it is one
    return problem.reason in _UNMET or holds_another_type(observation)


def _ready(
    observation: Observation,
    facts: Facts | None,
    published: IssuedCredential,
    problem: Problem | None,
) -> Condition:
    kind = ConditionType.READY
    if problem is not None and problem.reason in PAUSED:
        message = "The Secret holds a valid credential; it is not renewed."
        return Condition.true(kind, problem.reason, message)
    if problem is not None and (
        problem.reason in SOURCE_REASONS or is_rotating(observation, facts, published)
    ):
        message = f"The published credential works. {problem.message}"
        return Condition.true(kind, Reason.ROTATION_FAILING, message)
    if facts is not None and seems_gone(facts):
        message = f"{_MISSING.message} It was not refused yet."
        return Condition.true(kind, Reason.CREDENTIAL_MISSING, message)
    kept = _kept_for_workloads(facts) if facts is not None else None
    if kept is not None:
        return Condition.true(kind, kept.reason, f"{READY} {kept.message}")
    if (unowned := not_owner(observation, READY)) is not None:
        return Condition.true(kind, unowned.reason, f"{READY} {unowned.message}")
    return Condition.true(kind, Reason.PUBLISHED, f"{READY}{adopted_note(observation, facts)}")


def _kept_for_workloads(facts: Facts) -> Problem | None:
    """Return why replaced credentials stay until their own end."""
    return restart_problem(facts) or unreadable_pods_problem(facts)


def verified(observation: Observation, facts: Facts | None) -> Condition:
    """Return Verified: whether the published credential, or a failing successor, signed in."""
    proof, kind = pending_proof(facts), ConditionType.VERIFIED
    problem = sign_in_problem(facts) if facts is not None and proof is not None else None
    if proof is not None and problem is not None:
        is_judged = proof.result.kind in {SignInClass.NOT_YET, SignInClass.APPLICATION}
        of = Condition.false if is_judged else Condition.unknown
        return of(kind, problem.reason, problem.message)
    if is_known_gone(observation, facts):
        return Condition.false(kind, Reason.SIGN_IN_REJECTED, NOT_LISTED)
    target, published = observation.own_target, valid_published(observation)
    refused = refusal_of(observation, published) if published is not None else None
    if refused is not None:
        return refused.verified
    if target is not None and target.published is not None and target.verified_time is not None:
        message = "The published credential signed in before it was published."
        return Condition.true(kind, Reason.PROVEN, message)
    if is_keyless(observation):
        return Condition.unknown(
            kind,
            Reason.NOT_VERIFIABLE,
            "The certificate's private key is elsewhere, so no sign-in could be tried. Workloads "
            "that read its source may use a renewed one before it is registered.",
        )
    spec = observation.resource.spec
    if isinstance(spec, AppCredentialSpec) and spec.verification.mode is VerificationMode.DISABLED:
        return Condition.unknown(kind, Reason.DISABLED, "spec.verification.mode is Disabled.")
    return Condition.unknown(kind, Reason.NOT_VERIFIED, "No credential has been proven yet.")


def expiring(observation: Observation, facts: Facts | None) -> Condition:
    """Return Expiring: whether the published credential nears its end without a successor."""
    target, kind = observation.own_target, ConditionType.EXPIRING
    if target is not None and target.published is not None and valid_published(observation) is None:
        message = "The published credential has expired or its value was damaged."
        return Condition.true(kind, Reason.EXPIRED, message)
    if held_until(facts) is not None:
        message = "A successor is published when the next of spec.rotation.windows opens."
        return Condition.false(kind, Reason.NOT_DUE, message)
    plan = planned(observation, facts)
    if plan is not None and is_overdue(plan, entra_now(observation)):
        message = "The renewal is overdue and no successor is published."
        return Condition.true(kind, Reason.RENEWAL_DUE, message)
    message = "No published credential is near its end."
    return Condition.false(kind, Reason.NOT_DUE, message)


def abnormal(
    observation: Observation, facts: Facts | None, ready: Condition, problem: Problem | None
) -> list[Condition]:
    """Return Stalled, or Reconciling while the spec is not met; never both."""
    if problem is not None and problem.stalled:
        return [Condition.true(ConditionType.STALLED, problem.reason, problem.message)]
    if problem is not None and problem.reason in PAUSED:
        return []
    kind, waits_for = ConditionType.RECONCILING, awaited(observation, facts)
    if facts is not None and is_renewed_at_source(facts) and held_until(facts) is None:
        reason, message = _renewed_at_source(observation)
        return [Condition.true(kind, reason, message)]
    if problem is not None and (ready.status != "True" or problem.reason in _BEING_TRIED):
        return [Condition.true(kind, problem.reason, problem.message)]
    if ready.status != "True":
        return [Condition.true(kind, ready.reason, ready.message)]
    return [] if waits_for is None else [Condition.true(kind, Reason.PROGRESSING, waits_for)]


def _renewed_at_source(observation: Observation) -> tuple[Reason, str]:
    if is_keyless(observation):
        return Reason.SOURCE_RACE, (
            "The certificate was renewed at its source and is being registered. Workloads that "
            "read the source sign in with it once that is done."
        )
    return Reason.PROGRESSING, (
        "The source holds another certificate than the Secret: it is being registered and proven, "
        "and is published then."
    )


def observed_generation(
    observation: Observation, ready: Condition, problem: Problem | None, awaited: str | None
) -> int:
    """Return the generation whose outcome status shows: ready, stalled or suspended."""
    settled = ready.status == "True" or (
        problem is not None and (problem.stalled or problem.reason in PAUSED)
    )
    waits = awaited is not None and (problem is None or not problem.stalled)
    held = waits or (problem is not None and not problem.stalled)
    if problem is not None and problem.reason in PAUSED:
        held = False
    if settled and not held:
        return observation.resource.generation
    old = observation.resource.status.get("observedGeneration")
    return old if isinstance(old, int) else -1
