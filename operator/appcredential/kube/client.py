"""One low-level Kubernetes client: JSON in, JSON out, our own errors.

`kubernetes.aio`'s ApiClient does TLS, kubeconfig and the in-cluster token
(re-read every minute); its typed APIs are left out because they cost 25 MiB
and half a second at import for objects we treat as JSON anyway.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import aiohttp
import msgspec
from kubernetes.aio import client

from appcredential.domain.clock_skew import Skew, http_date
from appcredential.domain.lifecycle_settings import LifecycleSettings
from appcredential.errors import AnswerTooLargeError, UnavailableError
from appcredential.kube.configuration import load_configuration
from appcredential.kube.outage import Outage
from appcredential.kube.purposes import purpose_of
from appcredential.kube.translate import raise_for_status
from appcredential.ports.local import Clock
from appcredential.transport import MIB, BoundedResponse, TooLargeError, read_lines

FIELD_MANAGER = "appcredential"
JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"
METADATA_ONLY = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"

_FIRST_PAGE, _PAGE = 25, 500
_MAX_SKEW = LifecycleSettings().max_clock_skew

Observe = Callable[[str, str, int, float], None]
"""Called with purpose, method, HTTP status (0 without one) and seconds."""


def ignore(_purpose: str, _method: str, _status: int, _seconds: float) -> None:
    """Observe nothing."""


class _Response(BoundedResponse):
    limit = 8 * MIB


class KubeClient:
    """Requests to the API server, with time-outs, errors of ours and its clock."""

    def __init__(
        self, api: client.ApiClient, clock: Clock, *, timeout: float = 20, observe: Observe = ignore
    ) -> None:
        self._api = api
        self._clock = clock
        self._timeout = timeout
        self._observe = observe
        self._skew = Skew()
        self._outage = Outage(clock)

    @classmethod
    async def connect(cls, clock: Clock, kubeconfig: str, observe: Observe = ignore) -> KubeClient:
        """Connect by a kubeconfig file, or with the pod's own token when it is empty.

        Raises:
            UnusableKubeconfigError: neither is there.
        """
        configuration = await load_configuration(kubeconfig, _Response)
        return cls(client.ApiClient(configuration), clock, observe=observe)

    async def close(self) -> None:
        """Close the connections."""
        await self._api.close()

    def skew(self) -> timedelta | None:
        """Return the API server's clock minus ours, by its answers; None when unknown."""
        return self._skew.ahead(self._clock.now(), self._clock.monotonic())

    async def request(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        query: Sequence[tuple[str, str]] = (),
        content_type: str = JSON,
        accept: str = JSON,
    ) -> dict[str, Any]:
        """Send one request and return the decoded answer.

        Raises:
            NotFoundError, ConflictError, NamespaceTerminatingError, PermissionDeniedError,
            RejectedError, ThrottledError, UnavailableError: see `translate.py`.
        """
        started = time.monotonic()
        status = 0
        try:
            params = await self._params(method, path, query, accept, body, content_type)
            status, headers, raw = await self._send(params)
        except TooLargeError as exc:
            self._outage.note_answer()
            raise AnswerTooLargeError(f"{method} of too much from the API server") from exc
        except (aiohttp.ClientError, TimeoutError, OSError) as exc:
            self._outage.note_failure(exc)
            raise UnavailableError(f"{method} to the API server failed") from exc
        finally:
            self._observe(purpose_of(path), method, status, time.monotonic() - started)
        self._outage.note_answer()
        self._note_time(headers)
        document = _decode(raw, status)
        raise_for_status(status, document, headers, f"{method} {path}")
        return document

    async def pages(
        self, path: str, query: Sequence[tuple[str, str]] = ()
    ) -> AsyncIterator[dict[str, Any]]:
        """Yield every object of a list; see `lists`."""
        async for found in self.lists(path, query):
            for item in found.get("items") or ():
                yield item

    async def lists(
        self,
        path: str,
        query: Sequence[tuple[str, str]] = (),
        accept: str = JSON,
        most: int = _PAGE,
    ) -> AsyncIterator[dict[str, Any]]:
        """Yield a list in pages of up to `most` or of what fits into one answer.

        The first page is small: how large objects are, users decide, and an API server needs
        longer than a request may take to send 500 large ones.

        Raises:
            AppCredentialError: as `request`; the list is not whole then.
        """
        token, size = "", _FIRST_PAGE
        while True:
            wanted = [*query, ("limit", str(size)), *([("continue", token)] if token else [])]
            try:
                found = await self.request("GET", path, query=wanted, accept=accept)
            except AnswerTooLargeError:
                if size == 1:
                    raise
                size = most = max(1, size // 4)
                continue
            size = min(4 * size, most)
            yield found
            token = str((found.get("metadata") or {}).get("continue") or "")
            if not token:
                return

    async def lines(
        self, path: str, query: Sequence[tuple[str, str]], accept: str, silence: float
    ) -> AsyncGenerator[bytes, None]:
        """Yield the lines of an answer that comes bit by bit, such as a watch's.

        Args:
            path: of the API.
            query: its parameters.
            accept: the form of the answer.
            silence: after so many seconds without a byte, the connection counts as broken.

        Raises:
            AppCredentialError: as `request`.
        """
        timeout = aiohttp.ClientTimeout(total=None, connect=10, sock_read=silence)
        try:
            params = await self._params("GET", path, query, accept)
            answer = (await self._api.call_api(*params, _request_timeout=timeout)).response
            async with answer:
                if answer.status != 200:
                    document = _decode(await answer.read(), answer.status)
                    raise_for_status(answer.status, document, answer.headers, f"GET {path}")
                async for line in read_lines(answer, _Response.limit):
                    yield line
        except TooLargeError as exc:
            raise AnswerTooLargeError("GET of too much from the API server") from exc
        except (client.ApiException, aiohttp.ClientError, TimeoutError, OSError) as exc:
            raise UnavailableError("a watch of the API server ended") from exc

    async def _send(self, params: Any) -> tuple[int, Mapping[str, str], bytes]:
        timeout = aiohttp.ClientTimeout(total=self._timeout, connect=10)
        try:
            response = await self._api.call_api(*params, _request_timeout=timeout)
        except client.ApiException as exc:
            raw = exc.body if isinstance(exc.body, bytes) else str(exc.body or "").encode()
            return int(exc.status or 0), dict(exc.headers or {}), raw
        raw = await response.read()
        return int(response.status), dict(response.getheaders()), raw or b""

    async def _params(
        self,
        method: str,
        path: str,
        query: Sequence[tuple[str, str]],
        accept: str,
        body: Mapping[str, Any] | None = None,
        content_type: str = JSON,
    ) -> Any:
        return await self._api.param_serialize(
            method,
            path,
            query_params=list(query),
            header_params={"Accept": accept, "Content-Type": content_type},
            body=dict(body) if body is not None else None,
            auth_settings=["BearerToken"],
        )

    def _note_time(self, headers: Mapping[str, str]) -> None:
        date = http_date(headers.get("Date") or headers.get("date") or "")
        if date is not None:
            clock = self._clock
            self._skew = self._skew.seen(date, clock.now(), clock.monotonic(), _MAX_SKEW)


def _decode(raw: bytes, status: int) -> dict[str, Any]:
    """Read an answer; of an error it is enough to know the status."""
    try:
        document = msgspec.json.decode(raw, type=dict[str, Any])
    except (msgspec.MsgspecError, ValueError, RecursionError) as exc:
        if status < 400:
            # Such as the page of a proxy, which must not pass for an object without members.
            raise UnavailableError("the API server's answer is no JSON object") from exc
        return {}
    return document
