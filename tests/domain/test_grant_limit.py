"""How many AppCredentials of a namespace an application may have."""

from __future__ import annotations

from dataclasses import replace

import pytest

from appcredential.domain.actions import ReadApplication
from appcredential.domain.conditions import Problem
from appcredential.domain.grants import evaluate, limit_problem
from appcredential.domain.lifecycle import decide
from appcredential.domain.observed.entra import Grant
from appcredential.domain.observed.standing import ALONE, Standing
from appcredential.domain.spec.model import DEFAULT_MAX_CREDENTIALS
from tests.domain.test_grants import allowing
from tests.support.builders import CLIENT_ID, asker, grant, observation, resource, spec, tenant

SERVED = {"application": {"clientId": CLIENT_ID}}
GRANT = Grant(name="shop", max_lifetime=None, max_credentials=3)


@pytest.mark.parametrize(
    ("standing", "is_within"),
    [
        (ALONE, True),
        (Standing(served=2, ahead=0), True),
        (Standing(served=0, ahead=2), True),
        (Standing(served=1, ahead=1), True),
        (Standing(served=3, ahead=0), False),
        (Standing(served=0, ahead=3), False),
        (Standing(served=2, ahead=1), False),
        (Standing(served=9, ahead=0), False),
    ],
)
def test_the_oldest_are_within_the_bound(standing: Standing, is_within: bool) -> None:
    assert (limit_problem(GRANT, standing, {}) is None) is is_within


def test_who_is_served_is_never_left_out() -> None:
    assert limit_problem(GRANT, Standing(served=9, ahead=9), SERVED) is None


def test_the_message_names_bound_grant_and_remedy() -> None:
    problem = limit_problem(GRANT, Standing(served=3, ahead=0), {})
    assert problem is not None
    assert (str(problem.reason), problem.stalled) == ("GrantLimit", True)
    assert "3 AppCredentials" in problem.message
    assert "raise spec.maxCredentials of ApplicationGrant shop" in problem.message


def test_of_several_grants_the_highest_bound_counts() -> None:
    grants = {"a": allowing(), "b": replace(allowing(), max_credentials=7)}
    found = evaluate(grants, asker("shop"), spec(), tenant())
    assert not isinstance(found, Problem)
    assert found.max_credentials == 7
    assert DEFAULT_MAX_CREDENTIALS == 5


def test_over_the_bound_nothing_is_asked_of_entra() -> None:
    full = Standing(served=DEFAULT_MAX_CREDENTIALS, ahead=0)
    o = observation(target=None, application=None)
    assert isinstance(decide(o).action, ReadApplication)
    decision = decide(replace(o, standing=full))
    conditions = {c["type"]: c["reason"] for c in (decision.status or {})["conditions"]}
    assert conditions["Ready"] == conditions["Stalled"] == "GrantLimit"
    assert not isinstance(decision.action, ReadApplication)


def test_a_lowered_bound_stops_only_what_is_new() -> None:
    lowered = replace(grant(), max_credentials=1)
    full = Standing(served=4, ahead=0)
    served = observation(resource=resource(status=SERVED), grant=lowered)
    alone, among = decide(served), decide(replace(served, standing=full))
    assert (among.action, among.status) == (alone.action, alone.status)
