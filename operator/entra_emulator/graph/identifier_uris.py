"""Which identifier URIs an application may be given."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final
from urllib.parse import urlsplit

from entra_emulator.directory.entities import ApplicationProperties
from entra_emulator.errors.graph import GraphError
from entra_emulator.graph.call import GraphCall

_WITH_DOMAIN: Final = ("http", "https")


def check_domains(
    call: GraphCall, properties: ApplicationProperties, former: Collection[str] = ()
) -> None:
    """Refuse new identifier URIs with a host that is in no verified domain of the tenant.

    Entra, "Restrictions on identifier URIs". Code and text are those that issues of Azure
    PowerShell and Terraform's azuread provider show. What an application has already stays.

    Args:
        call: the request; all domains of its tenant count as verified.
        properties: what the application is to become.
        former: the URIs that it has.

    Raises:
        GraphError: 400.
    """
    tenant = call.world.directory.tenant(call.caller.tenant_id)
    domains = tenant.domains if tenant is not None else ()
    for uri in properties.identifier_uris:
        if uri not in former and not _is_allowed(uri, domains):
            raise GraphError(
                400,
                "HostNameNotOnVerifiedDomain",
                "Values of identifierUris property must use a verified domain of the organization"
                f" or its subdomain: '{uri}'",
            )


def _is_allowed(uri: str, domains: Collection[str]) -> bool:
    try:
        parts = urlsplit(uri)
        host = parts.hostname or ""
    except ValueError:
        return False
    is_within = any(f".{host}".endswith(f".{domain.lower()}") for domain in domains)
    return parts.scheme not in _WITH_DOMAIN or is_within
