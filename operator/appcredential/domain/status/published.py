"""What is said of the published credential: Ready, Verified, Expiring."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from appcredential.domain.conditions import (
    Condition,
    ConditionType,
    Problem,
    Reason,
)
from appcredential.domain.facts.facts import Facts
from appcredential.domain.facts.published import is_gone, seems_gone
from appcredential.domain.facts.source import is_new_at_source, usable_source
from appcredential.domain.facts.successor import is_revoking, needs_successor
from appcredential.domain.observed.observation import Observation
from appcredential.domain.observed.target import IssuedCredential
from appcredential.domain.proof import SignInClass
from appcredential.domain.rotation import is_overdue, schedule, wanted_lifetime
from appcredential.domain.secret.value import can_sign_in
from appcredential.domain.spec.model import AppCredentialSpec, VerificationMode
from appcredential.domain.status.source import SOURCE_REASONS
from appcredential.domain.status.successor import _pending_proof, _sign_in_problem

_PAUSED = frozenset({Reason.SUSPENDED, Reason.OBSERVING})
"""Nothing is done because the spec says so."""


_UNMET = frozenset(
    {
        Reason.INVALID_SPEC,
        Reason.LIFETIME_TOO_SHORT,
        Reason.SECRET_CONFLICT,
        Reason.SECRET_TAKEN_OVER,
        Reason.APPLICATION_CHANGED,
    }
)
"""Problems with which the Secret cannot be what this generation asks for."""


def _valid_published(observation: Observation) -> IssuedCredential | None:
    """Return T's credential while its value is intact and it has not expired."""
    t = observation.own_target
    if t is None or t.published is None or t.value is None:
        return None
    return t.published if t.published.expires > _entra_now(observation) else None


def _entra_now(observation: Observation) -> datetime:
    return observation.now + (observation.directory_skew or timedelta(0))


def _ready(observation: Observation, facts: Facts | None, problem: Problem | None) -> Condition:
    published, t = _valid_published(observation), observation.own_target
    gone = _is_gone(observation, facts)
    if published is not None and not gone and (problem is None or problem.reason not in _UNMET):
        return Condition(
            type=ConditionType.READY,
            status="True",
            **_ready_words(observation, facts, published, problem),
        )
    if gone:
        reason, message = Reason.SIGN_IN_REJECTED, "Entra refuses the published credential."
    elif problem is not None:
        reason, message = problem.reason, problem.message
    elif t is not None and t.published is not None and t.value is not None:
        reason, message = Reason.EXPIRED, "The published credential has expired."
    else:
        reason, message = Reason.PROGRESSING, "The credential is being issued and proven."
    return Condition(type=ConditionType.READY, status="False", reason=reason, message=message)


def _ready_words(
    observation: Observation,
    facts: Facts | None,
    published: IssuedCredential,
    problem: Problem | None,
) -> dict[str, Any]:
    words = (Reason.PUBLISHED, "The Secret holds a valid credential.")
    if problem is not None and problem.reason in _PAUSED:
        words = (problem.reason, "The Secret holds a valid credential; it is not renewed.")
    elif problem is not None and (
        problem.reason in SOURCE_REASONS or _is_rotating(observation, facts, published)
    ):
        words = (Reason.ROTATION_FAILING, f"The published credential works. {problem.message}")
    return {"reason": words[0], "message": words[1]}


def _is_rotating(
    observation: Observation, facts: Facts | None, published: IssuedCredential
) -> bool:
    """Tell whether a successor is due or on its way; behind a gate only the spec tells."""
    if facts is not None:
        return needs_successor(facts) or facts.successor is not None
    spec = observation.resource.spec
    if not isinstance(spec, AppCredentialSpec):
        return True  # a gate before the spec's is closed too: nobody can say when one is due
    start, end, seed = published.not_before, published.expires, published.key_id
    plan = schedule(spec.rotation, wanted_lifetime(spec), start, end, seed)
    return _entra_now(observation) >= plan.renewal_time or _awaited(observation, facts) is not None


def _awaited(observation: Observation, facts: Facts | None) -> str | None:
    """Return what an `…IssuedBefore` of the spec still waits for, though all is well without it."""
    spec, published = observation.resource.spec, _valid_published(observation)
    if not isinstance(spec, AppCredentialSpec) or published is None:
        return None
    asked = {
        "rotateIssuedBefore": spec.rotation.rotate_issued_before,
        "revokeIssuedBefore": spec.rotation.revoke_issued_before,
    }
    for field, before in asked.items():
        if before is not None and published.not_before < before <= _entra_now(observation):
            return f"{field} asks for a new credential."
    if facts is not None and is_revoking(facts):
        return "revokeIssuedBefore asks for the removal of older credentials."
    return None


def _is_gone(observation: Observation, facts: Facts | None) -> bool:
    """Tell whether sign-ins confirmed that the published key is gone.

    Who confirmed it may have been restarted since: then what status says stands,
    until a sign-in or a read says otherwise.
    """
    if facts is not None and is_gone(facts):
        return True
    published, status = _valid_published(observation), observation.resource.status
    told = (status.get("credential") or {}).get("keyId")
    if published is None or told != published.key_id:
        return False
    ready = (c for c in status.get("conditions") or () if c.get("type") == ConditionType.READY)
    if not any(c.get("reason") == Reason.SIGN_IN_REJECTED for c in ready):
        return False
    return facts is None or (seems_gone(facts) and not _has_signed_in(facts, published))


def _has_signed_in(facts: Facts, published: IssuedCredential) -> bool:
    proof = facts.memory.published_proof
    return proof is not None and proof.attempt == published.attempt and proof.successes > 0


def _verified(observation: Observation, facts: Facts | None) -> Condition:
    proof = _pending_proof(facts)
    if facts is not None and proof is not None:
        problem = _sign_in_problem(facts)
        if problem is not None:
            judged = proof.result.kind in {SignInClass.NOT_YET, SignInClass.APPLICATION}
            return Condition(
                type=ConditionType.VERIFIED,
                status="False" if judged else "Unknown",
                reason=problem.reason,
                message=problem.message,
            )
    t = observation.own_target
    if _is_gone(observation, facts):
        status, reason = "False", Reason.SIGN_IN_REJECTED
        message = "Entra no longer lists the published credential and refuses its sign-ins."
    elif t is not None and t.published is not None and t.verified_time is not None:
        status, reason = "True", Reason.PROVEN
        message = "The published credential signed in before it was published."
    elif _is_keyless(observation):
        status, reason = "Unknown", Reason.NOT_VERIFIABLE
        message = (
            "The certificate's private key is elsewhere, so no sign-in could be tried. Workloads "
            "that read its source may use a renewed one before it is registered."
        )
    elif _mode(observation) is VerificationMode.DISABLED:
        status, reason = "Unknown", Reason.DISABLED
        message = "spec.verification.mode is Disabled."
    else:
        status, reason = "Unknown", Reason.NOT_VERIFIED
        message = "No credential has been proven yet."
    return Condition(type=ConditionType.VERIFIED, status=status, reason=reason, message=message)


def _is_renewed_at_source(facts: Facts) -> bool:
    """Tell whether the source holds another certificate than T, published or not."""
    supplied = usable_source(facts)
    return supplied is not None and is_new_at_source(facts, supplied)


def _is_keyless(observation: Observation) -> bool:
    """Tell whether T holds a certificate whose private key is elsewhere."""
    t, spec = observation.own_target, observation.resource.spec
    if t is None or t.value is None or not isinstance(spec, AppCredentialSpec):
        return False
    return not can_sign_in(t.value)


def _mode(observation: Observation) -> VerificationMode:
    spec = observation.resource.spec
    return (
        spec.verification.mode if isinstance(spec, AppCredentialSpec) else VerificationMode.REQUIRED
    )


def _expiring(observation: Observation, facts: Facts | None) -> Condition:
    t = observation.own_target
    if t is not None and t.published is not None and _valid_published(observation) is None:
        status, reason = "True", Reason.EXPIRED
        message = "The published credential has expired or its value was damaged."
    elif (
        facts is not None
        and facts.schedule is not None
        and is_overdue(facts.schedule, facts.entra_now)
    ):
        status, reason = "True", Reason.RENEWAL_DUE
        message = "The renewal is overdue and no successor is published."
    else:
        status, reason = "False", Reason.NOT_DUE
        message = "No published credential is near its end."
    return Condition(type=ConditionType.EXPIRING, status=status, reason=reason, message=message)


def _abnormal(
    observation: Observation, facts: Facts | None, ready: Condition, problem: Problem | None
) -> list[Condition]:
    """Return Stalled, or Reconciling while the spec is not met; never both."""
    if problem is not None and problem.stalled:
        return [
            Condition(
                type=ConditionType.STALLED,
                status="True",
                reason=problem.reason,
                message=problem.message,
            )
        ]
    if problem is not None and problem.reason in _PAUSED:
        return []
    is_race = _is_keyless(observation) and facts is not None and _is_renewed_at_source(facts)
    awaited = _awaited(observation, facts)
    if ready.status == "True" and not is_race and awaited is None:
        return []
    reason, message = ready.reason, ready.message
    if is_race:
        reason = Reason.SOURCE_RACE
        message = (
            "The certificate was renewed at its source and is being registered. Workloads that "
            "read the source sign in with it once that is done."
        )
    elif ready.status == "True" and awaited is not None:
        reason, message = Reason.PROGRESSING, awaited
    return [
        Condition(type=ConditionType.RECONCILING, status="True", reason=reason, message=message)
    ]


def _observed_generation(
    observation: Observation, ready: Condition, problem: Problem | None, awaited: str | None
) -> int:
    """Return the generation whose outcome is reflected: ready, stalled or suspended."""
    settled = ready.status == "True" or (
        problem is not None and (problem.stalled or problem.reason in _PAUSED)
    )
    waits = awaited is not None and (problem is None or not problem.stalled)
    held = waits or (problem is not None and not problem.stalled)
    if problem is not None and problem.reason in _PAUSED:
        held = False
    if settled and not held:
        return observation.resource.generation
    old = observation.resource.status.get("observedGeneration")
    return old if isinstance(old, int) else -1
