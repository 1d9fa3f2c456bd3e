"""How a person at a terminal gets a token for Graph: by variables, or by the Azure CLI.

Messages here are for that person, in one line with the remedy. They hold nothing that a server
or the Azure CLI said.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from azure.core.credentials import AccessToken
from azure.core.exceptions import AzureError, ClientAuthenticationError
from azure.identity import CredentialUnavailableError
from azure.identity.aio import (
    AzureCliCredential,
    CertificateCredential,
    ClientSecretCredential,
)

from appcredential.domain.spec.model import TenantId
from appcredential.entra.clouds import CloudRoute
from appcredential.entra.operator_token import TokenSource
from appcredential.entra.token_transport import TokenTransport
from appcredential.entra.translate import token_error
from appcredential.errors import IdentityRejectedError
from appcredential.ports.local import Clock

CLIENT_ID: Final = "AZURE_CLIENT_ID"
CLIENT_SECRET: Final = "AZURE_CLIENT_SECRET"
CERTIFICATE: Final = "AZURE_CLIENT_CERTIFICATE_PATH"
CERTIFICATE_PASSWORD: Final = "AZURE_CLIENT_CERTIFICATE_PASSWORD"

_AZ_SECONDS: Final = 30
_EARLY: Final = timedelta(minutes=5)
"""A token is renewed so long before it ends."""
_RETRIES: Final[Mapping[str, Any]] = {"retry_total": 2, "retry_status": 0}


def is_in_environment(environ: Mapping[str, str]) -> bool:
    """Return whether the variables of azure-identity name a client and how it signs in."""
    has_proof = bool(environ.get(CLIENT_SECRET) or environ.get(CERTIFICATE))
    return bool(environ.get(CLIENT_ID)) and has_proof


def environment_source(
    environ: Mapping[str, str], tenant_id: TenantId, route: CloudRoute, clock: Clock
) -> Callable[[], TokenSource]:
    """Return a factory of sign-ins as the client of `AZURE_CLIENT_ID`.

    The tenant is the one that is read, whatever `AZURE_TENANT_ID` says.

    Args:
        environ: the variables.
        tenant_id: where to sign in.
        route: to its cloud.
        clock: of the process.

    Raises:
        IdentityRejectedError: a variable is missing, or the certificate cannot be used.
    """
    if not is_in_environment(environ):
        raise IdentityRejectedError(
            f"Set {CLIENT_ID}, and {CLIENT_SECRET} or {CERTIFICATE}; or sign in by --sign-in "
            "azure-cli."
        )
    client_id, path = environ[CLIENT_ID], environ.get(CERTIFICATE, "")
    how = CLIENT_SECRET if environ.get(CLIENT_SECRET) else CERTIFICATE
    password = environ.get(CERTIFICATE_PASSWORD)
    data = b"" if environ.get(CLIENT_SECRET) else _content(path)

    def make() -> TokenSource:
        # A transport belongs to one credential, and is closed with it.
        options: dict[str, Any] = {
            "authority": route.endpoints.authority,
            "transport": TokenTransport(route.ca_file, route.extra_ca_file),
            **_RETRIES,
        }
        if not data:
            return ClientSecretCredential(tenant_id, client_id, environ[CLIENT_SECRET], **options)
        return CertificateCredential(
            tenant_id, client_id, certificate_data=data, password=password, **options
        )

    try:
        make()
    except ValueError:
        raise IdentityRejectedError(
            f"{CLIENT_ID} or {how} cannot be used: a certificate is a PEM or PKCS #12 file with "
            "its private key."
        ) from None
    words = _Words(
        unavailable=f"Set {CLIENT_ID} and {how} anew.",
        refused=f"Entra refuses the client of {CLIENT_ID} in tenant {tenant_id}",
        remedy=f"look at {CLIENT_ID}, {how} and the tenant",
    )
    return lambda: _PersonToken(make(), words, clock)


def azure_cli_source(tenant_id: TenantId, clock: Clock) -> Callable[[], TokenSource]:
    """Return a factory of sign-ins as whoever is signed in to the Azure CLI.

    The Azure CLI keeps no token of ours in memory and takes a second for each, so that a token is
    kept until shortly before it ends.
    """
    login = f"az login --tenant {tenant_id}"
    words = _Words(
        unavailable=f"Sign in to Entra first: {login}, or set {CLIENT_ID} and {CLIENT_SECRET}."
        if shutil.which("az") or shutil.which("az.cmd")
        else f"There is no Azure CLI on the path: install it and run {login}, or set {CLIENT_ID} "
        f"and {CLIENT_SECRET}.",
        refused=f"The Azure CLI gets no token for tenant {tenant_id}",
        remedy=f"run {login} --scope of Graph, or see what az account get-access-token says",
    )

    def make() -> TokenSource:
        return AzureCliCredential(tenant_id=tenant_id, process_timeout=_AZ_SECONDS)

    return lambda: _PersonToken(make(), words, clock)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Words:
    """What to tell the person.

    Attributes:
        unavailable: nobody is signed in.
        refused: how the sentence about a refusal begins.
        remedy: how it ends.
    """

    unavailable: str
    refused: str
    remedy: str


class _PersonToken:
    """A TokenSource that keeps its token, and whose refusals say what the person has to do."""

    def __init__(self, source: TokenSource, words: _Words, clock: Clock) -> None:
        self._source = source
        self._words = words
        self._clock = clock
        self._kept: AccessToken | None = None

    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        """Return the token, or a new one shortly before it ends.

        Raises:
            IdentityRejectedError: with the remedy.
            ThrottledError, UnavailableError: as `translate.token_error` has them.
        """
        kept, claims = self._kept, options.get("claims")
        soon = self._clock.now() + _EARLY
        if kept is not None and not claims and kept.expires_on > soon.timestamp():
            return kept
        try:
            found = await self._source.get_token(*scopes, **options)
        except CredentialUnavailableError:
            raise IdentityRejectedError(self._words.unavailable) from None
        except AzureError as error:
            raise self._told(error) from None
        self._kept = found
        return found

    def _told(self, error: AzureError) -> Exception:
        found = token_error(error, self._clock.now())
        # An error without a response is the Azure CLI's: there was no answer to judge.
        of_the_cli = isinstance(error, ClientAuthenticationError) and error.response is None
        if not isinstance(found, IdentityRejectedError) and not of_the_cli:
            return found
        code = found.code if isinstance(found, IdentityRejectedError) else 0
        number = f" (AADSTS{code})" if code else ""
        text = f"{self._words.refused}{number}: {self._words.remedy}."
        return IdentityRejectedError(text, code=code)

    async def close(self) -> None:
        """Close the connections."""
        await self._source.close()


def _content(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise IdentityRejectedError(f"The file of {CERTIFICATE} cannot be read: {why}.") from None
