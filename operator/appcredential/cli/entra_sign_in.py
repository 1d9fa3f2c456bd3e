"""Reads Microsoft Entra as the person at the terminal: who signs in, to which tenant, and how long.

All other commands know only what the API server tells. Those that use this module read Graph
too, as the person, and change nothing there: `entra/reader.py` refuses writes. With a tenant's id
and its cloud on the command line, no cluster is needed. The endpoints of `cloud: Custom` come from
the settings that the operator has, never from a custom resource.
"""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from appcredential.cli.connection import Access, Connection
from appcredential.cli.entra_access import SignIn, chosen, route_to, token_source, told
from appcredential.cli.errors import CliError, ForbiddenError, NotThereError
from appcredential.cli.options import Command
from appcredential.cli.terminal import Show, Terminal
from appcredential.cli.text import plain, span
from appcredential.domain.spec.checks import is_guid
from appcredential.domain.spec.model import Cloud, TenantId
from appcredential.errors import (
    AppCredentialError,
    IdentityRejectedError,
    PermissionDeniedError,
    UntrustedServerError,
)
from appcredential.setting_values import PREFIX

if TYPE_CHECKING:
    from appcredential.entra.clouds import CloudRoute
    from appcredential.entra.operator_token import TokenSource
    from appcredential.entra.reader import Reader

T = TypeVar("T")
_TENANTS: Final = "/apis/appcredential.io/v1alpha1/entratenants"


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantChoice:
    """Which tenant to read, and how to sign in to it; what is empty was not given."""

    tenant_ref: str
    tenant_id: str
    cloud: str
    sign_in: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EntraTarget:
    """A tenant that can be signed in to."""

    tenant_id: TenantId
    cloud: Cloud


def with_tenant(command: Command) -> Command:
    """Add the options that name a tenant and the way to sign in; hand over a `TenantChoice`."""

    @functools.wraps(command)
    def run(**options: Any) -> int | None:
        given = {f.name: options.pop(f.name) or "" for f in fields(TenantChoice)}
        return command(tenant=TenantChoice(**given), **options)

    added = (
        click.option(
            "--tenant-ref", metavar="NAME", default="default", show_default=True,
            help="The EntraTenant, which the cluster is asked for.",
        ),
        click.option(
            "--tenant-id", metavar="GUID", help="The tenant itself; no cluster is asked then."
        ),
        click.option(
            "--cloud", type=click.Choice([*map(str, Cloud)]), help="With --tenant-id."
        ),
        click.option(
            "--sign-in", type=click.Choice([*map(str, SignIn)]),
            help="How to sign in to Entra; else the variables AZURE_CLIENT_… if they are set.",
        ),
    )  # fmt: skip
    return functools.reduce(lambda made, option: option(made), reversed(added), run)


def target(choice: TenantChoice, access: Access) -> EntraTarget:
    """Return the tenant: of the command line, or of the EntraTenant in the cluster.

    Raises:
        click.UsageError: an option is no GUID, or lacks another one.
        CliError: the EntraTenant cannot be read.
    """
    if choice.tenant_id:
        tenant_id = choice.tenant_id.lower()
        if not is_guid(tenant_id):
            raise click.UsageError("--tenant-id must be the GUID of a tenant.")
        return EntraTarget(tenant_id=TenantId(tenant_id), cloud=Cloud(choice.cloud or "Public"))
    if choice.cloud:
        raise click.UsageError("--cloud goes with --tenant-id.")
    return tenant_of_cluster(Connection(access), choice.tenant_ref)


def tenant_of_cluster(connection: Connection, name: str) -> EntraTarget:
    """Read the EntraTenant of a cluster.

    Raises:
        CliError: it cannot be read, or holds no tenant.
    """
    remedy = "Name the tenant with --tenant-id and --cloud."
    if not name.replace("-", "").replace(".", "").isalnum():
        raise CliError(f"{plain(name)!r} is no name of an EntraTenant.")
    try:
        found = connection.request("GET", f"{_TENANTS}/{name}")
    except ForbiddenError as exc:
        raise ForbiddenError(f"{str(exc).rstrip('.')}. {remedy}") from exc
    except NotThereError as exc:
        raise NotThereError(f"{str(exc).rstrip('.')}. {remedy}") from exc
    spec = found.get("spec")
    spec = spec if isinstance(spec, dict) else {}
    tenant_id, cloud = str(spec.get("tenantId")).lower(), str(spec.get("cloud"))
    if not is_guid(tenant_id) or cloud not in set(Cloud):
        raise CliError(f"EntraTenant {plain(name)} names no tenant that this tool knows. {remedy}")
    return EntraTarget(tenant_id=TenantId(tenant_id), cloud=Cloud(cloud))


def in_tenant(
    terminal: Terminal,
    choice: TenantChoice,
    tenant: EntraTarget,
    do: Callable[[Reader], Awaitable[T]],
    *,
    timeout: timedelta,
    show: Show,
) -> T:
    """Sign in, do something with what the person may read, and close all connections.

    Args:
        terminal: one line to stderr says who signs in how.
        choice: of the command line.
        tenant: to sign in to.
        do: reads; it is called within an event loop.
        timeout: for all of it, waits included.
        show: is told when Graph asks to wait.

    Raises:
        CliError: no sign-in, no right, no answer, or the time is over; in one line, with the
            remedy.
    """
    # The SDKs log what the person is told in one line.
    logging.getLogger().addHandler(logging.NullHandler())
    route, way = route_to(tenant.cloud), chosen(choice.sign_in)
    terminal.note(f"Signing in to Entra tenant {tenant.tenant_id} ({tenant.cloud}) by {told(way)}.")

    def tell(pause: timedelta) -> None:
        show(f"Graph asks to slow down: waiting {span(pause)}")

    try:
        source = token_source(tenant.tenant_id, route, way)
        return asyncio.run(_read(source, route, do, timeout, tell))
    except AppCredentialError as exc:
        raise entra_error(exc) from exc
    except TimeoutError as exc:
        raise CliError(
            f"Entra did not tell all within {span(timeout)}: ask for less, or raise --timeout."
        ) from exc


def entra_error(error: AppCredentialError) -> CliError:
    """Return what an error of Entra means for the person, in one line."""
    said = str(error)
    if isinstance(error, IdentityRejectedError):
        return CliError(said)
    if isinstance(error, PermissionDeniedError):
        return ForbiddenError(
            f"You may not read this in Microsoft Graph ({said.partition(':')[0]}): ask for a "
            "directory role such as Directory Readers, or as an application for "
            "Application.Read.All."
        )
    if isinstance(error, UntrustedServerError):
        return CliError(f"{said}: name its authority with {PREFIX}CA_FILE.")
    return CliError(f"Microsoft Graph: {said}.")


async def _read(
    source: Callable[[], TokenSource],
    route: CloudRoute,
    do: Callable[[Reader], Awaitable[T]],
    timeout: timedelta,
    tell: Callable[[timedelta], None],
) -> T:
    from appcredential.entra.reader import open_reader  # noqa: PLC0415 - imports the Graph SDK
    from appcredential.runtime.clock import SystemClock  # noqa: PLC0415 - same

    reader = open_reader(source, route, SystemClock(), tell)
    try:
        async with asyncio.timeout(timeout.total_seconds()):
            return await do(reader)
    finally:
        await reader.close()
