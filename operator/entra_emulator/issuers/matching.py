"""Match a foreign token with an application's federated credentials, and remember misses.

Entra compares the issuer first, then the subject, then the audience; its error names the first one
that no credential matches. It remembers a miss for a while. So a client that asks too early goes on
failing, although the credential has arrived in the meantime.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from entra_emulator.directory.entities import ApplicationView, FederatedCredential
from entra_emulator.errors.tokens import TokenError
from entra_emulator.jose.assertions import Assertion

# The audience of a managed identity's token, in place of `api://AzureADTokenExchange`.
_EXCHANGE_APP = "fb60f99c-7a34-4190-8149-302f77469936"
_EXCHANGE = "api://AzureADTokenExchange"
_ENTRA = re.compile(r"https://[^/]+/([0-9a-f-]{36})/v2\.0")


def presented(assertion: Assertion) -> dict[str, str]:
    """Return issuer, subject and audience of a token, as errors show them."""
    return {
        "issuer": assertion.issuer,
        "subject": _text(assertion.claims.get("sub")),
        "audience": " ".join(audiences(assertion)),
    }


def audiences(assertion: Assertion) -> tuple[str, ...]:
    """Return the audiences of a token; its `aud` may be one text or a list."""
    value = assertion.claims.get("aud")
    values = value if isinstance(value, list) else [value]
    return tuple(one for one in values if isinstance(one, str))


def entra_tenant(issuer: str) -> str | None:
    """Return the tenant if the issuer is Entra itself; None for all others."""
    match = _ENTRA.fullmatch(issuer)
    return match[1] if match else None


def mismatch(credentials: Sequence[FederatedCredential], assertion: Assertion) -> int | None:
    """Return the AADSTS number of the first part that no credential matches; None for a match.

    70025: there are no credentials; 700211: issuer; 700213, 7002137 or 7002138: subject;
    700212: audience.
    """
    parts = presented(assertion)
    if not credentials:
        return 70025
    same_issuer = [one for one in credentials if one.issuer == parts["issuer"]]
    if not same_issuer:
        return 700211
    same_subject = [one for one in same_issuer if one.subject == parts["subject"]]
    if not same_subject:
        return _subject_code(same_issuer, parts)
    named = set(audiences(assertion))
    if entra_tenant(parts["issuer"]) and _EXCHANGE_APP in named:
        named.add(_EXCHANGE)
    return None if any(one.audience in named for one in same_subject) else 700212


def _subject_code(credentials: Sequence[FederatedCredential], parts: dict[str, str]) -> int:
    if entra_tenant(parts["issuer"]):
        return 7002137
    subject = parts["subject"].lower()
    return 7002138 if any(one.subject.lower() == subject for one in credentials) else 700213


class Misses:
    """Recent misses, by application and by issuer, subject and audience of the token."""

    def __init__(self) -> None:
        self._misses: dict[tuple[str, ...], tuple[datetime, int]] = {}

    def check(
        self, view: ApplicationView, assertion: Assertion, now: datetime, seconds: float
    ) -> None:
        """Match a token, unless the same one missed less than `seconds` ago.

        Raises:
            TokenError: the token does not match, or did not match then.
        """
        self._forget(now, seconds)
        parts = presented(assertion)
        key = (view.app_id, *parts.values())
        _, code = self._misses.get(key, (now, None))
        if code is None:
            code = mismatch(view.federated, assertion)
            if code is None:
                return
            self._misses[key] = (now, code)
        raise TokenError(code, name=view.properties.display_name, parts=parts)

    def _forget(self, now: datetime, seconds: float) -> None:
        self._misses = {
            key: (at, code)
            for key, (at, code) in self._misses.items()
            if 0 <= (now - at).total_seconds() < seconds
        }


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
