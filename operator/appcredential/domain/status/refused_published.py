"""What is said when Entra refuses sign-ins with the published credential, although it lists it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from appcredential.domain.conditions import Condition, ConditionType, Problem, Reason
from appcredential.domain.judgement import is_confirmed
from appcredential.domain.observed.observation import Observation
from appcredential.domain.observed.target import IssuedCredential
from appcredential.domain.proof import Proof, SignInClass, SignInResult
from appcredential.domain.published_sign_ins import EXCHANGED_BEFORE, REFUSALS
from appcredential.domain.spec.model import AppCredentialSpec, VerificationMode
from appcredential.domain.status.refused_sign_ins import application_message, numbered

NOT_LISTED: Final = "Entra no longer lists the published credential and refuses its sign-ins."
"""Verified's message of a published credential that is gone."""
LISTED: Final = "Entra lists the published credential, and refuses its sign-ins."

_MESSAGES: Final = {
    Reason.SIGN_IN_REJECTED: LISTED,
    Reason.CERTIFICATE_REJECTED: "Entra lists the published certificate, and refuses what its key "
    "has signed.",
    Reason.FEDERATION_MISMATCH: "Entra does not match the ServiceAccount's token with the "
    "federated credential any more.",
}
_FOR_A_PERSON: Final = frozenset(
    {
        Reason.NO_SERVICE_PRINCIPAL,
        Reason.APPLICATION_NOT_IN_TENANT,
        Reason.APPLICATION_DISABLED,
        Reason.PUBLIC_CLIENT,
        Reason.FEDERATION_MISMATCH,
        Reason.ISSUER_KEYS,
    }
)
_FOR_EVERYBODY: Final = frozenset(
    {SignInClass.NOT_YET, SignInClass.UNMATCHED, SignInClass.APPLICATION}
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the published credential does not sign in.

    Attributes:
        problem: as Ready says it, if workloads are refused as well.
        is_for_everybody: they are; else perhaps only the operator is, by its address.
    """

    problem: Problem
    is_for_everybody: bool

    @property
    def verified(self) -> Condition:
        """What Verified says."""
        of = Condition.false if self.is_for_everybody else Condition.unknown
        return of(ConditionType.VERIFIED, self.problem.reason, self.problem.message)


def refusal_of(observation: Observation, published: IssuedCredential) -> Refusal | None:
    """Return why what the target Secret holds does not sign in; None as far as is known."""
    attempt, status = str(published.attempt), observation.resource.status
    found = _confirmed(observation, attempt)
    if found is not None or _has_signed_in(observation.memory.published_proof, attempt):
        return found
    is_of_successor = observation.pending is not None or "pending" in status
    is_same = (status.get("credential") or {}).get("keyId") == published.key_id
    return _told(observation) if is_same and not is_of_successor else None


def refusal_of_trust(observation: Observation, attempt: str, *, was_proven: bool) -> Refusal | None:
    """Return why tokens are not exchanged any more by a trust that is as wanted.

    Args:
        observation: with what exchanges have shown.
        attempt: in the marker of the trust.
        was_proven: an exchange succeeded once; until then status tells of other exchanges.
    """
    memory = observation.memory
    proof, judgement = memory.pending_proof, memory.refused
    found = _proven_before(_confirmed(observation, attempt))
    if proof is not None and _has_signed_in(proof, attempt):
        is_later = judgement is None or proof.last_try > judgement.last
        return None if is_later else found
    if found is not None or _has_signed_in(memory.published_proof, attempt):
        return found
    return _told(observation) if was_proven else None


def _proven_before(refusal: Refusal | None) -> Refusal | None:
    """Return the refusal with what tells another process that the trust is no new one."""
    if refusal is None:
        return None
    problem = refusal.problem
    message = f"{problem.message} {EXCHANGED_BEFORE}"
    return replace(refusal, problem=replace(problem, message=message))


def _has_signed_in(proof: Proof | None, attempt: str) -> bool:
    return proof is not None and proof.attempt == attempt and proof.successes > 0


def _confirmed(observation: Observation, attempt: str) -> Refusal | None:
    """Return a refusal that this process confirmed of what an attempt made."""
    judgement = observation.memory.refused
    if _is_off(observation) or judgement is None or judgement.attempt != attempt:
        return None
    if not is_confirmed(judgement, observation.settings):
        return None
    result = judgement.result
    return _refusal(result.reason, _message(result), result.kind in _FOR_EVERYBODY)


def _told(observation: Observation) -> Refusal | None:
    """Return what was confirmed before, as status says: it stands until a sign-in succeeds."""
    said = told_verdict(observation.resource.status)
    if _is_off(observation) or said is None or said.message == NOT_LISTED:
        return None  # of one that is gone, a read tells
    return _refusal(said.reason, said.message, said.status == "False")


def told_verdict(status: Mapping[str, Any]) -> Condition | None:
    """Return Verified as status has it, if it says that a sign-in was refused."""
    conditions = {c.get("type"): c for c in status.get("conditions") or ()}
    said = conditions.get(ConditionType.VERIFIED) or {}
    if said.get("status") not in {"False", "Unknown"} or said.get("reason") not in REFUSALS:
        return None
    return Condition(
        type=ConditionType.VERIFIED,
        status=said["status"],
        reason=Reason(said["reason"]),
        message=str(said.get("message")),
    )


def _refusal(reason: Reason, message: str, is_for_everybody: bool) -> Refusal:
    problem = Problem(reason=reason, message=message, stalled=reason in _FOR_A_PERSON)
    return Refusal(problem, is_for_everybody)


def _is_off(observation: Observation) -> bool:
    """Return whether nobody signs in any more: then nothing could ever end what was said."""
    spec = observation.resource.spec
    if not isinstance(spec, AppCredentialSpec) or not observation.settings.published_sign_in_rate:
        return True
    return spec.verification.mode is VerificationMode.DISABLED


def _message(result: SignInResult) -> str:
    own = _MESSAGES.get(result.reason)
    return application_message(result) if own is None else numbered(own, result.code)
