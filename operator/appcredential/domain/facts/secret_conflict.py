"""What is told of a Secret that is in the way: whose it is, and what to do without a loss."""

from __future__ import annotations

from typing import Final, Literal, assert_never

from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.facts.takeover import Claim, other_owner
from appcredential.domain.facts.writable import OPAQUE, is_unwritable
from appcredential.domain.observed.observation import Observation
from appcredential.domain.observed.target import PendingState, Target
from appcredential.domain.promised import required
from appcredential.domain.secret.annotations import Name
from appcredential.domain.secret.content import MANAGED_BY, MANAGER
from appcredential.domain.secret.records import pending_name
from appcredential.domain.spec import checks
from appcredential.domain.spec.model import AppCredentialSpec

_MAX_NAMED: Final = 63
READ_AGAIN: Final = (
    "Then delete all pods that use it, and let them end before new ones start: while one runs on "
    "a node, new ones there get the former content."
)
"""What follows a new creation of an immutable Secret or ConfigMap: kubelets keep the former one."""


def conflict(
    observation: Observation, found: Literal[Claim.WAITS, Claim.LOST, Claim.FOREIGN]
) -> Problem:
    """Return the Problem of a target Secret that is another's."""
    match found:
        case Claim.LOST:
            return Problem(
                reason=Reason.SECRET_TAKEN_OVER,
                message=f"{_keeper(observation)} has taken the Secret over; this one renews "
                "nothing and does not touch it. Delete this AppCredential when no pod uses its "
                "credential any more.",
            )
        case Claim.WAITS:
            return Problem(
                reason=Reason.SECRET_CONFLICT,
                message="The AppCredential that the Secret belongs to does not exist; if it stays "
                "away, the Secret is taken over.",
                stalled=False,
            )
        case Claim.FOREIGN:
            return _foreign(observation, required(observation.target))
        case _:
            assert_never(found)


def unwritable(observation: Observation, target: Target) -> Problem:
    """Return the Problem of our target Secret that nobody can write.

    Its content works on, so that the remedy creates it again with the same content. Deleting it
    alone would keep pods from starting until another credential is proven.

    Once a kubelet has seen that a Secret is immutable, it reads the name no more while a pod on its
    node refers to it (kubernetes.io/docs/concepts/configuration/secret, Immutable Secrets).
    """
    why = "is immutable" if target.immutable else f"is not of type {OPAQUE}"
    get = f"kubectl get secret {target.name} -n {observation.resource.owner.namespace} -o yaml"
    edit = f"sed -e '/^immutable: true$/d' -e 's/^type: .*/type: {OPAQUE}/'"
    then = f". {READ_AGAIN}" if target.immutable else "."
    return Problem(
        reason=Reason.SECRET_CONFLICT,
        message=f"The Secret {target.name} {why}, so nothing can be renewed in it. Create it again "
        f"with what it holds: {get} | {edit} | kubectl replace --force -f -{then}",
    )


def another_type(target: Target) -> Problem:
    """Return the Problem of our target Secret with a credential of another type."""
    return Problem(
        reason=Reason.SECRET_CONFLICT,
        message=f"The Secret {target.name} holds a credential of another type, which workloads may "
        "still use. Choose another spec.secret.name, or delete the Secret when nobody does.",
    )


def pending_problem(observation: Observation) -> Problem | None:
    """Return what is wrong with the Secret of our pending one's name.

    An immutable one that holds its value can still be published, and is deleted after that.
    """
    pending, name = observation.pending, pending_name(observation.resource.owner.hash)
    if pending is None:
        return None
    if pending.is_foreign:
        why = "is of another type or owner, and this resource needs a Secret of that name for its "
        remedy = "next credential. Delete that Secret."
    elif pending.immutable and pending.state is not PendingState.MINTED:
        why = "is immutable, and has to hold the next credential until it is proven. "
        remedy = "Exempt it from what made it immutable, and delete it."
    else:
        return None
    return Problem(reason=Reason.SECRET_CONFLICT, message=f"The Secret {name} {why}{remedy}")


def _foreign(observation: Observation, target: Target) -> Problem:
    spec = observation.resource.spec
    if isinstance(spec, AppCredentialSpec) and spec.secret.take_over_from:
        return Problem(
            reason=Reason.SECRET_CONFLICT,
            message=f"The Secret belongs to {_keeper(observation)}, not to what "
            "spec.secret.takeOverFrom names, or cannot be written. Correct one of the two names, "
            "or delete that Secret.",
        )
    return Problem(
        reason=Reason.SECRET_CONFLICT,
        message=f"The Secret {target.name} exists and belongs to {_holder(observation, target)}. "
        f"Choose another spec.secret.name, {_handover(observation, target)}, or delete it when "
        "nobody needs it.",
    )


def _keeper(observation: Observation) -> str:
    """Return words for the Secret's owner; only an existing resource is named."""
    return _existing(observation) or "another owner"


def _existing(observation: Observation) -> str:
    seen = observation.target_owner
    return f"AppCredential {seen.owner}" if seen is not None and seen.uid else ""


def _holder(observation: Observation, target: Target) -> str:
    """Return words for whom a foreign Secret belongs to, as far as it says so.

    Anybody may have written what it says, so that only valid names are repeated.
    """
    if existing := _existing(observation):
        return existing
    if target.owner:
        gone = other_owner(observation.resource.owner, target)
        return f"AppCredential {gone}, which does not exist" if gone else "no AppCredential here"
    for reference in target.origin.get("ownerReferences") or ():
        kind, name = str(reference.get("kind", "")), str(reference.get("name", ""))
        if kind.isalnum() and kind.isascii() and checks.is_object_name(name):
            return f"{kind[:_MAX_NAMED]} {name}"
    manager = target.labels.get(MANAGED_BY, "")  # the API server bounds what a label can hold
    return f"what {manager} manages" if manager not in {"", MANAGER} else "no AppCredential"


def _handover(observation: Observation, target: Target) -> str:
    """Return how the Secret may be taken over with its content, if that is possible."""
    owner, seen = observation.resource.owner, observation.target_owner
    if is_unwritable(target):
        return f"as this one is immutable or not of type {OPAQUE} and cannot be taken over"
    if seen is not None and seen.uid:
        name = seen.owner.partition("/")[2]
        return f"have it handed over by spec.secret.takeOverFrom: {name}"
    annotate = f"kubectl annotate secret {target.name} -n {owner.namespace} {Name.ADOPT}={owner}"
    return f"take it over, if nothing else writes it ({annotate})"
