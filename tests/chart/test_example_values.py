"""The examples of values render an operator that starts, with what they promise."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from appcredential.domain.spec.parse import parse_application_grant, parse_entra_tenant
from appcredential.settings import Settings
from tests.chart.helming import ROOT, Helm, documents, environment, one

EXAMPLES: Final = sorted((ROOT / "examples" / "values").glob("*.yaml"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_an_example_renders_an_operator_that_starts(helm: Helm, path: Path) -> None:
    found = documents(helm.template("-f", path))
    env = environment(one(found, "Deployment"), "pod")
    Settings.from_env({k: v for k, v in env.items() if k.startswith("APPCREDENTIAL_")})
    tenants = {
        d["metadata"]["name"]: parse_entra_tenant(d) for d in found if d["kind"] == "EntraTenant"
    }
    grants = [parse_application_grant(d) for d in found if d["kind"] == "ApplicationGrant"]
    assert grants
    assert {grant.tenant for grant in grants} == set(tenants)


def test_three_usual_installations_have_one() -> None:
    assert [path.stem for path in EXAMPLES] == ["locked-down", "many-teams", "one-tenant"]


def test_the_locked_down_one_reads_no_secret_of_the_whole_cluster(helm: Helm) -> None:
    for found in documents(helm.template("-f", EXAMPLES[0])):
        if found["kind"] == "ClusterRole":
            resources = {r for rule in found["rules"] for r in rule.get("resources", ())}
            assert not resources & {"secrets", "pods", "serviceaccounts"}, found["metadata"]["name"]
