"""What is wrong with a supplied certificate, in words for its owner."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.facts.content import content_problem
from appcredential.domain.facts.facts import Facts
from appcredential.domain.facts.patience import patient
from appcredential.domain.facts.removed_certificate import is_refused, removed_certificate
from appcredential.domain.facts.source import is_new_at_source, lacks_private_key, source_end
from appcredential.domain.observed.certificate import SuppliedCertificate
from appcredential.domain.observed.observation import REGISTER_AGAIN
from appcredential.domain.promised import required
from appcredential.domain.rotation import is_overdue
from appcredential.domain.secret import pem
from appcredential.domain.secret.value import leaf_of
from appcredential.domain.status.problems_source import unusable_source
from appcredential.domain.times import format_time

UNUSABLE_SUBJECT: Final = Problem(
    reason=Reason.INVALID_SPEC,
    message="spec.certificate.subject: must be a distinguished name that a certificate can "
    "have, for instance with at most 64 characters in CN and two letters in C",
)
"""X.520 has bounds of its own, such as two letters for a country."""
_SOON = timedelta(minutes=10)
SOURCE_REASONS = frozenset(
    {
        Reason.SOURCE_NOT_FOUND,
        Reason.SOURCE_UNUSABLE,
        Reason.SOURCE_NOT_RENEWED,
        Reason.KEYSTORE_PASSWORD,
        Reason.SECRET_TOO_LARGE,
        Reason.CERTIFICATE_REMOVED,
    }
)
"""With any of these, no successor can be issued until somebody cures it."""


def source_problem(facts: Facts) -> Problem | None:
    """Return why nothing new can be issued from the source or with the keystore's password."""
    problem = facts.certificate_inputs.problem or content_problem(facts)
    if problem is not None:
        return patient(facts.observation, problem)
    supplied = facts.supplied
    return None if supplied is None else _of_supplied(facts, supplied)


def is_lifetime_asked_for(facts: Facts) -> bool:
    """Return whether the lifetime counts: one that others made has its own, if that is shorter."""
    if not facts.spec.is_supplied:
        return True
    supplied = facts.supplied
    return supplied is not None and facts.lifetime < supplied.end - supplied.start


def chosen_certificate(facts: Facts) -> dict[str, Any]:
    """Return what status says of the choice, if the source holds several certificates."""
    held, chosen = facts.certificate_inputs.supplied, facts.supplied
    if held is None or chosen is None or not held.others:
        return {}
    leaf = required(leaf_of(chosen.value))
    return {
        "sourceCertificate": {
            "thumbprintSHA256": pem.sha256_thumbprint(leaf),
            "expirationTime": format_time(chosen.end),
            "candidates": len(held.others) + 1,
        }
    }


def _of_supplied(facts: Facts, supplied: SuppliedCertificate) -> Problem | None:
    if lacks_private_key(facts, supplied):
        return unusable_source(
            "has no private key beside it, which spec.secret or certificate.keystore asks for, or "
            "the Secret holds now and workloads sign in with: supply a Secret of type "
            "kubernetes.io/tls or one file with both, or delete the target Secret to give the key "
            "up."
        )
    if facts.entra_now >= supplied.end:
        return unusable_source("has expired: renew it at its source.")
    if facts.entra_now < supplied.start:
        return Problem(
            reason=Reason.SOURCE_UNUSABLE,
            message="The certificate at the source is not valid yet: it is registered once it is, "
            "or supply another one.",
            stalled=supplied.start - facts.entra_now > _SOON,
        )
    if is_refused(facts, supplied.value):
        return _removed(facts)
    if is_new_at_source(facts, supplied):
        if source_end(facts, supplied) - facts.entra_now < facts.settings.min_lifetime:
            return unusable_source(
                "would be valid for less than this operator's minimum lifetime: renew it at its "
                "source."
            )
        return None
    return _of_registered(facts, supplied)


def _of_registered(facts: Facts, supplied: SuppliedCertificate) -> Problem | None:
    """Return what is wrong when the source still holds what was published."""
    plan = facts.schedule
    is_old = plan is not None and source_end(facts, supplied) <= plan.end
    if plan is not None and is_old and is_overdue(plan, facts.entra_now):
        return Problem(
            reason=Reason.SOURCE_NOT_RENEWED,
            message="The certificate is due for renewal, and its source still holds the same one: "
            "renew it there.",
        )
    return None


def _removed(facts: Facts) -> Problem:
    removed = required(removed_certificate(facts))
    return Problem(
        reason=Reason.CERTIFICATE_REMOVED,
        message="Somebody removed the certificate from the application. It is not registered "
        "again, because it may have leaked: renew it at its source. If it was removed by "
        f"mistake, annotate the AppCredential with {REGISTER_AGAIN}={removed.key_id}.",
    )
