"""Rows of `spec.rotation.windows`; which zones exist, only the operator knows."""

from __future__ import annotations

from typing import Any, Final

from tests.crds.manifests import Row

_FIELD: Final = "rotation.windows"
_TIME: Final = "must be a time such as 22:00"


def _window(**change: Any) -> dict[str, Any]:
    """Return a right window with some members changed; None takes one away."""
    right = {"from": "22:00", "to": "04:00", "timeZone": "Europe/Oslo"}
    changed = {key.rstrip("_"): value for key, value in change.items()}
    return {key: value for key, value in (right | changed).items() if value is not None}


def _refused(name: str, message: str, path: str, **change: Any) -> Row:
    other = _window(to="05:00")
    return (name, _FIELD, [other, _window(**change)], message, f"{_FIELD}[1].{path}")


_WINDOWS: Final = [_window(to=f"0{hours}:30") for hours in range(10)] + [_window()]
ACCEPTED: Final[tuple[Row, ...]] = (
    ("no windows", _FIELD, []),
    ("a window over midnight", _FIELD, [_window()]),
    ("a window of some days", _FIELD, [_window(days=["Mon", "Sun"])]),
    ("a window in UTC", _FIELD, [_window(timeZone=None)]),
    ("a whole day", _FIELD, [_window(from_="00:00", to="24:00")]),
    ("a zone with signs", _FIELD, [_window(timeZone="Etc/GMT+5")]),
    ("a zone with three parts", _FIELD, [_window(timeZone="America/Argentina/Buenos_Aires")]),
    ("two windows that differ in their zone", _FIELD, [_window(), _window(timeZone="UTC")]),
    ("as many windows as may be", _FIELD, _WINDOWS[:10]),
)
REFUSED: Final[tuple[Row, ...]] = (
    ("too many windows", _FIELD, _WINDOWS, "must have at most 10 items", _FIELD),
    ("a window twice", _FIELD, [_window(days=["Mon"]), _window()], "Duplicate value", _FIELD),
    ("a window for windows", _FIELD, _window(), "must be of type array", _FIELD),
    _refused("no length", "to must differ from from", "to", to="22:00"),
    _refused("no beginning", "Required", "from", from_=None),
    _refused("no end", "Required", "to", to=None),
    _refused("no such hour", _TIME, "from", from_="25:00"),
    _refused("no such minute", _TIME, "to", to="04:60"),
    _refused("an hour with one digit", _TIME, "from", from_="9:00"),
    _refused("seconds", "Too long", "to", to="04:00:00"),
    _refused("a beginning at the end of a day", _TIME, "from", from_="24:00"),
    _refused("a time in words", _TIME, "to", to="noon"),
    _refused("a number for a time", "must be of type string", "to", to=4),
    _refused("no days", "should have at least 1 items", "days", days=[]),
    _refused("a day twice", "Duplicate value", "days", days=["Mon", "Mon"]),
    _refused("a day in full", "Unsupported value", "days[0]", days=["Monday"]),
    _refused("an empty zone", "at least 1", "timeZone", timeZone=""),
    _refused("another file", "should match", "timeZone", timeZone="../../etc/passwd"),
    _refused("a zone with a blank", "should match", "timeZone", timeZone="Europe/New Oslo"),
)
