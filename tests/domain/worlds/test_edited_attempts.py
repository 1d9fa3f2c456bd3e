"""People edit the attempt in the target Secret: the credential that it holds keeps its overlap."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from appcredential.domain import actions as act
from appcredential.domain.marker import Attempt
from appcredential.domain.observed.entra import Credential
from appcredential.domain.spec.model import KeyId
from tests.domain.worlds.driver import World
from tests.domain.worlds.test_edited_records import (
    OVERLAP,
    edit_record,
    held,
    look,
    on_its_way,
    record,
)
from tests.domain.worlds.test_scenarios import FIRST, SECOND_KEY, SPEC, issued
from tests.support.builders import (
    HOUR,
    MINUTE,
    OTHER_IDENTITY,
    OTHER_OWNER,
    SECOND,
    application,
    attempt,
    credential,
    facts,
)

OTHER = attempt("other-uid", 1)
LISTED = KeyId("listed")


def list_another(world: World, **changes: object) -> Credential:
    made = world.entra[FIRST]
    parts = {"attempt": OTHER, "start": made.start + MINUTE, "end": made.end + HOUR, **changes}
    world.entra[LISTED] = credential(LISTED, **parts)  # type: ignore[arg-type]
    return world.entra[LISTED]


def name_a_newer_one_of_ours(world: World) -> None:
    list_another(world)
    edit_record(world, attempt=OTHER)


def name_another_owners(world: World) -> None:
    list_another(world, owner=OTHER_OWNER)
    edit_record(world, attempt=OTHER)


def name_another_owners_with_its_key(world: World) -> None:
    list_another(world, owner=OTHER_OWNER)
    edit_record(world, attempt=OTHER, key_id=LISTED)


def name_a_twin_clusters_with_its_key(world: World) -> None:
    list_another(world, identity=OTHER_IDENTITY)
    edit_record(world, attempt=OTHER, key_id=LISTED)


def name_a_newer_one_of_ours_with_its_key(world: World) -> None:
    value = held(world).value
    assert value is not None
    world.entra[FIRST] = replace(world.entra[FIRST], shown=value.reveal()[:3])
    world.entra[LISTED] = replace(list_another(world), shown="xyz")
    edit_record(world, attempt=OTHER, key_id=LISTED)


def name_a_key_that_nobody_made(world: World) -> None:
    edit_record(world, key_id=KeyId("nobody"))


FORGERIES = (
    name_a_newer_one_of_ours,
    name_another_owners,
    name_another_owners_with_its_key,
    name_a_twin_clusters_with_its_key,
    name_a_newer_one_of_ours_with_its_key,
    name_a_key_that_nobody_made,
)


@pytest.mark.parametrize("forge", FORGERIES)
def test_what_is_published_keeps_its_overlap(forge: Callable[[World], None]) -> None:
    world = issued()
    world.run(10 * MINUTE)
    forge(world)
    look(world)
    world.run(5 * MINUTE)
    assert world.published == SECOND_KEY
    assert world.condition("Ready") == ("True", "Published")
    world.run(OVERLAP)
    assert FIRST in world.entra


@pytest.mark.parametrize("forge", FORGERIES)
def test_its_removal_in_the_portal_is_noticed(forge: Callable[[World], None]) -> None:
    world = issued()
    world.run(10 * MINUTE)
    forge(world)
    del world.entra[FIRST]
    look(world)
    world.run(5 * MINUTE)
    assert world.published == SECOND_KEY


def test_nothing_is_removed_while_its_successor_cannot_be_issued() -> None:
    world = issued()
    world.run(10 * MINUTE)
    name_another_owners_with_its_key(world)
    world.mint_answers = ["lost"] * 60
    world.run(3 * HOUR)
    assert world.published == LISTED
    assert FIRST in world.entra


def test_a_duplicate_of_the_same_attempt_hides_no_removal() -> None:
    """A proxy repeated addPassword."""
    world = issued()
    world.run(10 * MINUTE)
    list_another(world, attempt=record(world).attempt)
    world.run(HOUR)
    assert world.published == FIRST
    assert world.count(act.Mint) == 1
    del world.entra[FIRST]
    look(world)
    world.run(5 * MINUTE)
    assert world.published == SECOND_KEY


def test_a_replica_that_shows_only_an_earlier_one_of_the_attempt_is_no_damage() -> None:
    """After a restore of etcd, the attempt was repeated."""
    world = World(spec=SPEC)
    world.step_until(act.SignInPending)
    earlier = credential(LISTED, attempt=on_its_way(world).attempt)
    for passed, is_believed in ((30 * SECOND, True), (31 * SECOND, False)):
        read = application(earlier, read_time=world.entra[FIRST].start + passed)
        pending = facts(replace(world.observe(), application=read)).pending
        assert pending is not None
        assert (pending.credential is not None) is is_believed


def test_the_pending_secret_is_not_deleted_when_the_record_names_its_attempt() -> None:
    world = issued()
    world.step_until(act.Publish)
    edit_record(world, attempt=Attempt(on_its_way(world).attempt))
    world.run(MINUTE)
    assert world.count(act.DeletePending) == 2
    assert world.published == SECOND_KEY


def test_a_record_of_another_cluster_is_believed_until_its_successor_is_published() -> None:
    """A backup was restored into a new cluster."""
    world = issued()
    world.run(10 * MINUTE)
    made = world.entra[FIRST]
    foreign = Attempt(OTHER_IDENTITY.system + record(world).attempt[4:])
    world.entra[FIRST] = credential(
        FIRST, attempt=foreign, start=made.start, end=made.end, identity=OTHER_IDENTITY
    )
    edit_record(world, attempt=foreign)
    written = {**held(world).annotations, "appcredential.io/cluster": OTHER_IDENTITY.cluster}
    world.target = replace(held(world), annotations=written)
    world.step_until(act.Mint)
    found = facts(world.observe())
    assert found.published is not None
    assert found.has_valid_published
    world.run(3 * HOUR)
    assert world.published == SECOND_KEY
    assert FIRST in world.entra
