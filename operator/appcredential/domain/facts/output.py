"""The output ConfigMap, which holds the ids that workloads sign in with."""

from __future__ import annotations

from dataclasses import dataclass

from appcredential.domain.facts.facts import Facts
from appcredential.domain.marker import Owner
from appcredential.domain.observed.federated import Federation, OutputMap
from appcredential.domain.spec import checks
from appcredential.domain.spec.federated import CustomerManagedKeySource, FederatedSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputFacts:
    """What the output ConfigMap has to hold, and what prevents that."""

    common: Facts
    spec: FederatedSpec
    seen: Federation

    @property
    def found(self) -> OutputMap | None:
        """The ConfigMap with the output's name, when it exists and may be read."""
        found = self.seen.output
        return found if isinstance(found, OutputMap) else None

    @property
    def is_unreadable(self) -> bool:
        """The operator may not read the ConfigMap."""
        return self.seen.output is not None and self.found is None

    @property
    def wanted(self) -> dict[str, str]:
        """What the ConfigMap has to hold, under the names that azure-identity reads."""
        source = self.spec.source
        found = {
            "AZURE_CLIENT_ID": str(self.common.spec.client_id),
            "AZURE_TENANT_ID": str(self.common.tenant.tenant_id),
            "AZURE_AUTHORITY_HOST": self.common.tenant.authority_host,
        }
        if isinstance(source, CustomerManagedKeySource):
            found |= federated_key(self.common.spec.client_id, source)
        return found

    @property
    def is_foreign(self) -> bool:
        """The ConfigMap with that name belongs to somebody else, or has to change and cannot."""
        found = self.found
        if found is None or self.is_done:
            return False
        return found.immutable or not self._is_writable(found)

    @property
    def is_frozen(self) -> bool:
        """The ConfigMap is this resource's, or left to it, but immutable."""
        found = self.found
        return found is not None and found.immutable and self._is_writable(found)

    @property
    def holder(self) -> str:
        """The AppCredential of this namespace that the ConfigMap names as its owner, or nothing.

        Anybody may have written that, so that only a valid name is repeated.
        """
        namespace, _, name = (self.found.owner if self.found is not None else "").partition("/")
        is_here = namespace == self.common.resource.owner.namespace
        return name if is_here and checks.is_object_name(name) else ""

    @property
    def is_done(self) -> bool:
        """The spec asks for no output, or it is as wanted."""
        if not self.spec.config_map:
            return True
        found = self.found
        if found is None or not self._owns(found):
            return False
        return all(found.data.get(k) == v for k, v in self.wanted.items())

    def _is_writable(self, found: OutputMap) -> bool:
        return self._owns(found) or self._is_left_behind(found)

    def _owns(self, found: OutputMap) -> bool:
        return found.owner == str(self.common.resource.owner)

    def _is_left_behind(self, found: OutputMap) -> bool:
        """Return whether its owner was deleted: F3 takes it over together with the trust."""
        namespace, _, name = found.owner.partition("/")
        return Owner(namespace, name).hash in self.seen.leaving


def federated_key(client_id: str, source: CustomerManagedKeySource) -> dict[str, str]:
    """Return the values that a customer enters to let our application use the key."""
    return {"federatedClientId": client_id, "resourceId": source.resource_id}
