"""The example layouts, document by document."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

from tests.gitops.health import EXAMPLES

Document = dict[str, Any]
_OF_KUSTOMIZE: Final = {"kustomization.yaml", "references.yaml"}
"""Read by `kubectl kustomize`, as tests/gitops/test_kustomize.py does."""


def documents(folder: str) -> list[Document]:
    """Return the manifests of a folder as Argo CD and Flux read it: its files, not its folders."""
    found = sorted((EXAMPLES / folder).glob("*.yaml"))
    return [d for path in found for d in yaml.safe_load_all(path.read_text())]


def one(found: list[Document], kind: str) -> Document:
    """Return the only manifest of that kind."""
    (document,) = (d for d in found if d["kind"] == kind)
    return document


def files() -> Iterator[Path]:
    """Yield every manifest of the layouts; the captured ones and kustomize's own form are none."""
    for path in sorted(EXAMPLES.rglob("*.yaml")):
        if "resource_customizations" not in path.parts and path.name not in _OF_KUSTOMIZE:
            yield path


def values_for(tool: str) -> Document:
    """Return the chart's values in the example for `argocd` or `flux`."""
    if tool == "argocd":
        (operator,) = (d for d in documents(tool) if "chart" in d["spec"].get("source", {}))
        found: Document = operator["spec"]["source"]["helm"]["valuesObject"]
    else:
        found = one(documents("flux/operator"), "HelmRelease")["spec"]["values"]
    return found
