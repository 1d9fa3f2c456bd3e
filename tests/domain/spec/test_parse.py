"""The parser alone, by the table that the API server is held to as well (`tests/crds/cases.py`)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

import pytest

from appcredential.domain.spec.grant import NamedApplications, NamedNamespaces
from appcredential.domain.spec.model import (
    AppCredentialSpec,
    ApplicationGrantSpec,
    ClientId,
    ClientSecretIdentity,
    Cloud,
    CredentialType,
    DeletionPolicy,
    EntraTenantSpec,
    Limits,
    RetireWhen,
    RotationSpec,
    TenantId,
    VerificationMode,
    VerificationScope,
    VerificationSpec,
)
from appcredential.domain.spec.parse import (
    parse_app_credential,
    parse_application_grant,
    parse_entra_tenant,
)
from appcredential.domain.spec.secret import GenerateOnce, Preset, SecretSpec, Template
from appcredential.errors import InvalidSpecError
from tests.crds.cases import ACCEPTED, REFUSED, Case
from tests.crds.manifests import APP, GRANT, GUID, OTHER_GUID, PARSERS, TENANT, manifest

FULL = {
    "tenantRef": {"name": "prod"},
    "clientSecret": {"description": "orders service"},
    "lifetime": "90d",
    "rotation": {
        "renewBefore": "30d",
        "overlap": "15d",
        "retireWhen": "OverlapElapsed",
        "rotateIssuedBefore": "2026-11-22T10:00:00.5+02:00",
    },
    "verification": {"mode": "Disabled", "scope": "Self"},
    "secret": {
        "name": "orders-entra",
        "preset": "Raw",
        "mountPath": "/mnt/x",
        "data": {"ID": {"value": "$(clientId)"}, "cookie": {"generateOnce": {"length": 16}}},
        "labels": {"app.kubernetes.io/part-of": "a"},
        "annotations": {"reloader.stakater.com/match": "true"},
    },
    "deletionPolicy": "Retain",
    "deletionGracePeriod": "1h",
    "suspend": True,
}
SHAPES: list[tuple[Any, str, str]] = [
    ({}, "metadata", "is required"),
    ([], "", "expected `object`"),
    ({"metadata": {}, "spec": {}}, "metadata.name", "is required"),
    ({"metadata": {"name": 1}}, "metadata.name", "expected `str`, got `int`"),
    ({"metadata": {"name": "a"}, "spec": None}, "spec", "is required"),
    ({"metadata": {"name": "a"}, "spec": {}}, "spec.application", "is required"),
]


@pytest.mark.parametrize("case", ACCEPTED, ids=lambda case: case.name)
def test_accepts(case: Case) -> None:
    PARSERS[case.manifest["kind"]](case.manifest)


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_refuses_and_names_the_field(case: Case) -> None:
    with pytest.raises(InvalidSpecError) as raised:
        PARSERS[case.manifest["kind"]](case.manifest)
    assert raised.value.path == case.path
    assert raised.value.remedy


@pytest.mark.parametrize(("given", "path", "remedy"), SHAPES)
def test_refuses_other_shapes(given: Any, path: str, remedy: str) -> None:
    with pytest.raises(InvalidSpecError) as raised:
        parse_app_credential(given)
    assert raised.value.path == path
    assert remedy in raised.value.remedy


def test_app_credential_by_default() -> None:
    assert parse_app_credential(manifest(APP, {})) == AppCredentialSpec(
        tenant="default",
        client_id=ClientId(GUID),
        type=CredentialType.CLIENT_SECRET,
        secret=SecretSpec(name="orders"),
    )


def test_app_credential_in_full() -> None:
    assert parse_app_credential(manifest(APP, FULL)) == AppCredentialSpec(
        tenant="prod",
        client_id=ClientId(GUID),
        type=CredentialType.CLIENT_SECRET,
        description="orders service",
        lifetime=timedelta(days=90),
        rotation=RotationSpec(
            renew_before=timedelta(days=30),
            overlap=timedelta(days=15),
            retire_when=RetireWhen.OVERLAP_ELAPSED,
            rotate_issued_before=datetime(2026, 11, 22, 8, 0, 1, tzinfo=UTC),
        ),
        verification=VerificationSpec(mode=VerificationMode.DISABLED, scope=VerificationScope.SELF),
        secret=SecretSpec(
            name="orders-entra",
            preset=Preset.RAW,
            mount_path="/mnt/x",
            data={"ID": Template("$(clientId)"), "cookie": GenerateOnce(16)},
            labels={"app.kubernetes.io/part-of": "a"},
            annotations={"reloader.stakater.com/match": "true"},
        ),
        deletion_policy=DeletionPolicy.RETAIN,
        deletion_grace_period=timedelta(hours=1),
        suspend=True,
    )


def test_rotate_issued_before_is_utc() -> None:
    since = parse_app_credential(manifest(APP, FULL)).rotation.rotate_issued_before
    assert since is not None
    assert since.tzinfo is UTC


def test_maps_cannot_be_changed() -> None:
    secret = parse_app_credential(manifest(APP, FULL)).secret
    for found in (secret.data, secret.labels, secret.annotations):
        assert isinstance(found, MappingProxyType)


def test_nulls_are_left_out() -> None:
    nulls = {"lifetime": None, "rotation": {"overlap": None}, "secret": {"data": {"a": None}}}
    found = manifest(APP, {})
    found["spec"].update(nulls)
    assert parse_app_credential(found) == parse_app_credential(manifest(APP, {}))


def test_takes_any_mapping() -> None:
    """The watch hands out read-only views, not dicts."""
    found = manifest(APP, FULL)
    view = MappingProxyType({**found, "spec": MappingProxyType(found["spec"])})
    assert parse_app_credential(view) == parse_app_credential(found)


def test_entra_tenant() -> None:
    patch = {"cloud": "China", "limits": {"types": ["ClientSecret"], "maxLifetime": "30d"}}
    assert parse_entra_tenant(manifest(TENANT, patch)) == EntraTenantSpec(
        tenant_id=TenantId(GUID),
        cloud=Cloud.CHINA,
        identity=ClientSecretIdentity(
            client_id=ClientId(GUID), secret_name="identity", secret_key="clientSecret"
        ),
        limits=Limits(
            types=frozenset({CredentialType.CLIENT_SECRET}), max_lifetime=timedelta(days=30)
        ),
    )


def test_application_grant() -> None:
    patch = {"applications": {"clientIds": [GUID, OTHER_GUID]}, "allowOperatorIdentity": True}
    assert parse_application_grant(manifest(GRANT, patch)) == ApplicationGrantSpec(
        tenant="default",
        applications=NamedApplications(frozenset({ClientId(GUID), ClientId(OTHER_GUID)})),
        namespaces=NamedNamespaces(frozenset({"shop"})),
        limits=Limits(),
        allow_operator_identity=True,
    )
