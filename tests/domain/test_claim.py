"""Which installation may serve a cluster."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final

from appcredential.domain.claim import (
    LATE,
    Claim,
    Record,
    Recorded,
    claim_problem,
    has_to_wait,
    missing_right,
    shards_problem,
)
from tests.support.builders import NOW

OWN: Final = Claim(namespace="entra", installation="blue.prod", cluster_id="6f1c@x")
PLACE: Final = "default/appcredential-claim"


def problem(recorded: str, replaced: str = "") -> str:
    return claim_problem(OWN, recorded, replaced, PLACE)


def test_a_cluster_that_nobody_claims_or_that_is_ours_may_be_served() -> None:
    assert problem("") == ""
    assert problem(str(OWN)) == ""
    assert problem(str(OWN), "something else") == ""


def test_another_installation_is_named_with_what_to_do() -> None:
    for other in (replace(OWN, namespace="old"), replace(OWN, installation="green")):
        told = problem(str(other))
        assert f"another installation, {other.holder}" in told
        assert "uninstall one of them" in told
        assert PLACE in told
        assert told.endswith(f"to {other}")
        assert problem(str(other), str(other)) == ""
        assert problem(str(other), str(replace(other, cluster_id="y"))) == told


def test_another_id_is_named_with_what_to_do() -> None:
    former = replace(OWN, cluster_id="1a2b")
    told = problem(str(former))
    assert "this installation issues as 6f1c@x" in told
    assert "set APPCREDENTIAL_CLUSTER_ID to 1a2b" in told
    assert told.endswith(f"to {former}")
    assert problem(str(former), str(former)) == ""


def test_a_claim_that_a_person_damaged_is_another_installations() -> None:
    told = problem("nonsense")
    assert "another installation, nonsense" in told
    assert problem("nonsense", "nonsense") == ""
    assert f"another installation, {OWN.holder}," in problem(OWN.holder)
    assert len(problem("x" * 100_000)) < 1000


def test_the_number_of_shards_stands_before_the_claim() -> None:
    for shards in (1, 2, 16):
        recorded = Recorded(str(OWN), shards)
        assert Recorded.parse(str(recorded)) == recorded
    assert str(Recorded(str(OWN), 2)) == f"2 shards of {OWN}"
    assert str(Recorded(str(OWN))) == str(OWN)
    assert Recorded.parse("") == Recorded("", 1)


def test_a_number_that_a_person_damaged_makes_it_another_installations() -> None:
    for text in ("two shards of x", "2 shards", "99999 shards of x", "-1 shards of x"):
        assert Recorded.parse(text) == Recorded(text, 1)


def test_a_process_without_shards_refuses_the_claim_of_one_that_has_some() -> None:
    """So does a release that knows of none, and reads all of it as a claim."""
    told = problem(f"2 shards of {OWN}")
    assert f"another installation, 2 shards of {OWN.holder}," in told


def test_who_counts_another_number_is_told_what_is_waited_for() -> None:
    assert shards_problem(2, Recorded(str(OWN), 2), PLACE) == ""
    told = shards_problem(2, Recorded(str(OWN), 3), PLACE)
    assert f"the number of shards is 3, says the Lease {PLACE}" in told
    assert "this process counts 2 (APPCREDENTIAL_SHARDS)" in told
    told = shards_problem(2, Recorded(), PLACE)
    assert f"no number of shards stands in the Lease {PLACE} yet, and this" in told


def test_a_missing_right_is_told_with_the_lease_and_what_it_is_for() -> None:
    told = missing_right(PLACE, "in which installations claim the cluster")
    assert f"may not read and write the Lease {PLACE}, in which installations claim" in told
    assert "give it the Roles of examples/deploy/rbac.yaml" in told


PATIENCE: Final = timedelta(seconds=70)
SECOND: Final = timedelta(seconds=1)
RECORD: Final = Record(Recorded(str(OWN)), written=NOW)
OF_TWO: Final = Record(Recorded(str(OWN), 2), written=NOW)


def waits(before: Record | None, latest: Record, age: timedelta = timedelta(0)) -> bool:
    return has_to_wait(before, latest, now=NOW + age, patience=PATIENCE)


def test_the_lease_is_read_whole_or_as_far_as_it_goes() -> None:
    assert Record.of({}) == Record()
    spec = {
        "holderIdentity": f"2 shards of {OWN}",
        "acquireTime": NOW.isoformat(),
        "leaseTransitions": 1,
        "leaseDurationSeconds": 70,
    }
    assert Record.of(spec) == replace(OF_TWO, is_replaced=True, patience=PATIENCE)
    assert Record.of({**spec, "acquireTime": "yesterday"}).written is None


def test_a_process_that_starts_waits_after_a_change_that_is_not_old() -> None:
    """The time in the Lease is from before it was written."""
    for record in (OF_TWO, replace(RECORD, is_replaced=True)):
        assert waits(None, record)
        assert waits(None, record, -timedelta(days=1))
        assert waits(None, record, PATIENCE + LATE)
        assert not waits(None, record, PATIENCE + LATE + SECOND)
        assert waits(None, replace(record, written=None), timedelta(days=1))
    assert not waits(None, RECORD)


def test_a_process_waits_after_it_saw_another_claim_or_number_whatever_is_said_of_it() -> None:
    assert waits(OF_TWO, RECORD, timedelta(days=1))
    assert waits(replace(RECORD, what=Recorded("another")), RECORD)
    assert not waits(RECORD, RECORD)
    assert not waits(Record(), RECORD)


def test_a_process_waits_after_a_change_that_it_did_not_see() -> None:
    for record in (OF_TWO, replace(RECORD, is_replaced=True)):
        assert waits(record, replace(record, written=NOW + SECOND))
        assert waits(Record(), record)
        assert not waits(record, replace(record, patience=2 * PATIENCE))
    assert not waits(RECORD, replace(RECORD, written=NOW + SECOND))
