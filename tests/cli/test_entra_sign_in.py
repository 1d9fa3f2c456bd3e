"""How the tool signs in to Entra as the person, and what it says where that fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from datetime import timedelta
from typing import Any, TypeVar

import pytest

from appcredential.cli.connection import Access
from appcredential.cli.entra_sign_in import TenantChoice, in_tenant, target
from appcredential.cli.errors import CliError, ForbiddenError
from appcredential.cli.terminal import Terminal
from appcredential.domain.inventory import Way
from appcredential.domain.spec.model import ClientId
from appcredential.entra.reader import Principal, Reader
from appcredential.ports.lists import Page
from tests.cli.entra_scene import EntraPerson, emulator, person, signed_in
from tests.support.keys import make_certificate

__all__ = ["emulator", "person"]


T = TypeVar("T")


def sign_in(person: EntraPerson, way: str = "") -> Principal:
    return read(person, Reader.principal, way)


def read(
    person: EntraPerson,
    do: Callable[[Reader], Coroutine[Any, Any, T]],
    sign_in: str = "",
    seconds: float = 30,
) -> T:
    choice = TenantChoice(
        tenant_ref="default", tenant_id=person.tenant, cloud="Custom", sign_in=sign_in
    )
    return in_tenant(
        Terminal(),
        choice,
        target(choice, Access()),
        do,
        timeout=timedelta(seconds=seconds),
        show=lambda _: None,
    )


def test_variables_sign_in_as_their_client(person: EntraPerson) -> None:
    found = sign_in(person)
    assert found.object_id
    assert not found.is_user
    assert "by the variables AZURE_CLIENT_" in person.captured.readouterr().err


def test_a_certificate_signs_in_as_well(person: EntraPerson) -> None:
    made = make_certificate()
    person.emulator.add_key(person.client_id, certificate=made.pem.decode())
    file = person.home / "client.pem"
    file.write_bytes(made.bundle)
    person.set_variables.delenv("AZURE_CLIENT_SECRET")
    person.set_variables.setenv("AZURE_CLIENT_CERTIFICATE_PATH", str(file))
    assert sign_in(person).object_id
    file.write_text("no certificate")
    with pytest.raises(CliError, match=r"a PEM or PKCS #12 file with its private key"):
        sign_in(person)
    file.unlink()
    with pytest.raises(CliError, match="No such file"):
        sign_in(person)


def test_otherwise_the_azure_cli_does_and_is_asked_once(person: EntraPerson) -> None:
    person.put_azure_cli(signed_in(person.token()))
    person.forget_variables()

    async def twice(reader: Reader) -> bool:
        await reader.principal()
        found = [page async for page in _all(reader)]
        return len(found) == 1

    assert read(person, twice)
    (asked,) = person.asked_azure_cli()
    assert f"--tenant {person.tenant}" in asked
    assert f"--resource {person.emulator.url}" in asked
    assert "by the Azure CLI" in person.captured.readouterr().err


def _all(reader: Reader) -> AsyncGenerator[Page, None]:
    return reader.lists.pages(Way.ALL, (), 3, "")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ("Please run 'az login' to setup account.", "Sign in to Entra first: az login --tenant"),
        ("AADSTS50173: The grant is expired", "no token for tenant .* .AADSTS50173.: run az login"),
        ("something broke", "The Azure CLI gets no token for tenant"),
    ],
)
def test_the_azure_cli_s_refusals_are_one_line(person: EntraPerson, error: str, told: str) -> None:
    person.put_azure_cli(error=error)
    person.forget_variables()
    with pytest.raises(CliError, match=told):
        sign_in(person)


def test_without_azure_cli_it_says_how_to_sign_in(person: EntraPerson) -> None:
    person.forget_variables()
    person.set_variables.setenv("PATH", str(person.home))
    with pytest.raises(CliError, match="There is no Azure CLI on the path: install it and run"):
        sign_in(person)
    with pytest.raises(CliError, match="Set AZURE_CLIENT_ID, and AZURE_CLIENT_SECRET or"):
        sign_in(person, "environment")


def test_a_wrong_secret_says_which_variables(person: EntraPerson) -> None:
    person.set_variables.setenv("AZURE_CLIENT_SECRET", "wrong")
    with pytest.raises(CliError, match=r"AADSTS7000215\): look at AZURE_CLIENT_ID") as told:
        sign_in(person)
    assert "wrong" not in str(told.value)


def test_an_untrusted_server_and_a_missing_address_say_the_setting(person: EntraPerson) -> None:
    person.set_variables.delenv("APPCREDENTIAL_CUSTOM_CA_FILE")
    with pytest.raises(CliError, match="is not trusted: name its authority with APPCRED"):
        sign_in(person)
    person.set_variables.delenv("APPCREDENTIAL_CUSTOM_AUTHORITY")
    person.set_variables.delenv("APPCREDENTIAL_CUSTOM_GRAPH")
    with pytest.raises(CliError, match="set APPCREDENTIAL_CUSTOM_AUTHORITY and"):
        sign_in(person)
    person.set_variables.setenv("APPCREDENTIAL_CUSTOM_CA_FILE", "/nowhere.pem")
    person.set_variables.setenv("APPCREDENTIAL_CUSTOM_AUTHORITY", "https://login.microsoft.com")
    with pytest.raises(CliError, match="must not be a host of Microsoft"):
        sign_in(person)


def test_nothing_can_be_written(person: EntraPerson) -> None:
    app = person.emulator.create_application(person.tenant, passwords=[{"displayName": "theirs"}])

    async def write(reader: Reader) -> None:
        found = await reader.directory.application(ClientId(app.app_id), timedelta(0))
        with reader.directory.turn(found.object_id, "orders"):
            await reader.directory.remove_password(found.object_id, found.credentials[0].key_id)

    person.emulator.reset_log()
    with pytest.raises(CliError, match="this sign-in only reads"):
        read(person, write)
    assert "application.removePassword" not in person.emulator.counts()


def test_no_right_in_graph_is_said(person: EntraPerson) -> None:
    person.client_id, person.secret = person.emulator.create_operator(person.tenant, "")
    person.begin()

    async def list_all(reader: Reader) -> None:
        async for _ in _all(reader):
            pass

    with pytest.raises(ForbiddenError, match="You may not read this in Microsoft Graph"):
        read(person, list_all)


def test_what_takes_too_long_ends(person: EntraPerson) -> None:
    async def forever(reader: Reader) -> None:
        await asyncio.Event().wait()

    with pytest.raises(CliError, match=r"did not tell all within 0 s: ask for less"):
        read(person, forever, seconds=0)
