"""What an apply makes of a manifest and of a resource that exists. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from appcredential.cli.app_credential import AppCredential

_LAST: Final = "kubectl.kubernetes.io/last-applied-configuration"


def as_applied(manifest: Mapping[str, Any], live: AppCredential) -> dict[str, Any]:
    """Return the resource as `kubectl apply` leaves it, without status.

    What the manifest leaves out goes if the last apply had brought it, and else stays: `suspend`
    and `revokeIssuedBefore` are set by others, and an apply does not take them back.

    Args:
        manifest: its metadata has name and namespace.
        live: as the API server has it.
    """
    metadata = manifest["metadata"]
    # Of kubectl's own annotations no manifest tells: that they are missing takes none away.
    annotations = metadata.get("annotations") or {}
    wanted = {**manifest, "metadata": {**metadata, "annotations": annotations}}
    merged = _merged(live.document, wanted, _last_applied(live))
    merged.pop("status", None)
    merged["metadata"].pop("managedFields", None)
    return merged


def _last_applied(live: AppCredential) -> Mapping[str, Any]:
    text = live.at("metadata", "annotations", _LAST)
    try:
        found = json.loads(text) if isinstance(text, str) else {}
    except (ValueError, RecursionError):
        return {}
    return _mapping(found)


def _merged(
    live: Mapping[str, Any], wanted: Mapping[str, Any], before: Mapping[str, Any]
) -> dict[str, Any]:
    found = {key: value for key, value in live.items() if key not in {*wanted, *before}}
    for key, value in wanted.items():
        if isinstance(value, Mapping):
            found[key] = _merged(_mapping(live.get(key)), value, _mapping(before.get(key)))
        elif value is not None:
            found[key] = value
    return found


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
