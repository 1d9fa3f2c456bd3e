"""Rules about what the target Secret records and how it is rendered."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from appcredential.domain.actions import Action, WriteTarget
from appcredential.domain.facts.content import fits
from appcredential.domain.facts.facts import Facts
from appcredential.domain.facts.publication import publication
from appcredential.domain.facts.published import ABSENT_READS, is_published
from appcredential.domain.facts.restart import may_be_held
from appcredential.domain.observed.entra import Credential
from appcredential.domain.observed.target import Abandoned, RetireCause, Retiring
from appcredential.domain.rules.reading import read_again
from appcredential.domain.secret.content import derived_names, is_rendered, render

_REPAIR_PAUSE = timedelta(minutes=1)
_REPAIR_PAUSE_CAP = timedelta(hours=1)
_REPAIR_MEMORY = timedelta(hours=4)
REPAIRED = "repaired"
"""The reason of a write that only changes the rendering of the target Secret."""


def retiring_entry_is_done(facts: Facts) -> Action | None:
    """9: drop retiring entries that are the published key, gone, or not ours."""
    kept = tuple(r for r in facts.retiring if not _is_dropped(facts, r))
    return (
        None
        if kept == facts.retiring
        else write_target(facts, "retiring entry done", retiring=kept)
    )


def _is_dropped(facts: Facts, entry: Retiring) -> bool:
    if facts.published is not None and entry.key_id == facts.published.key_id:
        return True
    if entry.removed is not None and facts.memory.absences.get(entry.key_id, 0) >= ABSENT_READS:
        return not may_be_held(facts, entry)  # that it is gone makes the restart urgent
    return facts.is_listed(entry.key_id) and entry.key_id not in facts.ours


def credential_is_stranded(facts: Facts) -> Action | None:
    """10: record a credential of ours that no record names. It may be in use: full overlap."""
    if facts.target is None:
        return None
    found = unrecorded(facts)
    if not found:
        return None
    if not facts.is_fresh:
        return read_again(facts, facts.settings.freshness)
    new = tuple(
        Retiring(key_id=c.key_id, end=c.end, since=facts.entra_now, cause=RetireCause.STRANDED)
        for c in found
    )
    return write_target(facts, "stranded credential noted", retiring=facts.retiring + new)


def unrecorded(facts: Facts) -> list[Credential]:
    """Return the credentials of ours that no record names, and that may have been published."""
    known = {r.key_id for r in facts.retiring}
    return [
        c
        for c in facts.ours.values()
        if not is_published(facts, c.key_id)
        and c.key_id not in known
        and not facts.is_pending(c)
        and not facts.is_abandoned(c)
    ]


def target_rendering_differs(facts: Facts) -> Action | None:
    """11: repair the rendering around an intact value."""
    target = facts.target
    if (
        target is None
        or target.value is None
        or facts.published is None
        or facts.now < repair_time(facts)
    ):
        return None
    derived = facts.certificate_inputs.derived
    if derived_names(facts.spec) - derived.values.keys():
        return None  # source or password is unreadable: their former content stays
    if not fits(facts, target.value):
        return None
    wanted = render(
        facts.spec, facts.tenant, target.value, publication(facts), target, None, derived=derived
    )
    if is_rendered(target, wanted) and target.data.keys() >= facts.spec.secret.data.keys():
        return None
    return write_target(facts, REPAIRED)


def repair_time(facts: Facts) -> datetime:
    """Return when the next repair may be made: who alters our writes must not cause a loop."""
    recent = [t for t in facts.memory.repairs if facts.now - t < _REPAIR_MEMORY]
    if not recent:
        return facts.now
    doublings: int = 1 << (len(recent) - 1)
    return recent[-1] + min(_REPAIR_PAUSE * doublings, _REPAIR_PAUSE_CAP)


def removal_was_seen(facts: Facts) -> Action | None:
    """20: record that a direct read lacks a retiring credential."""
    gone = {r.key_id for r in _unlisted(facts) if _noting_time(facts, r) <= facts.entra_now}
    if not gone:
        return None
    if not facts.is_fresh:
        return read_again(facts, facts.settings.freshness)
    noted = tuple(replace(r, removed=facts.now) if r.key_id in gone else r for r in facts.retiring)
    return write_target(facts, "removal noted", retiring=noted)


def noting_times(facts: Facts) -> list[datetime]:
    """Return from when on, by Entra's clock, removals may be noted."""
    return [_noting_time(facts, entry) for entry in _unlisted(facts)]


def _noting_time(facts: Facts, entry: Retiring) -> datetime:
    """Return when no fresh read is from before an entry: an older one may be from before its issue.

    Another process that took itself for the leader issued it then.
    """
    return entry.since + facts.settings.freshness


def _unlisted(facts: Facts) -> list[Retiring]:
    return [r for r in facts.retiring if r.removed is None and not facts.is_listed(r.key_id)]


def absence_is_unconfirmed(facts: Facts) -> Action | None:
    """9b: confirm a removal by three direct reads, spread over the settle time."""
    spacing = facts.settings.settle / ABSENT_READS
    if awaits_absence(facts) and facts.now - facts.application.read_time >= spacing:
        return read_again(facts, spacing / 2)  # a read of others will do, but not the last one
    return None


def awaits_absence(facts: Facts) -> bool:
    """Return whether more reads may confirm that a removed credential is gone."""
    return any(
        r.removed is not None
        and not facts.is_listed(r.key_id)
        and facts.memory.absences.get(r.key_id, 0) < ABSENT_READS
        for r in facts.retiring
    )


def write_target(
    facts: Facts,
    reason: str,
    *,
    retiring: tuple[Retiring, ...] | None = None,
    abandoned: tuple[Abandoned, ...] | None = None,
    is_restarted: bool = False,
) -> Action | None:
    """Return the action that writes the target Secret anew, with other records if given."""
    target = facts.target
    if target is None or target.value is None:
        return None  # the publish that replaces a damaged value writes the records
    if not fits(facts, target.value):
        return None  # nothing is lost by waiting until the spec asks for less
    return WriteTarget(
        reason,
        retiring if retiring is not None else target.retiring,
        abandoned if abandoned is not None else target.abandoned,
        is_restarted,
    )
