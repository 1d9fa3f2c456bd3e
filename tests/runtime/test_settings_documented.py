from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from appcredential.domain.lifecycle_settings import LifecycleSettings
from appcredential.domain.spec.durations import format_duration
from appcredential.setting_values import CONSTANTS, PREFIX
from appcredential.settings import (
    FIELDS,
    ORDERED,
    POSITIVE,
    Settings,
    SettingsError,
)
from demo.stack import QUICK
from tests.process.installation import SETTINGS

DOCUMENT = (Path(__file__).parents[2] / "docs" / "settings.md").read_text()


def faults(**environ: str) -> list[str]:
    try:
        Settings.from_env({PREFIX + name: value for name, value in environ.items()})
    except SettingsError as exc:
        return [fault.replace(PREFIX, "") for fault in exc.faults]
    return []


def test_a_margin_that_the_lease_never_leaves_is_refused() -> None:
    (fault,) = faults(LEASE_DURATION="50s")
    assert fault == (
        "LEASE_RENEW and MINT_MARGIN together must be at most LEASE_DURATION; "
        "raise that to 55s, or lower them"
    )
    assert len(faults(LEASE_DURATION="30s")) == 2
    assert len(faults(LEASE_RENEW="5m")) == 2
    (fault,) = faults(EFFECT_MARGIN="1m")
    assert fault == (
        "LEASE_RENEW and EFFECT_MARGIN together must be at most LEASE_DURATION; "
        "raise that to 1m10s, or lower them"
    )
    assert faults(LEASE_DURATION="55s") == []


@pytest.mark.parametrize("name", POSITIVE)
def test_what_may_not_be_zero(name: str) -> None:
    default = getattr(Settings(), name, getattr(Settings().lifecycle, name, None))
    zero, least = ("0s", "1s") if isinstance(default, timedelta) else ("0", "1")
    found = faults(**{name.upper(): zero})
    assert f"{name.upper()}: must not be 0; set at least {least}" in found


@pytest.mark.parametrize(("low", "high"), ORDERED)
def test_what_may_not_be_greater_than_another(low: str, high: str) -> None:
    value = getattr(Settings().lifecycle, high) + timedelta(seconds=1)
    (fault, *_) = faults(**{low.upper(): format_duration(value)})
    assert fault == (
        f"{low.upper()}: must be at most {high.upper()}; lower it or raise {high.upper()}"
    )


def test_all_faults_are_told_together_and_none_twice() -> None:
    found = faults(
        LEASE_DURATION="30s", LEASE_RENEW="often", WORKERS="0", HEALTH_PORT="70000", SURPRISE="1"
    )
    assert found == [
        "LEASE_RENEW: must be a duration such as 90d, 12h30m or 45s",
        "SURPRISE: is not a setting of this operator",
        "WORKERS: must not be 0; set at least 1",
        "HEALTH_PORT: must be a port from 0 to 65535",
    ]


@pytest.mark.parametrize("settings", [{}, QUICK, SETTINGS], ids=["defaults", "demo", "tests"])
def test_what_is_used_starts(settings: Mapping[str, str]) -> None:
    Settings.from_env(settings)


def test_the_document_names_every_setting_with_its_default() -> None:
    rows = re.findall(r"^\| `(APPCREDENTIAL_\w+)` \| (?:`([^`]*)`|–) \|", DOCUMENT, re.MULTILINE)
    assert sorted(name for name, _ in rows) == sorted(FIELDS)
    assert Settings.from_env({name: value for name, value in rows if value}) == Settings()


def test_the_document_names_every_constant_with_its_value() -> None:
    rows = re.findall(r"^\| `(?!APPCREDENTIAL_)([A-Z_]+)` \| `([^`]*)` \|", DOCUMENT, re.MULTILINE)
    always = [(n.upper(), format_duration(getattr(LifecycleSettings, n))) for n in CONSTANTS]
    assert rows == always


def test_the_document_names_what_may_not_be_zero() -> None:
    (listed,) = re.findall(r"- Not 0: (.*?)\(each", DOCUMENT, re.DOTALL)
    assert sorted(re.findall(r"`(\w+)`", listed)) == sorted(n.upper() for n in POSITIVE)
    for low, high in ORDERED:
        assert re.search(rf"`{low.upper()}` is at most .*`{high.upper()}`", DOCUMENT)
