"""Rules about what the target Secret records and how it is rendered."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from appcredential.domain.actions import (
    Action,
    WriteTarget,
)
from appcredential.domain.facts.facts import Facts
from appcredential.domain.facts.publication import publication
from appcredential.domain.facts.published import is_published
from appcredential.domain.observed.target import (
    Abandoned,
    RetireCause,
    Retiring,
)
from appcredential.domain.rules.reading import read_again
from appcredential.domain.secret.content import derived_names, is_rendered, render

_ABSENT_READS = 3


_REPAIR_PAUSE = timedelta(minutes=1)


_REPAIR_PAUSE_CAP = timedelta(hours=1)


_REPAIR_MEMORY = timedelta(hours=4)


REPAIRED = "repaired"
"""Why T is written when nothing but its rendering differs."""


def retiring_entry_is_done(facts: Facts) -> Action | None:
    """9: drop entries of the published key, gone ones, and ones that are not ours."""
    kept = tuple(r for r in facts.retiring if not _is_dropped(facts, r))
    return (
        None
        if kept == facts.retiring
        else write_target(facts, "retiring entry done", retiring=kept)
    )


def _is_dropped(facts: Facts, r: Retiring) -> bool:
    if facts.published is not None and r.key_id == facts.published.key_id:
        return True
    if r.removed is not None and facts.memory.absences.get(r.key_id, 0) >= _ABSENT_READS:
        return True
    return facts.is_listed(r.key_id) and r.key_id not in facts.ours


def credential_is_stranded(facts: Facts) -> Action | None:
    """10: a credential of ours in no record was presumably published once: full overlap."""
    if facts.target is None:
        return None
    known = {r.key_id for r in facts.retiring}
    found = [
        c
        for c in facts.ours.values()
        if not is_published(facts, c.key_id)
        and c.key_id not in known
        and not facts.is_pending(c)
        and not facts.is_abandoned(c)
    ]
    if not found:
        return None
    if not facts.is_fresh:
        return read_again(facts, facts.settings.freshness)
    new = tuple(
        Retiring(key_id=c.key_id, end=c.end, since=facts.now, cause=RetireCause.STRANDED)
        for c in found
    )
    return write_target(facts, "stranded credential noted", retiring=facts.retiring + new)


def target_rendering_differs(facts: Facts) -> Action | None:
    """11: T's value is intact, but what stands around it is not as wanted."""
    t = facts.target
    if t is None or t.value is None or facts.published is None or facts.now < repair_time(facts):
        return None
    derived = facts.certificate_inputs.derived
    if derived_names(facts.spec) - derived.keys():
        return None  # source or password cannot be read: what T holds of them stays
    wanted = render(facts.spec, facts.tenant, t.value, publication(facts), t, None, derived=derived)
    if is_rendered(t, wanted) and t.data.keys() >= facts.spec.secret.data.keys():
        return None
    return write_target(facts, REPAIRED)


def repair_time(facts: Facts) -> datetime:
    """Return when T may be repaired again: something that alters our writes would make a loop."""
    recent = [t for t in facts.memory.repairs if facts.now - t < _REPAIR_MEMORY]
    if not recent:
        return facts.now
    doublings: int = 1 << (len(recent) - 1)
    return recent[-1] + min(_REPAIR_PAUSE * doublings, _REPAIR_PAUSE_CAP)


def removal_was_seen(facts: Facts) -> Action | None:
    """20: a retiring credential is absent in a direct read."""
    gone = {r.key_id for r in facts.retiring if r.removed is None and not facts.is_listed(r.key_id)}
    if not gone:
        return None
    if not facts.is_fresh:
        return read_again(facts, facts.settings.freshness)
    noted = tuple(replace(r, removed=facts.now) if r.key_id in gone else r for r in facts.retiring)
    return write_target(facts, "removal noted", retiring=noted)


def absence_is_unconfirmed(facts: Facts) -> Action | None:
    """9b: a removed entry needs three direct reads, a settle time apart, to be dropped."""
    spacing = facts.settings.settle / _ABSENT_READS
    if awaits_absence(facts) and facts.now - facts.application.read_time >= spacing:
        return read_again(facts, spacing / 2)  # a shared read, but not the one we have
    return None


def awaits_absence(facts: Facts) -> bool:
    """Tell whether more reads could confirm that a removed credential is gone."""
    return any(
        r.removed is not None
        and not facts.is_listed(r.key_id)
        and facts.memory.absences.get(r.key_id, 0) < _ABSENT_READS
        for r in facts.retiring
    )


def write_target(
    facts: Facts,
    reason: str,
    *,
    retiring: tuple[Retiring, ...] | None = None,
    abandoned: tuple[Abandoned, ...] | None = None,
) -> Action | None:
    """Return the action that writes the target Secret anew, with other records if given."""
    t = facts.target
    if t is None or t.value is None:
        return None  # a damaged T is written by the publish that replaces its value
    return WriteTarget(
        reason,
        retiring if retiring is not None else t.retiring,
        abandoned if abandoned is not None else t.abandoned,
    )
