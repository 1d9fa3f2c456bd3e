"""Which installation may serve a cluster."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from appcredential.domain.claim import Claim, claim_problem

OWN: Final = Claim(namespace="entra", installation="blue.prod", cluster_id="6f1c@x")
PLACE: Final = "default/appcredential-claim"


def problem(recorded: str, replaced: str = "") -> str:
    return claim_problem(OWN, recorded, replaced, PLACE)


def test_a_cluster_that_nobody_claims_or_that_is_ours_may_be_served() -> None:
    assert problem("") == ""
    assert problem(str(OWN)) == ""
    assert problem(str(OWN), "something else") == ""


def test_another_installation_is_named_with_what_to_do() -> None:
    for other in (replace(OWN, namespace="old"), replace(OWN, installation="green")):
        told = problem(str(other))
        assert f"another installation, {other.holder}" in told
        assert "uninstall one of them" in told
        assert PLACE in told
        assert told.endswith(f"to {other}")
        assert problem(str(other), str(other)) == ""
        assert problem(str(other), str(replace(other, cluster_id="y"))) == told


def test_another_id_is_named_with_what_to_do() -> None:
    former = replace(OWN, cluster_id="1a2b")
    told = problem(str(former))
    assert "this installation issues as 6f1c@x" in told
    assert "set APPCREDENTIAL_CLUSTER_ID to 1a2b" in told
    assert told.endswith(f"to {former}")
    assert problem(str(former), str(former)) == ""


def test_a_claim_that_a_person_damaged_is_another_installations() -> None:
    told = problem("nonsense")
    assert "another installation, nonsense" in told
    assert problem("nonsense", "nonsense") == ""
    assert f"another installation, {OWN.holder}," in problem(OWN.holder)
    assert len(problem("x" * 100_000)) < 1000
