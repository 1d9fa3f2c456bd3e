"""The token endpoint and Graph of each cloud, and the addresses that a custom cloud may have.

Source: learn.microsoft.com/graph/deployments (national clouds). A token of one cloud is not
valid in another.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final
from urllib.parse import SplitResult, urlsplit

from appcredential.domain.spec.model import Cloud


@dataclass(frozen=True, slots=True)
class Endpoints:
    """One cloud's addresses: https, without a path. A trailing slash is removed.

    Attributes:
        authority: host of the token endpoint, such as https://login.microsoftonline.com.
        graph: root of Graph without its version, such as https://graph.microsoft.com.
    """

    authority: str
    graph: str

    def __post_init__(self) -> None:
        # Settings may end in a slash, and Entra knows no scope with "//".
        object.__setattr__(self, "authority", self.authority.rstrip("/"))
        object.__setattr__(self, "graph", self.graph.rstrip("/"))

    @property
    def graph_scope(self) -> str:
        """The scope of a token for Graph."""
        return f"{self.graph}/.default"

    @property
    def graph_base_url(self) -> str:
        """The root of Graph v1.0."""
        return f"{self.graph}/v1.0"

    def token_url(self, tenant_id: str) -> str:
        """Return the address of a tenant's token endpoint."""
        return f"{self.authority}/{tenant_id}/oauth2/v2.0/token"


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudRoute:
    """How to reach a cloud.

    Attributes:
        ca_file: PEM file of the only authorities to trust; None trusts the public ones.
        extra_ca_file: PEM file of authorities to trust besides those.
    """

    endpoints: Endpoints
    ca_file: str | None = None
    extra_ca_file: str | None = None


ENDPOINTS: Final[Mapping[Cloud, Endpoints]] = MappingProxyType(
    {
        Cloud.PUBLIC: Endpoints("https://login.microsoftonline.com", "https://graph.microsoft.com"),
        Cloud.US_GOVERNMENT: Endpoints(
            "https://login.microsoftonline.us", "https://graph.microsoft.us"
        ),
        Cloud.US_GOVERNMENT_DOD: Endpoints(
            "https://login.microsoftonline.us", "https://dod-graph.microsoft.us"
        ),
        Cloud.CHINA: Endpoints(
            "https://login.chinacloudapi.cn", "https://microsoftgraph.chinacloudapi.cn"
        ),
    }
)

# A custom cloud is for an emulator or an air-gapped copy. With a host of Microsoft the
# settings of a test could reach a production tenant.
_MICROSOFT: Final = (
    "microsoft",
    "microsoft.com",
    "microsoft.us",
    "microsoft.de",
    "microsoftonline.com",
    "microsoftonline.us",
    "microsoftonline.de",
    "microsoftonline.cn",
    "microsoftonline-p.com",
    "chinacloudapi.cn",
    "usgovcloudapi.net",
    "cloudapi.de",
    "windows.net",
    "windows-ppe.net",
    "live.com",
    "office.com",
    "office365.com",
    "b2clogin.com",
    "ciamlogin.com",
    "azure.com",
    "azure.net",
    "azure.us",
    "azure.cn",
    "sovcloud-identity.fr",
    "sovcloud-identity.de",
    "sovcloud-identity.sg",
)


def endpoints_for(cloud: Cloud, custom: Endpoints | None) -> Endpoints | None:
    """Return a cloud's endpoints; None when `Custom` has none in the settings."""
    return custom if cloud is Cloud.CUSTOM else ENDPOINTS[cloud]


def check_custom(authority: str, graph: str, ca_file: str | None) -> list[str]:
    """Return the faults of the custom cloud's settings; empty when there are none.

    Args:
        authority: URL of the token endpoint's host.
        graph: URL of the Graph root, without a version.
        ca_file: path of a PEM file with the authorities to trust instead of the system's.
    """
    faults = _url_faults("authority", authority) + _url_faults("graph", graph)
    return faults + [f"caFile: {fault}" for fault in ca_faults(ca_file)]


def _url_faults(name: str, url: str) -> list[str]:
    """Check one address. No fault repeats the URL, which may hold a password."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return [f"{name}: must be a URL such as https://entra.example:8443"]
    faults = _part_faults(name, parts)
    if port == 0:
        faults.append(f"{name}: port 0 cannot be connected to")
    host = parts.hostname or ""
    if not host:
        faults.append(f"{name}: must name a host")
    elif not host.isascii() or any(c in host for c in "% \\"):
        # An escaped or look-alike name could be read as a host of Microsoft later.
        faults.append(f"{name}: the host must be plain ASCII without escapes")
    elif is_microsoft(host):
        faults.append(f"{name}: must not be a host of Microsoft; use the cloud of that name")
    return faults


def _part_faults(name: str, parts: SplitResult) -> list[str]:
    checks = (
        (parts.scheme != "https", "must start with https://"),
        (parts.username is not None or parts.password is not None, "must not hold user info"),
        (bool(parts.query or parts.fragment), "must not hold a query or fragment"),
        (parts.path not in {"", "/"}, "must not hold a path"),
    )
    return [f"{name}: {text}" for bad, text in checks if bad]


def ca_faults(ca_file: str | None) -> list[str]:
    """Return what is wrong with a file of certificate authorities; empty when nothing is."""
    if ca_file is None:
        return []
    try:
        ssl.create_default_context(cafile=ca_file)
    except (OSError, ValueError):
        return ["must be a readable PEM file with at least one certificate"]
    return []


def is_microsoft(host: str) -> bool:
    """Return whether a host, or a domain above it, is one of Microsoft's."""
    name = host.lower().rstrip(".")
    return any(name == known or name.endswith(f".{known}") for known in _MICROSOFT)
