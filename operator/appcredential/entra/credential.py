"""The operator's own token for Graph."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final, Protocol, Self

from azure.core.credentials import AccessToken
from azure.core.exceptions import AzureError
from azure.identity.aio import ClientSecretCredential

from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec import ClientId, TenantId
from appcredential.entra.clouds import Endpoints
from appcredential.entra.translate import token_error
from appcredential.errors import AppCredentialError, IdentityRejectedError, UnavailableError
from appcredential.ports import Clock

# Thousands of resources may want a token that Entra refuses; it need not hear each.
_REFUSAL_HOLDS: Final = 10.0


class TokenSource(Protocol):
    """What is used of an azure-identity credential."""

    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        """Return a token from the cache or the token endpoint."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...


def client_secret_source(
    tenant_id: TenantId,
    client_id: ClientId,
    secret: SecretValue,
    endpoints: Endpoints,
    ca_file: str | None,
) -> Callable[[], TokenSource]:
    """Return what makes azure-identity credentials from a client secret.

    azure-identity retries connections only: an answer, above all a 429 with its
    Retry-After, shall come back at once instead of holding a worker in a sleep.
    """

    def make() -> TokenSource:
        return ClientSecretCredential(
            tenant_id,
            client_id,
            secret.reveal(),
            authority=endpoints.authority,
            connection_verify=ca_file or True,
            connection_timeout=5,
            read_timeout=8,
            retry_total=2,
            retry_status=0,
        )

    return make


class OperatorToken:
    """Gives kiota its tokens; raises only errors of `errors.py`.

    azure-identity lets every concurrent caller with a cold cache ask on its own;
    the lock makes that one request. A refusal is repeated for 10 s without asking.

    Args:
        timeout: seconds for one token, retries included.
    """

    def __init__(
        self, make: Callable[[], TokenSource], scope: str, clock: Clock, timeout: float
    ) -> None:
        self._make = make
        self._scope = scope
        self._clock = clock
        self._timeout = timeout
        self._source = make()
        self._lock = asyncio.Lock()
        self._refusal: IdentityRejectedError | None = None
        self._refused_until = 0.0
        self.generation = 0

    async def warm(self) -> None:
        """Have a token ready, so that a request's own time is not spent on one.

        Raises:
            IdentityRejectedError, ThrottledError, UnavailableError.
        """
        await self.get_token(self._scope, enable_cae=True)

    async def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        enable_cae: bool = False,
        **options: Any,
    ) -> AccessToken:
        """Return a token; part of azure-core's AsyncTokenCredential."""
        try:
            async with asyncio.timeout(self._timeout), self._lock:
                self._check_refusal()
                return await self._source.get_token(
                    *scopes, claims=claims, tenant_id=tenant_id, enable_cae=enable_cae, **options
                )
        except AzureError as error:
            raise self._noted(token_error(error, self._clock.now())) from None
        except TimeoutError:
            raise UnavailableError("token: no answer in time") from None

    def _noted(self, error: AppCredentialError) -> AppCredentialError:
        if isinstance(error, IdentityRejectedError):
            self._refusal = error
            self._refused_until = self._clock.monotonic() + _REFUSAL_HOLDS
        return error

    def _check_refusal(self) -> None:
        if self._refusal is not None and self._clock.monotonic() < self._refused_until:
            raise IdentityRejectedError(str(self._refusal), code=self._refusal.code)

    async def forget(self, generation: int) -> None:
        """Drop the cached token that Graph refused, unless another caller has already."""
        async with self._lock:
            if generation != self.generation:
                return
            self.generation += 1
            old, self._source = self._source, self._make()
        await old.close()

    async def close(self) -> None:
        """Close the connections to the token endpoint."""
        await self._source.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.close()
