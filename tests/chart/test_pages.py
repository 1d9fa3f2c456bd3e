"""The values of the chart that pages of docs/ show, rendered."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.chart.helming import CHART, ROOT, Helm, documents, one
from tests.docs.reading import blocks

PAGES: Final = ("clusters.md", "onboarding.md", "several-tenants.md")
KNOWN: Final = frozenset(yaml.safe_load((CHART / "values.yaml").read_text()))


def _values(page: str) -> list[str]:
    """Return the blocks of a guide that are values of the chart."""
    text = (ROOT / "docs" / "guides" / page).read_text()
    return [b for b in blocks(text, "yaml") if set(yaml.safe_load(b)) <= KNOWN]


SHOWN: Final = [(page, text) for page in PAGES for text in _values(page)]


def _rendered(helm: Helm, folder: Path, text: str) -> list[dict[str, Any]]:
    path = folder / "values.yaml"
    path.write_text(text)
    return documents(helm.template("--values", path))


def test_every_page_shows_some() -> None:
    assert {page for page, _ in SHOWN} == set(PAGES)


@pytest.mark.parametrize(
    ("page", "text"), SHOWN, ids=[f"{page} {text.splitlines()[0]}" for page, text in SHOWN]
)
def test_they_render(helm: Helm, tmp_path: Path, page: str, text: str) -> None:
    found = _rendered(helm, tmp_path, text)
    wanted = yaml.safe_load(text)
    for kind, values in (("EntraTenant", "tenants"), ("ApplicationGrant", "grants")):
        names = {d["metadata"]["name"] for d in found if d["kind"] == kind}
        assert names == set(wanted.get(values, {})), page


def test_openshift_chooses_the_ids_of_the_pod(helm: Helm, tmp_path: Path) -> None:
    (text,) = (b for b in _values("clusters.md") if "podSecurityContext" in b)
    found = _rendered(helm, tmp_path, text)
    pod = one(found, "Deployment")["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert not {"runAsUser", "runAsGroup", "fsGroup"} & set(pod["securityContext"])
    egress = one(found, "NetworkPolicy")["spec"]["egress"]
    assert {p["port"] for rule in egress for p in rule["ports"]} == {53, 443, 6443, 5353}


@pytest.mark.parametrize("port", [8443, 16443])
def test_a_cluster_s_api_server_is_reached_at_its_port(
    helm: Helm, tmp_path: Path, port: int
) -> None:
    (text,) = (b for b in _values("clusters.md") if str(port) in yaml.safe_dump(yaml.safe_load(b)))
    egress = one(_rendered(helm, tmp_path, text), "NetworkPolicy")["spec"]["egress"]
    assert {p["port"] for rule in egress for p in rule["ports"]} == {53, 443, port}
