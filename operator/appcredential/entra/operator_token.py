"""The operator's own token for Graph."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final, Protocol, Self

from azure.core.credentials import AccessToken
from azure.core.exceptions import AzureError

from appcredential.domain.operator_credential import client_of, principal_of, roles_of
from appcredential.domain.spec.model import ClientId
from appcredential.entra.translate import STUMBLES, token_error, unreadable_token
from appcredential.errors import AppCredentialError, IdentityRejectedError, UnavailableError
from appcredential.ports.local import Clock

# Thousands of resources may need a token that Entra refuses: one request stands for all.
_REFUSAL_HOLDS: Final = 10.0


class TokenSource(Protocol):
    """The part of an azure-identity credential that is used."""

    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        """Return a token from the cache or the token endpoint."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...


class OperatorToken:
    """Gives kiota its tokens, and raises only errors of `errors.py`.

    With a cold cache, azure-identity lets each concurrent caller send a request of its own. A
    lock makes that one request, and a refusal is repeated for 10 s without another one.

    Args:
        timeout: seconds for one token, retries included.
        message: what a refusal by Entra means for this kind of identity.
    """

    def __init__(
        self,
        make: Callable[[], TokenSource],
        scope: str,
        clock: Clock,
        timeout: float,
        *,
        message: str = "",
    ) -> None:
        self._message = message
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
        """Get a token in advance, so that it takes nothing of a request's own time.

        Raises:
            IdentityRejectedError, ThrottledError, UnavailableError.
        """
        await self.get_token(self._scope, enable_cae=True)

    async def client_id(self) -> ClientId | None:
        """Return the client that the tokens are issued to; None when that cannot be read.

        Raises:
            IdentityRejectedError, ThrottledError, UnavailableError.
        """
        return client_of((await self.get_token(self._scope, enable_cae=True)).token)

    async def principal_id(self) -> str:
        """Return the object id of the operator's service principal; empty if it is unreadable.

        Raises:
            IdentityRejectedError, ThrottledError, UnavailableError.
        """
        return principal_of((await self.get_token(self._scope, enable_cae=True)).token)

    async def roles(self) -> frozenset[str] | None:
        """Return the permissions that the tokens name; None if they are unreadable.

        Raises:
            IdentityRejectedError, ThrottledError, UnavailableError.
        """
        return roles_of((await self.get_token(self._scope, enable_cae=True)).token)

    async def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        enable_cae: bool = False,
        **options: Any,
    ) -> AccessToken:
        """Return a token. Part of azure-core's AsyncTokenCredential."""
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
        except STUMBLES as error:
            raise unreadable_token(error) from None

    def _noted(self, error: AppCredentialError) -> AppCredentialError:
        if isinstance(error, IdentityRejectedError):
            error.message = self._message
            self._refusal = error
            self._refused_until = self._clock.monotonic() + _REFUSAL_HOLDS
        return error

    def _check_refusal(self) -> None:
        if self._refusal is not None and self._clock.monotonic() < self._refused_until:
            raise self._refusal.with_traceback(None)

    async def forget(self, generation: int) -> None:
        """Drop the cached token that Graph refused, unless another caller did so already."""
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
