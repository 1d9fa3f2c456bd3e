"""Names of the annotations of the target and pending Secrets, and what both Secrets record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from appcredential.domain.marker import Attempt
from appcredential.domain.observed.target import IssuedCredential
from appcredential.domain.spec.model import KeyId
from appcredential.domain.times import format_time, parse_time

PREFIX: Final = "appcredential.io/"


class Name:
    """Names of all annotations. Permanent: older releases wrote them."""

    OWNER: Final = PREFIX + "owner"
    CLUSTER: Final = PREFIX + "cluster"
    ADOPT: Final = PREFIX + "adopt"
    """A person writes `namespace/name` here to give away a Secret that has no owner."""
    RENDERED: Final = PREFIX + "rendered"
    TENANT_ID: Final = PREFIX + "tenant-id"
    OBJECT_ID: Final = PREFIX + "application-object-id"
    KEY_ID: Final = PREFIX + "key-id"
    ATTEMPT: Final = PREFIX + "attempt"
    VALUE_SHA256: Final = PREFIX + "value-sha256"
    GENERATED: Final = PREFIX + "generated"
    KEYSTORE_DIGEST: Final = PREFIX + "keystore-digest"
    NOT_BEFORE: Final = PREFIX + "not-before"
    EXPIRES: Final = PREFIX + "expires"
    PUBLISHED_TIME: Final = PREFIX + "published-time"
    VERIFIED_TIME: Final = PREFIX + "verified-time"
    RETIRING: Final = PREFIX + "retiring"
    ABANDONED: Final = PREFIX + "abandoned"
    TAKEN_FROM: Final = PREFIX + "taken-over-from"
    HANDED_OVER: Final = PREFIX + "handed-over"
    RESTART_SINCE: Final = PREFIX + "restart-since"
    """For which publish workloads are to be restarted; it goes once they are."""
    REVOCATION_TIME: Final = PREFIX + "revocation-time"
    """When the Secret of a deleted resource goes, for whoever looks at it. Nothing reads it."""
    ATTEMPT_NUMBER: Final = PREFIX + "attempt-number"
    HOLDER: Final = PREFIX + "holder"
    STATE: Final = PREFIX + "state"
    INTENT_TIME: Final = PREFIX + "intent-time"


def value_of(annotations: Mapping[str, str], name: str) -> str:
    """Return the value of an annotation; empty when it is missing."""
    return str(annotations.get(name) or "")


def credential_annotations(credential: IssuedCredential) -> dict[str, str]:
    """Return the annotations that record a credential, except its attempt."""
    return {
        Name.KEY_ID: credential.key_id,
        Name.VALUE_SHA256: credential.value_sha256,
        Name.NOT_BEFORE: format_time(credential.not_before),
        Name.EXPIRES: format_time(credential.expires),
    }


def read_credential(annotations: Mapping[str, str]) -> IssuedCredential | None:
    """Return the credential that the annotations record; None when one is unreadable."""
    start = parse_time(value_of(annotations, Name.NOT_BEFORE))
    end = parse_time(value_of(annotations, Name.EXPIRES))
    key, digest = value_of(annotations, Name.KEY_ID), value_of(annotations, Name.VALUE_SHA256)
    if start is None or end is None or not key or not digest:
        return None
    return IssuedCredential(
        key_id=KeyId(key),
        attempt=Attempt(value_of(annotations, Name.ATTEMPT)),
        value_sha256=digest,
        not_before=start,
        expires=end,
    )
