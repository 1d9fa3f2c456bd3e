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
from appcredential.domain.observed.observation import Minted, Observation, Retiring, Target
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


def project(o: Observation, f: Facts | None, gate: Problem | None) -> dict[str, Any]:
    """Return the whole status.

    Args:
        o: the observation.
        f: its facts; None when a gate is closed.
        gate: why that gate is closed.
    """
    if is_federated(o):
        view = federated_view(o, f, gate)
        problem, ready = view.problem, view.ready
        judged = [ready, view.verified, view.expiring]
    else:
        problem = gate or (_problem(f) if f is not None else None)
        ready = _ready(o, f, problem)
        judged = [ready, _verified(o, f), _expiring(o, f)]
    conditions = [*judged, *_abnormal(o, f, ready, problem)]
    generation = _observed_generation(o, ready, problem, _awaited(o, f))
    status: dict[str, Any] = {
        "observedGeneration": generation,
        "conditions": merge_conditions(
            o.resource.status.get("conditions") or (),
            conditions,
            generation=generation,
            now=o.now,
            trial=o.policy.trial,
        ),
    }
    status.update(_projection(o))
    status.update(_details(f) if f is not None else _last_details(o))
    return status


def needs_write(current: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Tell whether anything but the inventory differs."""
    return _without_inventory(current) != _without_inventory(wanted)


def _without_inventory(status: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in status.items() if k != "inventory"}


def _valid_published(o: Observation) -> Minted | None:
    """Return T's credential while its value is intact and it has not expired."""
    t = o.own_target
    if t is None or t.published is None or t.value is None:
        return None
    return t.published if t.published.expires > _entra_now(o) else None


def _entra_now(o: Observation) -> datetime:
    return o.now + (o.directory_skew or timedelta(0))


def _problem(f: Facts) -> Problem | None:
    """Return what keeps a needed successor from coming about, or a revocation."""
    cause = source_problem(f) or _successor_problem(f)
    return cause if not is_revoking(f) else _revocation_problem(f, cause)


def _revocation_problem(f: Facts, cause: Problem | None) -> Problem | None:
    """Return the problem of a leak that stays open: it needs a person, soon."""
    cause = cause or f.o.memory.directory_problem or _survivor_problem(f)
    if cause is None or (not cause.stalled and f.o.now < revocation_patience_ends(f)):
        return cause
    return Problem(
        reason=Reason.REVOCATION_BLOCKED,
        message="What revokeIssuedBefore means to revoke stays valid, because nothing is removed "
        f"without a proven successor. {cause.message}",
    )


def revocation_patience_ends(f: Facts) -> datetime:
    """Return when a passing problem becomes one of the revocation that the spec asks for."""
    before = f.spec.rotation.revoke_issued_before or f.o.now
    return max(patience_ends(f.o), before + f.o.policy.arrival_grace)


def _survivor_problem(f: Facts) -> Problem | None:
    """Return why what T holds did not sign in, which must survive the revocation."""
    proof, published = f.o.memory.published_proof, f.published
    if proof is None or published is None or proof.attempt != published.attempt:
        return None
    if proof.failing_since is None:
        return None
    reason = proof.result.reason
    return Problem(reason=reason, message=SIGN_IN_MESSAGES[reason], stalled=False)


def _successor_problem(f: Facts) -> Problem | None:
    if not needs_successor(f) and f.minted is None:
        return None
    if isinstance(f.o.grant, Problem):
        return Problem(
            reason=Reason.GRANT_WITHDRAWN,
            message="No ApplicationGrant allows a new credential any more; the published one "
            "stays until it expires.",
        )
    signing_in = _sign_in_problem(f)
    if signing_in is not None:
        return signing_in
    if f.o.memory.directory_problem is not None:
        return f.o.memory.directory_problem
    if f.minted is None and is_at_limit(f):
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


def _pending_proof(f: Facts | None) -> Proof | None:
    proof = f.o.memory.pending_proof if f is not None else None
    if f is None or proof is None or f.minted is None or proof.attempt != f.minted.attempt:
        return None
    return proof if proof.failing_since is not None else None


def _sign_in_problem(f: Facts) -> Problem | None:
    proof = _pending_proof(f)
    if proof is None or proof.failing_since is None:
        return None
    long = is_failing_long(proof, f.o.now)
    if proof.result.kind in _PASSING and not long:
        return None
    grace = f.o.now - proof.failing_since >= f.o.policy.arrival_grace
    stalled = grace and proof.result.kind is not SignInClass.TRANSIENT
    reason = proof.result.reason
    return Problem(reason=reason, message=SIGN_IN_MESSAGES[reason], stalled=stalled)


def _ready(o: Observation, f: Facts | None, problem: Problem | None) -> Condition:
    published, t = _valid_published(o), o.own_target
    gone = _is_gone(o, f)
    if published is not None and not gone and (problem is None or problem.reason not in _UNMET):
        return Condition(
            type=ConditionType.READY, status="True", **_ready_words(o, f, published, problem)
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
    o: Observation, f: Facts | None, published: Minted, problem: Problem | None
) -> dict[str, Any]:
    words = (Reason.PUBLISHED, "The Secret holds a valid credential.")
    if problem is not None and problem.reason in _PAUSED:
        words = (problem.reason, "The Secret holds a valid credential; it is not renewed.")
    elif problem is not None and (
        problem.reason in SOURCE_REASONS or _is_rotating(o, f, published)
    ):
        words = (Reason.ROTATION_FAILING, f"The published credential works. {problem.message}")
    return {"reason": words[0], "message": words[1]}


def _is_rotating(o: Observation, f: Facts | None, published: Minted) -> bool:
    """Tell whether a successor is due or on its way; behind a gate only the spec tells."""
    if f is not None:
        return needs_successor(f) or f.minted is not None
    spec = o.resource.spec
    if not isinstance(spec, AppCredentialSpec):
        return True  # a gate before the spec's is closed too: nobody can say when one is due
    start, end, seed = published.not_before, published.expires, published.key_id
    plan = schedule(spec.rotation, wanted_lifetime(spec), start, end, seed)
    return _entra_now(o) >= plan.renewal_time or _awaited(o, f) is not None


def _awaited(o: Observation, f: Facts | None) -> str | None:
    """Return what an `…IssuedBefore` of the spec still waits for, though all is well without it."""
    spec, published = o.resource.spec, _valid_published(o)
    if not isinstance(spec, AppCredentialSpec) or published is None:
        return None
    asked = {
        "rotateIssuedBefore": spec.rotation.rotate_issued_before,
        "revokeIssuedBefore": spec.rotation.revoke_issued_before,
    }
    for field, before in asked.items():
        if before is not None and published.not_before < before <= _entra_now(o):
            return f"{field} asks for a new credential."
    if f is not None and is_revoking(f):
        return "revokeIssuedBefore asks for the removal of older credentials."
    return None


def _is_gone(o: Observation, f: Facts | None) -> bool:
    """Tell whether sign-ins confirmed that the published key is gone.

    Who confirmed it may have been restarted since: then what status says stands,
    until a sign-in or a read says otherwise.
    """
    if f is not None and is_gone(f):
        return True
    published, status = _valid_published(o), o.resource.status
    told = (status.get("credential") or {}).get("keyId")
    if published is None or told != published.key_id:
        return False
    ready = (c for c in status.get("conditions") or () if c.get("type") == ConditionType.READY)
    if not any(c.get("reason") == Reason.SIGN_IN_REJECTED for c in ready):
        return False
    return f is None or (seems_gone(f) and not _has_signed_in(f, published))


def _has_signed_in(f: Facts, published: Minted) -> bool:
    proof = f.o.memory.published_proof
    return proof is not None and proof.attempt == published.attempt and proof.successes > 0


def _verified(o: Observation, f: Facts | None) -> Condition:
    proof = _pending_proof(f)
    if f is not None and proof is not None:
        problem = _sign_in_problem(f)
        if problem is not None:
            judged = proof.result.kind in {SignInClass.NOT_YET, SignInClass.APPLICATION}
            return Condition(
                type=ConditionType.VERIFIED,
                status="False" if judged else "Unknown",
                reason=problem.reason,
                message=problem.message,
            )
    t = o.own_target
    if _is_gone(o, f):
        status, reason = "False", Reason.SIGN_IN_REJECTED
        message = "Entra no longer lists the published credential and refuses its sign-ins."
    elif t is not None and t.published is not None and t.verified_time is not None:
        status, reason = "True", Reason.PROVEN
        message = "The published credential signed in before it was published."
    elif _is_keyless(o):
        status, reason = "Unknown", Reason.NOT_VERIFIABLE
        message = (
            "The certificate's private key is elsewhere, so no sign-in could be tried. Workloads "
            "that read its source may use a renewed one before it is registered."
        )
    elif _mode(o) is VerificationMode.DISABLED:
        status, reason = "Unknown", Reason.DISABLED
        message = "spec.verification.mode is Disabled."
    else:
        status, reason = "Unknown", Reason.NOT_VERIFIED
        message = "No credential has been proven yet."
    return Condition(type=ConditionType.VERIFIED, status=status, reason=reason, message=message)


def _is_renewed_at_source(f: Facts) -> bool:
    """Tell whether the source holds another certificate than T, published or not."""
    brought = usable_source(f)
    return brought is not None and is_new_at_source(f, brought)


def _is_keyless(o: Observation) -> bool:
    """Tell whether T holds a certificate whose private key is elsewhere."""
    t, spec = o.own_target, o.resource.spec
    if t is None or t.value is None or not isinstance(spec, AppCredentialSpec):
        return False
    return not can_sign_in(t.value)


def _mode(o: Observation) -> VerificationMode:
    spec = o.resource.spec
    return (
        spec.verification.mode if isinstance(spec, AppCredentialSpec) else VerificationMode.REQUIRED
    )


def _expiring(o: Observation, f: Facts | None) -> Condition:
    t = o.own_target
    if t is not None and t.published is not None and _valid_published(o) is None:
        status, reason = "True", Reason.EXPIRED
        message = "The published credential has expired or its value was damaged."
    elif f is not None and f.plan is not None and is_overdue(f.plan, f.entra_now):
        status, reason = "True", Reason.RENEWAL_DUE
        message = "The renewal is overdue and no successor is published."
    else:
        status, reason = "False", Reason.NOT_DUE
        message = "No published credential is near its end."
    return Condition(type=ConditionType.EXPIRING, status=status, reason=reason, message=message)


def _abnormal(
    o: Observation, f: Facts | None, ready: Condition, problem: Problem | None
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
    is_race = _is_keyless(o) and f is not None and _is_renewed_at_source(f)
    awaited = _awaited(o, f)
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
    o: Observation, ready: Condition, problem: Problem | None, awaited: str | None
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
        return o.resource.generation
    old = o.resource.status.get("observedGeneration")
    return old if isinstance(old, int) else -1


def _projection(o: Observation) -> dict[str, Any]:
    """Return what T says of itself, and the grant; it holds behind closed gates too."""
    found: dict[str, Any] = {}
    t = o.own_target
    if t is not None and t.published is not None:
        found["secretRef"] = {"name": t.name}
        found["credential"] = _credential(o, t, t.published)
    if not isinstance(o.grant, Problem):
        found["grant"] = o.grant.name
    return found


def _credential(o: Observation, t: Target, published: Minted) -> dict[str, str]:
    spec = o.resource.spec
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


def _details(f: Facts) -> dict[str, Any]:
    found: dict[str, Any] = {
        "application": {
            "objectId": f.application.object_id,
            "clientId": f.application.client_id,
            "displayName": f.application.display_name,
        },
        "inventory": _inventory(f) | federated_count(f),
    }
    if is_federated(f.o):
        return found | federated_details(f)
    found["requestedLifetime"] = format_duration(f.lifetime)
    if f.plan is not None:
        found["renewalTime"] = format_time(f.plan.renewal_time)
    if f.minted is not None and f.minted.minted is not None:
        minted = f.minted.minted
        found["pending"] = {"keyId": minted.key_id, "startTime": format_time(minted.not_before)}
    if f.retiring:
        found["retiring"] = [_retiring(f, r) for r in f.retiring]
    return found


_DETAILS = ("application", "requestedLifetime", "inventory", *FEDERATED_DETAILS)
_OF_TARGET = ("renewalTime", "retiring")


def _last_details(o: Observation) -> dict[str, Any]:
    """Return what was last seen, while a gate keeps us from looking.

    What only T records is over once T is another's: nothing of it is renewed or retired.
    """
    is_another_s = o.target is not None and o.own_target is None
    kept = _DETAILS if is_another_s else _DETAILS + _OF_TARGET
    return {k: o.resource.status[k] for k in kept if k in o.resource.status}


def _retiring(f: Facts, r: Retiring) -> dict[str, str]:
    found = {"keyId": r.key_id, "retireTime": format_time(min(retire_time(f, r), real_end(f, r)))}
    if r.removed is not None:
        found["waitingFor"] = "confirmation that it is gone"
    return found


def _inventory(f: Facts) -> dict[str, int]:
    """Count the application's credentials, with those of ours the last read could not know."""
    owner, identity = f.o.resource.owner, f.o.identity
    listed = {c.key_id: parse_marker(c.display_name) for c in f.application.credentials}
    exact = {k for k, m in listed.items() if m is not None and m.is_removable_by(identity, owner)}
    held = (f.published, f.pending.minted if f.pending is not None else None)
    managed = exact | {m.key_id for m in held if m is not None}
    return {
        "managed": len(managed),
        "foreign": len(listed.keys() - managed),
        "expired": sum(c.end <= f.entra_now for c in f.application.credentials),
    }
