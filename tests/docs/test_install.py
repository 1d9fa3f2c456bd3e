"""The pages about installing agree with the code and the chart that they tell about."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from appcredential.domain.conditions import Reason
from appcredential.domain.demanded import APPLY_CRDS, MIN_KUBERNETES
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import Cloud, TenantIdentity
from appcredential.domain.spec.parse import parse_entra_tenant
from appcredential.domain.spec.trusts import AUDIENCES
from appcredential.entra.clouds import ENDPOINTS
from appcredential.kube.custom_resources import FINALIZER
from appcredential.x509.read import read_pair
from tests.docs.reading import ROOT, blocks, name_of, rows, without_blocks

DOCS: Final = ROOT / "docs"
INSTALL: Final = (DOCS / "install.md").read_text()
IDENTITY: Final = (DOCS / "guides" / "operator-identity.md").read_text()
UNINSTALL: Final = (DOCS / "uninstall.md").read_text()
PAGES: Final = [
    DOCS / name
    for name in (
        *("install.md", "upgrade.md", "uninstall.md"),
        *("guides/operator-identity.md", "guides/entra-permissions.md"),
        "guides/some-namespaces.md",
    )
]
VALUES: Final = yaml.safe_load((ROOT / "charts" / "appcredential" / "values.yaml").read_text())
CHART: Final = yaml.safe_load((ROOT / "charts" / "appcredential" / "Chart.yaml").read_text())


def _paths(values: dict[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in values.items():
        yield f"{prefix}{name}"
        if isinstance(value, dict):
            yield from _paths(value, f"{prefix}{name}.")


def test_the_oldest_kubernetes_is_that_of_the_chart_and_of_the_operator() -> None:
    (told,) = (cells[1] for cells in rows(INSTALL, "", "which", "to see it") if "Kub" in cells[0])
    version = ".".join(map(str, MIN_KUBERNETES))
    assert told == f"{version} or newer"
    assert CHART["kubeVersion"] == f">={version}.0-0"


def test_the_hosts_are_those_that_the_operator_asks() -> None:
    told = {cells[0]: cells[1] for cells in rows(INSTALL, "cloud", "hosts")}
    assert told == {
        f"`{cloud}`": ", ".join(
            f"`{url.removeprefix('https://')}`" for url in (e.authority, e.graph)
        )
        for cloud, e in ENDPOINTS.items()
    }


def test_the_audiences_are_those_of_the_clouds() -> None:
    told: dict[str, str] = {}
    for clouds, audience in rows(IDENTITY, "cloud", "audience"):
        told |= {cloud: audience.strip("`") for cloud in re.findall(r"`(\w+)`", clouds)}
    assert told == {str(c): a for c, a in AUDIENCES.items() if c is not Cloud.CUSTOM}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_reason_in_a_table_is_one(page: Path) -> None:
    told: set[str] = set()
    text = page.read_text()
    for seen, *_ in rows(text, "seen", "means", "do"):
        told |= set(re.findall(r"`([A-Z]\w+)`", seen)) - {"ImagePullBackOff"}
    for reason, *_ in rows(text, "reason of the EntraTenant", "with", "do"):
        told |= set(re.findall(r"`(\w+)`", reason))
    assert told <= set(Reason)


def test_every_reason_of_a_tenant_that_stops_it_is_in_the_table() -> None:
    """A first installation meets these, so each leads on from here."""
    text = "".join(cells[0] for cells in rows(INSTALL, "seen", "means", "do"))
    wanted = {str(r) for r in Reason if str(r).startswith(("Identity", "ManagedIdentity"))}
    assert wanted <= set(re.findall(r"`(\w+)`", text))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_the_values_of_the_chart_that_are_named_exist(page: Path) -> None:
    known = set(_paths(VALUES))
    tops = tuple(f"{name}." for name in VALUES if name != "settings")
    text = page.read_text()
    named = set(re.findall(r"`([A-Za-z]+(?:\.[A-Za-z]+)+)`", without_blocks(text)))
    named |= set(re.findall(r"(?:--set |[\s,'])([A-Za-z]+(?:\.[A-Za-z]+)+)=", text))
    found = {name for name in named if name.startswith(tops)}
    assert found <= known | {"tenants.default"}


def _manifests() -> Iterator[dict[str, Any]]:
    """Yield an EntraTenant for each identity of the page, whose blocks are parts of one."""
    base = {"tenantId": "11111111-1111-4111-8111-111111111111", "cloud": "Public"}
    for text in blocks(IDENTITY, "yaml"):
        found = yaml.safe_load(text)
        spec = found.get("tenants", {}).get("default") or base | found
        if "identity" in spec:
            yield {
                "apiVersion": "appcredential.io/v1alpha1",
                "kind": "EntraTenant",
                "metadata": {"name": "default", "generation": 1},
                "spec": spec,
            }


def test_every_kind_of_identity_is_shown_and_right() -> None:
    shown = {type(parse_entra_tenant(found).identity) for found in _manifests()}
    assert shown == set(TenantIdentity.__args__)


def test_a_certificate_that_is_made_so_can_be_used(tmp_path: Path) -> None:
    """As the operator reads it out of the Secret that the next line makes of both files."""
    made = next(text for text in blocks(IDENTITY, "sh") if "openssl req" in text)
    command = made.partition("kubectl")[0]
    subprocess.run(
        ["bash", "-euc", command], cwd=tmp_path, capture_output=True, check=True, timeout=60
    )
    texts = (SecretValue((tmp_path / name).read_text()) for name in ("tls.crt", "tls.key"))
    found = read_pair(*texts)
    assert found.end - found.start == timedelta(days=180)


def test_every_kind_of_identity_has_an_example() -> None:
    shown = set()
    for path in (ROOT / "examples").glob("tenant-*.yaml"):
        shown.add(type(parse_entra_tenant(yaml.safe_load(path.read_text())).identity))
    assert shown == set(TenantIdentity.__args__)


def test_the_finalizer_to_remove_is_the_operator_s() -> None:
    (patch,) = re.findall(r"OURS='(.*?)'", UNINSTALL, re.DOTALL)
    test, removal = yaml.safe_load(patch)
    assert test["value"] == FINALIZER
    assert test["path"] == removal["path"]


def test_the_command_for_older_crds_is_the_one_that_the_operator_tells() -> None:
    text = (DOCS / "upgrade.md").read_text()
    (said,) = (b for b in blocks(text, "console") if "older than this operator" in b)
    words = re.findall(r"kubectl apply [^\"\n]*", said)
    assert words
    assert all(word in APPLY_CRDS for word in words)
