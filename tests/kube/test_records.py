from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appcredential.domain.actions import DeletePending
from appcredential.domain.lifecycle import decide
from appcredential.domain.marker import attempt_id
from appcredential.domain.observed.target import PendingState
from appcredential.domain.secret.annotations import PREFIX
from appcredential.domain.secret.content import Rendering
from appcredential.domain.times import parse_time
from appcredential.kube.secret_documents import (
    build_pending,
    build_target,
    parse_pending,
    parse_target,
)
from tests.support.builders import (
    IDENTITY,
    NEXT,
    NOW,
    OWNER,
    PENDING_UID,
    application,
    credential,
    next_credential,
    observation,
    pending,
    resource,
    retiring,
    target,
)

CREATED: Final = "2026-11-12T10:00:00Z"
DEEP: Final = "[" * 100_000 + "]" * 100_000
TIMES: Final = [
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59Z",
    "9999-12-31T23:59:59-14:00",
    "8999-12-31T23:59:59Z",
    "1970-01-01T00:00:00Z",
    "1969-12-31T23:59:59Z",
    "2026-11-22",
    "2026-11-22T09:59:00",
    CREATED,
]
KEYS: Final = [
    "owner",
    "cluster",
    "tenant-id",
    "application-object-id",
    "key-id",
    "attempt",
    "attempt-number",
    "value-sha256",
    "not-before",
    "expires",
    "verified-time",
    "published-time",
    "intent-time",
    "retiring",
    "abandoned",
    "rendered",
    "holder",
    "state",
]


def target_document(changes: Mapping[str, str | None]) -> dict[str, Any]:
    """Return the default T as JSON, with other annotations; None takes one away."""
    live = target(retiring=(retiring(),))
    body = build_target(OWNER.namespace, live.name, live, whole(live))
    return changed(body, changes)


def whole(live: Any) -> Rendering:
    return Rendering(data=live.data, labels=live.labels, annotations=live.annotations)


def pending_document(changes: Mapping[str, str | None]) -> dict[str, Any]:
    """Return the default P, which is `Minted`, in the same way."""
    live = pending()
    body = build_pending(
        OWNER, IDENTITY.cluster, live, PendingState.MINTED, live.credential, live.value
    )
    return changed(body, changes)


def changed(body: dict[str, Any], changes: Mapping[str, str | None]) -> dict[str, Any]:
    wanted = body["metadata"]["annotations"] | {PREFIX + k: v for k, v in changes.items()}
    kept = {k: v for k, v in wanted.items() if v is not None}
    metadata = {**body["metadata"], "annotations": kept, "creationTimestamp": CREATED}
    return {**body, "metadata": metadata}


ENTRY: Final = {"keyId": "k", "end": "2026-12-22T10:00:00Z", "since": CREATED, "cause": "Replaced"}
INTENT: Final = {"state": "Intent", "key-id": None}


@pytest.mark.parametrize("raw", ["x", "", "-1", "1.5", "9" * 5000, "\N{ARABIC-INDIC DIGIT THREE}"])
def test_an_intent_without_its_number_proves_nothing(raw: str) -> None:
    document = pending_document({**INTENT, "attempt-number": raw, "attempt": None})
    read = parse_pending({**document, "data": {}}, IDENTITY, OWNER)
    assert (read.state, read.attempt, read.attempt_number) == (PendingState.ABANDONED, "", 0)
    # It passes for no attempt that a credential could carry, and goes as a copy does.
    assert isinstance(decide(observation(pending=read)).action, DeletePending)


@pytest.mark.parametrize("state", ["minted", "", None, "Published", "MINTED"])
def test_a_pending_secret_without_its_state_is_abandoned(state: str | None) -> None:
    read = parse_pending(pending_document({"state": state}), IDENTITY, OWNER)
    assert read.state is PendingState.ABANDONED
    assert read.credential is not None
    assert not read.fenced_from_intent
    bare = parse_pending(pending_document({"state": state, "key-id": None}), IDENTITY, OWNER)
    assert (bare.state, bare.attempt) == (PendingState.ABANDONED, "")


@pytest.mark.parametrize("key", ["key-id", "expires", "not-before", "value-sha256"])
def test_a_minted_one_whose_records_are_damaged_never_passes_for_a_fenced_intent(key: str) -> None:
    for state in (None, "Minted", "Abandoned"):
        read = parse_pending(
            pending_document({key: "", **({"state": state} if state else {})}), IDENTITY, OWNER
        )
        assert (read.state, read.attempt) == (PendingState.ABANDONED, "")


def test_a_minted_one_with_its_key_id_stays_minted() -> None:
    read = parse_pending(pending_document({"attempt-number": "x"}), IDENTITY, OWNER)
    assert read.state is PendingState.MINTED
    assert read.credential is not None
    assert read.credential.key_id == NEXT
    assert read.value is not None


def test_a_whole_pending_secret_is_read_as_it_was_written() -> None:
    assert parse_pending(pending_document({}), IDENTITY, OWNER) == pending(
        intent_time=NOW - timedelta(seconds=10)
    )
    first = changed(pending_document(INTENT), {"attempt": None})
    read = parse_pending({**first, "data": {}}, IDENTITY, OWNER)
    assert read.state is PendingState.INTENT
    assert read.attempt == attempt_id(IDENTITY, PENDING_UID, 1)


@pytest.mark.parametrize(
    "raw",
    [
        '[{"end":5}]',
        json.dumps([{**ENTRY, "cause": []}]),
        json.dumps([{**ENTRY, "keyId": None}]),
        json.dumps([{**ENTRY, "keyId": 7}]),
        json.dumps([{**ENTRY, "end": "9999-12-22T10:00:00Z"}]),
        json.dumps([{**ENTRY, "since": "0001-01-01T00:00:00Z"}]),
        '[[], null, 5, "x"]',
        "{}",
        "[" + "9" * 5000 + "]",
        DEEP,
    ],
)
def test_a_damaged_list_reads_as_empty(raw: str) -> None:
    document = target_document({"retiring": raw, "abandoned": raw})
    read = parse_target(document)
    assert (read.retiring, read.abandoned) == ((), ())
    assert parse_pending(pending_document({"abandoned": raw}), IDENTITY, OWNER).abandoned == ()


@pytest.mark.parametrize("secret", [None, 3601, -1, 0.5, True, [], {}, ["a"], ""])
def test_a_damaged_secret_of_an_entry_proves_nothing(secret: object) -> None:
    raw = json.dumps([{**ENTRY, "secret": secret, "ahead": secret, "of a later release": [1]}])
    (entry,) = parse_target(target_document({"retiring": raw})).retiring
    assert (entry.key_id, entry.secret, entry.ahead) == ("k", "", None)


def test_an_entry_that_is_whole_survives_its_damaged_neighbours() -> None:
    raw = parse_target(target_document({})).annotations[PREFIX + "retiring"]
    mixed = json.dumps([{"end": 5}, *json.loads(raw), {"cause": []}])
    assert parse_target(target_document({"retiring": mixed})).retiring == (retiring(),)


@pytest.mark.parametrize("text", [*TIMES[:4], *TIMES[6:9], 5, None, [], {}])
def test_a_time_that_leaves_no_room_for_sums_is_absent(text: object) -> None:
    assert parse_time(text) is None


def test_the_range_of_times() -> None:
    assert parse_time("1970-01-01T00:00:00Z") == datetime(1970, 1, 1, tzinfo=UTC)
    assert parse_time("8999-12-31T23:59:59Z") is not None
    assert parse_time("9000-01-01T00:00:00Z") is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(TIMES),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "keyId",
                    "end",
                    "since",
                    "cause",
                    "removed",
                    "secret",
                    "ahead",
                    "attempt",
                    "time",
                    "keys",
                ]
            ),
            inner | st.sampled_from([*TIMES, "Replaced", "Stranded"]),
            max_size=6,
        )
    ),
    max_leaves=8,
)
values = (
    st.none()
    | st.text(max_size=12)
    | st.sampled_from(TIMES)
    | st.sampled_from(["Intent", "Minted", "Abandoned", "minted", "0", "1", "7", str(OWNER)])
    | json_values.map(json.dumps)
    | st.lists(json_values, max_size=3).map(json.dumps)
)
edits = st.dictionaries(st.sampled_from(KEYS), values, max_size=5)
everything = st.dictionaries(st.sampled_from(KEYS), values, max_size=len(KEYS))


@settings(derandomize=True, max_examples=200, deadline=None)
@given(of_target=edits | everything, of_pending=edits | everything)
def test_any_annotations_at_all_are_read_and_decided_about(
    of_target: dict[str, str | None], of_pending: dict[str, str | None]
) -> None:
    t = parse_target(target_document(of_target))
    p = parse_pending(pending_document(of_pending), IDENTITY, OWNER)
    listed = application(credential(), next_credential())
    deleted = replace(resource(), deletion_time=NOW - timedelta(hours=1))
    for o in (
        observation(target=t, pending=p, application=listed),
        observation(target=None, pending=p, application=listed),
        observation(target=t, pending=p, application=None, resource=deleted, crd_deleted=False),
    ):
        assert decide(o).look_again >= NOW


@settings(derandomize=True, max_examples=100, deadline=None)
@given(annotations=st.dictionaries(st.text(max_size=20), st.text(max_size=20), max_size=5))
def test_annotations_of_others_are_read_too(annotations: dict[str, str]) -> None:
    metadata = {
        "name": "orders-entra",
        "uid": "u",
        "resourceVersion": "1",
        "creationTimestamp": CREATED,
        "annotations": annotations,
    }
    document = {"metadata": metadata, "data": {"value": b64encode(b"\xff").decode()}}
    assert parse_target(document).published is None
    assert parse_pending(document, IDENTITY, OWNER).state is PendingState.ABANDONED
