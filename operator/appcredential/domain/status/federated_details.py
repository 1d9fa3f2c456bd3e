"""The parts of status that show the federated credentials themselves."""

from __future__ import annotations

from typing import Any, Final

from appcredential.domain.conditions import Problem
from appcredential.domain.facts.facts import Facts
from appcredential.domain.facts.federated import assess_federated
from appcredential.domain.facts.output import federated_key
from appcredential.domain.facts.trust_room import extra
from appcredential.domain.observed.federated import FederatedCredential
from appcredential.domain.shown_text import plain
from appcredential.domain.spec.federated import CustomerManagedKeySource
from appcredential.domain.spec.trusts import Trust, retire_time_of
from appcredential.domain.status.trust_problem import own_problems
from appcredential.domain.times import format_time

FEDERATED_DETAILS: Final = (
    "federatedIdentities",
    "federatedIdentityProblems",
    "configMapRef",
    "customerManagedKey",
)
"""The parts that stay as last seen while a gate is closed."""


def federated_details(common: Facts) -> dict[str, Any]:
    """Return the parts of status that show the federated credentials themselves."""
    facts = assess_federated(common)
    if isinstance(facts, Problem) or facts.listed is None:
        old = common.resource.status
        return {k: old[k] for k in (*FEDERATED_DETAILS, "retiring") if k in old}
    found: dict[str, Any] = {}
    made = [c for c in (facts.exists(t) for t in facts.trusts) if c is not None]
    if made:
        found["federatedIdentities"] = [_entry(c) for c in made]
    if own := own_problems(facts):
        found["federatedIdentityProblems"] = [_problem(t, p) for t, p in own.items()]
    retiring = [_retiring(c) for c in extra(facts) if retire_time_of(c.description) is not None]
    if retiring:
        found["retiring"] = retiring
    if facts.spec.config_map and facts.output.is_done:
        found["configMapRef"] = {"name": facts.spec.config_map}
    source = facts.spec.source
    if made and isinstance(source, CustomerManagedKeySource):
        found["customerManagedKey"] = federated_key(facts.common.spec.client_id, source)
    return found


def _entry(credential: FederatedCredential) -> dict[str, str]:
    audience = credential.audiences[0] if credential.audiences else ""
    return {
        "id": credential.id,
        "name": credential.name,
        "issuer": credential.issuer,
        "subject": credential.subject,
        "audience": audience,
    }


def _problem(trust: Trust, problem: Problem) -> dict[str, str]:
    return {
        "issuer": trust.issuer,
        "subject": trust.subject,
        "audience": trust.audience,
        "reason": str(problem.reason),
        "message": plain(problem.message),
    }


def _retiring(credential: FederatedCredential) -> dict[str, str]:
    due = retire_time_of(credential.description)
    return {"keyId": credential.id, **({"retireTime": format_time(due)} if due is not None else {})}


def federated_count(facts: Facts) -> dict[str, int]:
    """Return how many federated credentials the application has; empty before the first read."""
    listed = (
        facts.observation.federation.listed if facts.observation.federation is not None else None
    )
    return {"federated": len(listed.credentials)} if listed is not None else {}
