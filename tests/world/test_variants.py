"""Each wrong operator breaks a promise where the right one breaks none."""

from __future__ import annotations

import pytest

from tests.world.histories import parse, play
from tests.world.observer import BrokenPromiseError
from tests.world.shrink import shrink
from tests.world.story import tell
from tests.world.variants import VARIANTS

STORIES = sorted({variant.history for variant in VARIANTS.values()})


@pytest.mark.parametrize("name", VARIANTS)
def test_it_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    variant = VARIANTS[name]
    variant.change(monkeypatch)
    with pytest.raises(BrokenPromiseError) as caught:
        play(parse(variant.history))
    assert caught.value.oracle == variant.oracle


@pytest.mark.parametrize("history", STORIES)
def test_the_right_operator_keeps_its_promises_there(history: str) -> None:
    play(parse(history))


def test_there_are_many_and_one_for_each_earlier_fault() -> None:
    repairs = {f"I{number}" for number in range(1, 10)}
    assert repairs <= VARIANTS.keys()
    assert len(VARIANTS.keys() - repairs) >= 20


def test_a_counterexample_is_made_short_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    VARIANTS["retires-at-once"].change(monkeypatch)
    long = parse("secret:9/edit-around/3 60/wait/0 4/lag/2 3/rotate/31 2/catch-up/0 5/throttle/2")
    short = shrink(long)
    assert len(short.moves) <= 2
    told = tell(short)
    assert "=> BROKEN, Removals: key-1 goes" in told
    assert f"python -m tests.world --replay '{short}'" in told
