"""Argo CD's health of our kinds, by a real Lua interpreter on objects of an API server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import yaml

from tests.gitops.health import CUSTOMIZATIONS, KINDS, argocd, captured


def cases(kind: str) -> Iterator[tuple[str, str, str]]:
    tests = yaml.safe_load((CUSTOMIZATIONS / kind / "health_test.yaml").read_text())["tests"]
    for test in tests:
        yield test["inputPath"], test["healthStatus"]["status"], test["healthStatus"]["message"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_captured_manifests_have_the_health_that_is_told(kind: str) -> None:
    told = {path: (status, message) for path, status, message in cases(kind)}
    found = {f"testdata/{name}.yaml": argocd(obj, kind) for name, obj in captured(kind)}
    assert told
    assert found == told


def test_the_kinds_have_the_same_check() -> None:
    texts = {(CUSTOMIZATIONS / kind / "health.lua").read_text() for kind in KINDS}
    assert len(texts) == 1


def test_a_fresh_object_is_never_healthy() -> None:
    fresh = {"metadata": {"generation": 1}, "spec": {}, "status": {"observedGeneration": -1}}
    for kind in KINDS:
        assert argocd(fresh, kind)[0] == "Progressing"
        assert argocd({**fresh, "status": None}, kind)[0] == "Progressing"


def test_a_renewal_that_fails_alarms_and_is_not_degraded() -> None:
    ready = {"type": "Ready", "status": "True", "reason": "RotationFailing", "message": "It works."}
    stalled = {"type": "Stalled", "status": "True", "reason": "X", "message": "A person must act."}
    status = {"observedGeneration": 1, "conditions": [ready, stalled]}
    assert argocd({"metadata": {"generation": 1}, "status": status}) == ("Healthy", "It works.")


def test_an_expired_one_is_degraded_while_it_is_mended() -> None:
    ready = {"type": "Ready", "status": "False", "reason": "Expired", "message": "Expired."}
    work = {"type": "Reconciling", "status": "True", "reason": "Expired", "message": "Expired."}
    status = {"observedGeneration": 1, "conditions": [ready, work]}
    assert argocd({"metadata": {"generation": 1}, "status": status})[0] == "Degraded"
