"""What a request to the API server is for, by its path: the label `purpose` of the metric."""

from __future__ import annotations

REVOCATION_PREFIX = "appcredential-ticket-"
_PURPOSES = {
    "leases": "lease",
    "events": "event",
    "entratenants": "tenant",
    "applicationgrants": "grant",
    "customresourcedefinitions": "schema",
    "version": "schema",
    "configmaps": "ticket",
    "tokenreviews": "report",
    "subjectaccessreviews": "report",
}


def purpose_of(path: str) -> str:
    """Say what a request is for: one of those above, issuer, or resource.

    The list of grants before a mint belongs to the resource that is minted for.
    """
    if path.startswith("/.well-known/"):
        return "issuer"
    kind, name = _kind_and_name(path)
    if kind == "applicationgrants" and not name:
        return "resource"
    if kind == "configmaps" and name and not name.startswith(REVOCATION_PREFIX):
        return "resource"  # an output
    return _PURPOSES.get(kind, "resource")


def _kind_and_name(path: str) -> tuple[str, str]:
    """Return the plural that an API path is about, and the object's name or nothing."""
    parts = path.strip("/").split("/")
    rest = parts[2 if parts[0] == "api" else 3 :] or parts
    if rest[0] == "namespaces" and len(rest) > 2:
        rest = rest[2:]
    return rest[0], rest[1] if len(rest) > 1 else ""
