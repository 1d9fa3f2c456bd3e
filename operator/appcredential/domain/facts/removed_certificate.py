"""A supplied certificate that somebody removed from the application is not registered again.

It may have leaked. Status remembers it, because the target Secret, which the removed entry is
known from, may be deleted or damaged afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass

from appcredential.domain.facts.facts import Facts
from appcredential.domain.facts.published import is_lost
from appcredential.domain.secret import pem
from appcredential.domain.secret.value import leaf_of
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import KeyId
from appcredential.domain.times import format_time


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovedCertificate:
    """What status remembers of it.

    Attributes:
        key_id: of its entry, which is gone.
        thumbprint: SHA-256 of the certificate, in upper-case hexadecimal digits.
        time: when the operator noticed, as status shows it.
    """

    key_id: KeyId
    thumbprint: str
    time: str


def removed_certificate(facts: Facts) -> RemovedCertificate | None:
    """Return the certificate that was removed, until the source offers another one."""
    if not facts.spec.is_supplied:
        return None
    found, supplied = _seen(facts) or _remembered(facts), facts.supplied
    if found is None or (supplied is not None and not _is_of(supplied.value, found)):
        return None
    return found


def is_refused(facts: Facts, value: SecretValue) -> bool:
    """Return whether a certificate was removed, and nobody has asked to register it again.

    The request names the removed entry, so that it does not count for a later removal.
    """
    removed = removed_certificate(facts)
    if removed is None or facts.resource.register_again == removed.key_id:
        return False
    return _is_of(value, removed)


def _seen(facts: Facts) -> RemovedCertificate | None:
    """Return the published certificate if its entry is gone now.

    One of another cluster says nothing: that cluster may have removed its own entry.
    """
    published, target = facts.published, facts.target
    if published is None or target is None or target.value is None:
        return None
    if facts.is_from_another_cluster or not is_lost(facts):
        return None
    told = _told(facts)
    since = told.time if told and told.key_id == published.key_id else format_time(facts.now)
    thumbprint = _thumbprint(target.value)
    return RemovedCertificate(key_id=published.key_id, thumbprint=thumbprint, time=since)


def _remembered(facts: Facts) -> RemovedCertificate | None:
    """Return what status remembers, unless the certificate is registered after all."""
    told, target = _told(facts), facts.target
    if told is None or facts.is_listed(told.key_id):
        return None
    if target is None or target.value is None or facts.published is None:
        return told
    is_back = _is_of(target.value, told) and facts.is_listed(facts.published.key_id)
    return None if is_back else told


def _told(facts: Facts) -> RemovedCertificate | None:
    """Return what status says, if it says so of this very application."""
    status = facts.resource.status
    told, application = status.get("removedCertificate"), status.get("application")
    if not told or not application or application.get("objectId") != facts.application.object_id:
        return None
    return RemovedCertificate(
        key_id=KeyId(str(told.get("keyId"))),
        thumbprint=str(told.get("thumbprintSHA256")),
        time=str(told.get("time")),
    )


def _is_of(value: SecretValue, removed: RemovedCertificate) -> bool:
    return _thumbprint(value) == removed.thumbprint


def _thumbprint(value: SecretValue) -> str:
    """Return SHA-256 of the certificate; empty without one."""
    leaf = leaf_of(value)
    return pem.sha256_thumbprint(leaf) if leaf is not None else ""
