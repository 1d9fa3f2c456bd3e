"""An unmodified azwi makes an application, lets a ServiceAccount be it, and removes both.

Its addresses are fixed: the authority, Graph and Azure Resource Manager of the public cloud. It is
led to the emulator by a proxy, and the emulator's certificate has these names.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.support import arm
from tests.support.clients_table import Cell
from tests.support.connectproxy import connect_proxy
from tests.support.emulator import READ_WRITE_ALL, Emulator
from tests.support.programs import AZWI, Operation

LOGIN = "login.microsoftonline.com"
GRAPH = "graph.microsoft.com"
ISSUER = "https://oidc.example.net/cluster-1/"
NAME = "orders-api"
ACCOUNT = ["--service-account-namespace", "orders", "--service-account-name", "api"]
ACCOUNT += ["--service-account-issuer-url", ISSUER]
Named = Callable[[str], list[dict[str, Any]]]
#: Seconds; its library repeats failed requests for minutes.
MAXIMUM = 60


@pytest.fixture
def emulator(tls_dir: Path) -> Iterator[Emulator]:
    with Emulator(tls_dir, hostnames=[LOGIN, GRAPH]) as running:
        yield running


def address(url: str) -> str:
    return url.removeprefix("https://")


class Azwi:
    """The program as an operator's application, behind the proxy."""

    def __init__(self, emulator: Emulator, tenant: str, proxy: int) -> None:
        self._command = AZWI.command()
        client, secret = emulator.create_operator(tenant, READ_WRITE_ALL)
        self._login = ["--auth-method", "client_secret", "--subscription-id", str(uuid4())]
        self._login += ["--client-id", client, "--client-secret", secret]
        settings = {
            "HTTPS_PROXY": f"http://127.0.0.1:{proxy}",
            "SSL_CERT_FILE": str(emulator.ca_file),
        }
        inherited = {n: v for n, v in os.environ.items() if not n.upper().endswith("_PROXY")}
        self._environment = {**inherited, **settings}

    async def run(self, does: str, phase: str, *words: str) -> None:
        """Run one phase of `azwi serviceaccount create` or `delete`."""
        done = await asyncio.to_thread(
            subprocess.run,
            [*self._command, "serviceaccount", does, "phase", phase, *words, *self._login],
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=MAXIMUM,
            check=False,
        )
        assert done.returncode == 0, f"{does} {phase}: {done.stderr[-500:]}"


@pytest.mark.clients
async def test_azwi_makes_an_application_and_its_federated_credential(
    emulator: Emulator, tenant: str, tmp_path: Path, named: Named, cell: Cell
) -> None:
    """R3, R4, R5, R6, R10, R13, S8."""
    app = ["--aad-application-name", NAME]
    with arm.resource_manager(emulator.ca_file, tmp_path, tenant) as manager:
        here = dict.fromkeys([f"{LOGIN}:443", f"{GRAPH}:443"], address(emulator.url))
        async with connect_proxy({**here, f"{arm.HOST}:443": address(manager)}) as proxy:
            azwi = Azwi(emulator, tenant, proxy.port)
            with cell(AZWI.name, Operation.SIGN_IN):
                await azwi.run("create", "aad-application", *app)
                [made] = named(NAME)
            with cell(AZWI.name, Operation.FEDERATED):
                await azwi.run("create", "federated-identity", *app, *ACCOUNT)
                [trust] = emulator.application(made["id"])["federatedIdentityCredentials"]
                assert (trust["issuer"], trust["subject"]) == (
                    ISSUER,
                    "system:serviceaccount:orders:api",
                )
                await azwi.run("create", "federated-identity", *app, *ACCOUNT)
            with cell(AZWI.name, Operation.REMOVE):
                await azwi.run("delete", "federated-identity", *app, *ACCOUNT)
                assert emulator.application(made["id"])["federatedIdentityCredentials"] == []
                await azwi.run("delete", "aad-application", *app)
                assert named(NAME) == []
