"""`spec.rotation`: lead time and overlap, which fit into the lifetime; windows; restarts."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Final

from appcredential.domain.spec import checks
from appcredential.domain.spec import manifest_rotation as shapes
from appcredential.domain.spec.model import RotationSpec
from appcredential.domain.spec.restart import MAX_LABELS, RestartSpec
from appcredential.domain.spec.time_zones import time_zone, zone_names
from appcredential.domain.spec.windows import MAX_WINDOWS, RotationWindow

_SECOND: Final = timedelta(seconds=1)
_TIME_OF_DAY: Final = re.compile("([01][0-9]|2[0-3]):([0-5][0-9])")
_MIDNIGHT: Final = "24:00"
"""The end of a day, which is the beginning of the next."""


def parse_rotation(spec: shapes.Rotation, lifetime: timedelta) -> RotationSpec:
    """Read `spec.rotation`.

    Args:
        spec: as it stands in the manifest.
        lifetime: the resource's, which lead time and overlap have to fit into.

    Raises:
        InvalidSpecError: a value cannot be used, or does not go with the others.
    """
    path = "spec.rotation"
    found = RotationSpec(
        renew_before=_lead(f"{path}.renewBefore", spec.renew_before),
        overlap=_lead(f"{path}.overlap", spec.overlap),
        retire_when=spec.retire_when,
        rotate_issued_before=_full_second(f"{path}.rotateIssuedBefore", spec.rotate_issued_before),
        revoke_issued_before=_full_second(f"{path}.revokeIssuedBefore", spec.revoke_issued_before),
        windows=_windows(f"{path}.windows", spec.windows),
        restart=_restart(f"{path}.restart", spec.restart),
    )
    _check_rotation(found.renew_before, found.overlap, lifetime)
    return found


def _lead(path: str, value: str | None) -> timedelta | None:
    return None if value is None else checks.duration(path, value, _SECOND)


def _full_second(path: str, value: str | None) -> datetime | None:
    """Return the full second at or after a time.

    Times of issue may be without their fraction: what is issued within that second would count as
    issued before the time, and be replaced at once.
    """
    if value is None:
        return None
    found = checks.moment(path, value)
    return found if not found.microsecond else found.replace(microsecond=0) + _SECOND


def _windows(path: str, given: list[shapes.Window]) -> tuple[RotationWindow, ...]:
    checks.require(len(given) <= MAX_WINDOWS, path, f"must have at most {MAX_WINDOWS} items")
    found = tuple(_window(f"{path}[{number}]", window) for number, window in enumerate(given))
    remedy = "may not contain a window twice: put the days of both into one"
    checks.require(len({(w.start, w.to, w.time_zone) for w in given}) == len(given), path, remedy)
    return found


def _window(path: str, given: shapes.Window) -> RotationWindow:
    remedy = "must be at least one of Mon, Tue, Wed, Thu, Fri, Sat, Sun; all of them when left out"
    checks.require(len(given.days) >= 1, f"{path}.days", remedy)
    remedy = "must differ from from; a whole day is from 00:00 to 24:00"
    checks.require(given.start != given.to, f"{path}.to", remedy)
    remedy = "must be the name of a zone in the IANA time zone database, such as Europe/Oslo or UTC"
    checks.require(given.time_zone in zone_names(), f"{path}.timeZone", remedy)
    return RotationWindow(
        days=checks.listed(f"{path}.days", given.days, lambda _, day: day),
        start=_time_of_day(f"{path}.from", given.start),
        end=timedelta(days=1)
        if given.to == _MIDNIGHT
        else _time_of_day(f"{path}.to", given.to, f" or {_MIDNIGHT}"),
        zone=time_zone(given.time_zone),
    )


def _time_of_day(path: str, value: str, besides: str = "") -> timedelta:
    found = _TIME_OF_DAY.fullmatch(value)
    if found is None:
        checks.refuse(path, f"must be a time such as 22:00, between 00:00 and 23:59{besides}")
    return timedelta(hours=int(found[1]), minutes=int(found[2]))


def _restart(path: str, given: shapes.Restart | None) -> RestartSpec | None:
    if given is None:
        return None
    remedy = "must have exactly one of workloads and matchLabels"
    checks.require((given.workloads is None) is not (given.match_labels is None), path, remedy)
    labels = given.match_labels
    if labels is None:
        return RestartSpec()
    remedy = f"must have between 1 and {MAX_LABELS} labels"
    checks.require(1 <= len(labels) <= MAX_LABELS, f"{path}.matchLabels", remedy)
    for key, value in labels.items():
        remedy = (
            "keys must be as those of labels: a name, with an optional DNS prefix before a slash"
        )
        checks.require(checks.is_metadata_key(key), f"{path}.matchLabels", remedy)
        checks.label_value(f"{path}.matchLabels[{key}]", value)
    return RestartSpec(labels=tuple(sorted(labels.items())))


def _check_rotation(
    renew_before: timedelta | None, overlap: timedelta | None, lifetime: timedelta
) -> None:
    if renew_before is not None:
        remedy = "must be less than lifetime (90d when left out): lower it or raise lifetime"
        checks.require(renew_before < lifetime, "spec.rotation.renewBefore", remedy)
    if overlap is None:
        return
    if renew_before is None:
        remedy = "must be at most a third of lifetime: lower it or set renewBefore"
        checks.require(overlap * 3 <= lifetime, "spec.rotation.overlap", remedy)
        return
    remedy = "must be at most renewBefore: lower it or raise renewBefore"
    checks.require(overlap <= renew_before, "spec.rotation.overlap", remedy)
    remedy = "and overlap together must be at most lifetime: lower one of them"
    checks.require(renew_before + overlap <= lifetime, "spec.rotation.renewBefore", remedy)
