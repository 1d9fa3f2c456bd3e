"""The manifests that documents show: whole ones, parts, and those among the chart's values."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import yaml

from tests.crds.manifests import APP, GRANT, GROUP, GUID, TENANT, manifest
from tests.docs.reading import DOCUMENTS, name_of

_BLOCK: Final = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_HERE_DOCUMENT: Final = re.compile(r"<<'?(\w+)'?[^\n]*\n(.*?)^\s*\1$", re.MULTILINE | re.DOTALL)

Manifest: TypeAlias = dict[str, Any]
_Part: TypeAlias = tuple[str, type, Callable[[Any], Manifest]]


def shown() -> Iterator[tuple[str, Manifest]]:
    """Yield every manifest of the three kinds with the document that shows it."""
    for document in DOCUMENTS:
        for text in _texts(document):
            for found in yaml.safe_load_all(text):
                for one in _manifests(found):
                    yield name_of(document), one


def _texts(document: Path) -> Iterator[str]:
    """Yield what is YAML in a document: its blocks, and what commands get as their input."""
    for _, language, body in _BLOCK.findall(document.read_text()):
        text = textwrap.dedent(body)
        if language in {"yaml", "yml"}:
            yield text
        elif language in {"sh", "bash", "console"}:
            yield from (_expanded(t) for _, t in _HERE_DOCUMENT.findall(text))


def _expanded(text: str) -> str:
    """Return what a shell makes of a here-document; the variables of our pages are ids."""
    return re.sub(r"(?<!\\)\$[A-Z_]+", GUID, text).replace("\\$", "$")


def _manifests(found: Any) -> Iterator[Manifest]:
    """Yield the manifests in one YAML document."""
    if not isinstance(found, dict):
        return
    if "kind" not in found:
        yield from _parts(found)
    elif str(found["apiVersion"]).startswith(f"{GROUP}/"):
        yield found


def _parts(found: Manifest) -> Iterator[Manifest]:
    """Yield manifests that are right but for what stands in one of ours or in the values."""
    for values, kind in _VALUES.items():
        for spec in found.get(values, {}).values():
            yield {**manifest(kind, {}), "spec": spec}
    for member, content in found.items():
        for kind, shape, patch in _PARTS.get(member, ()):
            if isinstance(content, shape):
                yield manifest(kind, patch(content))


def _of(
    kind: str, *path: str, shape: type = dict, beside: Mapping[str, Any] = MappingProxyType({})
) -> _Part:
    """Return that something of this shape stands at that path of a kind's spec."""

    def patch(content: Any) -> Manifest:
        for name in reversed(path):
            content = {name: content}
        return {**beside, **content}

    return kind, shape, patch


_VALUES: Final = {"tenants": TENANT, "grants": GRANT}
_FEDERATED: Final = {"type": "FederatedIdentity", "clientSecret": None}
_PARTS: Final[dict[str, tuple[_Part, ...]]] = {
    "spec": (_of(APP),),
    "rotation": (_of(APP, "rotation"),),
    "verification": (_of(APP, "verification"),),
    "certificate": (_of(APP, "certificate", beside={"type": "Certificate", "clientSecret": None}),),
    "gitHub": (
        _of(APP, "federatedIdentity", "gitHub", beside=_FEDERATED),
        _of(GRANT, "federation", "gitHub", shape=list),
    ),
    "azureDevOps": (_of(APP, "federatedIdentity", "azureDevOps", beside=_FEDERATED),),
    "identity": ((TENANT, dict, lambda i: {"identity": {"clientSecret": None, **i}}),),
    "federation": (_of(GRANT, "federation"),),
}
