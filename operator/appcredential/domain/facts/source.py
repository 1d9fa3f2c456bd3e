"""What a certificate that others supply is good for now."""

from __future__ import annotations

from datetime import datetime, timedelta

from appcredential.domain.facts.facts import Facts
from appcredential.domain.facts.published import is_gone
from appcredential.domain.observed.certificate import SuppliedCertificate
from appcredential.domain.secret.content import needs_private_key
from appcredential.domain.secret.value import can_sign_in, leaf_of

_SECOND = timedelta(seconds=1)


def source_offers(facts: Facts) -> bool:
    """Tell whether what lies at the source is to be registered, for the first time or again.

    What an administrator removed is not registered again: it may have leaked.
    """
    supplied, t = usable_source(facts), facts.target
    if supplied is None:
        return False
    if t is None or t.value is None or facts.published is None or facts.schedule is None:
        return True
    if facts.is_from_another_cluster or is_new_at_source(facts, supplied):
        return True
    is_due = facts.entra_now >= facts.schedule.renewal_time and not is_gone(facts)
    return is_due and source_end(facts, supplied) > facts.schedule.end


def is_new_at_source(facts: Facts, supplied: SuppliedCertificate) -> bool:
    """Tell whether the source holds another certificate than T, or its private key at last."""
    t = facts.target
    if t is None or t.value is None or leaf_of(t.value) != leaf_of(supplied.value):
        return True
    return can_sign_in(supplied.value) and not can_sign_in(t.value)


def source_end(facts: Facts, supplied: SuppliedCertificate) -> datetime:
    """Return until when a brought certificate would be registered now.

    A second before its own end, as azure-cli does it: Graph refuses what is not within.
    """
    wanted = min(supplied.end - _SECOND, facts.entra_now + facts.lifetime)
    return wanted.replace(microsecond=0)


def usable_source(facts: Facts) -> SuppliedCertificate | None:
    """Return what lies at the source when it can be registered now."""
    supplied = facts.certificate_inputs.supplied
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
    """Tell whether a certificate's private key is elsewhere, and the Secret cannot do without."""
    return not can_sign_in(supplied.value) and must_sign_in(facts)


def must_sign_in(facts: Facts) -> bool:
    """Tell whether the Secret is to hold what it takes to sign in.

    What users ask for may need it, and workloads that sign in with what the Secret holds now
    must never find it gone.
    """
    if not facts.spec.is_supplied or needs_private_key(facts.spec) or facts.taken is not None:
        return True
    t = facts.target
    return t is not None and t.value is not None and can_sign_in(t.value)
