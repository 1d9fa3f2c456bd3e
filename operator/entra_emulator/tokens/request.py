"""A token request as a value."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from entra_emulator.values.secret_text import SecretText


class Version(StrEnum):
    """The two token endpoints, by their paths below the tenant."""

    V1 = "/oauth2/token"
    V2 = "/oauth2/v2.0/token"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRequest:
    """The form of a token request, without unknown fields."""

    version: Version
    tenant: str
    own_host: str
    own_addresses: tuple[str, ...] = ()
    grant_type: str | None = None
    client_id: str | None = None
    client_secret: SecretText | None = None
    client_assertion: SecretText | None = None
    client_assertion_type: str | None = None
    is_ambiguous: bool = False
    """Whether the header has a credential and the body another one, or another client."""
    scope: str | None = None
    resource: str | None = None
    claims: str | None = None

    @property
    def has_credential(self) -> bool:
        """Whether there is a secret or an assertion, right or wrong."""
        return self.client_secret is not None or self.client_assertion is not None
