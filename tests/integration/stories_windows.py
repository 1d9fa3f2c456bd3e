"""Renewals that reach workloads within a window only, and one that cannot wait."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from tests.integration.installation import Installation, Team, parse, stamp

_LEAD = {"renewBefore": "30m", "overlap": "5s"}


def _window(opens: datetime, length: timedelta) -> dict[str, Any]:
    return {"from": f"{opens:%H:%M}", "to": f"{opens + length:%H:%M}", "timeZone": "Etc/UTC"}


def _ask(team: Team, opens: datetime, **rotation: Any) -> None:
    """Apply a rotation with a window of ten minutes."""
    windows = [_window(opens, timedelta(minutes=10))]
    team.change(rotation={**_LEAD, "windows": windows, **rotation})


def _overrides(team: Team) -> list[str]:
    return [note for _, reason, note in team.events() if reason == "WindowOverridden"]


def a_renewal_waits_for_its_window(i: Installation) -> None:
    """It is proven before, and published once the window opens; until then nothing changes."""
    team = i.team("window")
    team.apply(rotation=_LEAD)
    team.ready()
    first, old = team.key(), team.values()
    i.pass_time(team.time("startTime") + timedelta(seconds=2))
    # The next full minute, but one that leaves time for the proof.
    opens = (i.now() + timedelta(seconds=80)).replace(second=0, microsecond=0)
    _ask(team, opens, rotateIssuedBefore=stamp(i.now()))

    def waits() -> bool:
        assert team.key() in {"", first}, "published before its window"
        return "publishTime" in team.status().get("pending", {})

    team.until(waits, "it waits")
    status = team.status()
    assert parse(status["pending"]["publishTime"]) == opens
    assert "window" in status["pending"]["waitingFor"]
    team.ready()
    i.pass_time(opens - timedelta(seconds=2))
    assert (team.key(), team.values()) == (first, old), "published before its window"
    assert team.minted() == 2
    team.until(lambda: team.key() not in {"", first}, "it is published in its window")
    assert team.time("publishedTime") >= opens
    assert team.signs_in()
    assert team.sign_in(old)
    assert _overrides(team) == []


def a_leak_waits_for_no_window(i: Installation) -> None:
    """`revokeIssuedBefore` ends the wait of a successor that is there already."""
    team = i.team("urgent")
    team.apply(rotation=_LEAD)
    team.ready()
    first = team.key()
    i.pass_time(team.time("startTime") + timedelta(seconds=2))
    opens, asked = i.now() + timedelta(minutes=30), stamp(i.now())
    _ask(team, opens, rotateIssuedBefore=asked)
    team.until(lambda: "publishTime" in team.status().get("pending", {}), "it waits")
    _ask(team, opens, revokeIssuedBefore=asked)
    team.until(lambda: first not in team.key_ids(), "the leaked one is removed")
    team.ready()
    assert team.signs_in()
    assert team.minted() == 2
    team.until(lambda: len(_overrides(team)) == 1, "the override is announced")
    assert "revokeIssuedBefore" in _overrides(team)[0]
