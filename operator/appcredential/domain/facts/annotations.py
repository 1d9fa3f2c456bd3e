"""The ServiceAccount's annotations, which the azure-workload-identity webhook reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from appcredential.domain.conditions import Problem
from appcredential.domain.facts.facts import Facts
from appcredential.domain.observed.federated import ServiceAccount
from appcredential.domain.spec.federated import FederatedSpec

CLIENT_ID_ANNOTATION: Final = "azure.workload.identity/client-id"
TENANT_ID_ANNOTATION: Final = "azure.workload.identity/tenant-id"
WIRED_BY_ANNOTATION: Final = "appcredential.io/wired-by"
"""Which AppCredential wrote the other two, for which application: `name/client id`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotationFacts:
    """Which annotations the ServiceAccount has to have, and what prevents them.

    Attributes:
        seen: the ServiceAccount; None when it does not exist or shall not be annotated; a Problem
            when the operator may not read it.
    """

    common: Facts
    spec: FederatedSpec
    seen: ServiceAccount | Problem | None

    @property
    def account(self) -> ServiceAccount | None:
        """The ServiceAccount, when it exists and may be read."""
        return self.seen if isinstance(self.seen, ServiceAccount) else None

    @property
    def wanted(self) -> dict[str, str]:
        """All annotations that the operator writes."""
        name, client_id = self.common.resource.owner.name, self.common.spec.client_id
        return {
            CLIENT_ID_ANNOTATION: client_id,
            TENANT_ID_ANNOTATION: self.common.tenant.tenant_id,
            WIRED_BY_ANNOTATION: f"{name}/{client_id}",
        }

    @property
    def missing(self) -> dict[str, str]:
        """The annotations to write now; empty when none is missing or others are in the way."""
        if self.account is None or self.are_foreign or _are_somebodys(self.account.annotations):
            return {}
        held = self.account.annotations
        return {k: v for k, v in self.wanted.items() if held.get(k) != v}

    @property
    def are_foreign(self) -> bool:
        """Somebody else annotated the ServiceAccount, and not for this application and tenant."""
        if self.account is None:
            return False
        held = self.account.annotations
        client, tenant = held.get(CLIENT_ID_ANNOTATION, ""), held.get(TENANT_ID_ANNOTATION, "")
        is_tenant_free = tenant in {"", self.common.tenant.tenant_id}
        if _are_somebodys(held):
            # Without a tenant, the webhook takes its own.
            return client != self.common.spec.client_id or not is_tenant_free
        if client in {"", self.common.spec.client_id} and is_tenant_free:
            return False
        return held.get(WIRED_BY_ANNOTATION) != f"{self.common.resource.owner.name}/{client}"

    @property
    def are_done(self) -> bool:
        """The spec asks for no annotation, or all are as wanted."""
        if not self.spec.annotated_account:
            return True
        return self.account is not None and not self.are_foreign and not self.missing


def _are_somebodys(held: Mapping[str, str]) -> bool:
    """Return whether somebody else wrote the ids; the chart's admission policy says the same."""
    client, wired_by = held.get(CLIENT_ID_ANNOTATION, ""), held.get(WIRED_BY_ANNOTATION, "")
    if not client and not held.get(TENANT_ID_ANNOTATION):
        return False
    return not wired_by or (client != "" and not wired_by.endswith(f"/{client}"))


def annotation_removals(
    account: ServiceAccount | None, owner: str, client_id: str
) -> dict[str, str | None]:
    """Return the change that removes our annotations; empty when they are not ours any more."""
    held: Mapping[str, str] = account.annotations if account is not None else {}
    if held.get(WIRED_BY_ANNOTATION) != f"{owner}/{client_id}":
        return {}
    if held.get(CLIENT_ID_ANNOTATION) != client_id:
        return {WIRED_BY_ANNOTATION: None}
    return dict.fromkeys((CLIENT_ID_ANNOTATION, TENANT_ID_ANNOTATION, WIRED_BY_ANNOTATION))
