"""`spec.rotation.windows` as the parser reads them; tests/crds has what the schema refuses too."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from appcredential.domain.spec.parse import parse_app_credential
from appcredential.domain.spec.time_zones import time_zone, zone_names
from appcredential.domain.spec.windows import RotationWindow, Weekday
from appcredential.errors import InvalidSpecError
from tests.crds.manifests import APP, manifest
from tests.support.builders import HOUR, window

RIGHT = {"from": "22:00", "to": "04:00", "timeZone": "Europe/Oslo"}


def windows(*given: dict[str, Any]) -> tuple[RotationWindow, ...]:
    found = manifest(APP, {"rotation": {"windows": list(given)}})
    return parse_app_credential(found).rotation.windows


def test_windows_are_read() -> None:
    first = {**RIGHT, "days": ["Mon", "Tue"]}
    assert windows(first, {"from": "00:30", "to": "24:00"}) == (
        window("22:00", "04:00", days=[Weekday.MON, Weekday.TUE], zone="Europe/Oslo"),
        window("00:30", "24:00"),
    )


def test_the_end_of_a_day_is_its_last_moment() -> None:
    assert windows({"from": "22:00", "to": "24:00"})[0].end == 24 * HOUR


def test_a_resource_without_windows_has_none() -> None:
    assert parse_app_credential(manifest(APP, {})).rotation.windows == ()


@pytest.mark.parametrize(
    "name", ["Europe/Osl", "europe/oslo", "Europe", "../../etc/passwd", "zone.tab", "Oslo", "CET+1"]
)
def test_an_unknown_zone_is_told_with_the_remedy(name: str) -> None:
    with pytest.raises(InvalidSpecError) as raised:
        windows(RIGHT, {**RIGHT, "timeZone": name})
    assert raised.value.path == "spec.rotation.windows[1].timeZone"
    assert "such as Europe/Oslo" in raised.value.remedy


def test_every_zone_that_is_named_can_be_read() -> None:
    names = zone_names()
    assert {"UTC", "Europe/Oslo", "America/Argentina/Buenos_Aires", "US/Eastern"} <= names
    for name in names:
        assert time_zone(name).key == name
        assert time_zone(name) is time_zone(name)


def test_the_zone_is_that_of_the_package() -> None:
    found = time_zone("Europe/Oslo")
    assert found.utcoffset(datetime.fromisoformat("2026-07-01")) == timedelta(hours=2)
    assert found.utcoffset(datetime.fromisoformat("2026-12-01")) == timedelta(hours=1)
