"""Argo CD's health of our kinds, by a real Lua interpreter on objects of an API server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import lupa
import pytest
import yaml

ROOT: Final = Path(__file__).parents[2]
CUSTOMIZATIONS: Final = (
    ROOT / "examples" / "gitops" / "argocd" / "resource_customizations" / "appcredential.io"
)
KINDS: Final = ("AppCredential", "EntraTenant", "ApplicationGrant")
Health = tuple[str, str]


def health(obj: dict[str, Any], kind: str = "AppCredential") -> Health:
    """Run a kind's health.lua as Argo CD does: with the object as `obj`."""
    lua = lupa.LuaRuntime(unpack_returned_tuples=True)
    lua.globals().obj = lua.table_from(obj, recursive=True)
    found = lua.execute((CUSTOMIZATIONS / kind / "health.lua").read_text())
    return str(found["status"]), str(found["message"])


def cases(kind: str) -> Iterator[tuple[str, str, str]]:
    tests = yaml.safe_load((CUSTOMIZATIONS / kind / "health_test.yaml").read_text())["tests"]
    for test in tests:
        yield test["inputPath"], test["healthStatus"]["status"], test["healthStatus"]["message"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_captured_manifests_have_the_health_that_is_told(kind: str) -> None:
    told = list(cases(kind))
    assert told
    for path, status, message in told:
        obj = yaml.safe_load((CUSTOMIZATIONS / kind / path).read_text())
        assert health(obj, kind) == (status, message), path
    on_disk = {f"testdata/{p.name}" for p in (CUSTOMIZATIONS / kind / "testdata").iterdir()}
    assert on_disk == {path for path, *_ in told}


def test_a_fresh_object_is_never_healthy() -> None:
    fresh = {"metadata": {"generation": 1}, "spec": {}, "status": {"observedGeneration": -1}}
    for kind in KINDS:
        assert health(fresh, kind)[0] == "Progressing"
        assert health({**fresh, "status": None}, kind)[0] == "Progressing"


def test_a_renewal_that_fails_alarms_and_is_not_degraded() -> None:
    ready = {"type": "Ready", "status": "True", "reason": "RotationFailing", "message": "It works."}
    stalled = {"type": "Stalled", "status": "True", "reason": "X", "message": "A person must act."}
    status = {"observedGeneration": 1, "conditions": [ready, stalled]}
    assert health({"metadata": {"generation": 1}, "status": status}) == ("Healthy", "It works.")


def test_an_expired_one_is_degraded_while_it_is_mended() -> None:
    ready = {"type": "Ready", "status": "False", "reason": "Expired", "message": "Expired."}
    work = {"type": "Reconciling", "status": "True", "reason": "Expired", "message": "Expired."}
    status = {"observedGeneration": 1, "conditions": [ready, work]}
    assert health({"metadata": {"generation": 1}, "status": status})[0] == "Degraded"
