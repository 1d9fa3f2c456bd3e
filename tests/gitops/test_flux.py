"""Flux's health of our kinds, by a real CEL interpreter: object by object what Argo CD says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from itertools import product
from typing import Any, Final

import pytest

from tests.gitops.health import KINDS, argocd, captured, expressions, flux
from tests.support.kstatus import kstatus

_SAME: Final = {"Healthy": "Current", "Progressing": "InProgress", "Degraded": "Failed"}
Named = tuple[str, dict[str, Any]]

READY: Final = (None, ("True", "Published"), ("False", "Expired"), ("False", "X"), ("Unknown", "X"))
ABNORMAL: Final = ("", "Reconciling", "Stalled", "Reconciling Stalled")
BROKEN: Final = {
    "true without any condition": (
        "current",
        "status.conditions.filter(c, c.type == 'Ready').all(c, c.status == 'True')",
    ),
    "a field that does not exist": ("current", "status.ready == true"),
    "done while it is being deleted": ("inProgress", "!has(status.conditions)"),
    "done while it is worked on": (
        "current",
        "status.conditions.exists(c, c.type == 'Ready' && c.status == 'True')",
    ),
    "Ready=False is a failure": (
        "failed",
        "status.conditions.exists(c, c.type == 'Ready' && c.status == 'False')",
    ),
    "Stalled is always a failure": (
        "failed",
        "status.conditions.exists(c, c.type == 'Stalled' && c.status == 'True')",
    ),
    "conditions are taken for granted": ("inProgress", "has(metadata.deletionTimestamp)"),
    "no CEL": ("failed", "status.conditions[?(@.type=='Ready')].status == 'False'"),
}
"""Expressions that a person might write: the table below must tell each from ours."""


def made(kind: str) -> Iterator[Named]:
    """Yield every mix of conditions, deletion and generation."""
    for ready, abnormal, deleted, generation in product(READY, ABNORMAL, (False, True), (1, 2)):
        metadata: dict[str, Any] = {"name": "a", "generation": generation}
        if deleted:
            metadata["deletionTimestamp"] = "2026-11-26T00:00:00Z"
        conditions = [_condition(t, "True", "X") for t in abnormal.split()]
        if ready is not None:
            conditions.insert(0, _condition("Ready", *ready))
        status: dict[str, Any] = {"observedGeneration": 1, "conditions": conditions}
        obj = {"kind": kind, "metadata": metadata, "spec": {}, "status": status}
        yield f"{ready} {abnormal} deleted={deleted} generation={generation}", obj
    yield "without conditions", {"metadata": {"generation": 1}, "status": {"observedGeneration": 1}}


def _condition(type_: str, status: str, reason: str) -> dict[str, str]:
    return {"type": type_, "status": status, "reason": reason, "message": f"{type_} {reason}."}


def disagreements(kind: str, exprs: Mapping[str, str]) -> list[str]:
    """Return the objects of which Flux says other than Argo CD."""
    found = []
    for name, obj in [*captured(kind), *made(kind)]:
        # Flux knows no Suspended: it goes by what the conditions say.
        awake = deepcopy(obj)
        awake.get("spec", {}).pop("suspend", None)
        wanted = _SAME[argocd(awake, kind)[0]]
        said = flux(obj, exprs)
        if said != wanted:
            found.append(f"{name}: {said} instead of {wanted}")
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_flux_says_what_argocd_says(kind: str) -> None:
    assert disagreements(kind, expressions(kind)) == []


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_expression_is_seen(fault: str) -> None:
    word, expression = BROKEN[fault]
    try:
        found = disagreements("AppCredential", {**expressions("AppCredential"), word: expression})
    except RuntimeError as error:  # not parsed: Flux refuses the whole Kustomization
        found = [str(error)]
    assert found


@pytest.mark.parametrize("kind", KINDS)
def test_captured_objects(kind: str) -> None:
    verdicts = {name: flux(obj, expressions(kind)) for name, obj in captured(kind)}
    assert (
        verdicts
        == {
            "AppCredential": {
                "fresh": "InProgress",
                "reconciling": "InProgress",
                "ready": "Current",
                "stalled": "Failed",
                "suspended": "Current",
                "deleting": "InProgress",
            },
            "EntraTenant": {"signed-in": "Current", "stalled": "Failed"},
            "ApplicationGrant": {"accepted": "Current"},
        }[kind]
    )


def test_what_the_expressions_add_to_what_flux_says_by_itself() -> None:
    """A credential that works is no failure, and one that has expired is."""
    exprs = expressions("AppCredential")
    table = {
        name.split(" deleted")[0]: (kstatus(obj), flux(obj, exprs))
        for name, obj in made("AppCredential")
        if "deleted=False generation=1" in name
    }
    assert table["('True', 'Published') Stalled"] == ("Failed", "Current")
    assert table["('False', 'Expired') Reconciling"] == ("InProgress", "Failed")
    assert table["('True', 'Published') "] == ("Current", "Current")
    assert table["None "] == ("Current", "InProgress")
