"""The policies of all tenants, their assignments, and which one applies to an application."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from entra_emulator.directory.application_record import ApplicationRecord
from entra_emulator.policies.documents import (
    DEFAULT_POLICY_ID,
    AppPolicy,
    Restriction,
    RestrictionType,
    State,
    TenantPolicy,
)
from entra_emulator.values.instants import ticks_of


@dataclass(slots=True)
class _TenantPolicies:
    default: TenantPolicy = field(default_factory=TenantPolicy)
    own: dict[str, AppPolicy] = field(default_factory=dict)
    assigned: dict[str, str] = field(default_factory=dict)
    issuers: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """A restriction of an application, and the policy that it comes from."""

    policy_id: str
    restriction: Restriction


class PolicyBook:
    """Holds the policies; a change takes effect at once."""

    def __init__(self) -> None:
        self._tenants: dict[str, _TenantPolicies] = {}

    def default(self, tenant_id: str) -> TenantPolicy:
        """Return the default policy of a tenant."""
        return self._of(tenant_id).default

    def set_default(self, tenant_id: str, policy: TenantPolicy) -> None:
        """Replace the default policy of a tenant."""
        self._of(tenant_id).default = policy

    def policies(self, tenant_id: str) -> list[AppPolicy]:
        """Return the policies of a tenant without its default."""
        return list(self._of(tenant_id).own.values())

    def policy(self, tenant_id: str, policy_id: str) -> AppPolicy | None:
        """Find a policy other than the default."""
        return self._of(tenant_id).own.get(policy_id)

    def put(self, tenant_id: str, policy_id: str, policy: AppPolicy) -> None:
        """Add a policy, or replace the one with this id."""
        self._of(tenant_id).own[policy_id] = policy

    def remove(self, tenant_id: str, policy_id: str) -> None:
        """Remove a policy; the default applies to its applications again."""
        held = self._of(tenant_id)
        del held.own[policy_id]
        held.assigned = {app: one for app, one in held.assigned.items() if one != policy_id}

    def assign(self, record: ApplicationRecord, policy_id: str | None) -> None:
        """Assign a policy to an application in place of its former one; None assigns none."""
        assigned = self._of(record.tenant_id).assigned
        assigned.pop(record.id, None)
        if policy_id is not None:
            assigned[record.id] = policy_id

    def assigned(self, record: ApplicationRecord) -> AppPolicy | None:
        """Return the policy that is assigned to an application, if there is one."""
        held = self._of(record.tenant_id)
        return held.own.get(held.assigned.get(record.id, ""))

    def allow_issuers(self, tenant_id: str, issuers: Iterable[str] | None) -> None:
        """Allow applications to trust only these issuers; None allows any."""
        self._of(tenant_id).issuers = None if issuers is None else frozenset(issuers)

    def allows_issuer(self, tenant_id: str, issuer: str) -> bool:
        """Return whether applications of a tenant may trust an issuer."""
        issuers = self._of(tenant_id).issuers
        return issuers is None or issuer in issuers

    def forget(self, tenant_id: str) -> None:
        """Drop the policies of a tenant."""
        self._tenants.pop(tenant_id, None)

    def rule(self, record: ApplicationRecord, kind: RestrictionType) -> Rule | None:
        """Return the enforced restriction of one type for an application; None if there is none.

        A restriction in the assigned policy wins, even if it is disabled. Types that the assigned
        policy does not name come from the tenant's default.
        """
        found = self._own_rule(record, kind) or self._default_rule(record, kind)
        if found is None or found.restriction.state is State.DISABLED:
            return None
        after = found.restriction.restrict_for_apps_created_after_date_time
        return found if after is None or record.created >= ticks_of(after) else None

    def _own_rule(self, record: ApplicationRecord, kind: RestrictionType) -> Rule | None:
        policy = self.assigned(record)
        if policy is None or policy.id is None or not policy.is_enabled:
            return None
        restriction = policy.restrictions.of(kind)
        return Rule(policy.id, restriction) if restriction is not None else None

    def _default_rule(self, record: ApplicationRecord, kind: RestrictionType) -> Rule | None:
        policy = self.default(record.tenant_id)
        restriction = policy.application_restrictions.of(kind)
        if restriction is None or not policy.is_enabled:
            return None
        return Rule(DEFAULT_POLICY_ID, restriction)

    def _of(self, tenant_id: str) -> _TenantPolicies:
        return self._tenants.setdefault(tenant_id, _TenantPolicies())
