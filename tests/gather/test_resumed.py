"""What lists make of a resource that is known by its status, and what its first look costs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from appcredential.domain.observed.entra import NEVER_READ
from appcredential.domain.observed.federated import FederatedList
from appcredential.domain.resumption import LIST_PATIENCE, LastKnown
from appcredential.domain.spec.certificate import CertificateSource, CertificateSpec
from appcredential.domain.spec.model import AppCredentialSpec, CredentialType
from appcredential.gather.resumed import (
    cost_of_first_look,
    is_awaited,
    read_directly,
    resume,
    see_application,
    see_trusts,
)
from appcredential.gather.state import ResourceState
from tests.support.builders import (
    KEY,
    MINUTE,
    NOW,
    OBJECT_ID,
    application,
    credential,
    problem,
    resource,
    spec,
)
from tests.support.clock import HandClock
from tests.support.federated import GITHUB, federated_spec, listed

LEFT = NOW + MINUTE
TRUSTS = FederatedList(object_id=OBJECT_ID, credentials=(listed("one"),), read_time=NOW)


def state_of(*, key: str = KEY, trusts: frozenset[str] = frozenset()) -> ResourceState:
    state = ResourceState()
    known = LastKnown(object_id=OBJECT_ID, key_id=key, trusts=trusts, due=None, since=0.0)
    resume(state, resource(), known, HandClock())
    return state


def test_a_list_that_agrees_is_no_direct_read() -> None:
    state = state_of()
    assert see_application(state, application(credential()), LEFT)
    assert state.application is not None
    assert (state.application.read_time, state.application.confirmed) == (NEVER_READ, LEFT)
    assert state.application.is_listed_only


@pytest.mark.parametrize("found", [None, application()])
def test_a_list_that_shows_something_else_is_not_taken(found: object) -> None:
    state = state_of()
    assert not see_application(state, found, LEFT)  # type: ignore[arg-type]
    assert state.application is None


def test_a_batch_that_agrees_is_no_direct_read_either() -> None:
    state = state_of(key="", trusts=frozenset({"one"}))
    assert see_trusts(state, TRUSTS, LEFT)
    assert state.federated is not None
    assert (state.federated.read_time, state.federated.confirmed) == (NEVER_READ, LEFT)


@pytest.mark.parametrize("found", [None, replace(TRUSTS, credentials=())])
def test_a_batch_that_shows_something_else_is_not_taken(found: FederatedList | None) -> None:
    state = state_of(key="", trusts=frozenset({"one"}))
    assert not see_trusts(state, found, LEFT)
    assert state.federated is None


def test_who_is_not_resumed_takes_nothing_of_a_list() -> None:
    state = ResourceState()
    assert not see_application(state, application(credential()), LEFT)
    assert not see_trusts(state, TRUSTS, LEFT)
    assert not is_awaited(state, 0.0)


def test_a_first_look_waits_for_the_lists_but_not_for_ever() -> None:
    secret, trust = state_of(), state_of(key="", trusts=frozenset({"one"}))
    assert not is_awaited(secret, 0.0)
    assert is_awaited(secret, LIST_PATIENCE)
    see_application(secret, application(credential()), LEFT)
    assert is_awaited(secret, 0.0)
    see_application(trust, application(), LEFT)
    assert not is_awaited(trust, 0.0)
    see_trusts(trust, TRUSTS, LEFT)
    assert is_awaited(trust, 0.0)


def test_what_lists_showed_is_dropped_for_direct_reads_and_these_stay() -> None:
    listed_only, read = state_of(trusts=frozenset({"one"})), state_of()
    see_application(listed_only, application(credential()), LEFT)
    see_trusts(listed_only, TRUSTS, LEFT)
    read.application, read.federated = application(credential()), TRUSTS
    for state in (listed_only, read):
        read_directly(state)
        assert state.resumed is None
        assert state.resource.read is None
        assert state.pending.read is None
    assert (listed_only.application, listed_only.federated) == (None, None)
    assert (read.application, read.federated) == (application(credential()), TRUSTS)


def test_another_life_of_the_name_starts_anew() -> None:
    state = state_of()
    state.application = application(credential())
    known = state.resumed
    assert known is not None
    resume(state, resource(uid="another"), known, HandClock())
    assert state.application is None
    state.application = application(credential())
    resume(state, resource(uid="another", generation=2), known, HandClock())
    assert state.application is not None


SUPPLIED = replace(
    spec(),
    type=CredentialType.CERTIFICATE,
    certificate=CertificateSpec(source=CertificateSource.SECRET),
)


@pytest.mark.parametrize(
    ("asked", "objects"),
    [
        (spec(), 1),
        (replace(spec(), type=CredentialType.CERTIFICATE), 1),
        (SUPPLIED, 2),
        (federated_spec(), 1),
        (federated_spec(config_map="out"), 2),
        (federated_spec(GITHUB), 1),
        (problem(), 1),
    ],
)
def test_a_first_look_costs_what_it_reads(asked: AppCredentialSpec, objects: int) -> None:
    state = state_of()
    state.resource.value = resource(asked)
    assert cost_of_first_look(state) == objects
