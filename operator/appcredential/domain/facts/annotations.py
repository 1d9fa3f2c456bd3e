"""The ServiceAccount's annotations, by which the azure-workload-identity webhook knows a trust."""

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
"""Who wrote the other two, and for which application: `name/client id`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotationFacts:
    """What a ServiceAccount has to be annotated with, and what keeps us from it.

    Attributes:
        seen: None when it does not exist or is not annotated; a Problem when it may not be read.
    """

    common: Facts
    spec: FederatedSpec
    seen: ServiceAccount | Problem | None

    @property
    def account(self) -> ServiceAccount | None:
        """The ServiceAccount, when it is there and may be read."""
        return self.seen if isinstance(self.seen, ServiceAccount) else None

    @property
    def wanted(self) -> dict[str, str]:
        """All annotations that we write."""
        name, client_id = self.common.resource.owner.name, self.common.spec.client_id
        return {
            CLIENT_ID_ANNOTATION: client_id,
            TENANT_ID_ANNOTATION: self.common.tenant.tenant_id,
            WIRED_BY_ANNOTATION: f"{name}/{client_id}",
        }

    @property
    def missing(self) -> dict[str, str]:
        """The annotations to write now; empty when all is well or others are in the way."""
        if self.account is None or self.are_foreign:
            return {}
        held, wanted = self.account.annotations, self.wanted
        ids = (CLIENT_ID_ANNOTATION, TENANT_ID_ANNOTATION)
        if all(held.get(k) == wanted[k] for k in ids) and WIRED_BY_ANNOTATION not in held:
            return {}  # a person wrote just the same: it stays theirs
        return {k: v for k, v in wanted.items() if held.get(k) != v}

    @property
    def are_foreign(self) -> bool:
        """The ServiceAccount is annotated for another application or tenant, and not by us."""
        if self.account is None:
            return False
        held = self.account.annotations
        client, tenant = held.get(CLIENT_ID_ANNOTATION, ""), held.get(TENANT_ID_ANNOTATION, "")
        is_free = client in {"", self.common.spec.client_id}
        if is_free and tenant in {"", self.common.tenant.tenant_id}:
            return False
        return held.get(WIRED_BY_ANNOTATION) != f"{self.common.resource.owner.name}/{client}"

    @property
    def are_done(self) -> bool:
        """No annotation is asked for, or all are as wanted."""
        if not self.spec.annotated_account:
            return True
        return self.account is not None and not self.are_foreign and not self.missing


def annotation_removals(
    account: ServiceAccount | None, owner: str, client_id: str
) -> dict[str, str | None]:
    """Return what takes our annotations away; nothing when they are not ours any more."""
    held: Mapping[str, str] = account.annotations if account is not None else {}
    if held.get(WIRED_BY_ANNOTATION) != f"{owner}/{client_id}":
        return {}
    if held.get(CLIENT_ID_ANNOTATION) != client_id:
        return {WIRED_BY_ANNOTATION: None}
    return dict.fromkeys((CLIENT_ID_ANNOTATION, TENANT_ID_ANNOTATION, WIRED_BY_ANNOTATION))
