"""How often published credentials sign in, only to see whether they still do. Pure.

A sign-in finds what no list shows, such as a disabled service principal. Each is a line in
somebody's sign-in log, so that there is a budget of them, and a least time between two with one
credential.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from appcredential.domain.conditions import Reason
from appcredential.domain.proof import SignInResult
from appcredential.domain.spec.model import Mode, VerificationMode, VerificationScope

REFUSALS: Final = frozenset(
    {
        Reason.SIGN_IN_REJECTED,
        Reason.CERTIFICATE_REJECTED,
        Reason.FEDERATION_MISMATCH,
        Reason.ISSUER_KEYS,
        Reason.NO_SERVICE_PRINCIPAL,
        Reason.APPLICATION_NOT_IN_TENANT,
        Reason.APPLICATION_DISABLED,
        Reason.PUBLIC_CLIENT,
        Reason.BLOCKED_BY_CONDITIONAL_ACCESS,
        Reason.NOT_ASSIGNED,
        Reason.UNCLASSIFIED,
    }
)
"""The reasons of answers that say something of the credential."""
EXCHANGED_BEFORE: Final = "Earlier exchanges have succeeded."
"""How Verified's message ends if a trust is refused that was proven: a new one was not, yet."""

_KEPT_OUT: Final = frozenset(
    {
        Reason.INVALID_SPEC,
        Reason.TENANT_NOT_FOUND,
        Reason.TYPE_NOT_ALLOWED,
        Reason.NOT_GRANTED,
        Reason.GRANT_LIMIT,
        Reason.OPERATOR_IDENTITY,
    }
)
_SLACK: Final = 1.05
_MADE_UP: Final = timedelta(seconds=2)
_SHORTEST_PAUSE: Final = timedelta(seconds=30)
_LONGEST_PAUSE: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInBudget:
    """How many sign-ins there may be.

    Attributes:
        per_second: through one EntraTenant; 0 for none. Several shards share what is set.
        interval: the least time between two with one credential.
    """

    per_second: float
    interval: timedelta

    def period(self, count: int) -> timedelta:
        """Return the time between two sign-ins with one of `count` credentials.

        It is a little longer than it has to be, so that one which is late delays no later one.
        """
        affordable = timedelta(seconds=count / self.per_second)
        return max(affordable, self.interval) * _SLACK

    def credit(self, left: float, elapsed: timedelta) -> float:
        """Return how many sign-ins are allowed now, with what was left of an earlier time.

        It is never more than one, or what is allowed in a second: what was missed stays missed.
        """
        earned = self.per_second * min(elapsed, _MADE_UP).total_seconds()
        return min(left + earned, max(self.per_second, 1.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class SignsIn:
    """What a sign-in with the published credential of an AppCredential needs to know of it.

    Attributes:
        scope: what the token is asked for.
        is_refused: status says that Entra refused the last one.
    """

    scope: VerificationScope
    is_refused: bool


def signs_in(document: Mapping[str, Any]) -> SignsIn | None:
    """Return whether and how the published credential of an AppCredential signs in now and then.

    It does if a sign-in proved it once, and the spec allows that: not while the resource is
    suspended, observed or being deleted, nor with verification.mode Disabled. Nor is anything sent
    about an application that no grant ever allowed, whatever the spec names now.
    """
    spec, status = document.get("spec") or {}, document.get("status") or {}
    verification = spec.get("verification") or {}
    is_off = spec.get("suspend") is True or spec.get("mode") == Mode.OBSERVE
    is_off = is_off or verification.get("mode") == VerificationMode.DISABLED
    if is_off or "deletionTimestamp" in document["metadata"]:
        return None
    if not status.get("credential") and not status.get("federatedIdentities"):
        return None
    client_id = (spec.get("application") or {}).get("clientId") or ""
    if not is_served_as(status, str(client_id)) or _is_kept_out(status):
        return None
    found = {c.get("type"): c for c in status.get("conditions") or ()}
    ready, verified = (found.get(kind) or {} for kind in ("Ready", "Verified"))
    is_refused = verified.get("status") != "True" and verified.get("reason") in REFUSALS
    if not is_refused and (ready.get("status"), verified.get("status")) != ("True", "True"):
        return None
    if not status.get("credential") and not _is_proven_trust(ready, verified):
        return None
    is_self = verification.get("scope") == VerificationScope.SELF
    scope = VerificationScope.SELF if is_self else VerificationScope.GRAPH
    return _shared(scope, is_refused and "pending" not in status)


def _is_proven_trust(ready: Mapping[str, Any], verified: Mapping[str, Any]) -> bool:
    """Return whether an exchange proved a trust once. Until then `rules/federated.py` tries it."""
    return ready.get("status") == "True" or says_exchanged_before(verified)


def says_exchanged_before(verified: Mapping[str, Any]) -> bool:
    """Return whether Verified tells of a refused trust that it was proven before."""
    is_refused = verified.get("status") != "True" and verified.get("reason") in REFUSALS
    return is_refused and str(verified.get("message")).endswith(EXCHANGED_BEFORE)


def is_served_as(status: Mapping[str, Any], client_id: str) -> bool:
    """Return whether status, which only the operator writes, names this application.

    It does so from the first read on, which a grant allowed. A Secret tells nothing of that: many
    people may edit it.
    """
    return bool(client_id) and (status.get("application") or {}).get("clientId") == client_id


def _is_kept_out(status: Mapping[str, Any]) -> bool:
    """Return whether nothing may be asked of Entra for it: see rule 4 in `rules/gates.py`."""
    stalled = (c for c in status.get("conditions") or () if c.get("type") == "Stalled")
    return any(c.get("reason") in _KEPT_OUT for c in stalled)


@lru_cache
def _shared(scope: VerificationScope, is_refused: bool) -> SignsIn:
    """Return the same object for all that are alike: there may be 10,000."""
    return SignsIn(scope=scope, is_refused=is_refused)


def next_slot(who: str, after: datetime, period: timedelta) -> datetime:
    """Return when somebody signs in next, by a timetable that every process works out alike.

    Who has which place in a period depends on the name alone. So neither a restart nor another
    leader makes sign-ins come at once, or sooner.

    Args:
        who: the namespace and name.
        after: the returned time is later.
        period: in which each signs in once.
    """
    digest = hashlib.sha256(who.encode()).digest()
    place = int.from_bytes(digest[:4], "big") / 2**32
    seconds = period.total_seconds()
    number = (after.timestamp() / seconds - place) // 1 + 1
    return datetime.fromtimestamp((number + place) * seconds, UTC)


def pause_after(result: SignInResult, failures: int) -> timedelta:
    """Return for how long a token endpoint is left alone that gave no answer of its own.

    Args:
        result: the last one.
        failures: how many came before it in a row.
    """
    if result.reason is Reason.THROTTLED:
        return max(result.retry_after or _LONGEST_PAUSE, _LONGEST_PAUSE)
    doublings: int = 1 << min(failures, 4)
    return min(_SHORTEST_PAUSE * doublings, _LONGEST_PAUSE)
