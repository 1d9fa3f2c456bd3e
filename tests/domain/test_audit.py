"""The record of a change: its form, what it leaves out, and whether a lost answer was found out."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest

from appcredential.domain.audit import (
    AuditedApplication,
    AuditedCredential,
    AuditedResource,
    AuditRecord,
    Change,
    LostAnswer,
    Result,
    newly_removed,
    was_done,
)
from appcredential.domain.observed.actors import Actor, actors_of
from appcredential.domain.observed.federated import FederatedList
from appcredential.domain.observed.target import RetireCause, Retiring
from appcredential.domain.spec.model import KeyId
from appcredential.graph_call import GraphCall
from tests.support.builders import NOW, OBJECT_ID
from tests.support.federated import listed

RECORD: Final = AuditRecord(
    change=Change.ISSUED,
    resource=AuditedResource(
        namespace="shop",
        name="orders",
        uid="u",
        generation=3,
        actors=(Actor("kubectl", "Update", NOW),),
    ),
    application=AuditedApplication(
        tenant="default", tenant_id="t", client_id="c", object_id="o", operator="me"
    ),
    credential=AuditedCredential(type="ClientSecret", key_id="k", attempt="a"),
    graph=GraphCall("application.addPassword", "ours", "theirs", 200),
)


def test_a_record_says_who_what_and_by_which_call() -> None:
    assert RECORD.document() == {
        "version": 1,
        "change": "Issued",
        "result": "Done",
        "resource": {"namespace": "shop", "name": "orders", "uid": "u", "generation": 3},
        "actors": [{"manager": "kubectl", "operation": "Update", "time": "2026-11-22T10:00:00Z"}],
        "application": {
            "tenant": "default",
            "tenantId": "t",
            "clientId": "c",
            "objectId": "o",
            "operatorClientId": "me",
        },
        "credential": {"type": "ClientSecret", "keyId": "k", "attempt": "a"},
        "graph": {
            "operation": "application.addPassword",
            "requestId": "theirs",
            "clientRequestId": "ours",
        },
    }
    assert json.loads(RECORD.annotation()) == RECORD.document()


def test_what_is_not_known_is_left_out() -> None:
    resource = replace(RECORD.resource, generation=0, actors=())
    credential = AuditedCredential(type="ClientSecret")
    found = replace(RECORD, resource=resource, credential=credential, graph=None).document()
    assert found.keys() == {"version", "change", "result", "resource", "application", "credential"}
    assert found["credential"] == {"type": "ClientSecret"}
    assert "generation" not in found["resource"]


def test_the_log_has_words() -> None:
    assert replace(RECORD, change=Change.ORPHAN_REMOVED).event == "orphan removed"
    assert RECORD.event == "issued"


# --- who ----------------------------------------------------------------------------------


def entry(manager: object = "kubectl", second: int = 0, **change: Any) -> dict[str, Any]:
    return {
        "manager": manager,
        "operation": "Update",
        "time": f"2026-11-22T10:00:{second:02}Z",
        "fieldsV1": {"f:spec": {"f:type": {}}},
        **change,
    }


def managers(*entries: object) -> list[str]:
    return [actor.manager for actor in actors_of(list(entries))]


def test_who_wrote_the_spec_last() -> None:
    assert managers(entry("argocd", 5), entry("kubectl", 7), entry("flux", 6)) == ["kubectl"]
    (actor,) = actors_of([entry(operation="Apply")])
    assert actor == Actor("kubectl", "Apply", NOW)


def test_several_in_one_second_are_all_told() -> None:
    assert managers(entry("b"), entry("a"), entry("c"), entry("d")) == ["a", "b", "c"]


@pytest.mark.parametrize(
    "other",
    [
        entry("status", 9, subresource="status"),
        entry("labels", 9, fieldsV1={"f:metadata": {}}),
        entry("odd", 9, fieldsV1=None),
        entry("odd", 9, time="soon"),
        entry("", 9),
        entry(7, 9),
        entry("odd", 9, operation="Steal"),
        "nothing",
    ],
)
def test_what_wrote_no_spec_is_no_actor(other: object) -> None:
    assert managers(entry(), other) == ["kubectl"]
    assert managers(other) == []


@pytest.mark.parametrize("fields", [None, {}, "x"])
def test_without_managed_fields_nobody_is_named(fields: object) -> None:
    assert actors_of(fields) == ()


# --- what becomes of it -------------------------------------------------------------------


def retiring(key: str, *, is_removed: bool) -> Retiring:
    removed = NOW if is_removed else None
    return Retiring(
        key_id=KeyId(key), end=NOW, since=NOW, cause=RetireCause.REPLACED, removed=removed
    )


def test_an_entry_is_noted_as_removed_once() -> None:
    before = [retiring("a", is_removed=True), retiring("b", is_removed=False)]
    after = [retiring(key, is_removed=key != "c") for key in "abc"]
    assert [e.key_id for e in newly_removed(before, after)] == ["b"]


def read(seconds: int, *credentials: Any) -> FederatedList:
    time = NOW + timedelta(seconds=seconds)
    return FederatedList(object_id=OBJECT_ID, credentials=credentials, read_time=time)


def test_a_later_read_shows_that_a_lost_write_was_done() -> None:
    found = listed()
    lost = LostAnswer(replace(RECORD, result=Result.UNKNOWN), found.description, NOW)
    assert was_done(lost, read(1, found))
    assert not was_done(lost, read(0, found))
    assert not was_done(lost, read(1))
    assert not was_done(lost, read(1, replace(found, description="another")))


def test_a_later_read_shows_that_a_lost_removal_was_done() -> None:
    found = listed()
    credential = replace(RECORD.credential, key_id=found.id)
    lost = LostAnswer(replace(RECORD, credential=credential), "", NOW)
    assert was_done(lost, read(1))
    assert not was_done(lost, read(-1))
    assert not was_done(lost, read(1, found))
