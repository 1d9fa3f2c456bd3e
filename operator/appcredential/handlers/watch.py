"""Watches the three kinds with kopf and hands every event to one callback."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Awaitable, Callable, Iterator
from itertools import chain, repeat
from typing import Any

import kopf

from appcredential.kube.custom_resources import GROUP, KINDS, VERSION

log = logging.getLogger(__name__)

OnEvent = Callable[[str, str, dict[str, Any]], None]
"""Called in kopf's thread with the plural, the event type and the object."""


class Patience:
    """Seconds between a watch's retries, without end.

    When they end kopf ends, with all its watches: for one namespace that is gone
    together with the Role that was in it.
    """

    def __iter__(self) -> Iterator[float]:
        """Begin anew, for another request."""
        return chain((1.0, 2.0, 4.0, 8.0, 15.0), repeat(30.0))


class NoEssence(kopf.DiffBaseStorage):  # type: ignore[misc]  # kopf has no types here
    """Keeps nothing of objects: only handlers of changes need that, and there are none.

    kopf would copy each object with each event, and read what it kept from an annotation: whoever
    writes something else there would have the events of that object dropped.
    """

    def build(self, **_: Any) -> Any:
        """Return nothing."""
        return kopf.BodyEssence()

    def fetch(self, **_: Any) -> None:
        """Return that nothing was kept."""

    def store(self, **_: Any) -> None:
        """Keep nothing."""


class Watches:
    """kopf in a thread."""

    def __init__(self, namespaces: tuple[str, ...], on_event: OnEvent) -> None:
        self._namespaces = namespaces
        self._on_event = on_event
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watches", daemon=True)

    @property
    def is_started(self) -> bool:
        """Whether they were started, however they ended."""
        return self._thread.ident is not None

    def start(self) -> None:
        """Start watching. The kinds must be served: kopf never comes back to one it missed."""
        self._thread.start()

    def is_alive(self) -> bool:
        """Tell whether the watches run; kopf ends itself on errors it deems fatal."""
        return self._thread.is_alive()

    def stop(self, seconds: float) -> None:
        """Stop watching and wait for the thread."""
        self._stop.set()
        if self.is_started:
            self._thread.join(seconds)

    def _run(self) -> None:
        registry = kopf.OperatorRegistry()
        kopf.on.login(registry=registry)(_login)
        for plural in KINDS:
            kopf.on.event(GROUP, VERSION, plural, registry=registry)(self._handler(plural))
        operator = kopf.operator(
            registry=registry,
            settings=_settings(),
            clusterwide=not self._namespaces,
            namespaces=self._namespaces,
            standalone=True,
            stop_flag=self._stop,
        )
        try:
            asyncio.run(self._until_its_end(operator))
        except Exception:  # kopf's own end; the process notices that the thread is gone
            log.exception("the watches ended")

    async def _until_its_end(self, operator: Awaitable[None]) -> None:
        """Run kopf; however it ends, this thread ends too.

        kopf waits for the flag in a thread of its own, which the event loop waits for at its end.
        """
        try:
            await operator
        finally:
            self._stop.set()

    def _handler(self, plural: str) -> Callable[..., Any]:
        async def handle(event: Any, **_: Any) -> None:
            self._on_event(plural, str(event.get("type") or ""), dict(event["object"]))

        handle.__name__ = f"on_{plural}"
        return handle


def _login(**kwargs: Any) -> Any:
    if os.environ.get("KUBECONFIG"):
        return kopf.login_with_kubeconfig(**kwargs)
    return kopf.login_with_service_account(**kwargs)


def _settings() -> kopf.OperatorSettings:
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False  # Events are written by us, and log lines are no Events
    settings.peering.standalone = True  # leader election is a Lease; peering is none
    settings.scanning.disabled = True  # the kinds are known: no right to list CRDs needed
    settings.networking.request_timeout = 30
    settings.networking.connect_timeout = 10
    settings.networking.error_backoffs = Patience()
    settings.watching.server_timeout = 290  # below the idle time-outs of load balancers
    settings.watching.connect_timeout = 10
    # How large each object is, users decide, and kopf holds a whole page as text and as objects:
    # 60,000 short labels are 1 MB as text and 13 MiB as objects. A page may not be smaller either:
    # 10,000 resources have to be listed before the token of the first page expires.
    settings.watching.chunk_size = 10
    settings.queueing.idle_timeout = 0.1  # for so long kopf keeps each object after its event
    settings.queueing.exit_timeout = 5
    settings.persistence.finalizer = f"{GROUP}/never-set"  # ours is set by us, not by kopf
    settings.persistence.diffbase_storage = NoEssence()
    return settings
