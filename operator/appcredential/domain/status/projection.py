"""The status of an AppCredential, as a projection of the observation. Losing it harms nothing.

No value in it moves by itself, so an unchanged world causes no write. The
inventory is the exception: it is only brought up to date by a write that has
another reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from appcredential.domain.conditions import (
    Condition,
    ConditionType,
    Problem,
    Reason,
    format_time,
    merge_conditions,
)
from appcredential.domain.facts.facts import Facts
from appcredential.domain.facts.successor import (
    is_at_limit,
    is_gone,
    is_new_at_source,
    is_revoking,
    needs_successor,
    real_end,
    retire_time,
    seems_gone,
    usable_source,
)
from appcredential.domain.marker import parse_marker
from appcredential.domain.observed.observation import (
    IssuedCredential,
    Observation,
    Retiring,
    Target,
)
from appcredential.domain.proof import Proof, SignInClass, is_failing_long
from appcredential.domain.rotation import is_overdue, schedule, wanted_lifetime
from appcredential.domain.rules.gates import patience_ends
from appcredential.domain.secret import pem
from appcredential.domain.secret.content import can_sign_in
from appcredential.domain.signin_messages import SIGN_IN_MESSAGES
from appcredential.domain.spec.durations import format_duration
from appcredential.domain.spec.model import AppCredentialSpec, CredentialType, VerificationMode
from appcredential.domain.status.federated import (
    FEDERATED_DETAILS,
    federated_count,
    federated_details,
    federated_view,
    is_federated,
)
from appcredential.domain.status.source import SOURCE_REASONS, source_problem

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


def project(observation: Observation, facts: Facts | None, gate: Problem | None) -> dict[str, Any]:
    """Return the whole status.

    Args:
        observation: what was gathered.
        facts: what follows from it; None when a gate is closed.
        gate: why that gate is closed.
    """
    if is_federated(observation):
        view = federated_view(observation, facts, gate)
        problem, ready = view.problem, view.ready
        judged = [ready, view.verified, view.expiring]
    else:
        problem = gate or (_problem(facts) if facts is not None else None)
        ready = _ready(observation, facts, problem)
        judged = [ready, _verified(observation, facts), _expiring(observation, facts)]
    conditions = [*judged, *_abnormal(observation, facts, ready, problem)]
    generation = _observed_generation(observation, ready, problem, _awaited(observation, facts))
    status: dict[str, Any] = {
        "observedGeneration": generation,
        "conditions": merge_conditions(
            observation.resource.status.get("conditions") or (),
            conditions,
            generation=generation,
            now=observation.now,
            trial=observation.settings.trial,
        ),
    }
    status.update(_projection(observation))
    status.update(_details(facts) if facts is not None else _last_details(observation))
    return status


def needs_write(current: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Tell whether anything but the inventory differs."""
    return _without_inventory(current) != _without_inventory(wanted)


def _without_inventory(status: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in status.items() if k != "inventory"}


def _valid_published(observation: Observation) -> IssuedCredential | None:
    """Return T's credential while its value is intact and it has not expired."""
    t = observation.own_target
    if t is None or t.published is None or t.value is None:
        return None
    return t.published if t.published.expires > _entra_now(observation) else None


def _entra_now(observation: Observation) -> datetime:
    return observation.now + (observation.directory_skew or timedelta(0))


def _problem(facts: Facts) -> Problem | None:
    """Return what keeps a needed successor from coming about, or a revocation."""
    cause = source_problem(facts) or _successor_problem(facts)
    return cause if not is_revoking(facts) else _revocation_problem(facts, cause)


def _revocation_problem(facts: Facts, cause: Problem | None) -> Problem | None:
    """Return the problem of a leak that stays open: it needs a person, soon."""
    cause = cause or facts.memory.directory_problem or _survivor_problem(facts)
    if cause is None or (not cause.stalled and facts.now < revocation_patience_ends(facts)):
        return cause
    return Problem(
        reason=Reason.REVOCATION_BLOCKED,
        message="What revokeIssuedBefore means to revoke stays valid, because nothing is removed "
        f"without a proven successor. {cause.message}",
    )


def revocation_patience_ends(facts: Facts) -> datetime:
    """Return when a passing problem becomes one of the revocation that the spec asks for."""
    before = facts.spec.rotation.revoke_issued_before or facts.now
    return max(patience_ends(facts.observation), before + facts.settings.arrival_grace)


def _survivor_problem(facts: Facts) -> Problem | None:
    """Return why what T holds did not sign in, which must survive the revocation."""
    proof, published = facts.memory.published_proof, facts.published
    if proof is None or published is None or proof.attempt != published.attempt:
        return None
    if proof.failing_since is None:
        return None
    reason = proof.result.reason
    return Problem(reason=reason, message=SIGN_IN_MESSAGES[reason], stalled=False)


def _successor_problem(facts: Facts) -> Problem | None:
    if not needs_successor(facts) and facts.successor is None:
        return None
    if isinstance(facts.grant, Problem):
        return Problem(
            reason=Reason.GRANT_WITHDRAWN,
            message="No ApplicationGrant allows a new credential any more; the published one "
            "stays until it expires.",
        )
    signing_in = _sign_in_problem(facts)
    if signing_in is not None:
        return signing_in
    if facts.memory.directory_problem is not None:
        return facts.memory.directory_problem
    if facts.successor is None and is_at_limit(facts):
        return Problem(
            reason=Reason.CREDENTIAL_LIMIT,
            message="Several credentials of this resource exist beside the published one, so new "
            "ones come slowly. Remove those that nobody uses from the application.",
        )
    return None


_PASSING = frozenset(
    {
        SignInClass.TRANSIENT,
        SignInClass.NOT_YET,
        SignInClass.UNMATCHED,
        SignInClass.UNCLASSIFIED,
    }
)


def _pending_proof(facts: Facts | None) -> Proof | None:
    proof = facts.memory.pending_proof if facts is not None else None
    if (
        facts is None
        or proof is None
        or facts.successor is None
        or proof.attempt != facts.successor.attempt
    ):
        return None
    return proof if proof.failing_since is not None else None


def _sign_in_problem(facts: Facts) -> Problem | None:
    proof = _pending_proof(facts)
    if proof is None or proof.failing_since is None:
        return None
    long = is_failing_long(proof, facts.now)
    if proof.result.kind in _PASSING and not long:
        return None
    grace = facts.now - proof.failing_since >= facts.settings.arrival_grace
    stalled = grace and proof.result.kind is not SignInClass.TRANSIENT
    reason = proof.result.reason
    return Problem(reason=reason, message=SIGN_IN_MESSAGES[reason], stalled=stalled)


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


def _projection(observation: Observation) -> dict[str, Any]:
    """Return what T says of itself, and the grant; it holds behind closed gates too."""
    found: dict[str, Any] = {}
    t = observation.own_target
    if t is not None and t.published is not None:
        found["secretRef"] = {"name": t.name}
        found["credential"] = _credential(observation, t, t.published)
    if not isinstance(observation.grant, Problem):
        found["grant"] = observation.grant.name
    return found


def _credential(observation: Observation, t: Target, published: IssuedCredential) -> dict[str, str]:
    spec = observation.resource.spec
    times = {
        "startTime": published.not_before,
        "expirationTime": published.expires,
        "verifiedTime": t.verified_time,
        "publishedTime": t.published_time,
    }
    kind = str(spec.type) if isinstance(spec, AppCredentialSpec) else ""
    thumbprints = _thumbprints(t) if kind == CredentialType.CERTIFICATE else {}
    return {
        "keyId": published.key_id,
        **({"type": kind} if kind else {}),
        **thumbprints,
        **{k: format_time(v) for k, v in times.items() if v is not None},
    }


def _thumbprints(t: Target) -> dict[str, str]:
    """Return the published certificate's thumbprints; it is public, its key is not."""
    chain = t.data.get("tls.crt")
    try:
        der = pem.leaf_der(chain.reveal()) if chain is not None else b""
    except ValueError:
        der = b""
    if not der:
        return {}
    return {
        "thumbprint": pem.sha1_thumbprint(der),
        "thumbprintSHA256": pem.sha256_thumbprint(der),
        "x5t": pem.x5t(der),
        "x5tS256": pem.x5t_s256(der),
    }


def _details(facts: Facts) -> dict[str, Any]:
    found: dict[str, Any] = {
        "application": {
            "objectId": facts.application.object_id,
            "clientId": facts.application.client_id,
            "displayName": facts.application.display_name,
        },
        "inventory": _inventory(facts) | federated_count(facts),
    }
    if is_federated(facts.observation):
        return found | federated_details(facts)
    found["requestedLifetime"] = format_duration(facts.lifetime)
    if facts.schedule is not None:
        found["renewalTime"] = format_time(facts.schedule.renewal_time)
    if facts.successor is not None and facts.successor.credential is not None:
        minted = facts.successor.credential
        found["pending"] = {"keyId": minted.key_id, "startTime": format_time(minted.not_before)}
    if facts.retiring:
        found["retiring"] = [_retiring(facts, r) for r in facts.retiring]
    return found


_DETAILS = ("application", "requestedLifetime", "inventory", *FEDERATED_DETAILS)
_OF_TARGET = ("renewalTime", "retiring")


def _last_details(observation: Observation) -> dict[str, Any]:
    """Return what was last seen, while a gate keeps us from looking.

    What only T records is over once T is another's: nothing of it is renewed or retired.
    """
    is_another_s = observation.target is not None and observation.own_target is None
    kept = _DETAILS if is_another_s else _DETAILS + _OF_TARGET
    return {k: observation.resource.status[k] for k in kept if k in observation.resource.status}


def _retiring(facts: Facts, r: Retiring) -> dict[str, str]:
    found = {
        "keyId": r.key_id,
        "retireTime": format_time(min(retire_time(facts, r), real_end(facts, r))),
    }
    if r.removed is not None:
        found["waitingFor"] = "confirmation that it is gone"
    return found


def _inventory(facts: Facts) -> dict[str, int]:
    """Count the application's credentials, with those of ours the last read could not know."""
    owner, identity = facts.resource.owner, facts.identity
    listed = {c.key_id: parse_marker(c.display_name) for c in facts.application.credentials}
    exact = {k for k, m in listed.items() if m is not None and m.is_removable_by(identity, owner)}
    held = (facts.published, facts.pending.credential if facts.pending is not None else None)
    managed = exact | {m.key_id for m in held if m is not None}
    return {
        "managed": len(managed),
        "foreign": len(listed.keys() - managed),
        "expired": sum(c.end <= facts.entra_now for c in facts.application.credentials),
    }
