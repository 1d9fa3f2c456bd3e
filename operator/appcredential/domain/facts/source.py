"""What the operator can do now with a certificate that others supply."""

from __future__ import annotations

from datetime import datetime, timedelta

from appcredential.domain.facts.adoption import needs_own_credential
from appcredential.domain.facts.facts import Facts
from appcredential.domain.facts.published import is_lost
from appcredential.domain.facts.removed_certificate import is_refused
from appcredential.domain.observed.certificate import SuppliedCertificate
from appcredential.domain.secret.content import needs_private_key
from appcredential.domain.secret.value import can_sign_in, leaf_of

_SECOND = timedelta(seconds=1)


def source_offers(facts: Facts) -> bool:
    """Return whether the certificate at the source has to be registered, also once again."""
    supplied, target = usable_source(facts), facts.target
    if supplied is None or is_refused(facts, supplied.value):
        return False
    if target is None or target.value is None or facts.published is None or facts.schedule is None:
        return True
    if needs_own_credential(facts) or is_new_at_source(facts, supplied):
        return True
    if is_lost(facts):
        return True  # a person asked for it
    is_due = facts.entra_now >= facts.schedule.renewal_time
    return is_due and source_end(facts, supplied) > facts.schedule.end


def is_new_at_source(facts: Facts, supplied: SuppliedCertificate) -> bool:
    """Return whether the source has another certificate than the Secret, or newly its key."""
    target = facts.target
    if target is None or target.value is None or leaf_of(target.value) != leaf_of(supplied.value):
        return True
    return can_sign_in(supplied.value) and not can_sign_in(target.value)


def source_end(facts: Facts, supplied: SuppliedCertificate) -> datetime:
    """Return the end with which a supplied certificate would be registered now.

    It is a second before the certificate's own end, as in azure-cli: Graph refuses an entry
    that does not end within the certificate.
    """
    wanted = min(supplied.end - _SECOND, facts.entra_now + facts.lifetime)
    return wanted.replace(microsecond=0)


def usable_source(facts: Facts) -> SuppliedCertificate | None:
    """Return the certificate at the source if it can be registered now."""
    supplied = facts.supplied
    if (
        supplied is None
        or facts.certificate_inputs.problem is not None
        or lacks_private_key(facts, supplied)
    ):
        return None
    if not supplied.start <= facts.entra_now:
        return None
    life = source_end(facts, supplied) - facts.entra_now
    return supplied if life >= facts.settings.min_lifetime else None


def lacks_private_key(facts: Facts, supplied: SuppliedCertificate) -> bool:
    """Return whether the Secret needs the private key and the source does not have it."""
    return not can_sign_in(supplied.value) and must_sign_in(facts)


def must_sign_in(facts: Facts) -> bool:
    """Return whether the Secret has to hold a value that can sign in.

    The spec may ask for content that needs one. And workloads that sign in with the Secret's
    present value must not lose it.
    """
    if not facts.spec.is_supplied or needs_private_key(facts.spec) or facts.taken is not None:
        return True
    target = facts.target
    return target is not None and target.value is not None and can_sign_in(target.value)
