"""What is written into annotations is read again, and nothing in them makes reading fail."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from appcredential.domain.marker import Attempt
from appcredential.domain.observed.target import (
    Abandoned,
    FormerOwner,
    HandedOver,
    IssuedCredential,
    PendingState,
    RetireCause,
    Retiring,
)
from appcredential.domain.secret.annotations import Name
from appcredential.domain.secret.entries import (
    MAX_ABANDONED,
    Rendered,
    dump_rendered,
    load_rendered,
    load_retiring,
    rounded_up,
)
from appcredential.domain.secret.records import (
    PendingRecords,
    Publication,
    TargetRecords,
    adopter_of,
    cluster_of,
    pending_annotations,
    read_pending,
    read_target,
    target_annotations,
)
from appcredential.domain.spec.model import KeyId, ObjectId, TenantId
from appcredential.domain.times import parse_time
from tests.support.builders import IDENTITY, NOW, PENDING_UID

NAMES = [value for name, value in vars(Name).items() if name.isupper()]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
always = settings(derandomize=True, max_examples=200, deadline=None)

words = st.text(min_size=1, max_size=12)
times = st.integers(0, 220_000_000_000).map(lambda seconds: EPOCH + timedelta(seconds=seconds))
fractions = st.integers(0, 999_999)
credentials = st.builds(
    IssuedCredential,
    key_id=words.map(KeyId),
    attempt=words.map(Attempt),
    value_sha256=words,
    not_before=times,
    expires=times,
)
retiring = st.builds(
    Retiring,
    key_id=words.map(KeyId),
    end=times,
    since=times,
    cause=st.sampled_from(RetireCause),
    removed=st.none() | times,
    secret=st.just("") | words,
    ahead=st.none() | st.integers(0, 3600).map(lambda seconds: timedelta(seconds=seconds)),
)
abandoned = st.builds(Abandoned, attempt=words.map(Attempt), time=times)
former_owners = st.builds(FormerOwner, st.text(), st.text(), st.integers())
handed_over = st.builds(HandedOver, keys=st.frozensets(st.text(), max_size=4), until=times)


def some(entry: st.SearchStrategy[Any], most: int = 4) -> st.SearchStrategy[Any]:
    return st.lists(entry, max_size=most).map(tuple)


publications = st.builds(
    Publication,
    owner=words,
    cluster=words,
    tenant_id=words,
    object_id=words.map(ObjectId),
    credential=credentials,
    verified_time=st.none() | times,
    published_time=times,
    retiring=some(retiring),
    abandoned=some(abandoned, MAX_ABANDONED),
    taken_from=some(former_owners),
    handed_over=st.none() | handed_over,
    restart_since=st.none() | times,
)


@st.composite
def pending_records(draw: st.DrawFn) -> PendingRecords:
    attempt = draw(words.map(Attempt))
    state = draw(st.sampled_from(PendingState))
    is_bare = state is not PendingState.MINTED and draw(st.booleans())
    return PendingRecords(
        owner=draw(words),
        cluster=draw(words),
        tenant_id=TenantId(draw(words)),
        object_id=ObjectId(draw(words)),
        attempt=attempt,
        attempt_number=draw(st.integers(0, 999_999_999)),
        holder=draw(words),
        state=state,
        intent_time=draw(times),
        credential=None if is_bare else replace(draw(credentials), attempt=attempt),
        abandoned=draw(some(abandoned, MAX_ABANDONED)),
    )


def read(annotations: dict[str, str], *, has_value: bool) -> PendingRecords:
    return read_pending(annotations, IDENTITY, uid=PENDING_UID, created=NOW, has_value=has_value)


@always
@given(publication=publications)
def test_what_the_target_secret_records_is_read_again(publication: Publication) -> None:
    annotations = target_annotations(publication)
    assert read_target(annotations) == TargetRecords(
        owner=publication.owner,
        tenant_id=TenantId(publication.tenant_id),
        object_id=publication.object_id,
        credential=publication.credential,
        verified_time=publication.verified_time,
        published_time=publication.published_time,
        retiring=publication.retiring,
        abandoned=publication.abandoned,
        taken_from=publication.taken_from,
        handed_over=publication.handed_over,
        restart_since=publication.restart_since,
    )
    assert cluster_of(annotations) == publication.cluster
    assert adopter_of(annotations) == ""


@always
@given(records=pending_records())
def test_what_the_pending_secret_records_is_read_again(records: PendingRecords) -> None:
    found = read(pending_annotations(records), has_value=records.credential is not None)
    assert found == records


@always
@given(
    keys=st.frozensets(st.text()),
    labels=st.frozensets(st.text()),
    annotations=st.frozensets(st.text()),
)
def test_the_names_of_what_was_rendered_are_read_again(
    keys: frozenset[str], labels: frozenset[str], annotations: frozenset[str]
) -> None:
    rendered = Rendered(keys=keys, labels=labels, annotations=annotations)
    assert load_rendered(dump_rendered(rendered)) == rendered


@always
@given(time=times, microsecond=fractions)
def test_a_time_that_begins_a_wait_is_never_read_as_earlier(
    time: datetime, microsecond: int
) -> None:
    exact = time.replace(microsecond=microsecond)
    assert exact <= rounded_up(exact) < exact + timedelta(seconds=1)


DEEP = "[" * 100_000 + "]" * 100_000
members = st.sampled_from(
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
        "owner",
        "generation",
        "keys",
    ]
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(members, inner, max_size=4),
    max_leaves=8,
)
damage = (
    st.text(max_size=20)
    | st.sampled_from([DEEP, "{}", "[]", "[[]]", "null", "9" * 5000, "9999-12-31T23:59:59-14:00"])
    | st.sampled_from([*PendingState, "1", "-1", str(NOW)])
    | json_values.map(json.dumps)
    | st.lists(json_values, max_size=3).map(json.dumps)
)


@always
@given(
    publication=publications,
    records=pending_records(),
    damaged=st.dictionaries(st.sampled_from(NAMES), damage, max_size=len(NAMES)),
    lost=st.frozensets(st.sampled_from(NAMES)),
    has_value=st.booleans(),
)
def test_damaged_annotations_are_read_as_missing_ones(
    publication: Publication,
    records: PendingRecords,
    damaged: dict[str, str],
    lost: frozenset[str],
    has_value: bool,
) -> None:
    for written in (target_annotations(publication), pending_annotations(records), {}):
        kept = {k: v for k, v in (written | damaged).items() if k not in lost}
        target, rendered = read_target(kept), load_rendered(kept.get(Name.RENDERED, ""))
        assert all(entry.key_id for entry in target.retiring)
        assert all(entry.attempt for entry in target.abandoned)
        assert all(isinstance(key, str) for key in rendered.keys)
        pending = read(kept, has_value=has_value)
        assert pending.state in PendingState
        if pending.state is PendingState.INTENT and has_value:
            assert pending.credential is not None


def test_a_pending_secret_without_its_intent_time_counts_from_its_creation() -> None:
    assert read({Name.INTENT_TIME: "yesterday"}, has_value=False).intent_time == NOW
    assert parse_time("yesterday") is None


def test_an_entry_with_an_unknown_cause_is_left_out() -> None:
    good = {
        "keyId": "key",
        "end": "2026-11-22T10:00:00Z",
        "since": "2026-11-22T10:00:00Z",
        "cause": str(RetireCause.REPLACED),
    }
    assert [entry.key_id for entry in load_retiring(json.dumps([good]))] == ["key"]
    for damage in ({"cause": "Bored"}, {"keyId": ""}, {"keyId": 7}, {"since": "soon"}):
        assert load_retiring(json.dumps([good | damage])) == ()


def test_a_pending_secret_records_its_attempt_once_it_is_known() -> None:
    records = PendingRecords(
        owner="shop/orders",
        cluster=IDENTITY.cluster,
        tenant_id=TenantId("tenant"),
        object_id=ObjectId("object"),
        attempt=Attempt(""),
        attempt_number=1,
        holder="pod",
        state=PendingState.INTENT,
        intent_time=NOW,
        credential=None,
        abandoned=(),
    )
    assert Name.ATTEMPT not in pending_annotations(records)
    known = replace(records, attempt=Attempt("attempt"))
    assert pending_annotations(known)[Name.ATTEMPT] == "attempt"
