"""What the EntraTenant's limits and the allowed lifetimes say of a resource. Pure."""

from __future__ import annotations

from datetime import timedelta

from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.grant_match import allows_type
from appcredential.domain.observed.entra import Tenant
from appcredential.domain.observed.observation import Observation
from appcredential.domain.rotation import asked_lifetime, wanted_lifetime
from appcredential.domain.spec.model import AppCredentialSpec


def limits_problem(
    observation: Observation, spec: AppCredentialSpec, tenant: Tenant
) -> Problem | None:
    """Return why limits allow the resource nothing new; None when they do not."""
    if not allows_type(tenant.limits, spec):
        return Problem(
            reason=Reason.TYPE_NOT_ALLOWED,
            message="The EntraTenant's limits do not allow this credential type.",
        )
    if isinstance(observation.grant, Problem) or spec.type.is_federated:
        return None
    if allowed_lifetime(observation, spec, tenant) < observation.settings.min_lifetime:
        return Problem(
            reason=Reason.LIFETIME_TOO_SHORT,
            message="The lifetime that spec, grant, tenant and Entra's app management policy allow "
            "together is shorter than this operator's minimum lifetime.",
        )
    return None


def allowed_lifetime(
    observation: Observation, spec: AppCredentialSpec, tenant: Tenant
) -> timedelta:
    """Return the lifetime that spec, grant, tenant and Entra's policy allow together."""
    granted = None if isinstance(observation.grant, Problem) else observation.grant.max_lifetime
    ceilings = tenant.ceilings(spec.type, observation.application)
    return asked_lifetime(wanted_lifetime(spec), granted, *ceilings)
