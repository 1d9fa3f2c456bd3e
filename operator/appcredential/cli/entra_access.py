"""How the tool gets to Entra: who signs in, and at which addresses, by which authorities."""

from __future__ import annotations

import os
from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Final, assert_never

from appcredential.cli.errors import CliError
from appcredential.domain.spec.model import Cloud, TenantId
from appcredential.setting_values import PREFIX

if TYPE_CHECKING:
    from appcredential.entra.clouds import CloudRoute
    from appcredential.entra.operator_token import TokenSource

_MINE: Final = tuple(
    PREFIX + name for name in ("CA_FILE", "CUSTOM_AUTHORITY", "CUSTOM_GRAPH", "CUSTOM_CA_FILE")
)
"""The operator's settings that count for a person."""


class SignIn(StrEnum):
    """How the person signs in to Entra."""

    ENVIRONMENT = "environment"
    AZURE_CLI = "azure-cli"


def token_source(tenant_id: TenantId, route: CloudRoute, way: SignIn) -> Callable[[], TokenSource]:
    """Return a factory of what gives tokens.

    Raises:
        IdentityRejectedError: the variables cannot be used; with the remedy.
    """
    from appcredential.entra.person import azure_cli_source, environment_source  # noqa: PLC0415
    from appcredential.runtime.clock import SystemClock  # noqa: PLC0415 - as above

    match way:
        case SignIn.ENVIRONMENT:
            return environment_source(os.environ, tenant_id, route, SystemClock())
        case SignIn.AZURE_CLI:
            return azure_cli_source(tenant_id, SystemClock())
        case _:
            assert_never(way)


def chosen(sign_in: str) -> SignIn:
    """Return the way that was asked for, else that of the environment."""
    from appcredential.entra.person import is_in_environment  # noqa: PLC0415 - imports azure

    if sign_in:
        return SignIn(sign_in)
    return SignIn.ENVIRONMENT if is_in_environment(os.environ) else SignIn.AZURE_CLI


def told(way: SignIn) -> str:
    """Return what signs in, for the line that says so."""
    match way:
        case SignIn.ENVIRONMENT:
            return "the variables AZURE_CLIENT_…"
        case SignIn.AZURE_CLI:
            return "the Azure CLI"
        case _:
            assert_never(way)


def route_to(cloud: Cloud) -> CloudRoute:
    """Return how to reach a cloud, by the settings that count; a pod's concern nobody here.

    Raises:
        CliError: they cannot be used, or lack the addresses of `cloud: Custom`.
    """
    from appcredential.entra.clouds import (  # noqa: PLC0415 - as above
        CloudRoute,
        Endpoints,
        ca_faults,
        check_custom,
        endpoints_for,
    )
    from appcredential.settings import Settings, SettingsError  # noqa: PLC0415 - as above

    mine = {name: os.environ[name] for name in _MINE if name in os.environ}
    try:
        settings = Settings.from_env(mine)
    except SettingsError as exc:
        raise CliError(exc.faults[0]) from exc
    custom, extra = None, settings.ca_file or None
    ca_file = settings.custom_ca_file or None if cloud is Cloud.CUSTOM else None
    faults = [f"{PREFIX}CA_FILE: {fault}" for fault in ca_faults(extra)]
    if settings.custom_authority and cloud is Cloud.CUSTOM:
        custom = Endpoints(settings.custom_authority, settings.custom_graph)
        found = check_custom(settings.custom_authority, settings.custom_graph, ca_file)
        faults += [f"{PREFIX}CUSTOM_*: {fault}" for fault in found]
    if faults:
        raise CliError(faults[0])
    endpoints = endpoints_for(cloud, custom)
    if endpoints is None:
        raise CliError(
            f"For cloud Custom, set {PREFIX}CUSTOM_AUTHORITY and {PREFIX}CUSTOM_GRAPH here as the "
            "operator has them, and the file in CUSTOM_CA_FILE."
        )
    return CloudRoute(endpoints=endpoints, ca_file=ca_file, extra_ca_file=extra)
