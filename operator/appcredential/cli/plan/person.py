"""The API server as the person who plans: the operator's adapters read by it, and cannot write."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from appcredential.cli.connection import Connection
from appcredential.cli.errors import (
    CliError,
    ForbiddenError,
    NoAnswerError,
    NoSuchKindError,
    NotThereError,
)
from appcredential.errors import (
    AppCredentialError,
    NotFoundError,
    PermissionDeniedError,
    RejectedError,
    SecretForbiddenError,
    UnavailableError,
)
from appcredential.kube.client import JSON, METADATA_ONLY, KubeClient

_SECRETS: Final = re.compile(r"/api/v1/namespaces/[^/]+/secrets(/.*)?")


class PersonalClient(KubeClient):
    """Sends GETs only, and has a Secret's metadata in place of the Secret.

    So no adapter that is built on it can change anything or see a value.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def skew(self) -> timedelta | None:
        """Return the API server's clock minus this machine's."""
        return self._connection.now() - datetime.now(UTC)

    async def close(self) -> None:
        """Close nothing: the connection is the command's."""

    async def request(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        query: Sequence[tuple[str, str]] = (),
        content_type: str = JSON,  # noqa: ARG002 - of bodies, which are refused
        accept: str = JSON,
    ) -> dict[str, Any]:
        """Send a GET.

        Raises:
            RejectedError: it is anything else, and is not sent.
            NotFoundError, PermissionDeniedError, SecretForbiddenError, UnavailableError: as the
                operator's own client.
        """
        if method != "GET" or body is not None:
            raise RejectedError(f"{method} {path}: a plan only reads", code="ReadOnly")
        is_secret = _SECRETS.fullmatch(path) is not None
        accepted = METADATA_ONLY if is_secret else accept
        send = self._connection.request
        try:
            return await asyncio.to_thread(send, "GET", path, query=query, accept=accepted)
        except CliError as exc:
            raise _as_ours(exc, is_secret=is_secret) from exc

    async def lines(self, path: str, *_: object, **__: object) -> AsyncGenerator[bytes, None]:
        """Refuse a watch.

        Raises:
            RejectedError: always.
        """
        raise RejectedError(f"a watch of {path}: a plan only reads", code="ReadOnly")
        yield b""


def _as_ours(error: CliError, *, is_secret: bool) -> AppCredentialError:
    if isinstance(error, NotThereError | NoSuchKindError):
        return NotFoundError(str(error))
    if isinstance(error, ForbiddenError) and is_secret:
        return SecretForbiddenError(str(error), is_write=False)
    if isinstance(error, ForbiddenError):
        return PermissionDeniedError(str(error))
    if isinstance(error, NoAnswerError):
        return UnavailableError(str(error))
    return RejectedError(str(error), code="")
