"""Each namespace belongs to one shard, by its name alone."""

from __future__ import annotations

from collections import Counter

import pytest

from appcredential.domain.shards import MOST_SHARDS, WHOLE, Shard, shard_of

NAMES = [f"team-{number}" for number in range(3000)]


@pytest.mark.parametrize("count", range(1, MOST_SHARDS + 1))
def test_each_namespace_is_in_exactly_one(count: int) -> None:
    shards = [Shard(number, count) for number in range(count)]
    for name in (*NAMES[:100], ""):
        assert [shard.number for shard in shards if shard.serves(name)] == [shard_of(name, count)]


def test_shards_are_of_about_the_same_size() -> None:
    sizes = Counter(shard_of(name, 4) for name in NAMES)
    assert len(sizes) == 4
    assert max(sizes.values()) < 1.15 * min(sizes.values())


def test_the_division_is_a_format_that_all_releases_share() -> None:
    """Pods of two releases run side by side in an upgrade."""
    found = {name: [shard_of(name, count) for count in (2, 3, 4)] for name in ("shop", "billing")}
    assert found == {"shop": [0, 2, 0], "billing": [1, 1, 1]}


def test_what_is_cluster_scoped_is_in_the_first() -> None:
    assert [Shard(number, 3).serves("") for number in range(3)] == [True, False, False]
    assert [Shard(number, 3).is_first for number in range(3)] == [True, False, False]


def test_one_process_alone_has_all_and_the_name_of_today() -> None:
    assert all(map(WHOLE.serves, (*NAMES[:10], "")))
    assert (WHOLE.suffix, Shard(0, 3).suffix, Shard(2, 3).suffix) == ("", "", "-shard-2")
