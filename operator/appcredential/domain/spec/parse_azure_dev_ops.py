"""`spec.federatedIdentity.azureDevOps`: a service connection, or a pipeline."""

from __future__ import annotations

import re
from typing import Final

from appcredential.domain.spec import checks
from appcredential.domain.spec import manifest as shapes
from appcredential.domain.spec.federated import (
    DevOpsConnectionSource,
    DevOpsIssuer,
    DevOpsProjectSource,
)

MAX_NAME: Final = 255

_PATH: Final = "spec.federatedIdentity.azureDevOps"
_ORGANIZATION: Final = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9]{0,48}[A-Za-z0-9])?")
_PROJECT: Final = re.compile(
    r"[^\x00-\x20\x7f/:\\~&%;@'\"?<>|#$*}{,+=\[\]]"
    r"([^\x00-\x1f\x7f/:\\~&%;@'\"?<>|#$*}{,+=\[\]]{0,62}"
    r"[^\x00-\x20\x7f/:\\~&%;@'\"?<>|#$*}{,+=\[\]])?"
)
_NAMES: Final = ("organization", "project", "connection", "pipeline")


def parse_azure_dev_ops(
    member: shapes.AzureDevOps,
) -> DevOpsConnectionSource | DevOpsProjectSource:
    """Read `spec.federatedIdentity.azureDevOps`.

    Raises:
        InvalidSpecError: a value cannot be used.
    """
    organization_id = checks.guid(f"{_PATH}.organizationId", member.organization_id)
    if member.issuer is DevOpsIssuer.ENTRA:
        return _connection(member, organization_id)
    return _of_project(member, organization_id)


def project(path: str, value: str) -> str:
    """Return the name of a project, which its organization's rules allow."""
    remedy = "must be the project's name alone: at most 64 characters, without / and :"
    checks.require(_PROJECT.fullmatch(value) is not None, path, remedy)
    return value


def _connection(member: shapes.AzureDevOps, organization_id: str) -> DevOpsConnectionSource:
    for name in _NAMES:
        remedy = "is only for issuer AzureDevOps, whose tokens contain names: remove it"
        checks.require(getattr(member, name) is None, f"{_PATH}.{name}", remedy)
    path = f"{_PATH}.connectionId"
    if member.connection_id is None:
        checks.refuse(
            path,
            "is required for issuer Entra: it is the resourceId in the address of the service "
            "connection's page",
        )
    return DevOpsConnectionSource(
        organization_id=organization_id, connection_id=checks.guid(path, member.connection_id)
    )


def _of_project(member: shapes.AzureDevOps, organization_id: str) -> DevOpsProjectSource:
    remedy = "is only for issuer Entra: remove it"
    checks.require(member.connection_id is None, f"{_PATH}.connectionId", remedy)
    organization, name = member.organization, member.project
    if organization is None:
        checks.refuse(f"{_PATH}.organization", "is required for issuer AzureDevOps")
    if name is None:
        checks.refuse(f"{_PATH}.project", "is required for issuer AzureDevOps")
    remedy = "must have exactly one of connection and pipeline for issuer AzureDevOps"
    checks.require((member.connection is None) != (member.pipeline is None), _PATH, remedy)
    return DevOpsProjectSource(
        organization_id=organization_id,
        organization=_organization(f"{_PATH}.organization", organization),
        project=project(f"{_PATH}.project", name),
        connection=_name("connection", member.connection),
        pipeline=_name("pipeline", member.pipeline),
    )


def _organization(path: str, value: str) -> str:
    remedy = "must be the organization's name alone, as in https://dev.azure.com/NAME"
    checks.require(_ORGANIZATION.fullmatch(value) is not None, path, remedy)
    return value


def _name(field: str, value: str | None) -> str:
    return "" if value is None else checks.trimmed(f"{_PATH}.{field}", value, MAX_NAME)
