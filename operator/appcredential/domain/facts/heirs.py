"""Who inherits the trusts that a deleted resource leaves in Entra. Pure.

Another resource may ask for a trust that is about to be revoked. Removing and creating it again
would refuse tokens in between, so the revocation leaves it, and the other resource takes it over.
"""

from __future__ import annotations

from collections.abc import Mapping

from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.grant_match import allows_type
from appcredential.domain.grants import evaluate
from appcredential.domain.observed.asker import Asker
from appcredential.domain.observed.entra import Tenant
from appcredential.domain.observed.federated import Issuer
from appcredential.domain.observed.observation import Resource
from appcredential.domain.observed.revocation import Revocation
from appcredential.domain.spec.model import AppCredentialSpec, ApplicationGrantSpec, Mode
from appcredential.domain.spec.trusts import trusts


def spec_of_heir(revocation: Revocation, resource: Resource) -> AppCredentialSpec | None:
    """Return the spec of a resource that may inherit; None when it cannot.

    It can when it is another resource for the same application, is not being deleted, and is
    not only observed.
    """
    spec = resource.spec
    if isinstance(spec, Problem) or spec.client_id != revocation.client_id:
        return None
    if resource.owner == revocation.owner or resource.deletion_time is not None:
        return None
    return spec if spec.mode is not Mode.OBSERVE else None


def inherited_pairs(
    revocation: Revocation,
    spec: AppCredentialSpec,
    *,
    tenant: Tenant,
    grants: Mapping[str, ApplicationGrantSpec],
    asker: Asker,
    issuer: Issuer | Problem,
) -> frozenset[tuple[str, str]] | None:
    """Return the (issuer, subject) pairs that an heir asks for and may have.

    Args:
        revocation: of the deleted resource.
        spec: of an heir in its namespace, see `spec_of_heir`.
        tenant: the EntraTenant that the spec names.
        grants: all valid ApplicationGrants by name.
        asker: the heir's namespace as grants look at it.
        issuer: of the cluster's ServiceAccount tokens, or why it is not known.

    Returns:
        The pairs: none in another directory, or without a grant. None when they depend on
        the cluster's issuer, or on labels or tags, and nobody knows these.
    """
    if spec.federated is None:
        return frozenset()
    may_have = _may_have(revocation, spec, tenant, grants, asker)
    if not may_have:
        return None if may_have is None else frozenset()
    if isinstance(issuer, Problem) and spec.federated.account:
        return None
    found = trusts(
        spec.federated,
        revocation.owner.namespace,
        issuer.url if not isinstance(issuer, Problem) else "",
        cloud=tenant.cloud,
        authority_host=tenant.authority_host,
        tenant_id=tenant.tenant_id,
    )
    return frozenset(trust.pair for trust in found)


def _may_have(
    revocation: Revocation,
    spec: AppCredentialSpec,
    tenant: Tenant,
    grants: Mapping[str, ApplicationGrantSpec],
    asker: Asker,
) -> bool | None:
    """Return whether an heir is granted what it asks for; None while nobody knows."""
    if tenant.tenant_id != revocation.tenant_id or not allows_type(tenant.limits, spec):
        return False
    found = evaluate(grants, asker, spec, tenant)
    if not isinstance(found, Problem):
        return True
    return None if found.reason is Reason.GRANT_UNKNOWN else False
