"""What `doctor` says of grants and tenants that left the chart's values."""

from __future__ import annotations

from typing import Any, Final

import pytest

from appcredential.cli.doctor.directory import grants
from appcredential.cli.doctor.findings import Gravity
from appcredential.cli.doctor.gathered import Gathered
from appcredential.cli.doctor.left import left_values
from tests.cli.installations import LABELS, SYSTEM, deployment, grant, read, tenant, unread, well
from tests.cli.scenes import CLIENT_ID

INSTANCE: Final = {"app.kubernetes.io/instance": "appcredential"}
OURS: Final = {
    "labels": LABELS | INSTANCE,
    "annotations": {
        "helm.sh/resource-policy": "keep",
        "meta.helm.sh/release-name": "appcredential",
        "meta.helm.sh/release-namespace": SYSTEM,
    },
}


def installation(grants: str = "shop-apps", tenants: str = "default") -> dict[str, Any]:
    """Return the operator's Deployment with the names in the values."""
    made = deployment(labels=INSTANCE)
    named = {"appcredential.io/grants": grants, "appcredential.io/tenants": tenants}
    made["metadata"]["annotations"] = named
    return made


def of_release(document: dict[str, Any], **marks: Any) -> dict[str, Any]:
    """Return an object as the chart makes it, but for some marks."""
    metadata = {**document["metadata"], **OURS}
    for kind in ("labels", "annotations"):
        metadata[kind] = {k: v for k, v in {**OURS[kind], **marks}.items() if v is not None}
    return {**document, "metadata": metadata}


def told(gathered: Gathered) -> list[tuple[Gravity, str]]:
    return [(f.gravity, f"{f.text} {f.remedy}".strip()) for f in left_values(gathered)]


def test_what_left_is_named_with_what_removes_it() -> None:
    found = told(
        well(
            deployments=read(installation(grants="", tenants="")),
            grants=read(of_release(grant())),
            tenants=read(of_release(tenant())),
        )
    )
    assert found == [
        (
            Gravity.RISK,
            (
                "These ApplicationGrants left them, and still allow what they say: shop-apps. "
                "kubectl delete applicationgrant shop-apps"
            ),
        ),
        (
            Gravity.ADVICE,
            (
                "These EntraTenants left them, and are still signed in to: default. "
                "1 AppCredentials name them, and keep them until they are gone. "
                "kubectl delete entratenant --wait=false default"
            ),
        ),
    ]


def test_many_are_told_in_short_and_removed_by_one_command() -> None:
    made = [of_release(grant(f"team-{n:02}")) for n in range(25)]
    ((_, text),) = told(well(deployments=read(installation("")), grants=read(*made)))
    assert "team-19 and 5 more." in text
    assert text.endswith("team-24")


@pytest.mark.parametrize(
    "marks",
    [
        {"app.kubernetes.io/instance": "other"},
        {"app.kubernetes.io/component": None},
        {"app.kubernetes.io/part-of": "platform"},
        {"helm.sh/resource-policy": None},
        {"meta.helm.sh/release-name": "other"},
        {"meta.helm.sh/release-namespace": "elsewhere"},
    ],
    ids=str,
)
def test_what_another_made_is_not_named(marks: dict[str, Any]) -> None:
    found = told(
        well(deployments=read(installation("")), grants=read(of_release(grant(), **marks)))
    )
    assert found == [(Gravity.FINE, "No grant or EntraTenant left them.")]


APPLIED: Final[dict[str, Any]] = {
    "f:annotations": {"f:kubectl.kubernetes.io/last-applied-configuration": {}}
}
MARKED: Final = {"f:annotations": {"f:helm.sh/resource-policy": {}, **APPLIED["f:annotations"]}}


@pytest.mark.parametrize(
    ("operation", "fields", "is_named"),
    [
        ("Apply", {"f:spec": {}}, False),
        ("Update", {"f:metadata": APPLIED}, False),
        ("Update", {"f:spec": {}}, True),  # an edit
        ("Apply", {"f:status": {}}, True),
        ("Apply", {"f:spec": {}, "f:metadata": MARKED}, True),  # Helm 4, or Argo CD with the chart
        ("Update", {"f:spec": {}, "f:metadata": MARKED}, True),
    ],
    ids=str,
)
def test_what_somebody_else_applies_is_not_named(
    operation: str, fields: dict[str, Any], is_named: bool
) -> None:
    made = of_release(grant())
    made["metadata"]["managedFields"] = [{"operation": operation, "fieldsV1": fields}]
    found = told(well(deployments=read(installation("")), grants=read(made)))
    assert [gravity for gravity, _ in found] == [Gravity.RISK if is_named else Gravity.FINE]


@pytest.mark.parametrize(("operation", "is_named"), [("Apply", False), ("Update", True)])
def test_what_somebody_applies_as_it_was_exported_is_not_named(
    operation: str, *, is_named: bool
) -> None:
    """With the marks; the chart's own manager has them, too."""
    marked: dict[str, Any] = {"f:annotations": {"f:helm.sh/resource-policy": {}}}
    fields = {"f:spec": {}, "f:metadata": marked}
    made = of_release(grant())
    made["metadata"]["managedFields"] = [
        {"manager": "helm", "operation": "Update", "fieldsV1": fields},
        {"manager": "kustomize-controller", "operation": operation, "fieldsV1": fields},
        {"manager": "unknown", "operation": "Update"},
    ]
    found = told(well(deployments=read(installation("")), grants=read(made)))
    assert [gravity for gravity, _ in found] == [Gravity.RISK if is_named else Gravity.FINE]


def test_argo_cd_sets_no_marks_of_helm() -> None:
    marks = {"meta.helm.sh/release-name": None, "meta.helm.sh/release-namespace": None}
    found = told(
        well(deployments=read(installation("")), grants=read(of_release(grant(), **marks)))
    )
    assert [gravity for gravity, _ in found] == [Gravity.RISK]


def test_nothing_is_said_of_what_is_named_leaves_or_is_not_known() -> None:
    fine = [(Gravity.FINE, "No grant or EntraTenant left them.")]
    assert told(well(deployments=read(installation()), grants=read(of_release(grant())))) == fine
    leaving = of_release(tenant())
    leaving["metadata"]["deletionTimestamp"] = "2030-01-01T00:00:00Z"
    assert told(well(deployments=read(installation(tenants="")), tenants=read(leaving))) == fine
    assert told(well(deployments=read(installation("")), grants=unread())) == []
    assert told(well(grants=read(of_release(grant())))) == [], "a chart from before the marks"


def test_client_ids_that_no_application_has_are_named() -> None:
    missing = {"missing": 1, "missingClientIds": [CLIENT_ID], "found": 0, "unknown": 0}
    named = {**grant(), "status": {"applications": missing}}
    found = [f for f in grants(well(grants=read(named))) if f.gravity is Gravity.ADVICE]
    assert [f"{f.about}: {f.text}" for f in found] == [
        (
            "ApplicationGrant shop-apps: The tenant has no application for 1 of its client ids: "
            f"{CLIENT_ID}."
        )
    ]
