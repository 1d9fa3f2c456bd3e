"""JSON schemas of the kinds that an API server serves, for kubeconform, which has none of its own.

The API server describes its kinds, also those of our CRDs, in its OpenAPI document
(kubernetes.io/docs/concepts/overview/kubernetes-api/#openapi-v2). A schema here is the definition
of one kind with those that it refers to. It is strict: a field that is not described is refused, as
by `kubectl apply --validate=strict`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

LOCATION: Final = "{{.ResourceKind}}{{.KindSuffix}}.json"
"""How kubeconform finds a file: its kind, then `-group-version` in lower case."""
_REFERENCE: Final = "#/definitions/"
_KINDS: Final = "x-kubernetes-group-version-kind"
_ANYTHING: Final = "x-kubernetes-preserve-unknown-fields"


def write_schemas(openapi: Mapping[str, Any], folder: Path) -> int:
    """Write a schema for each kind of an OpenAPI document (version 2); return how many."""
    definitions = openapi["definitions"]
    strict = {name: _strict(definition) for name, definition in definitions.items()}
    count = 0
    for name, definition in definitions.items():
        for kind in definition.get(_KINDS, ()):
            needed = _reachable(name, strict)
            schema = {"$ref": _REFERENCE + name, "definitions": {n: strict[n] for n in needed}}
            (folder / file_name(kind)).write_text(json.dumps(schema))
            count += 1
    return count


def file_name(kind: Mapping[str, str]) -> str:
    """Return the name of the file with the schema of a group, version and kind."""
    # kubeconform takes a group's first word only: `networking` of networking.k8s.io.
    group = kind["group"].partition(".")[0]
    parts = [kind["kind"], *([group] if group else []), kind["version"]]
    return "-".join(parts).lower() + ".json"


def _reachable(name: str, definitions: Mapping[str, Any]) -> list[str]:
    seen: set[str] = set()
    left = [name]
    while left:
        here = left.pop()
        if here not in seen:
            seen.add(here)
            left += _references(definitions[here])
    return sorted(seen)


def _references(schema: Any) -> list[str]:
    if isinstance(schema, list):
        return [name for item in schema for name in _references(item)]
    if not isinstance(schema, dict):
        return []
    found = [name for item in schema.values() for name in _references(item)]
    reference = schema.get("$ref")
    return [*found, reference.removeprefix(_REFERENCE)] if isinstance(reference, str) else found


def _strict(schema: Any) -> Any:
    """Return a schema that refuses fields without a description, and takes numbers for ports."""
    if not isinstance(schema, dict):
        return schema
    if schema.get("format") == "int-or-string" or schema.get("x-kubernetes-int-or-string") is True:
        return {"type": ["integer", "string"]}
    made = dict(schema)
    for name in ("items", "additionalProperties"):
        if name in made:
            made[name] = _strict(made[name])
    if "properties" in made:
        # The names are fields, some of them called like words of a schema.
        made["properties"] = {name: _strict(item) for name, item in made["properties"].items()}
        if "additionalProperties" not in made and not made.get(_ANYTHING):
            made["additionalProperties"] = False
    return made
