"""Objects as other programs read them: JSON, YAML and names, as kubectl writes them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import yaml

from appcredential.cli.app_credential import AppCredential

_KIND: Final = "appcredential.appcredential.io"


def name_of(resource: AppCredential) -> str:
    """Return kind and name, as `-o name` shows them."""
    return f"{_KIND}/{resource.name}"


def rendered(form: str, resources: Sequence[AppCredential], *, as_list: bool) -> str:
    """Return objects as text that holds no control characters.

    Args:
        form: `json`, `yaml` or `name`.
        resources: what is shown.
        as_list: whether they are wrapped into a List; else there is one.
    """
    if form == "name":
        return "\n".join(map(name_of, resources))
    documents = [_shown(resource.document) for resource in resources]
    document: Any = documents[0] if not as_list else _list(documents)
    if form == "json":
        return json.dumps(document, indent=4)
    return yaml.safe_dump(document, default_flow_style=False).rstrip("\n")


def _list(documents: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    return {
        "apiVersion": "v1",
        "items": documents,
        "kind": "List",
        "metadata": {"resourceVersion": ""},
    }


def _shown(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return an object without the API server's bookkeeping, as kubectl shows it."""
    metadata = document.get("metadata")
    if not isinstance(metadata, Mapping):
        return document
    kept = {key: value for key, value in metadata.items() if key != "managedFields"}
    return {
        "apiVersion": "appcredential.io/v1alpha1",
        "kind": "AppCredential",
        **document,
        "metadata": kept,
    }
