"""What an ApplicationGrant's status says of its use, and when that is worth a write.

Ten thousand resources come, go and change; each of their changes must not write their grant. So
the use is looked at now and then, and written at most once in a while.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from appcredential.domain.spec.model import ClientId
from appcredential.domain.times import format_time, parse_time

MOST_NAMED: Final = 20
"""How many namespaces and client ids status names; the numbers beside them count all."""
_TOLD: Final = ("usage", "applications")
_TIME: Final = "changeTime"


def usage(namespaces: Mapping[str, int]) -> dict[str, Any]:
    """Return `status.usage` without its time.

    Args:
        namespaces: how many AppCredentials of each the grant allows.
    """
    most = sorted(namespaces.items(), key=lambda entry: (-entry[1], entry[0]))
    named = [{"namespace": name, "appCredentials": count} for name, count in most[:MOST_NAMED]]
    found: dict[str, Any] = {
        "appCredentials": sum(namespaces.values()),
        "namespaces": len(namespaces),
    }
    return {**found, "byNamespace": named} if named else found


def named_applications(
    client_ids: Iterable[ClientId], exists: Callable[[ClientId], bool | None]
) -> dict[str, Any] | None:
    """Return `status.applications` without its time; None for a grant that names none.

    Args:
        client_ids: those that the grant names.
        exists: tells whether the tenant has an application; None where nobody knows.
    """
    known = {client_id: exists(client_id) for client_id in sorted(client_ids)}
    if not known:
        return None
    missing = [client_id for client_id, is_there in known.items() if is_there is False]
    found: dict[str, Any] = {
        "found": sum(is_there is True for is_there in known.values()),
        "missing": len(missing),
        "unknown": sum(is_there is None for is_there in known.values()),
    }
    return {**found, "missingClientIds": missing[:MOST_NAMED]} if missing else found


def with_use(
    current: Mapping[str, Any],
    wanted: Mapping[str, Any],
    use: Mapping[str, Mapping[str, Any] | None],
    now: datetime,
    least: timedelta,
) -> dict[str, Any]:
    """Return a grant's whole status.

    A change of nothing but the use waits until the last one is `least` ago. A time moves only with
    what it is about.

    Args:
        current: the status as it stands.
        wanted: what it should say besides.
        use: `usage` and `applications`, as found now.
        now: the present time.
        least: the least time between two writes for the sake of the use.
    """
    told = {name: current[name] for name in _TOLD if name in current}
    found = {name: _timed(told.get(name), part, now) for name, part in use.items() if part}
    is_new = {**wanted, **told} != dict(current)
    changed = [t for part in told.values() if (t := parse_time(part.get(_TIME))) is not None]
    is_early = any(timedelta(0) <= now - time < least for time in changed)
    return {**wanted, **(told if told and is_early and not is_new else found)}


def _timed(
    before: Mapping[str, Any] | None, part: Mapping[str, Any], now: datetime
) -> dict[str, Any]:
    """Return a part with the time of its last change."""
    if before is not None and {**before, _TIME: ""} == {**part, _TIME: ""}:
        return dict(before)
    return {**part, _TIME: format_time(now)}
