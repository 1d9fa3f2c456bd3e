"""Reads which trusts of a deleted resource the other resources of its namespace still want."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.facts.heirs import inherited_pairs, spec_of_heir
from appcredential.domain.observed.asker import Tags
from appcredential.domain.observed.federated import Issuer
from appcredential.domain.observed.observation import Resource
from appcredential.domain.observed.revocation import Revocation
from appcredential.domain.spec.model import ApplicationGrantSpec
from appcredential.errors import UnavailableError
from appcredential.ports.kube import IssuerSource, Resources
from appcredential.ports.local import GrantSource
from appcredential.ports.session import Access


class Heirs:
    """Asks the other resources, their EntraTenants and the grants."""

    def __init__(
        self,
        *,
        resources: Resources,
        issuer: IssuerSource,
        grants: GrantSource,
        access: Callable[[str], Access | Problem],
    ) -> None:
        self._resources = resources
        self._issuer = issuer
        self._grants = grants
        self._access = access

    async def wanted(self, revocation: Revocation) -> frozenset[tuple[str, str]]:
        """Return the (issuer, subject) pairs that other resources still want.

        Only resources of the deleted one's namespace, application and directory count, and
        only what a grant allows.

        Raises:
            UnavailableError: nobody can say, such as while the cluster's issuer is not known.
            AppCredentialError: the resources could not be listed.
        """
        issuer, grants = await self._issuer.current(), self._grants.known()
        found: set[tuple[str, str]] = set()
        for resource in await self._resources.list(revocation.owner.namespace):
            found |= self._wanted_by(resource, revocation, issuer, grants)
        return frozenset(found)

    def _wanted_by(
        self,
        resource: Resource,
        revocation: Revocation,
        issuer: Issuer | Problem,
        grants: Mapping[str, ApplicationGrantSpec],
    ) -> frozenset[tuple[str, str]]:
        spec = spec_of_heir(revocation, resource)
        access = self._access(spec.tenant) if spec is not None else None
        if spec is None or not isinstance(access, Access):
            return frozenset()
        asker = self._grants.asker(resource.owner.namespace, _tags(resource))
        if resource.status.get("grant"):
            # A grant allowed it when it was last looked at, be it for a tag that is not read here.
            asker = replace(asker, tags=(asker.wanted_tag,))
        pairs = inherited_pairs(
            revocation, spec, tenant=access.tenant, grants=grants, asker=asker, issuer=issuer
        )
        if pairs is None:
            raise UnavailableError("nobody knows which trusts another resource may have")
        return pairs


def _tags(resource: Resource) -> Tags | None:
    """Return that the application has no tags, unless status says that nobody knows them.

    Not by a guess: who may create resources must not hold revocations up by one that no tag allows.
    """
    conditions = resource.status.get("conditions") or ()
    is_unknown = any(c.get("reason") == Reason.GRANT_UNKNOWN for c in conditions)
    return None if is_unknown else ()
