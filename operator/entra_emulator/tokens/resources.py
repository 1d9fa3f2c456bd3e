"""The resources of tokens: Graph under its names, and applications by id or URI."""

from __future__ import annotations

from dataclasses import dataclass

from entra_emulator.directory.directory import Directory

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
    app_id: str


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


def find_resource(directory: Directory, name: str, own_host: str) -> Resource | None:
    """Find a resource by name.

    Args:
        directory: contains the applications.
        name: the resource as in the scope.
        own_host: host and port in the request to the emulator; they stand for Graph.
    """
    bare = name.rstrip("/")
    own = {f"https://{own_host}", f"https://{own_host.rsplit(':', 1)[0]}"}
    if bare in own:
        return Resource(audience=GRAPH, is_graph=True, app_id=GRAPH_APP_ID)
    if bare in GRAPH_AUDIENCES:
        # The audience keeps an extra slash of the scope: `https://graph.microsoft.com//.default`.
        return Resource(audience=name, is_graph=True, app_id=GRAPH_APP_ID)
    app_id = _application_named(directory, name)
    return Resource(audience=name, is_graph=False, app_id=app_id) if app_id else None


def _application_named(directory: Directory, name: str) -> str | None:
    record = directory.application_of(name.removeprefix("api://"))
    if record is None:
        record = directory.application_by_uri(name)
    if record is None or record.properties.deleted is not None:
        return None
    return record.app_id
