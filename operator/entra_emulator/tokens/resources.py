"""The resources of tokens: Graph under its names, services and applications by id or URI."""

from __future__ import annotations

from dataclasses import dataclass

from entra_emulator.directory.directory import Directory
from entra_emulator.world import World

GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"
GRAPH = "https://graph.microsoft.com"
GRAPH_ROOTS = frozenset(
    {
        GRAPH,
        "https://graph.microsoft.us",
        "https://dod-graph.microsoft.us",
        "https://microsoftgraph.chinacloudapi.cn",
    }
)
GRAPH_AUDIENCES = GRAPH_ROOTS | {GRAPH_APP_ID}
_SUFFIX = "/.default"
# MSAL for Go and for Java send these with every request; client credentials get nothing for them.
_IGNORED = frozenset({"openid", "profile", "offline_access", "email"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """The resource of a token: its audience, and whether it is Graph with its permissions."""

    audience: str
    is_graph: bool


def resource_name(scope: str) -> str | None:
    """Return the resource of a scope; None if the scope is not one `<resource>/.default`.

    The scopes of OpenID Connect may stand next to it. A scope is a set (RFC 6749, section 3.3), so
    the same one twice counts once.
    """
    words = {word for word in scope.split(" ") if word and word not in _IGNORED}
    word = words.pop() if len(words) == 1 else ""
    if not word.endswith(_SUFFIX) or word == _SUFFIX:
        return None
    return word.removesuffix(_SUFFIX)


def find_resource(world: World, tenant_id: str, name: str, own_host: str) -> Resource | None:
    """Find a resource by name; None if the tenant has no such resource.

    Args:
        world: contains the services and the applications.
        tenant_id: the tenant of the token; an application needs a service principal there.
        name: the resource as in the scope.
        own_host: host and port in the request to the emulator; they stand for Graph.
    """
    bare = name.rstrip("/")
    own = {f"https://{own_host}", f"https://{own_host.rsplit(':', 1)[0]}"}
    if bare in own:
        return Resource(audience=GRAPH, is_graph=True)
    # The audience keeps an extra slash of the scope: `https://graph.microsoft.com//.default`.
    if bare in GRAPH_AUDIENCES:
        return Resource(audience=name, is_graph=True)
    if world.services.find(bare) or _is_installed(world.directory, tenant_id, name):
        return Resource(audience=name, is_graph=False)
    return None


def _is_installed(directory: Directory, tenant_id: str, name: str) -> bool:
    """Tell whether the tenant has an application with that appId or registered URI.

    `api://<appId>` is a URI like any other: an application has it only if it was registered.
    """
    record = directory.application_of(name) or directory.resource_by_uri(tenant_id, name)
    if record is None or record.properties.deleted is not None:
        return False
    return directory.principal_of(tenant_id, record.app_id) is not None
