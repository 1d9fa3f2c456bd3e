"""What status last said: a memory that outlives the process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from appcredential.domain.conditions import Reason
from appcredential.domain.observed.federated import FederatedCredential
from appcredential.domain.published_sign_ins import REFUSALS, says_exchanged_before
from appcredential.domain.spec.model import KeyId


def names_application(status: Mapping[str, Any]) -> bool:
    """Return whether status tells a deletion where to look for credentials."""
    return bool(status.get("application"))


def is_told_refused(status: Mapping[str, Any], key: KeyId) -> bool:
    """Return whether status says that workloads cannot sign in with this published credential.

    The process that found it out may have been restarted since.
    """
    told = (status.get("credential") or {}).get("keyId")
    ready = (c for c in status.get("conditions") or () if c.get("type") == "Ready")
    broken = (c for c in ready if c.get("status") == "False")
    reasons = REFUSALS | {Reason.CREDENTIAL_MISSING}
    return told == key and any(c.get("reason") in reasons for c in broken)


def is_verified(status: Mapping[str, Any]) -> bool:
    """Return whether status says that an exchange succeeded."""
    conditions = status.get("conditions") or ()
    return any(c.get("type") == "Verified" and c.get("status") == "True" for c in conditions)


def was_verified(status: Mapping[str, Any]) -> bool:
    """Return whether status of what is Ready says that an exchange succeeded once.

    Later ones may have been refused, such as by Conditional Access.
    """
    conditions = status.get("conditions") or ()
    reasons = {c.get("reason") for c in conditions if c.get("type") == "Verified"}
    return is_verified(status) or not REFUSALS.isdisjoint(reasons)


def is_told(status: Mapping[str, Any], credential: FederatedCredential) -> bool:
    """Return whether status shows this very credential as ready for use, now or before.

    Entra may have refused its exchanges since: the trust is as it was.
    """
    conditions = status.get("conditions") or ()
    ready = any(
        (condition.get("type") == "Ready" and condition.get("status") == "True")
        or (condition.get("type") == "Verified" and says_exchanged_before(condition))
        for condition in conditions
    )
    told = {"id": credential.id, "issuer": credential.issuer, "subject": credential.subject}
    entries = status.get("federatedIdentities") or ()
    same = any(
        told.items() <= dict(entry).items() and (entry.get("audience"),) == credential.audiences
        for entry in entries
    )
    return ready and same
