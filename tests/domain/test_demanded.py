"""Which CRDs and which Kubernetes the operator can work with."""

from __future__ import annotations

from typing import Any

import pytest

from appcredential.domain.demanded import SCHEMA_ANNOTATION, schema_version, server_version


def crd(value: object) -> dict[str, Any]:
    return {"metadata": {"annotations": {SCHEMA_ANNOTATION: value}}}


@pytest.mark.parametrize(
    ("found", "version"),
    [
        (None, 0),
        ({"metadata": {"annotations": None}}, 0),
        (crd("3"), 3),
        (crd("³"), 0),
        (crd("x"), 0),
        (crd("9" * 5000), 0),
    ],
)
def test_the_schema_of_a_crd(found: dict[str, Any] | None, version: int) -> None:
    assert schema_version(found) == version


@pytest.mark.parametrize(
    ("found", "version"),
    [
        ({"major": "1", "minor": "31+"}, (1, 31)),
        ({"major": "1"}, (1, 0)),
        ({"major": "x", "minor": None}, (0, 0)),
    ],
)
def test_the_version_of_an_api_server(found: dict[str, Any], version: tuple[int, int]) -> None:
    assert server_version(found) == version
