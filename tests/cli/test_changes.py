"""What the commands change, who may undo it, what a revocation breaks, and when it is done."""

from __future__ import annotations

from typing import Any

import pytest

from appcredential.cli import changes
from appcredential.cli.changes import IssuedBefore
from appcredential.cli.conditions import Renewal, Wanted, parse_wanted, present
from appcredential.domain.conditions import ConditionType
from tests.cli.scenes import (
    KEY,
    NOW,
    OLD_KEY,
    PODS,
    READY,
    RECONCILING,
    STALLED,
    condition,
    published,
    resource,
    retiring,
)


def test_a_patch_names_the_version_that_was_read() -> None:
    found = resource("orders", published())

    patch = changes.at_version(found, changes.checked(NOW))

    assert patch["metadata"] == {
        "annotations": {changes.CHECK: "2026-11-29T12:00:00+00:00"},
        "resourceVersion": "7",
        "uid": "uid-orders",
    }


def test_a_renewal_is_asked_for_by_time() -> None:
    patch = changes.issued_before(IssuedBefore.REVOKE, NOW)

    assert patch == {"spec": {"rotation": {"revokeIssuedBefore": "2026-11-29T12:00:00Z"}}}


@pytest.mark.parametrize(
    ("metadata", "tools"),
    [
        ({}, []),
        ({"labels": {"app.kubernetes.io/managed-by": "kustomize"}}, []),
        ({"labels": {"app.kubernetes.io/managed-by": "Helm"}}, ["Helm"]),
        ({"annotations": {"meta.helm.sh/release-name": "shop"}}, ["Helm"]),
        ({"annotations": {"argocd.argoproj.io/tracking-id": "shop"}}, ["Argo CD"]),
        ({"labels": {"argocd.argoproj.io/instance": "shop"}}, ["Argo CD"]),
        ({"labels": {"kustomize.toolkit.fluxcd.io/name": "shop"}}, ["Flux"]),
        ({"labels": {"helm.toolkit.fluxcd.io/name": "shop"}}, ["Flux"]),
        (
            {"managedFields": [{"manager": "kubectl"}, {"manager": "kustomize-controller"}]},
            ["Flux"],
        ),
        ({"managedFields": [{"manager": "argocd-controller"}]}, ["Argo CD"]),
        (
            {
                "labels": {"argocd.argoproj.io/instance": "a"},
                "managedFields": [{"manager": "helm"}],
            },
            ["Argo CD", "Helm"],
        ),
    ],
)
def test_who_applies_it_may_undo_a_change(metadata: dict[str, Any], tools: list[str]) -> None:
    found = resource("orders", published(), **metadata)

    assert changes.appliers(found) == tools
    assert bool(changes.undone(found, "spec.suspend: true")) is bool(tools)
    assert all(tool in changes.undone(found, "spec.suspend: true") for tool in tools)


@pytest.mark.parametrize(
    ("pods", "words"),
    [
        (None, "is not known, because you may not list pods"),
        ([], "No pod uses Secret orders-entra now."),
        (["b", "a"], "now: a, b. Those"),
        ([f"p{n}" for n in range(8)], "p0, p1, p2, p3, p4 and 3 others"),
    ],
)
def test_a_revocation_says_who_fails(pods: list[str] | None, words: str) -> None:
    found = resource("orders", published(retiring=retiring()))

    told = changes.consequences(found, pods)

    assert f"{KEY}, {OLD_KEY}" in told[0]
    assert told[1] == f"Still in use, as status says of {OLD_KEY}: {PODS}."
    assert words in told[2]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Ready", Wanted(ConditionType.READY)),
        ("condition=ready", Wanted(ConditionType.READY)),
        ("condition=Stalled=false", Wanted(ConditionType.STALLED, "False")),
        ("Verified=Unknown", Wanted(ConditionType.VERIFIED, "Unknown")),
        ("delete", Wanted(None)),
    ],
)
def test_what_can_be_waited_for(text: str, wanted: Wanted) -> None:
    assert parse_wanted(text) == wanted


@pytest.mark.parametrize("text", ["", "Redy", "condition=", "Ready=maybe", "jsonpath={.a}"])
def test_what_cannot_be_waited_for(text: str) -> None:
    with pytest.raises(ValueError, match="Ready, Verified"):
        parse_wanted(text)


def test_a_condition_counts_for_the_present_spec_only() -> None:
    wanted = Wanted(ConditionType.READY)

    assert wanted.is_met(resource("a", published()))
    assert not wanted.is_met(resource("a", published(), generation=2))
    assert not wanted.is_met(None)
    assert not wanted.is_met(resource("a"))
    assert Wanted(None).is_met(None)
    assert not Wanted(None).is_met(resource("a"))
    not_stalled = Wanted(ConditionType.STALLED, "False")
    assert not_stalled.is_met(resource("a", published()))
    assert not not_stalled.is_met(resource("a", published(), generation=2))
    assert not not_stalled.is_met(resource("a", published(conditions=[READY, STALLED])))


def test_what_waits_says_how_things_are() -> None:
    assert present(None) == "it does not exist"
    assert present(resource("a")) == "the operator has not looked at it yet"
    assert present(resource("a", published())).startswith("Ready is True, Published: ")
    waits = published(pending={"waitingFor": "its window"})
    assert present(resource("a", waits)).endswith("The successor waits for its window.")
    assert present(resource("a", published(conditions=[READY, STALLED]))).startswith("Stalled")


@pytest.mark.parametrize(
    ("status", "is_done", "needs_a_person"),
    [
        (published(observedGeneration=2), True, False),
        (published(), False, False),
        (published(observedGeneration=2, pending={"keyId": "x"}), False, False),
        (published(observedGeneration=2, conditions=[READY, RECONCILING]), False, False),
        (published(observedGeneration=2, conditions=[READY, STALLED]), False, True),
        (published(conditions=[READY, STALLED]), False, False),
        ({"observedGeneration": 2, "conditions": [condition("Ready", "False", "X")]}, False, False),
    ],
)
def test_when_a_renewal_is_done(
    status: dict[str, Any], *, is_done: bool, needs_a_person: bool
) -> None:
    renewal = Renewal(replaced=OLD_KEY, generation=2)
    found = resource("a", status, generation=2)

    assert renewal.is_done(found) is is_done
    assert renewal.needs_a_person(found) is needs_a_person
    assert not Renewal(replaced=KEY, generation=2).is_done(found)
