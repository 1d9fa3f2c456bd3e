"""Objects as other programs read them: JSON, YAML and names, as kubectl writes them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import yaml

from appcredential.cli.app_credential import Document

_KIND: Final = "AppCredential"


def name_of(resource: Document, kind: str = _KIND) -> str:
    """Return kind and name, as `-o name` shows them."""
    return f"{kind.lower()}.appcredential.io/{resource.name}"


def rendered(form: str, resources: Sequence[Document], *, as_list: bool, kind: str = _KIND) -> str:
    """Return objects as text that holds no control characters.

    Args:
        form: `json`, `yaml` or `name`.
        resources: what is shown.
        as_list: whether they are wrapped into a List; else there is one.
        kind: of all of them; in a list they do not say it themselves.
    """
    if form == "name":
        return "\n".join(name_of(resource, kind) for resource in resources)
    documents = [_shown(resource.document, kind) for resource in resources]
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


def _shown(document: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """Return an object without the API server's bookkeeping, as kubectl shows it."""
    metadata = document.get("metadata")
    if not isinstance(metadata, Mapping):
        return document
    kept = {key: value for key, value in metadata.items() if key != "managedFields"}
    return {
        "apiVersion": "appcredential.io/v1alpha1",
        "kind": kind,
        **document,
        "metadata": kept,
    }
