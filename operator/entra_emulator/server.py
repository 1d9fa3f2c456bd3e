"""The emulator as a server: one aiohttp application behind TLS."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import web

from entra_emulator.admin.actions import plant
from entra_emulator.admin.endpoint import admin_routes
from entra_emulator.admin.issuer_routes import issuer_routes
from entra_emulator.admin.issuers import add_issuer
from entra_emulator.admin.seed import IssuerSeed, Seed
from entra_emulator.faults.documents import Faults
from entra_emulator.graph.endpoint import handle_graph, handle_unknown_version
from entra_emulator.jose.jwt import TokenSigner
from entra_emulator.responses import STOPPING, WORLD
from entra_emulator.tls import CA_FILE, server_context
from entra_emulator.tokens.discovery import (
    handle_instance_discovery,
    handle_keys,
    handle_keys_v1,
    handle_openid_configuration,
    handle_openid_configuration_v1,
)
from entra_emulator.tokens.endpoint import handle_token, handle_token_v1
from entra_emulator.tokens.unknown import handle_unknown_path, handle_wrong_method
from entra_emulator.world import World

_GRACE_SECONDS = 2.0
# Graph, "Best practices": a request has at most 4 MB.
_LARGEST_BODY = 4 * 1024 * 1024
# Neither the admin API nor one of the token endpoint's addresses, which answer in their own form.
_UNKNOWN = r"/{version:(?!emulator\b)[^/]*}{path:(?!.*/(?:oauth2|discovery|\.well-known)/).*}"
_UNKNOWN_LOGIN = r"/{tenant:(?!emulator\b)[^/]*}/{path:.*}"


def build_application(world: World) -> web.Application:
    """Return the whole emulator as an aiohttp application."""
    app = web.Application(client_max_size=_LARGEST_BODY)
    app[WORLD] = world
    app[STOPPING] = asyncio.Event()
    app.add_routes(admin_routes())
    app.add_routes(issuer_routes())
    app.add_routes(
        [
            web.get("/common/discovery/instance", handle_instance_discovery),
            web.get("/{tenant}/v2.0/.well-known/openid-configuration", handle_openid_configuration),
            web.get("/{tenant}/discovery/v2.0/keys", handle_keys),
            web.get("/{tenant}/.well-known/openid-configuration", handle_openid_configuration_v1),
            web.get("/{tenant}/discovery/keys", handle_keys_v1),
            web.post("/{tenant}/oauth2/v2.0/token", handle_token),
            web.route("*", "/{tenant}/oauth2/v2.0/token", handle_wrong_method),
            web.post("/{tenant}/oauth2/token", handle_token_v1),
            web.route("*", "/{tenant}/oauth2/token", handle_wrong_method),
            web.route("*", "/v1.0/{path:.*}", handle_graph),
            web.route("*", "/beta/{path:.*}", handle_graph),
            web.route("*", _UNKNOWN, handle_unknown_version),
            web.route("*", _UNKNOWN_LOGIN, handle_unknown_path),
        ]
    )
    return app


class EmulatorServer:
    """Runs an emulator inside a process: `async with EmulatorServer(tls_dir=…) as server`.

    Args:
        tls_dir: folder of the certificate authority and the signing key; both are made if they
            are missing.
        seed: the objects, policies and faults that exist from the beginning.
        faults: replaces the faults of the seed.
        host: the address to listen on.
        port: the port; 0 takes a free one.
        hostnames: names for the certificate, in addition to localhost.
        issuers: issuers whose tokens may be exchanged, in addition to those of the seed.
    """

    def __init__(
        self,
        *,
        tls_dir: Path,
        seed: Seed | None = None,
        faults: Faults | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        hostnames: Sequence[str] = (),
        issuers: Sequence[IssuerSeed] = (),
    ) -> None:
        self._tls_dir = tls_dir
        self._host = host
        self._port = port
        self._hostnames = tuple(hostnames)
        self.world = World(TokenSigner.load_or_create(tls_dir))
        plant(self.world, seed or Seed())
        for issuer in issuers:
            add_issuer(self.world, issuer)
        if faults is not None:
            self.world.set_faults(faults)
        self._runner: web.AppRunner | None = None

    @property
    def ca_file(self) -> Path:
        """The file of the CA certificate that clients must trust."""
        return self._tls_dir / CA_FILE

    @property
    def url(self) -> str:
        """The URL of the server, without a trailing slash."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"https://{host}:{self._port}"

    @property
    def graph_root(self) -> str:
        """The URL of Graph's root, `…/v1.0`."""
        return f"{self.url}/v1.0"

    async def start(self) -> None:
        """Start to listen.

        Raises:
            OSError: the address cannot be used.
        """
        context = server_context(self._tls_dir, (*self._hostnames, self._host))
        app = build_application(self.world)
        # Without aiohttp's access log: our request log names operations, never a query or body.
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=_GRACE_SECONDS)
        await runner.setup()
        self._runner = runner
        site = web.TCPSite(runner, self._host, self._port, ssl_context=context)
        try:
            await site.start()
        except OSError:
            await self.stop()
            raise
        self._port = runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop listening; requests that a fault holds end at once."""
        runner, self._runner = self._runner, None
        if runner is None:
            return
        runner.app[STOPPING].set()
        transports = _open_transports(runner)
        await runner.cleanup()
        # TLS waits for the client to close a connection; a stopped server does not.
        for transport in transports:
            with suppress(AttributeError):  # CPython 3.11.2 raises it once the connection is gone
                transport.abort()
        await asyncio.sleep(0)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        await self.stop()


def _open_transports(runner: web.AppRunner) -> list[asyncio.WriteTransport]:
    connections = runner.server.connections if runner.server is not None else []
    found = [connection.transport for connection in connections]
    return [one for one in found if isinstance(one, asyncio.WriteTransport)]
