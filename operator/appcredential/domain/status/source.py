"""What is wrong with a certificate that others bring, in words for its owner."""

from __future__ import annotations

from datetime import timedelta

from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.facts.facts import Facts
from appcredential.domain.facts.successor import (
    is_gone,
    is_new_at_source,
    lacks_private_key,
    source_end,
)
from appcredential.domain.observed.observation import Brought
from appcredential.domain.rotation import is_overdue
from appcredential.domain.rules.gates import patient

_SOON = timedelta(minutes=10)
SOURCE_REASONS = frozenset(
    {
        Reason.SOURCE_NOT_FOUND,
        Reason.SOURCE_UNUSABLE,
        Reason.SOURCE_NOT_RENEWED,
        Reason.KEYSTORE_PASSWORD,
        Reason.CERTIFICATE_REMOVED,
    }
)
"""With any of these no successor comes about until somebody mends it."""


def source_problem(f: Facts) -> Problem | None:
    """Return why nothing new can be made of the source or with the keystore's password."""
    material = f.o.material
    problem = material.problem or material.keystore_problem
    if problem is not None:
        return patient(f.o, problem)
    brought = material.brought
    return None if brought is None else _of_brought(f, brought)


def _of_brought(f: Facts, brought: Brought) -> Problem | None:
    if lacks_private_key(f, brought):
        return _unusable(
            "has no private key beside it, which spec.secret or certificate.keystore asks for, or "
            "the Secret holds now and workloads sign in with: bring a Secret of type "
            "kubernetes.io/tls, or delete the target Secret to give the key up."
        )
    if f.entra_now >= brought.end:
        return _unusable("has expired: renew it at its source.")
    if f.entra_now < brought.start:
        return Problem(
            reason=Reason.SOURCE_UNUSABLE,
            message="The certificate at the source is not valid yet: it is registered once it is, "
            "or bring another one.",
            stalled=brought.start - f.entra_now > _SOON,
        )
    if is_new_at_source(f, brought):
        if source_end(f, brought) - f.entra_now < f.o.policy.min_lifetime:
            return _unusable(
                "would be valid for less than this operator's minimum lifetime: renew it at its "
                "source."
            )
        return None
    return _of_registered(f, brought)


def _of_registered(f: Facts, brought: Brought) -> Problem | None:
    """Return what is wrong when the source still holds what was published."""
    if is_gone(f):
        return Problem(
            reason=Reason.CERTIFICATE_REMOVED,
            message="Somebody removed the certificate from the application. It is not registered "
            "again, because it may have leaked: renew it at its source.",
        )
    plan = f.plan
    is_old = plan is not None and source_end(f, brought) <= plan.end
    if plan is not None and is_old and is_overdue(plan, f.entra_now):
        return Problem(
            reason=Reason.SOURCE_NOT_RENEWED,
            message="The certificate is due for renewal, and its source still holds the same one: "
            "renew it there.",
        )
    return None


def _unusable(what: str) -> Problem:
    return Problem(reason=Reason.SOURCE_UNUSABLE, message=f"The certificate at the source {what}")
