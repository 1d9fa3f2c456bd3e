"""Matching a foreign token with an application's federated credentials, and remembering misses.

Entra looks for the issuer first, then among those for the subject, then for the audience, and its
errors name the first of them that nothing matches. A miss is remembered for a while: whoever asks
too early goes on failing although the credential has arrived meanwhile.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from entra_emulator.assertions import Assertion
from entra_emulator.entities import ApplicationView, FederatedCredential
from entra_emulator.token_errors import TokenError

# What a managed identity's token has as its audience in place of `api://AzureADTokenExchange`.
_EXCHANGE_APP = "fb60f99c-7a34-4190-8149-302f77469936"
_EXCHANGE = "api://AzureADTokenExchange"
_ENTRA = re.compile(r"https://[^/]+/([0-9a-f-]{36})/v2\.0")


def presented(assertion: Assertion) -> dict[str, str]:
    """Return issuer, subject and audience of a token as errors show them."""
    return {
        "issuer": assertion.issuer,
        "subject": _text(assertion.claims.get("sub")),
        "audience": " ".join(audiences(assertion)),
    }


def audiences(assertion: Assertion) -> tuple[str, ...]:
    """Return the `aud` of a token, which may be one text or a list of them."""
    value = assertion.claims.get("aud")
    values = value if isinstance(value, list) else [value]
    return tuple(one for one in values if isinstance(one, str))


def entra_tenant(issuer: str) -> str | None:
    """Return the tenant of an issuer that is Entra itself; None for all others."""
    match = _ENTRA.fullmatch(issuer)
    return match[1] if match else None


def check_match(view: ApplicationView, assertion: Assertion) -> None:
    """Accept a token that one of the credentials matches in all three parts, exactly.

    Raises:
        TokenError: 70025, 700211, 700213, 7002137, 7002138 or 700212.
    """
    parts = presented(assertion)
    if not view.federated:
        raise TokenError(70025, name=view.properties.display_name)
    same_issuer = [one for one in view.federated if one.issuer == parts["issuer"]]
    if not same_issuer:
        raise TokenError(700211, parts=parts)
    same_subject = [one for one in same_issuer if one.subject == parts["subject"]]
    if not same_subject:
        raise TokenError(_subject_code(same_issuer, parts), parts=parts)
    named = set(audiences(assertion))
    if entra_tenant(parts["issuer"]) and _EXCHANGE_APP in named:
        named.add(_EXCHANGE)
    if not any(one.audience in named for one in same_subject):
        raise TokenError(700212, parts=parts)


def _subject_code(credentials: Sequence[FederatedCredential], parts: dict[str, str]) -> int:
    if entra_tenant(parts["issuer"]):
        return 7002137
    subject = parts["subject"].lower()
    return 7002138 if any(one.subject.lower() == subject for one in credentials) else 700213


class Misses:
    """The misses of a while, by application and what was presented."""

    def __init__(self) -> None:
        self._misses: dict[tuple[str, ...], tuple[datetime, TokenError]] = {}

    def check(
        self, view: ApplicationView, assertion: Assertion, now: datetime, seconds: float
    ) -> None:
        """Match a token, unless the same one missed less than so many seconds ago.

        Raises:
            TokenError: of `check_match`, or the remembered one again.
        """
        self._forget(now, seconds)
        key = (view.app_id, *presented(assertion).values())
        if remembered := self._misses.get(key):
            raise remembered[1]
        try:
            check_match(view, assertion)
        except TokenError as error:
            self._misses[key] = (now, error)
            raise

    def _forget(self, now: datetime, seconds: float) -> None:
        self._misses = {
            key: (at, error)
            for key, (at, error) in self._misses.items()
            if 0 <= (now - at).total_seconds() < seconds
        }


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
