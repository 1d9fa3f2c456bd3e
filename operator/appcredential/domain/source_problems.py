"""What is wrong with a certificate that others bring, in words for its owner."""

from __future__ import annotations

from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.facts import Facts
from appcredential.domain.gates import patient
from appcredential.domain.needs import (
    is_gone,
    is_new_at_source,
    lacks_private_key,
    source_end,
)
from appcredential.domain.observed import Brought
from appcredential.domain.rotation import is_overdue

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
    if f.o.material.problem is not None:
        return patient(f.o, f.o.material.problem)
    brought = f.o.material.brought
    return None if brought is None else _of_brought(f, brought)


def _of_brought(f: Facts, brought: Brought) -> Problem | None:
    if lacks_private_key(f, brought):
        return _unusable(
            "has no private key beside it, which spec.secret or certificate.keystore asks for: "
            "bring a Secret of type kubernetes.io/tls."
        )
    if f.entra_now >= brought.end:
        return _unusable("has expired: renew it at its source.")
    if f.entra_now < brought.start:
        return _unusable("is not valid yet: it is registered once it is, or bring another one.")
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
    is_old = f.published is not None and source_end(f, brought) <= f.published.expires
    if is_old and f.plan is not None and is_overdue(f.plan, f.entra_now):
        return Problem(
            reason=Reason.SOURCE_NOT_RENEWED,
            message="The certificate is due for renewal, and its source still holds the same one: "
            "renew it there.",
        )
    return None


def _unusable(what: str) -> Problem:
    return Problem(reason=Reason.SOURCE_UNUSABLE, message=f"The certificate at the source {what}")
