"""Why Entra does not trust all that a FederatedIdentity asks for: told of each, and counted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.facts.federated import FederatedFacts
from appcredential.domain.facts.patience import patient
from appcredential.domain.facts.trust_room import Room, room
from appcredential.domain.observed.federated import FederatedCredential
from appcredential.domain.shown_text import first_of, plain
from appcredential.domain.spec.trusts import MAX_CREDENTIALS, Trust, build_description

_MOST_SHOWN: Final = 120
"""Characters of a subject among others: the remedy stands behind them."""


def trust_problem(facts: FederatedFacts) -> Problem | None:
    """Return why not all is trusted, or what keeps anything new from being trusted.

    What is wrong with single trusts comes first, unless something else keeps the others away, or
    keeps what Entra did not take from being tried again.
    """
    own, blocked = own_problems(facts), _blocked(facts)
    others = [t for t in facts.trusts if facts.exists(t) is None and t not in own]
    is_next = bool(others) or any(_is_due(facts, trust) for trust in own)
    if own and not (is_next and blocked is not None):
        return _of_some(facts, own, is_at_work=bool(others))
    return blocked


def _is_due(facts: FederatedFacts, trust: Trust) -> bool:
    """Return whether what Entra did not take is to be tried again now."""
    return facts.obstacle(trust) is None and not facts.waits(trust)


def own_problems(facts: FederatedFacts) -> Mapping[Trust, Problem]:
    """Return what is wrong with single trusts, in the order of the spec. The others go on."""
    found = ((trust, _own_problem(facts, trust)) for trust in facts.trusts)
    return {trust: problem for trust, problem in found if problem is not None}


def _own_problem(facts: FederatedFacts, trust: Trust) -> Problem | None:
    obstacle, failed = facts.obstacle(trust), facts.failed(trust)
    if obstacle is not None:
        mark = build_description(facts.common.identity, facts.common.resource.owner, trust.pair)
        return Problem(
            reason=Reason.CREDENTIAL_CONFLICT,
            message=f"The application has the federated credential {obstacle.name}, which is not "
            f"this resource's and is in the way. {_way_out(trust, obstacle)}, make its description "
            f"begin with: {mark}",
        )
    if failed is None or facts.exists(trust) is not None:
        return None
    return patient(facts.common.observation, failed.problem)


def _way_out(trust: Trust, obstacle: FederatedCredential) -> str:
    """Return what to do about it, up to how it is handed over.

    Workloads may sign in by what is just as the spec asks, whoever made it.
    """
    if obstacle.pair == trust.pair and obstacle.audiences == (trust.audience,):
        return (
            "Hand it over, for it is just what the spec asks for: to remove it interrupts sign-ins "
            "until the operator has made it anew. To hand it over without a gap"
        )
    return "Remove it in Entra; or, to hand it over without a gap"


def _of_some(facts: FederatedFacts, own: Mapping[Trust, Problem], *, is_at_work: bool) -> Problem:
    """Return the problem of the only trust, or a count of all with the first and its fellows."""
    (trust, first), *others = own.items()
    if len(facts.trusts) == 1:
        return first
    likewise = [f"{plain(t.subject, _MOST_SHOWN)} ({p.reason})" for t, p in others]
    named = f"Also not: {first_of(likewise)}. " if likewise else ""
    return Problem(
        reason=first.reason,
        message=f"{counted(facts)} {named}Not: {trust.subject}. {first.message}",
        stalled=not is_at_work and any(problem.stalled for problem in own.values()),
    )


def counted(facts: FederatedFacts) -> str:
    """Return how many of the federated credentials exist, as a sentence."""
    made = sum(facts.exists(t) is not None for t in facts.trusts)
    return f"{made} of {len(facts.trusts)} federated credentials exist as the spec asks."


def _blocked(facts: FederatedFacts) -> Problem | None:
    """Return what keeps every new trust away; nothing that exists goes because of it."""
    if facts.common.refusal is not None:
        return facts.common.refusal
    grant = facts.common.grant
    if isinstance(grant, Problem) and grant.reason is Reason.GRANT_UNKNOWN:
        return facts.common.memory.directory_problem or grant
    if isinstance(grant, Problem):
        return Problem(
            reason=Reason.GRANT_WITHDRAWN,
            message="Nothing new is created, and existing trusts stay: delete the resource to have "
            f"them removed. {grant.message}",
        )
    found = room(facts)
    return None if found.is_enough else _no_room(facts, found)


def _no_room(facts: FederatedFacts, found: Room) -> Problem:
    """Return the count that was made before anything was created."""
    return Problem(
        reason=Reason.QUOTA_EXCEEDED,
        message=f"The spec needs {_number(len(facts.trusts))}, the application has "
        f"{found.others} of others, and {MAX_CREDENTIALS} is all that Entra allows: "
        f"{found.missing} cannot be created, so none of these is.{_former(facts, found)} Remove "
        "those that nobody needs, or use another application.",
    )


def _former(facts: FederatedFacts, found: Room) -> str:
    """Return what takes the room of what is new, and how it goes.

    Nothing goes before all that is asked for exists: to ask for less of what is new does not help.
    """
    if not found.former:
        return ""
    are = "more are this resource's former ones, which go"
    if found.former == 1:
        are = "more is this resource's former one, which goes"
    is_any_left = found.former > 1 or found.missing < len(facts.trusts)
    how = (
        ": first ask only for some of what exists, and for the rest when the others are gone"
        if is_any_left
        else ""
    )
    return f" {found.former} {are} a while after all that it asks for exists{how}."


def _number(count: int) -> str:
    return f"{count} federated credential{'' if count == 1 else 's'}"
