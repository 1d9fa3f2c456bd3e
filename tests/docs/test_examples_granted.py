"""Every example is allowed by what it brings itself and by the files that it says it needs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from appcredential.domain.grants import evaluate
from appcredential.domain.observed.entra import Grant
from appcredential.domain.spec.model import ApplicationGrantSpec
from appcredential.domain.spec.parse import parse_app_credential, parse_application_grant
from tests.docs.reading import ROOT
from tests.support.builders import asker, tenant

EXAMPLES: Final = ROOT / "examples"
FILES: Final = sorted(
    path
    for path in EXAMPLES.rglob("*.yaml")
    if "\nkind: AppCredential\n" in path.read_text() and "testdata" not in path.parts
)
_SENTENCE: Final = re.compile(r"Needs (?:the [\w ]+ of )?((?:[\w./-]+\.yaml(?: and )?)+)")


def documents(path: Path) -> Iterator[dict[str, Any]]:
    return (d for d in yaml.safe_load_all(path.read_text()) if d)


def needed(path: Path) -> list[Path]:
    """Return the file and those that it and they name in a sentence that begins with Needs."""
    found = [path]
    for one in found:
        comments = one.read_text().replace("\n#", "")
        names = [n for text in _SENTENCE.findall(comments) for n in text.split(" and ")]
        found += [p for n in names if (p := (one.parent / n).resolve()) not in found]
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(EXAMPLES)))
def test_it_is_granted_by_its_neighbours(path: Path) -> None:
    around = [d for one in needed(path) for d in documents(one)]
    tenants = {d["metadata"]["name"] for d in around if d["kind"] == "EntraTenant"}
    grants: dict[str, ApplicationGrantSpec] = {
        d["metadata"]["name"]: parse_application_grant(d)
        for d in around
        if d["kind"] == "ApplicationGrant"
    }
    for document in documents(path):
        if document["kind"] != "AppCredential":
            continue
        spec = parse_app_credential(document)
        assert spec.tenant in tenants, f"{document['metadata']['name']}: no EntraTenant"
        namespace = document["metadata"].get("namespace", "shop")
        found = evaluate(grants, asker(namespace), spec, tenant())
        assert isinstance(found, Grant), (document["metadata"]["name"], found)
