"""Who may ask for which application: a grant matches as a whole, and the default is deny."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.granted_sources import (
    allows_source,
    grant_members,
    refused_workflows,
)
from appcredential.domain.observed.entra import Grant, Tenant
from appcredential.domain.observed.standing import Standing
from appcredential.domain.shown_text import first_of
from appcredential.domain.spec.git_hub_source import GitHubSource
from appcredential.domain.spec.model import AppCredentialSpec, ApplicationGrantSpec, Limits


def evaluate(
    grants: Mapping[str, ApplicationGrantSpec],
    namespace: str,
    spec: AppCredentialSpec,
    tenant: Tenant | None,
) -> Grant | Problem:
    """Return whether a resource may have its credential.

    Args:
        grants: all valid ApplicationGrants by name.
        namespace: the resource's own.
        spec: what the resource asks for.
        tenant: the EntraTenant that the spec names; None while it cannot be used, when nobody
            knows as which application the operator signs in, and nothing is issued anyway.

    Returns:
        The union of the matching grants, with the highest of their bounds, or why none matches.
    """
    matching = {n: g for n, g in sorted(grants.items()) if _matches(g, namespace, spec)}
    if tenant is not None and spec.client_id in tenant.operator_client_ids:
        matching = {n: g for n, g in matching.items() if g.allow_operator_identity}
        if not matching:
            return Problem(
                reason=Reason.OPERATOR_IDENTITY,
                message="The application is the operator's own identity; "
                "a grant must say allowOperatorIdentity: true to allow it.",
            )
    if not matching:
        return Problem(reason=Reason.NOT_GRANTED, message=_refusal(grants, namespace, spec))
    lifetimes = [g.limits.max_lifetime for g in matching.values()]
    return Grant(
        name=next(iter(matching)),
        max_lifetime=_most(lifetimes),
        max_credentials=max(g.max_credentials for g in matching.values()),
    )


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


def _matches(grant: ApplicationGrantSpec, namespace: str, spec: AppCredentialSpec) -> bool:
    return _is_about(grant, namespace, spec) and (
        spec.federated is None or allows_source(grant.federation, spec.federated.source)
    )


def _is_about(grant: ApplicationGrantSpec, namespace: str, spec: AppCredentialSpec) -> bool:
    """Return whether a grant matches in all but whose tokens it allows to be trusted."""
    return (
        grant.tenant == spec.tenant
        and spec.client_id in grant.client_ids
        and namespace in grant.namespaces
        and allows_type(grant.limits, spec)
    )


def allows_type(limits: Limits, spec: AppCredentialSpec) -> bool:
    """Return whether the limits admit the spec's type; no types listed means all."""
    return not limits.types or spec.type in limits.types


def _most(lifetimes: list[timedelta | None]) -> timedelta | None:
    known = [t for t in lifetimes if t is not None]
    return max(known) if len(known) == len(lifetimes) else None


def _nearest(
    grants: Mapping[str, ApplicationGrantSpec], namespace: str, spec: AppCredentialSpec
) -> str:
    """Return what the grant that allows most of the workflows leaves out; empty without one.

    A grant matches as a whole: what one allows is not made while another part is refused.
    """
    source = spec.federated.source if spec.federated is not None else None
    if not isinstance(source, GitHubSource):
        return ""
    about = {n: g for n, g in grants.items() if _is_about(g, namespace, spec)}
    refused = {n: refused_workflows(g.federation, source) for n, g in sorted(about.items())}
    name = min(refused, key=lambda n: len(refused[n]), default="")
    found = refused.get(name, ())
    if not found or len(found) == len(source.workflows):
        return ""
    return (
        f"ApplicationGrant {name} allows it but for {first_of(found)}: nothing is made while "
        "a part is not allowed. "
    )


def _refusal(
    grants: Mapping[str, ApplicationGrantSpec], namespace: str, spec: AppCredentialSpec
) -> str:
    manifest = {
        "apiVersion": "appcredential.io/v1alpha1",
        "kind": "ApplicationGrant",
        "metadata": {"name": f"{namespace}-{spec.client_id}"},
        "spec": {
            "tenantRef": {"name": spec.tenant},
            "applications": {"clientIds": [spec.client_id]},
            "namespaces": {"names": [namespace]},
            "types": [str(spec.type)],
            **(grant_members(spec.federated.source) if spec.federated is not None else {}),
        },
    }
    is_known = any(
        spec.client_id in g.client_ids and namespace in g.namespaces for g in grants.values()
    )
    question = (
        ""
        if is_known
        else f"No grant for this namespace names {spec.client_id}: is this the client id? Entra "
        "shows an object id beside it, which is another. "
    )
    return (
        "No ApplicationGrant allows this namespace to have a credential of this type "
        f"for this application. {question}{_nearest(grants, namespace, spec)}To allow it, an "
        "administrator applies: " + json.dumps(manifest)
    )
