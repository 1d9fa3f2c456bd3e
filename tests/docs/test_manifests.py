"""Every manifest that a document shows is one that the operator takes."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, Final

import pytest

from appcredential.errors import InvalidSpecError
from tests.crds.manifests import GROUP, PARSERS
from tests.docs.manifests import shown
from tests.docs.reading import DOCUMENTS, name_of

SHOWN: Final = list(shown())


@pytest.mark.parametrize(
    ("document", "manifest"),
    [
        pytest.param(d, m, id=f"{d} {m['kind']} {m['metadata']['name']} {number}")
        for number, (d, m) in enumerate(SHOWN)
    ],
)
def test_the_operator_takes_it(document: str, manifest: dict[str, Any]) -> None:
    PARSERS[manifest["kind"]](manifest)


def test_none_is_overlooked() -> None:
    whole = re.compile(rf"^ *apiVersion: {GROUP}/", re.MULTILINE)
    written = {name_of(d): len(whole.findall(d.read_text())) for d in DOCUMENTS}
    read = Counter(document for document, _ in SHOWN)
    assert {d: n for d, n in written.items() if n > read[d]} == {}


@pytest.mark.parametrize("kind", PARSERS)
def test_a_member_that_is_misspelt_is_found(kind: str) -> None:
    manifest = next(m for _, m in SHOWN if m["kind"] == kind)
    first = next(iter(manifest["spec"]))
    misspelt = {f"{first}s" if k == first else k: v for k, v in manifest["spec"].items()}
    with pytest.raises(InvalidSpecError, match=r"unknown|required"):
        PARSERS[kind]({**manifest, "spec": misspelt})
