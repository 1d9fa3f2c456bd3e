"""Which keys stay in our target Secret although the spec asks for them no more."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, Final

import pytest

from appcredential.domain.facts import handover
from appcredential.domain.facts.handover import kept_keys
from appcredential.domain.observed.target import HandedOver, Target
from appcredential.domain.spec.presets import PRESET_KEYS
from appcredential.domain.spec.secret import Preset
from tests.support.builders import (
    DAY,
    HOUR,
    NOW,
    SECRET,
    facts,
    observation,
    resource,
    spec,
    target,
)

OVERLAP: Final = 15 * DAY
TERRAFORM: Final = replace(spec(), secret=replace(spec().secret, preset=Preset.TERRAFORM))
OLD: Final = frozenset(PRESET_KEYS[(Preset.AZURE_IDENTITY, spec().type)])
NEW: Final = frozenset(PRESET_KEYS[(Preset.TERRAFORM, spec().type)])


def kept(t: Target | None, *, asked: Any = TERRAFORM, value: Any = SECRET) -> HandedOver | None:
    return kept_keys(facts(observation(target=t, resource=resource(asked))), NOW, value)


def holding(keys: frozenset[str], until: datetime) -> Target:
    return replace(target(), handed_over=HandedOver(keys=keys, until=until))


@pytest.mark.parametrize(
    ("t", "expected"),
    [
        (target(), HandedOver(keys=OLD - NEW, until=NOW + OVERLAP)),
        (None, None),
        (holding(OLD, NOW - HOUR), None),
        (holding(OLD, NOW + HOUR), HandedOver(keys=OLD, until=NOW + HOUR)),
        (
            holding(frozenset({"theirs"}), NOW + HOUR),
            HandedOver(keys=(OLD - NEW) | {"theirs"}, until=NOW + OVERLAP),
        ),
        (
            holding(frozenset({"theirs"}), NOW + 20 * DAY),
            HandedOver(keys=(OLD - NEW) | {"theirs"}, until=NOW + 20 * DAY),
        ),
    ],
    ids=["the former preset's", "no Secret", "over", "handed over before", "both", "the longer"],
)
def test_former_keys_stay_for_the_overlap(t: Target | None, expected: HandedOver | None) -> None:
    assert kept(t) == expected


def test_nothing_changes_without_a_change() -> None:
    assert kept(target(), asked=spec()) is None


def test_nothing_is_kept_beside_a_lost_value() -> None:
    assert kept(target(), value=None) is None


def test_what_does_not_fit_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handover, "MAX_SECRET", 10)
    assert kept(target()) is None
