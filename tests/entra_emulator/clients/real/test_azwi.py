"""An unmodified azwi runs the lines of docs/emulator.md.

Its addresses are fixed: the authority, Graph and Azure Resource Manager of the public cloud. It is
led to the emulator by a proxy, and the emulator's certificate has these names.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.support import arm
from tests.support.clients_table import Cell
from tests.support.connectproxy import connect_proxy
from tests.support.documented import Person, documented_lines
from tests.support.emulator import READ_WRITE_ALL, Emulator
from tests.support.programs import AZWI, Operation

LOGIN = "login.microsoftonline.com"
GRAPH = "graph.microsoft.com"
#: The `export` of the document's block that names the proxy.
PROXY = "http://127.0.0.1:3128"


@pytest.fixture
def emulator(tls_dir: Path) -> Iterator[Emulator]:
    with Emulator(tls_dir, hostnames=[LOGIN, GRAPH]) as running:
        yield running


@pytest.fixture
async def person(emulator: Emulator, tenant: str, tmp_path: Path) -> AsyncIterator[Person]:
    command = AZWI.command()
    (tmp_path / "emulator-tls").symlink_to(emulator.ca_file.parent)
    client, secret = emulator.create_operator(tenant, READ_WRITE_ALL)
    variables = {"CLIENT_ID": client, "CLIENT_SECRET": secret, "SUBSCRIPTION_ID": str(uuid4())}
    with arm.resource_manager(emulator.ca_file, tmp_path, tenant) as manager:
        places = {LOGIN: emulator.url, GRAPH: emulator.url, arm.HOST: manager}
        instead = {f"{host}:443": url.removeprefix("https://") for host, url in places.items()}
        async with connect_proxy(instead) as proxy:
            typed = {PROXY: f"http://127.0.0.1:{proxy.port}"}
            yield Person(tmp_path, "azwi", command, variables, typed)


@pytest.mark.clients
async def test_azwi_makes_an_application_and_its_federated_credential(
    person: Person, emulator: Emulator, named: Callable[[str], list[dict[str, Any]]], cell: Cell
) -> None:
    """R3, R4, R5, R6, R10, R13, S8."""
    *settings, application, federated, unfederated, removed = documented_lines("azwi")
    with cell(AZWI.name, Operation.SIGN_IN):
        await asyncio.to_thread(person.types, *settings, application)
        [made] = named("orders-api")
    with cell(AZWI.name, Operation.FEDERATED):
        # What is there already is only a warning to it.
        await asyncio.to_thread(person.types, federated, federated)
        [trust] = emulator.application(made["id"])["federatedIdentityCredentials"]
        assert trust["subject"] == "system:serviceaccount:orders:api"
    with cell(AZWI.name, Operation.REMOVE):
        await asyncio.to_thread(person.types, unfederated)
        assert emulator.application(made["id"])["federatedIdentityCredentials"] == []
        await asyncio.to_thread(person.types, removed)
        assert named("orders-api") == []
