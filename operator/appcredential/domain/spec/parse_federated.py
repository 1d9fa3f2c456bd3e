"""`spec.federatedIdentity`: whose tokens the application trusts.

Entra compares letter by letter and says nothing before the first sign-in fails. So near misses
are refused here: a slash too many, another case, blanks, a branch written as a ref, an issuer
that has a member of its own.
"""

from __future__ import annotations

import re
from typing import Final, assert_never

from appcredential.domain.marker import Owner
from appcredential.domain.spec import checks
from appcredential.domain.spec import manifest as shapes
from appcredential.domain.spec.federated import (
    AnnotationMode,
    CustomerManagedKeySource,
    FederatedSpec,
    ManagedIdentitySource,
    OtherSource,
    ServiceAccountSource,
    Source,
)
from appcredential.domain.spec.issuers import foreign_issuer
from appcredential.domain.spec.parse_azure_dev_ops import parse_azure_dev_ops
from appcredential.domain.spec.parse_git_hub import parse_git_hub
from appcredential.domain.spec.reserved import RESERVED_CONFIG_MAPS
from appcredential.domain.spec.trusts import MAX_PREFIX, default_prefix

_PATH: Final = "spec.federatedIdentity"
MAX_TEXT: Final = 600
SOURCES: Final = (
    "serviceAccount",
    "gitHub",
    "azureDevOps",
    "managedIdentity",
    "customerManagedKey",
    "other",
)

_PREFIX: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_AUDIENCE: Final = re.compile(r"[\x21-\x7e]+")
_SERVICE_ACCOUNT: Final = re.compile(
    r"system:serviceaccount:[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?:[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?"
)
_LIKE_SERVICE_ACCOUNT: Final = re.compile(r"system:serviceaccount:", re.IGNORECASE | re.ASCII)
_RESOURCE: Final = re.compile(
    r"/subscriptions/[0-9a-fA-F-]{36}/resource[gG]roups/[^/\x00-\x20\x7f]{1,90}"
    r"/providers/Microsoft[.]ManagedIdentity/userAssignedIdentities/[-_A-Za-z0-9]{3,128}"
)


def parse_federated(spec: shapes.FederatedIdentity, owner: Owner, client_id: str) -> FederatedSpec:
    """Read `spec.federatedIdentity`.

    Args:
        spec: as it stands in the manifest.
        owner: the resource, whose name becomes the default prefix.
        client_id: of the application, which is no principal id.

    Raises:
        InvalidSpecError: a value cannot be used.
    """
    audience = spec.audience
    if audience is not None:
        remedy = "must be an audience without blanks, such as api://AzureADTokenExchange"
        _text(f"{_PATH}.audience", audience, _AUDIENCE, remedy)
    if spec.config_map is not None:
        _check_config_map(f"{_PATH}.configMap.name", spec.config_map.name)
    return FederatedSpec(
        source=_source(spec, client_id),
        name_prefix=_prefix(spec.name_prefix, owner),
        audience=audience or "",
        config_map=spec.config_map.name if spec.config_map is not None else "",
    )


def _check_config_map(path: str, name: str) -> None:
    checks.object_name(path, name)
    remedy = f"may not be {name}, which other tools look for: choose another name"
    checks.require(name not in RESERVED_CONFIG_MAPS, path, remedy)


def _prefix(given: str | None, owner: Owner) -> str:
    if given is None:
        return default_prefix(owner)
    remedy = "must be letters, digits, dashes and underscores, beginning with a letter or digit"
    path = f"{_PATH}.namePrefix"
    checks.at_most(path, given, MAX_PREFIX)
    checks.require(_PREFIX.fullmatch(given) is not None, path, remedy)
    return given


def _text(path: str, value: str, pattern: re.Pattern[str], remedy: str) -> str:
    checks.at_most(path, value, MAX_TEXT)
    checks.require(pattern.fullmatch(value) is not None, path, remedy)
    return value


def _source(spec: shapes.FederatedIdentity, client_id: str) -> Source:
    given = (
        spec.service_account,
        spec.git_hub,
        spec.azure_dev_ops,
        spec.managed_identity,
        spec.customer_managed_key,
        spec.other,
    )
    found = [member for member in given if member is not None]
    remedy = f"must have exactly one of {', '.join(SOURCES)}: keep one of them"
    checks.require(len(found) == 1, _PATH, remedy)
    match found[0]:
        case shapes.ServiceAccount() as member:
            return _service_account(member)
        case shapes.GitHub() as member:
            return parse_git_hub(member)
        case shapes.AzureDevOps() as member:
            return parse_azure_dev_ops(member)
        case shapes.OtherIssuer() as member:
            return _other(member)
        case shapes.ManagedIdentity() as member:
            path = f"{_PATH}.managedIdentity"
            return ManagedIdentitySource(
                principal_id=_principal(f"{path}.principalId", member.principal_id, client_id)
            )
        case shapes.CustomerManagedKey() as member:
            return _customer_managed_key(member, client_id)
        case _:
            assert_never(found[0])


def _service_account(member: shapes.ServiceAccount) -> ServiceAccountSource:
    return ServiceAccountSource(
        name=checks.object_name(f"{_PATH}.serviceAccount.name", member.name),
        is_annotated=member.annotation is AnnotationMode.MANAGE,
    )


def _principal(path: str, value: str, client_id: str) -> str:
    checks.guid(path, value)
    remedy = (
        "is the application's client id: give the managed identity's principal (object) id, "
        "which its overview in the portal shows"
    )
    checks.require(value != client_id, path, remedy)
    return value


def _customer_managed_key(
    member: shapes.CustomerManagedKey, client_id: str
) -> CustomerManagedKeySource:
    path = f"{_PATH}.customerManagedKey"
    remedy = (
        "must be the resource id of a user-assigned managed identity: /subscriptions/…"
        "/resourceGroups/…/providers/Microsoft.ManagedIdentity/userAssignedIdentities/…"
    )
    return CustomerManagedKeySource(
        principal_id=_principal(f"{path}.principalId", member.principal_id, client_id),
        resource_id=_text(f"{path}.resourceId", member.resource_id, _RESOURCE, remedy),
    )


def _other(member: shapes.OtherIssuer) -> OtherSource:
    path = f"{_PATH}.other"
    issuer = foreign_issuer(f"{path}.issuer", member.issuer)
    subject = checks.trimmed(f"{path}.subject", member.subject, MAX_TEXT)
    if _LIKE_SERVICE_ACCOUNT.match(subject):
        remedy = "must be system:serviceaccount:NAMESPACE:NAME in lower case"
        checks.require(_SERVICE_ACCOUNT.fullmatch(subject) is not None, f"{path}.subject", remedy)
    return OtherSource(issuer=issuer, subject=subject)
