"""When the restart of workloads has to wait for a window. Pure."""

from __future__ import annotations

from appcredential.domain.facts.facts import Facts
from appcredential.domain.facts.published import ABSENT_READS
from appcredential.domain.facts.restart import may_be_held
from appcredential.domain.facts.retirement import real_end
from appcredential.domain.observed.target import RetireCause
from appcredential.domain.windows import Opening


def restart_opening(facts: Facts) -> Opening | None:
    """Return the window in which the restart goes on; None if it waits for none."""
    opening = _closed_until(facts)
    return None if opening is None or _emergency(facts, opening) else opening


def restart_override(facts: Facts) -> str | None:
    """Return why workloads are restarted outside all windows; None if that is not so."""
    opening = _closed_until(facts)
    return None if opening is None else _emergency(facts, opening)


def _closed_until(facts: Facts) -> Opening | None:
    opening = facts.opening
    return opening if opening is not None and opening.opens > facts.entra_now else None


def _emergency(facts: Facts, opening: Opening) -> str | None:
    """Return why workloads that read the Secret only once must not wait for a later window."""
    replaced = [r for r in facts.retiring if r.cause is RetireCause.REPLACED]
    absences = facts.memory.absences  # one read may be of a replica that lags
    last = [r for r in replaced if may_be_held(facts, r)]
    if last and all(absences.get(r.key_id, 0) >= ABSENT_READS for r in last):
        return "what was replaced is gone from Entra"
    if any(real_end(facts, r) < opening.closes for r in replaced):
        return "what was replaced would end before the next one closes"
    return None
