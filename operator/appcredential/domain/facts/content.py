"""Whether what the target Secret has to hold can be written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.facts.facts import Facts
from appcredential.domain.facts.handover import still_handed_over
from appcredential.domain.secret.content import written_keys
from appcredential.domain.secret.size import MAX_SECRET, secret_bytes
from appcredential.domain.secret_value import SecretValue

TOO_LARGE: Final = Problem(
    reason=Reason.SECRET_TOO_LARGE,
    message=f"The target Secret would have more than {MAX_SECRET // 1024} KiB in its keys and "
    "values, so it stays as it is: refer to fewer or shorter values in spec.secret.data, or "
    "supply a shorter chain of certificates.",
)


def content_problem(facts: Facts) -> Problem | None:
    """Return why the next credential could not be published; then none is issued or proven."""
    problem = facts.certificate_inputs.keystore_problem
    return problem or (TOO_LARGE if _exceeds(facts, _next_value(facts)) else None)


def fits(facts: Facts, value: SecretValue) -> bool:
    """Return whether a Secret with this value may be written as the spec asks for it."""
    return not _exceeds(facts, value)


def _next_value(facts: Facts) -> SecretValue | None:
    pending, supplied = facts.pending, facts.supplied
    if pending is not None and pending.value is not None:
        return pending.value
    return supplied.value if supplied is not None else None


def _exceeds(facts: Facts, value: SecretValue | None) -> bool:
    return secret_bytes(facts.spec, facts.tenant, value, _kept(facts)) > MAX_SECRET


def _kept(facts: Facts) -> Mapping[str, SecretValue]:
    """Return what may stay of a former owner's content."""
    live = facts.live
    if live is None:
        return {}
    found = still_handed_over(live, facts.now)
    keys = written_keys(live) if facts.taken is not None else frozenset()
    keys = keys | found.keys if found is not None else keys
    return {key: value for key, value in live.data.items() if key in keys}
