"""The values of the chart that pages of docs/ show, rendered."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.chart.helming import CHART, ROOT, Helm, documents, one
from tests.docs.reading import DOCUMENTS, blocks, name_of

PROMETHEUS: Final = ("ServiceMonitor", "PrometheusRule")
KNOWN: Final = frozenset(yaml.safe_load((CHART / "values.yaml").read_text()))


def _values(page: Path) -> list[str]:
    """Return the blocks of a page that are values of the chart."""
    found = [(b, yaml.safe_load(b)) for b in blocks(page.read_text(), "yaml") if "---" not in b]
    return [b for b, read in found if isinstance(read, dict) and set(read) <= KNOWN]


CLUSTERS: Final = _values(ROOT / "docs" / "guides" / "clusters.md")
SHOWN: Final = [(name_of(page), text) for page in DOCUMENTS for text in _values(page)]


def _rendered(helm: Helm, folder: Path, text: str) -> list[dict[str, Any]]:
    path = folder / "values.yaml"
    path.write_text(text)
    known = [f"--api-versions=monitoring.coreos.com/v1/{kind}" for kind in PROMETHEUS]
    return documents(helm.template("--values", path, *known))


def test_pages_show_some() -> None:
    guides = {f"docs/guides/{name}.md" for name in ("clusters", "onboarding", "several-tenants")}
    assert guides < {page for page, _ in SHOWN}


@pytest.mark.parametrize(
    ("page", "text"), SHOWN, ids=[f"{n} {page}" for n, (page, _) in enumerate(SHOWN)]
)
def test_they_render(helm: Helm, tmp_path: Path, page: str, text: str) -> None:
    found = _rendered(helm, tmp_path, text)
    wanted = yaml.safe_load(text)
    for kind, values in (("EntraTenant", "tenants"), ("ApplicationGrant", "grants")):
        names = {d["metadata"]["name"] for d in found if d["kind"] == kind}
        assert names == set(wanted.get(values, {})), page


def test_openshift_chooses_the_ids_of_the_pod(helm: Helm, tmp_path: Path) -> None:
    (text,) = (b for b in CLUSTERS if "podSecurityContext" in b)
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
    (text,) = (b for b in CLUSTERS if str(port) in yaml.safe_dump(yaml.safe_load(b)))
    egress = one(_rendered(helm, tmp_path, text), "NetworkPolicy")["spec"]["egress"]
    assert {p["port"] for rule in egress for p in rule["ports"]} == {53, 443, port}
