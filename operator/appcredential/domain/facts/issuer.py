"""Which issuer a federated credential trusts, and whether Entra can trust that issuer."""

from __future__ import annotations

from typing import Final, assert_never

from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.facts.facts import Facts
from appcredential.domain.marker import Owner
from appcredential.domain.observed.entra import Tenant
from appcredential.domain.observed.federated import Federation, Issuer
from appcredential.domain.observed.observation import Observation
from appcredential.domain.spec.federated import (
    CustomerManagedKeySource,
    DevOpsConnectionSource,
    DevOpsProjectSource,
    FederatedSpec,
    ManagedIdentitySource,
    OtherSource,
    ServiceAccountSource,
)
from appcredential.domain.spec.git_hub import github_issuer
from appcredential.domain.spec.git_hub_source import GitHubSource, GitHubSubjectSource
from appcredential.domain.spec.model import AppCredentialSpec
from appcredential.domain.spec.trusts import (
    Trust,
    is_near,
    is_public_issuer,
    service_account_subject,
    trusts,
)

MULTI_TENANT: Final = frozenset({"AzureADMultipleOrgs", "AzureADandPersonalMicrosoftAccount"})
_TOKEN_SUBJECT: Final = "system:serviceaccount:"


def cluster_issuer(
    observation: Observation, spec: FederatedSpec, seen: Federation
) -> str | Problem:
    """Return the issuer of the cluster's tokens to trust, or why it is not known.

    A new issuer replaces the former one only after all reads have agreed on it for a while.
    Empty when the spec does not need it.
    """
    source, found = spec.source, seen.issuer
    match source:
        case ServiceAccountSource():
            return _agreed_issuer(observation, source, found)
        case OtherSource():
            is_service_account = source.subject.startswith(_TOKEN_SUBJECT)
            return found if is_service_account and isinstance(found, Problem) else _url(found)
        case GitHubSource() | GitHubSubjectSource():
            return _url(found)
        case DevOpsConnectionSource() | DevOpsProjectSource():
            return _url(found)
        case ManagedIdentitySource() | CustomerManagedKeySource():
            return _url(found)
        case _:
            assert_never(source)


def _url(found: Issuer | Problem) -> str:
    return found.url if isinstance(found, Issuer) else ""


def _agreed_issuer(
    observation: Observation, source: ServiceAccountSource, found: Issuer | Problem
) -> str | Problem:
    told = _told_issuer(observation, source.name)
    if isinstance(found, Problem):
        return told or found
    is_young = observation.now - found.since < observation.settings.issuer_agreement
    return told if told and told != found.url and is_young else found.url


def wanted_trusts(
    spec: FederatedSpec, owner: Owner, tenant: Tenant, issuer: str
) -> tuple[Trust, ...]:
    """Return what the spec asks Entra to trust, given the issuer of the cluster's tokens."""
    return trusts(
        spec,
        owner.namespace,
        issuer,
        cloud=tenant.cloud,
        authority_host=tenant.authority_host,
        tenant_id=tenant.tenant_id,
    )


def asked_trusts(observation: Observation) -> frozenset[tuple[str, str, str]] | None:
    """Return the trusts that the spec asks for, behind a closed gate; None when not known."""
    spec, tenant = observation.resource.spec, observation.tenant
    if not isinstance(spec, AppCredentialSpec) or isinstance(tenant, Problem):
        return None
    assert spec.federated is not None  # noqa: S101 - called for this type only
    assert observation.federation is not None  # noqa: S101
    issuer = cluster_issuer(observation, spec.federated, observation.federation)
    known = issuer if isinstance(issuer, str) else ""
    found = wanted_trusts(spec.federated, observation.resource.owner, tenant, known)
    return frozenset((*t.pair, t.audience) for t in found)


def _told_issuer(observation: Observation, name: str) -> str:
    """Return the issuer that status shows for this ServiceAccount; empty without one."""
    subject = service_account_subject(observation.resource.owner.namespace, name)
    entries = observation.resource.status.get("federatedIdentities") or ()
    return next((str(e.get("issuer")) for e in entries if e.get("subject") == subject), "")


def issuer_refusal(facts: Facts, spec: FederatedSpec, issuer: str) -> Problem | None:
    """Return why Entra cannot trust this issuer for this application; None when it can."""
    source = spec.source
    match source:
        case ServiceAccountSource():
            return _unreachable(facts, issuer)
        case OtherSource():
            return _misplaced(facts, source, issuer) or _unreachable(facts, source.issuer)
        case CustomerManagedKeySource():
            return _not_multi_tenant(facts)
        case GitHubSource() | GitHubSubjectSource():
            return _unreachable(facts, github_issuer(source.server))
        case DevOpsConnectionSource() | DevOpsProjectSource() | ManagedIdentitySource():
            return None
        case _:
            assert_never(source)


def _misplaced(facts: Facts, source: OtherSource, issuer: str) -> Problem | None:
    """Return the Problem of an issuer that belongs into another member; None otherwise."""
    if issuer and is_near(source.issuer, issuer):
        return Problem(
            reason=Reason.INVALID_SPEC,
            message="spec.federatedIdentity.other.issuer: is this cluster's own issuer. Use "
            "serviceAccount instead, which finds issuer and subject by itself.",
        )
    if source.issuer.startswith(f"{facts.tenant.authority_host.rstrip('/')}/"):
        return Problem(
            reason=Reason.INVALID_SPEC,
            message="spec.federatedIdentity.other.issuer: is the tenant's own token endpoint. "
            "Use azureDevOps, managedIdentity or customerManagedKey instead.",
        )
    return None


def _unreachable(facts: Facts, issuer: str) -> Problem | None:
    if facts.settings.allow_private_issuers or is_public_issuer(issuer):
        return None
    return Problem(
        reason=Reason.ISSUER_UNREACHABLE,
        message="Entra has to fetch the issuer's keys over https from the internet, and the "
        "issuer's address is not a public one. Have the tokens issued under a public address that "
        "serves the discovery document and the keys; for this cluster's ServiceAccounts it is "
        "--service-account-issuer of the API server.",
    )


def _not_multi_tenant(facts: Facts) -> Problem | None:
    if facts.application.sign_in_audience in MULTI_TENANT:
        return None
    return Problem(
        reason=Reason.NOT_MULTI_TENANT,
        message="A customer-managed key is used by an application that the customer's tenant "
        "installs, and this one is for its own tenant only. Set its supported account types to "
        "multiple organizations (signInAudience AzureADMultipleOrgs).",
    )
