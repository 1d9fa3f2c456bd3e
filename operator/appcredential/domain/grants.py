"""Who may ask for which application: a grant matches as a whole, and the default is deny."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.grant_match import Asked, Lack, lacks, matches
from appcredential.domain.grant_refusal import refusal, undecided
from appcredential.domain.observed.asker import Asker
from appcredential.domain.observed.entra import Grant, Tenant
from appcredential.domain.observed.standing import Standing
from appcredential.domain.spec.model import AppCredentialSpec, ApplicationGrantSpec


def evaluate(
    grants: Mapping[str, ApplicationGrantSpec],
    asker: Asker,
    spec: AppCredentialSpec,
    tenant: Tenant | None,
) -> Grant | Problem:
    """Return whether a resource may have its credential.

    Args:
        grants: all valid ApplicationGrants by name.
        asker: the resource's namespace, and what is known of its labels and of the application.
        spec: what the resource asks for.
        tenant: the EntraTenant that the spec names; None while it cannot be used, when nobody
            knows as which application the operator signs in, and nothing is issued anyway.

    Returns:
        The union of the matching grants, with the highest of their bounds; why none matches; or,
        with the reason GrantUnknown, that nobody knows yet whether one does.
    """
    is_operators = tenant is not None and spec.client_id in tenant.operator_client_ids
    asked = Asked(asker=asker, spec=spec, is_operators=is_operators)
    judged = {name: (grant, matches(grant, asked)) for name, grant in sorted(grants.items())}
    matching = {name: grant for name, (grant, found) in judged.items() if found}
    if not matching:
        possible = {name: grant for name, (grant, found) in judged.items() if found is None}
        return _refused(grants, possible, asked)
    return Grant(
        name=next(iter(matching)),
        max_lifetime=_most([g.limits.max_lifetime for g in matching.values()]),
        max_credentials=max(g.max_credentials for g in matching.values()),
    )


def _refused(
    grants: Mapping[str, ApplicationGrantSpec],
    possible: Mapping[str, ApplicationGrantSpec],
    asked: Asked,
) -> Problem:
    if possible:
        return undecided(possible, asked)
    if not asked.is_operators:
        return refusal(grants, asked)
    return Problem(
        reason=Reason.OPERATOR_IDENTITY,
        message="The application is the operator's own identity; "
        "a grant must say allowOperatorIdentity: true to allow it.",
    )


def awaits_tag(
    grants: Mapping[str, ApplicationGrantSpec],
    asker: Asker,
    spec: AppCredentialSpec,
    tenant: Tenant,
) -> bool:
    """Return whether nothing but a tag of the application is missing, or not known yet.

    Only then may Entra be asked about an application that no grant allows.
    """
    asked = Asked(asker=asker, spec=spec, is_operators=spec.client_id in tenant.operator_client_ids)
    return any(set(lacks(g, asked)) in ({Lack.TAG}, {Lack.TAGS_UNKNOWN}) for g in grants.values())


def is_served(status: Mapping[str, Any]) -> bool:
    """Return whether the operator already serves an AppCredential with this status.

    Status names the application from the first read of it, which needs a grant with room. Only
    the operator writes status.
    """
    return bool(status.get("application"))


def limit_problem(grant: Grant, standing: Standing, status: Mapping[str, Any]) -> Problem | None:
    """Return why the bound of the grants leaves a resource out; None when it does not.

    Who is served stays so: a lowered bound stops only what is new. Of the rest, the oldest come
    first.
    """
    if is_served(status) or standing.served + standing.ahead < grant.max_credentials:
        return None
    return Problem(
        reason=Reason.GRANT_LIMIT,
        message=f"The grants allow this namespace {grant.max_credentials} AppCredentials for this "
        "application, and as many exist; the oldest are served first. Delete one that is not "
        f"needed, or have an administrator raise spec.maxCredentials of ApplicationGrant "
        f"{grant.name}.",
    )


def _most(lifetimes: list[timedelta | None]) -> timedelta | None:
    known = [t for t in lifetimes if t is not None]
    return max(known) if len(known) == len(lifetimes) else None
