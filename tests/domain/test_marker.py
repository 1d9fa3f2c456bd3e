from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appcredential.domain.marker import (
    MAX_DESCRIPTION,
    MAX_DISPLAY_NAME,
    Attempt,
    ClusterIdentity,
    Marker,
    Owner,
    attempt_id,
    build_display_name,
    parse_marker,
    short_hash,
)
from tests.support.builders import IDENTITY, NEXT_ATTEMPT, OTHER_IDENTITY, OTHER_OWNER, OWNER

NAMES = st.text("abcdefghijklmnopqrstuvwxyz0123456789-.", min_size=1, max_size=253)


def test_the_wire_format_is_permanent() -> None:
    identity = ClusterIdentity.of("uid-of-kube-system")
    attempt = attempt_id(identity, "uid-of-p", 1)
    name = build_display_name(identity, Owner("shop", "orders"), attempt, "orders service")
    assert name == "appcred1.7o5doy6d.e45uqgylosmn6qttpas5.7o5dwrok7rtkqn orders service"


@settings(derandomize=True, max_examples=200)
@given(
    uid=st.text(max_size=40),
    namespace=NAMES,
    name=NAMES,
    number=st.integers(1, 10_000),
    description=st.text(max_size=200),
)
def test_what_was_written_is_read_again(
    uid: str, namespace: str, name: str, number: int, description: str
) -> None:
    identity, owner = ClusterIdentity.of(uid), Owner(namespace, name)
    attempt = attempt_id(identity, "uid-of-p", number)
    text = build_display_name(identity, owner, attempt, description)
    assert len(text) <= MAX_DISPLAY_NAME
    found = parse_marker(text)
    assert found == Marker(identity.cluster, owner.hash, attempt)
    assert found.is_removable_by(identity, owner)


GOOD = f"appcred1.{IDENTITY.cluster}.{OWNER.hash}.{NEXT_ATTEMPT}"


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        " " + GOOD,
        "made by hand",
        GOOD + "x",
        GOOD[:-1],
        GOOD + ".x",
        GOOD.replace("appcred1", "appcred2"),
        GOOD.replace("appcred1.", "appcred1..", 1),
        GOOD.replace(".", "-"),
        f"appcred1.{IDENTITY.cluster}x.{OWNER.hash[:-1]}.{NEXT_ATTEMPT}",
        GOOD + "\torders",
    ],
)
def test_anything_else_is_no_marker(text: str | None) -> None:
    assert parse_marker(text) is None


def test_a_marker_may_stand_alone() -> None:
    assert parse_marker(GOOD) == parse_marker(GOOD + " orders")


@pytest.mark.parametrize(
    ("identity", "owner", "attempt", "usable", "removable"),
    [
        (IDENTITY, OWNER, NEXT_ATTEMPT, True, True),
        (IDENTITY, OTHER_OWNER, NEXT_ATTEMPT, False, False),
        (OTHER_IDENTITY, OWNER, NEXT_ATTEMPT, False, False),
        (IDENTITY, OWNER, Attempt("zzzz" + NEXT_ATTEMPT[4:]), True, False),
    ],
    ids=["ours", "another owner's", "another cluster's", "made by a clone of this cluster"],
)
def test_whose_it_is(
    identity: ClusterIdentity, owner: Owner, attempt: Attempt, usable: bool, removable: bool
) -> None:
    marker = Marker(identity.cluster, owner.hash, attempt)
    assert marker.is_usable_by(IDENTITY, OWNER) is usable
    assert marker.is_removable_by(IDENTITY, OWNER) is removable


def test_a_configured_id_names_the_cluster_but_not_the_system() -> None:
    one, two = ClusterIdentity.of("a", "prod"), ClusterIdentity.of("b", "prod")
    assert one.cluster == two.cluster
    assert one.system != two.system


def test_what_another_cluster_issued_may_be_used_if_it_is_named_and_never_removed() -> None:
    adopting = ClusterIdentity.of("uid", "blue", ["green", "6f1c7a0e-0000-4000-8000-000000000002"])
    assert adopting == ClusterIdentity.of("uid", "blue"), "it is the same cluster"
    for other, is_named in (
        (ClusterIdentity.of("a", "green"), True),
        (OTHER_IDENTITY, True),
        (ClusterIdentity.of("a", "red"), False),
    ):
        marker = Marker(other.cluster, OWNER.hash, attempt_id(other, "p", 1))
        assert marker.is_adopted_by(adopting, OWNER) is is_named
        assert not marker.is_adopted_by(adopting, OTHER_OWNER)
        assert not marker.is_usable_by(adopting, OWNER)
        assert not marker.is_removable_by(adopting, OWNER)


@pytest.mark.parametrize("cluster_id", ["", "blue"])
def test_a_clusters_own_id_among_those_that_it_adopts_means_nothing(cluster_id: str) -> None:
    own = cluster_id or "uid"
    assert ClusterIdentity.of("uid", cluster_id, [own]).adopted == frozenset()


def test_every_attempt_is_another_one() -> None:
    made = {attempt_id(IDENTITY, uid, n) for uid in ("p", "q") for n in range(1, 50)}
    assert len(made) == 98
    assert all(len(a) == 14 and a.startswith(IDENTITY.system) for a in made)


def test_parts_do_not_run_into_each_other() -> None:
    assert short_hash("ab", "c", length=10) != short_hash("a", "bc", length=10)
    assert Owner("a-b", "c").hash != Owner("a", "b-c").hash


def test_the_owner_has_a_hundred_bits() -> None:
    """With fifty, a second name for a neighbour's hash takes one GPU a day."""
    assert 5 * len(OWNER.hash) == 100
    assert parse_marker(GOOD.replace(OWNER.hash, OWNER.hash[:10])) is None


def test_a_description_within_the_bound_is_never_cut() -> None:
    text = build_display_name(IDENTITY, OWNER, NEXT_ATTEMPT, "x" * MAX_DESCRIPTION)
    assert text == f"{GOOD} {'x' * MAX_DESCRIPTION}"
    assert len(text) == MAX_DISPLAY_NAME


def test_without_a_description_the_owner_is_named() -> None:
    assert build_display_name(IDENTITY, OWNER, NEXT_ATTEMPT, "") == f"{GOOD} shop/orders"
