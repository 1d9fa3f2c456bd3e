"""What the Entra tenant's default app management policy allows new credentials.

An application can have a policy of its own, which may allow more or less. So the default
shortens the lifetime to ask for, but never keeps the operator from asking: only Entra's
answer tells whether it accepts a credential.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from appcredential.domain.spec.durations import format_duration
from appcredential.domain.spec.model import CredentialType
from appcredential.domain.times import format_time

PERMISSION_MISSING: Final = "permission missing"
NO_ANSWER: Final = "Graph gave no usable answer yet"

# Entra sets the start of a client secret by its own clock, which ours only estimates.
_MARGIN_CAP: Final = timedelta(minutes=5)
_DURATION: Final = re.compile(
    r"P(?=\d|T\d)(?:(\d{1,6})D)?"
    r"(?:T(?=\d)(?:(\d{1,8})H)?(?:(\d{1,8})M)?(?:(\d{1,8})(?:\.\d{1,12})?S)?)?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Restriction:
    """One restriction that is enforced.

    Attributes:
        max_lifetime: the longest lifetime; None where the type is forbidden.
        created_since: it concerns applications created then or later; None for all.
    """

    type: CredentialType
    max_lifetime: timedelta | None
    created_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AppPolicy:
    """The default policy as the operator knows it.

    Attributes:
        restrictions: the enforced ones.
        unknown: why the policy is not known; empty when it is.
    """

    restrictions: tuple[Restriction, ...] = ()
    unknown: str = ""

    def max_lifetime(self, kind: CredentialType, created: datetime | None) -> timedelta | None:
        """Return the longest lifetime to ask for; None without a known limit.

        Args:
            kind: the credential's type.
            created: when the application was created; None when not known yet. Then only
                restrictions of all applications count.

        Returns:
            A little less than the policy allows, because two clocks set start and end: 1 %
            less, but at most five minutes.
        """
        known = [
            r.max_lifetime
            for r in self.restrictions
            if r.type is kind and r.max_lifetime is not None and _concerns(r, created)
        ]
        if not known:
            return None
        most = min(known)
        return most - min(most / 100, _MARGIN_CAP)

    def describe(self, kind: CredentialType) -> str:
        """Return what the policy allows credentials of a type, as a stable phrase for status."""
        if self.unknown:
            return f"Unknown: {self.unknown}"
        phrases = [_phrase(r) for r in self.restrictions if r.type is kind]
        return "; ".join(phrases) or "not restricted"

    def summary(self) -> dict[str, str]:
        """Return `EntraTenant.status.appManagementPolicy`."""
        return {
            kind.member: self.describe(kind) for kind in CredentialType if not kind.is_federated
        }


UNRESTRICTED: Final = AppPolicy()
UNREAD: Final = AppPolicy(unknown=NO_ANSWER)


def read_iso_duration(text: str) -> timedelta:
    """Read a duration of a policy, such as `P4DT12H30M5S`; fractions of a second are dropped.

    Raises:
        ValueError: it has another form. Graph's durations have neither years nor months.
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError("not an ISO 8601 duration in days and less")
    days, hours, minutes, seconds = (int(part) for part in match.groups(default="0"))
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def _concerns(restriction: Restriction, created: datetime | None) -> bool:
    since = restriction.created_since
    return since is None or (created is not None and created >= since)


def _phrase(restriction: Restriction) -> str:
    most, since = restriction.max_lifetime, restriction.created_since
    words = "forbidden" if most is None else f"at most {format_duration(most)}"
    return (
        words if since is None else f"{words} for applications created since {format_time(since)}"
    )
