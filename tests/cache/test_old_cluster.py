"""An API server that is too old is named, and nothing is listed or written there."""

from __future__ import annotations

from typing import Any

import pytest

from appcredential.cache.informer import Informer
from appcredential.cache.store import Store
from appcredential.kube.custom_resources import KubeObjects
from appcredential.kube.purposes import purpose_of
from tests.support.api_server import ApiServer


class OldApi(ApiServer):
    """Says which version it is, and refuses everything else by not knowing it."""

    def __init__(self, version: dict[str, Any]) -> None:
        super().__init__()
        self.objects["/version"] = {"metadata": {}, **version}


def ignore(*_: object, **__: object) -> None:
    """Nobody waits here."""


async def problem(version: dict[str, Any]) -> tuple[str, ApiServer]:
    api = OldApi(version)
    return await Informer(KubeObjects(api), Store(), (), ignore, ignore)._check_server(), api


@pytest.mark.parametrize(
    ("version", "told"),
    [
        ({"major": "1", "minor": "30"}, "1.30"),
        ({"major": "1", "minor": "30+"}, "1.30"),
        ({"major": "0", "minor": "99"}, "0.99"),
        ({}, "0.0"),
        ({"major": "one", "minor": None}, "0.0"),
    ],
)
async def test_it_is_named_with_what_is_needed(version: dict[str, Any], told: str) -> None:
    said, api = await problem(version)
    assert said.startswith("this operator needs Kubernetes 1.31 or newer")
    assert f"the API server is {told};" in said
    assert [path for _, path, _ in api.requests] == ["/version"]


@pytest.mark.parametrize("minor", ["31", "36", "36+", "100"])
async def test_a_newer_one_is_fine(minor: str) -> None:
    assert (await problem({"major": "1", "minor": minor}))[0] == ""


def test_what_the_request_is_for() -> None:
    assert purpose_of("/version") == "schema"
