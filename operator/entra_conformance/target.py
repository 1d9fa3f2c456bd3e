"""Which tenant is asked, and as whom."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from entra_conformance.keys import OwnKey
from entra_conformance.redacted import Redacted


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a check waits for what a replica does not show yet.

    Attributes:
        attempts: how often it looks, at most.
        pause: seconds between two looks.
        in_a_row: how many looks in a row must show it, because replicas differ.
        sleep: waits for seconds.
        now: seconds of a clock that only runs forward.
    """

    attempts: int
    pause: float
    in_a_row: int
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    now: Callable[[], float] = time.monotonic


# Entra has no bound for its lag; 300 s is the longest that clients wait (Vault's provider).
REAL = Patience(attempts=150, pause=2.0, in_a_row=5)
EMULATED = Patience(attempts=10, pause=0.0, in_a_row=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A tenant, and the application that the suite signs in as.

    Attributes:
        authority: URL of the token endpoint's host, without a trailing slash.
        graph: URL of Graph without its version; with `/.default` it is the scope.
        tenant: id or domain.
        client_id: of the calling application.
        patience: how long to wait for replicas.
        secret: its client secret, or None with a certificate.
        certificate: its certificate with the private key, or None with a secret.
        ca_file: trusted instead of the system's authorities.
        proxied: whether the proxies of the environment are used.
        federated_token: a token of a foreign issuer such as GitHub Actions, if there is one.
    """

    authority: str
    graph: str
    tenant: str
    client_id: str
    patience: Patience
    secret: Redacted | None = None
    certificate: OwnKey | None = None
    ca_file: Path | None = None
    federated_token: Redacted | None = None
    proxied: bool = True
