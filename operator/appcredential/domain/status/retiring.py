"""What status and Events say of replaced credentials, and of the pods that may still use them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from appcredential.domain.conditions import Problem
from appcredential.domain.facts.facts import Facts
from appcredential.domain.facts.restart import is_restart_open
from appcredential.domain.facts.retirement import real_end, retire_time
from appcredential.domain.facts.rolled_out import (
    is_held_by_pods,
    is_unseen,
    is_up_to_pods,
    laggards,
    secrets_in_use,
    seen_pods,
    unreadable_pods,
)
from appcredential.domain.observed.pods import PodUser, PodUsers, SeenPods
from appcredential.domain.observed.target import Retiring
from appcredential.domain.status.problems_kube import PODS_FORBIDDEN, TOO_MANY_PODS
from appcredential.domain.status.revocation_progress import is_to_be_revoked
from appcredential.domain.times import format_time

_MAX_OWNERS: Final = 5
_DAY: Final = timedelta(days=1)
_UNREADABLE: Final = "its own end: pods cannot be read"
_UNREAD: Final = "a list of the pods"
LEAVING: Final = "confirmation that it is gone"
_REVOKED: Final = "revokeIssuedBefore to remove it"
_RESTART: Final = "the restart of workloads"
_UNTOLD: Final = frozenset({_UNREAD, LEAVING, _REVOKED, _RESTART})
_NO_PODS: Final = _UNTOLD | {_UNREADABLE}


def retiring_entry(facts: Facts, entry: Retiring) -> dict[str, str]:
    """Return what status says of a replaced credential."""
    if entry.removed is None and is_to_be_revoked(facts, entry):
        # Its overlap counts no more, so that the end of it would mislead.
        return {"keyId": entry.key_id, "waitingFor": _REVOKED}
    if entry.removed is None and (told := _told_of(facts, entry)):
        return told
    end, waits_for = real_end(facts, entry), _waits_for(facts, entry)
    is_held = is_held_by_pods(facts, entry) or waits_for == _RESTART
    time = end if is_held else min(retire_time(facts, entry), end)
    return {
        "keyId": entry.key_id,
        "retireTime": format_time(time),
        **({"waitingFor": waits_for} if waits_for else {}),
    }


def is_any_held(facts: Facts) -> bool:
    """Return whether status names pods that may still use a replaced credential."""
    told = (retiring_entry(facts, r).get("waitingFor", _UNREAD) for r in facts.retiring)
    return any(waits_for not in _NO_PODS for waits_for in told)


def _told_of(facts: Facts, entry: Retiring) -> dict[str, str]:
    """Return what status says of a credential that pods held at the last look, until the next one.

    A process that has just started has not looked yet, and the API server may not answer.
    """
    if not is_unseen(facts) or not is_up_to_pods(facts, entry):
        return {}
    told = [
        e for e in facts.resource.status.get("retiring") or () if e.get("keyId") == entry.key_id
    ]
    return dict(told[0]) if told and told[0].get("waitingFor", _UNREAD) not in _UNTOLD else {}


def _waits_for(facts: Facts, entry: Retiring) -> str:
    if entry.removed is not None:
        return LEAVING
    if is_restart_open(facts) and facts.entra_now >= retire_time(facts, entry):
        return _RESTART
    if not is_held_by_pods(facts, entry):
        return ""
    problem = unreadable_pods(facts)
    if problem is None:
        return pods_from_before(facts, entry)
    return _UNREADABLE if problem.stalled else _UNREAD


def pods_from_before(facts: Facts, entry: Retiring) -> str:
    """Return the pods that may still use a replaced credential, by what they belong to.

    The ages are whole days, so that status changes at most daily because of them.

    Returns:
        Such as `Deployment/orders: 2 pods, oldest 41d; and up to 3 others`; empty without any.
    """
    seen, found = seen_pods(facts), laggards(facts, entry)
    if seen is None or not found:
        return ""
    assert isinstance(seen.found, PodUsers)  # noqa: S101 - a problem shows none
    by_owner: dict[str, list[PodUser]] = defaultdict(list)
    for pod in found:
        by_owner[pod.owner].append(pod)
    named = list(by_owner.items())[:_MAX_OWNERS]
    told = [_told(owner, pods, seen.time) for owner, pods in named]
    unnamed = len(found) - sum(len(pods) for _, pods in named)
    # Of those that no look keeps nobody knows whether they are from before.
    unknown = seen.found.more if len(found) == len(seen.found.users) else 0
    others = f"and {'up to ' if unknown else ''}{unnamed + unknown} others"
    return "; ".join([*told, others] if unnamed + unknown else told)


def _told(owner: str, pods: list[PodUser], now: datetime) -> str:
    number, days = len(pods), (now - pods[0].created) // _DAY
    age = f", oldest {days}d" if days > 0 else ""
    return f"{owner}: {number} {'pod' if number == 1 else 'pods'}{age}"


def unreadable_pods_problem(facts: Facts) -> Problem | None:
    """Return why replaced credentials stay until their own end, if a person has to end that."""
    if is_unseen(facts):
        return _told_problem(facts)
    is_held = any(is_held_by_pods(facts, entry) for entry in facts.retiring)
    return unreadable_pods(facts) if is_held else None


def _told_problem(facts: Facts) -> Problem | None:
    """Return what Ready says of pods that cannot be read, until the next look."""
    if not any(_told_of(facts, r).get("waitingFor") == _UNREADABLE for r in facts.retiring):
        return None
    told = [c for c in facts.resource.status.get("conditions") or () if c.get("type") == "Ready"]
    message = str(told[0].get("message")) if told else ""
    return next((p for p in (PODS_FORBIDDEN, TOO_MANY_PODS) if p.message in message), None)


# --- Events ---------------------------------------------------------------------------------


def newly_held(facts: Facts, before: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each credential that pods hold now and did not when last told.

    Args:
        facts: what is true now.
        before: the status that is about to be replaced.
    """
    entries = before.get("retiring") or ()
    told = {e.get("keyId") for e in entries if e.get("waitingFor", _UNREAD) not in _NO_PODS}
    held = (r for r in facts.retiring if r.key_id not in told and is_held_by_pods(facts, r))
    found = ((r, pods_from_before(facts, r)) for r in held)
    return [
        f"Credential {r.key_id} was replaced and stays valid, at the latest until its own end: "
        f"pods from before may still use {_secrets(secrets_in_use(facts))}. It is removed once "
        f"they are gone: {pods}."
        for r, pods in found
        if pods
    ]


def newly_unreadable(facts: Facts, before: Mapping[str, Any]) -> Problem | None:
    """Return why credentials stay until their own end, unless Ready has said so already."""
    problem = unreadable_pods_problem(facts)
    reasons = {c.get("reason") for c in before.get("conditions") or () if c.get("type") == "Ready"}
    return problem if problem is not None and problem.reason not in reasons else None


def failing_pods(facts: Facts, key_id: str, seen: SeenPods | None) -> str:
    """Return a sentence about the pods that cannot sign in now that a credential is removed.

    Args:
        facts: what the removal rests on.
        key_id: of the credential.
        seen: a look at the pods of just now; None if it takes too long.

    Returns:
        It begins with a blank; empty when there is none.
    """
    facts = replace(facts, observation=replace(facts.observation, pods=seen))
    if seen is None or isinstance(seen.found, Problem):
        why = "they could not be listed" if seen is not None else "a list of them takes longer"
        return (
            f" Which pods still use it is not known: {why}. Those from before the publish can no "
            f"longer sign in unless they read {_secrets(secrets_in_use(facts))} again."
        )
    pods = "; ".join(pods_from_before(facts, r) for r in facts.retiring if r.key_id == key_id)
    if not pods:
        return ""
    return (
        " Pods from before the publish can no longer sign in unless they read "
        f"{_secrets(secrets_in_use(facts))} again; restart them: {pods}."
    )


def _secrets(names: Iterable[str]) -> str:
    return " or ".join(f"Secret {name}" for name in sorted(names))
