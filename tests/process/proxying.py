"""A way to the API server on which watches can be disturbed, and nothing else."""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
from collections.abc import Coroutine
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector, web
from yarl import URL

from demo.processes import OPERATOR_ACCOUNT
from localcluster import Cluster
from localcluster.kubeconfig import with_token

T = TypeVar("T")

_EXPIRED: Final = {
    "type": "ERROR",
    "object": {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": "too old resource version: 1 (2)",
        "reason": "Expired",
        "code": 410,
    },
}
_CLOSING_SECONDS: Final = 0.3
"""TLS connections say good-bye after they were closed."""
_NOT_HANDED_ON: Final = {"host", "content-length", "transfer-encoding", "connection"}


class WatchProxy:
    """Hands everything on to the API server and back; runs in a thread of its own.

    Attributes:
        is_silent: watches stay open and tell nothing; what they would have told is lost.
        dropped: how often that was so.
        expired: how many watches were ended as too old.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="watch proxy")
        self._watches: set[web.StreamResponse] = set()
        self._handling: set[asyncio.Task[Any]] = set()
        self._port = 0
        self.is_silent = False
        self.dropped = self.expired = 0

    def __enter__(self) -> Self:
        self._thread.start()
        self._call(self._start())
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def kubeconfig(self, namespace: str, path: Path) -> Path:
        """Write the operator's kubeconfig, by which it comes here."""
        token = self._cluster.service_account_token(namespace, OPERATOR_ACCOUNT)
        url = f"https://127.0.0.1:{self._port}"
        return with_token(path, url, self._cluster.ca_file, token, namespace)

    def expire(self) -> None:
        """End all watches as the API server does that no longer knows their version, with 410."""
        self._call(self._expire())

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=30)

    async def _start(self) -> None:
        pki = self._cluster.folder / "pki"
        trusted = ssl.create_default_context(cafile=self._cluster.ca_file)
        self._session = ClientSession(
            connector=TCPConnector(ssl=trusted, limit=0),
            timeout=ClientTimeout(total=None),
            auto_decompress=False,
        )
        application = web.Application(client_max_size=2**24)
        application.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(application, shutdown_timeout=1, access_log=None)
        await self._runner.setup()
        own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        own.load_cert_chain(pki / "kube-apiserver.crt", pki / "kube-apiserver.key")
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=own)
        await site.start()
        self._port = self._runner.addresses[0][1]

    async def _end(self) -> None:
        for task in self._handling:
            task.cancel()
        await self._runner.cleanup()
        await self._session.close()
        await asyncio.sleep(_CLOSING_SECONDS)

    async def _expire(self) -> None:
        watches, self._watches = self._watches, set()
        for watch in watches:
            await watch.write(json.dumps(_EXPIRED).encode() + b"\n")
            await watch.write_eof()
            self.expired += 1

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        task = asyncio.current_task()
        assert task is not None
        self._handling.add(task)
        task.add_done_callback(self._handling.discard)
        is_watch = request.query.get("watch") in {"true", "1"}
        url = URL(f"{self._cluster.server}{request.raw_path}", encoded=True)
        headers = [(k, v) for k, v in request.headers.items() if k.lower() not in _NOT_HANDED_ON]
        async with self._session.request(
            request.method, url, headers=headers, data=await request.read() or None
        ) as answer:
            response = web.StreamResponse(status=answer.status)
            for name, value in answer.headers.items():
                if name.lower() not in _NOT_HANDED_ON:
                    response.headers.add(name, value)
            await response.prepare(request)
            if is_watch:
                self._watches.add(response)
            try:
                async for chunk in answer.content.iter_any():
                    if is_watch and self.is_silent:
                        self.dropped += 1
                    elif is_watch and response not in self._watches:
                        break
                    else:
                        await response.write(chunk)
            except (ClientError, ConnectionResetError):
                pass  # it ends here as it ended there
            finally:
                self._watches.discard(response)
            return response
