"""Sources, trusts, credentials and the rest that a FederatedIdentity is about, built by keyword."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from appcredential.domain.facts.annotations import (
    CLIENT_ID_ANNOTATION,
    TENANT_ID_ANNOTATION,
    WIRED_BY_ANNOTATION,
)
from appcredential.domain.marker import Owner
from appcredential.domain.observed.federated import (
    FederatedCredential,
    OutputMap,
    ServiceAccount,
)
from appcredential.domain.spec.federated import (
    CustomerManagedKeySource,
    DevOpsConnectionSource,
    DevOpsProjectSource,
    FederatedSpec,
    ManagedIdentitySource,
    OtherSource,
    ServiceAccountSource,
    Source,
)
from appcredential.domain.spec.git_hub_source import (
    EntityType,
    GitHubEntity,
    GitHubRepository,
    GitHubSource,
    GitHubSubjectSource,
    SubjectFormat,
)
from appcredential.domain.spec.model import (
    AppCredentialSpec,
    CredentialType,
    DeletionPolicy,
    Mode,
    VerificationMode,
    VerificationSpec,
)
from appcredential.domain.spec.secret import SecretSpec
from appcredential.domain.spec.trusts import Trust, build_description
from tests.support.builders import CLIENT_ID, IDENTITY, OWNER, TENANT_ID

ISSUER: Final = "https://issuer.example/cluster-1/"
NEXT_ISSUER: Final = "https://issuer.example/cluster-2/"
AUDIENCE: Final = "api://AzureADTokenExchange"
SUBJECT: Final = "system:serviceaccount:shop:orders"
PRINCIPAL: Final = "55555555-5555-5555-5555-555555555555"
RESOURCE_ID: Final = "/subscriptions/x/identity"
ACCOUNT: Final = ServiceAccountSource(name="orders")
GITHUB: Final = GitHubSource(
    organization="contoso",
    repositories=(GitHubRepository(name="shop", id="22"),),
    entities=(GitHubEntity(type=EntityType.BRANCH, name="main"),),
    subject_format=SubjectFormat.BOTH,
    organization_id="1",
)
GITHUB_SUBJECT: Final = GitHubSubjectSource(
    organization="contoso", subject="repository_owner_id:1:repository_id:22"
)
CONNECTION: Final = DevOpsConnectionSource(
    organization_id="77777777-7777-7777-7777-777777777777",
    connection_id="88888888-8888-8888-8888-888888888888",
)
PROJECT: Final = DevOpsProjectSource(
    organization_id=CONNECTION.organization_id,
    organization="contoso",
    project="shop",
    connection="azure",
)
MANAGED: Final = ManagedIdentitySource(principal_id=PRINCIPAL)
KEY_SOURCE: Final = CustomerManagedKeySource(principal_id=PRINCIPAL, resource_id=RESOURCE_ID)
OTHER: Final = OtherSource(issuer="https://ci.example", subject="job-1")
TRUST: Final = Trust(ISSUER, SUBJECT, AUDIENCE)
OUR_ANNOTATIONS: Final[Mapping[str, str]] = {
    CLIENT_ID_ANNOTATION: CLIENT_ID,
    TENANT_ID_ANNOTATION: TENANT_ID,
    WIRED_BY_ANNOTATION: f"{OWNER.name}/{CLIENT_ID}",
}


def workflows(repositories: int, branches: int) -> GitHubSource:
    """Return so many repositories with so many branches each, by their ids."""
    return GitHubSource(
        organization="contoso",
        repositories=tuple(
            GitHubRepository(name=f"r{n}", id=str(n)) for n in range(1, repositories + 1)
        ),
        entities=tuple(
            GitHubEntity(type=EntityType.BRANCH, name=f"b{n}") for n in range(1, branches + 1)
        ),
        organization_id="1",
    )


def entity(kind: EntityType, name: str = "") -> tuple[GitHubEntity, ...]:
    """Return a list of one."""
    return (GitHubEntity(type=kind, name=name),)


def federated_spec(
    source: Source = ACCOUNT,
    *,
    audience: str = "",
    config_map: str = "",
    mode: Mode = Mode.MANAGE,
    suspend: bool = False,
    deletion_policy: DeletionPolicy = DeletionPolicy.REVOKE,
    verification: VerificationMode = VerificationMode.DISABLED,
) -> AppCredentialSpec:
    return AppCredentialSpec(
        tenant="default",
        client_id=CLIENT_ID,
        type=CredentialType.FEDERATED_IDENTITY,
        secret=SecretSpec(name=OWNER.name),
        federated=FederatedSpec(
            source=source, name_prefix="shop-orders", audience=audience, config_map=config_map
        ),
        verification=VerificationSpec(mode=verification),
        deletion_policy=deletion_policy,
        mode=mode,
        suspend=suspend,
    )


def listed(
    id_: str = "id-1",
    *,
    trust: Trust = TRUST,
    owner: Owner | None = OWNER,
    retire: datetime | None = None,
    name: str = "made-before",
) -> FederatedCredential:
    """Return a credential as Graph lists it; without an owner somebody else's."""
    text = "made by hand"
    if owner is not None:
        text = build_description(IDENTITY, owner, trust.pair, retire)
    return FederatedCredential(
        id=id_,
        name=name,
        issuer=trust.issuer,
        subject=trust.subject,
        audiences=(trust.audience,),
        description=text,
    )


def account(
    annotations: Mapping[str, str] | None = None, *, name: str = "orders"
) -> ServiceAccount:
    return ServiceAccount(
        namespace=OWNER.namespace,
        name=name,
        uid="account-uid",
        resource_version="1",
        annotations=dict(annotations or {}),
    )


def output_map(
    name: str, *, owner: str = str(OWNER), data: Mapping[str, str] | None = None, **more: Any
) -> OutputMap:
    return OutputMap(
        namespace=OWNER.namespace,
        name=name,
        uid="output-uid",
        resource_version="1",
        owner=owner,
        immutable=bool(more.get("immutable")),
        data=dict(data or {}),
    )
