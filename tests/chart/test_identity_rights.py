"""Where only some namespaces are served, the operator may renew what it is told to, and no more."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.chart.helming import NAMESPACE, Helm, documents

_TENANT: Final[dict[str, Any]] = {
    "tenantId": "11111111-1111-4111-8111-111111111111",
    "cloud": "Public",
}


def _signs_in_by(secret: str, member: str = "certificate", **more: Any) -> dict[str, Any]:
    reference = {"clientId": "22222222-2222-4222-8222-222222222222", "secretRef": {"name": secret}}
    return {**_TENANT, "identity": {member: {**reference, **more}}}


def _may_update(helm: Helm, folder: Path, values: dict[str, Any]) -> list[str]:
    """Return the Secrets of its own namespace that the operator may update, by name."""
    path = folder / "values.yaml"
    path.write_text(yaml.safe_dump({"watchNamespaces": ["shop"], **values}))
    roles = [d for d in documents(helm.template("--values", path)) if d["kind"] == "Role"]
    (own,) = (d for d in roles if d["metadata"]["namespace"] == NAMESPACE)
    rules = [r for r in own["rules"] if r["resources"] == ["secrets"] and "update" in r["verbs"]]
    assert all(r["verbs"] == ["update"] for r in rules)
    return [name for r in rules for name in r["resourceNames"]]


def test_it_updates_the_secrets_of_tenants_that_ask_for_it(helm: Helm, tmp_path: Path) -> None:
    values = {
        "tenants": {
            "default": _signs_in_by("renewed", rotation={}),
            "partner": _signs_in_by("by-hand"),
            "first": _signs_in_by("a-secret", "clientSecret", rotation={"lifetime": "30d"}),
            "second": _signs_in_by("by-hand-too", "clientSecret"),
        },
        "rbac": {"identitySecrets": ["named", "renewed"]},
    }
    assert _may_update(helm, tmp_path, values) == ["a-secret", "named", "renewed"]


@pytest.mark.parametrize("nobody", [[], None], ids=["empty", "values of an earlier release"])
def test_it_updates_none_where_nobody_asks(helm: Helm, tmp_path: Path, nobody: Any) -> None:
    """With `--reuse-values` an upgrade lacks what the earlier release did not have."""
    values = {"tenants": {"default": _signs_in_by("by-hand")}, "rbac": {"identitySecrets": nobody}}
    assert _may_update(helm, tmp_path, values) == []
