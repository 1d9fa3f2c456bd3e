"""What Argo CD and Flux make of an object, by a real Lua and a real CEL interpreter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import lupa
import yaml
from cel_expr_python import cel

EXAMPLES: Final = Path(__file__).parents[2] / "examples" / "gitops"
CUSTOMIZATIONS: Final = EXAMPLES / "argocd" / "resource_customizations" / "appcredential.io"
KUSTOMIZATIONS: Final = EXAMPLES / "flux" / "kustomizations.yaml"
KINDS: Final = ("AppCredential", "EntraTenant", "ApplicationGrant")
_ORDER: Final = {"inProgress": "InProgress", "failed": "Failed", "current": "Current"}
_FIELDS: Final = ("apiVersion", "kind", "metadata", "spec", "status")
Health = tuple[str, str]


def argocd(obj: Mapping[str, Any], kind: str = "AppCredential") -> Health:
    """Run a kind's health.lua as Argo CD does, with the object as `obj`: status and message."""
    lua = lupa.LuaRuntime(unpack_returned_tuples=True)
    lua.globals().obj = lua.table_from(obj, recursive=True)
    found = lua.execute((CUSTOMIZATIONS / kind / "health.lua").read_text())
    return str(found["status"]), str(found["message"])


def expressions(kind: str) -> dict[str, str]:
    """Return a kind's healthCheckExprs in the example."""
    for document in yaml.safe_load_all(KUSTOMIZATIONS.read_text()):
        for entry in document["spec"].get("healthCheckExprs", ()):
            if entry["kind"] == kind:
                return {word: entry[word] for word in _ORDER}
    raise AssertionError(f"no expressions for {kind}")


def flux(obj: Mapping[str, Any], exprs: Mapping[str, str]) -> str:
    """Return what Flux says of an object, in the order that fluxcd/pkg/runtime/cel has.

    Returns:
        `InProgress`, `Failed` or `Current`; `Unknown` when an expression cannot be evaluated,
        for which Flux waits until its timeout.
    """
    metadata, status = obj["metadata"], obj.get("status") or {}
    if status.get("observedGeneration", metadata["generation"]) != metadata["generation"]:
        return "InProgress"
    env = cel.NewEnv(variables=dict.fromkeys(_FIELDS, cel.Type.DYN))
    for word, verdict in _ORDER.items():
        answer = env.compile(exprs[word], disable_check=True).eval(data=dict(obj))
        if answer.type() != cel.Type.BOOL:
            return "Unknown"
        if answer.value():
            return verdict
    return "InProgress"


def captured(kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the manifests of a kind that an API server has answered, by file name."""
    for path in sorted((CUSTOMIZATIONS / kind / "testdata").iterdir()):
        yield path.stem, yaml.safe_load(path.read_text())
