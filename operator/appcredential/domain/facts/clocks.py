"""Which clock is wrong, as far as three clocks can tell: Entra's, the API server's and ours."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from appcredential.domain.conditions import ConditionType, Problem, Reason
from appcredential.domain.observed.memory import Memory
from appcredential.domain.observed.observation import Observation
from appcredential.domain.observed.refusals import OF_TIMES

_MINUTE: Final = timedelta(minutes=1)
_MANY: Final = 120
_STEADY: Final = (timedelta(0), timedelta(seconds=20), timedelta(seconds=-20))
"""The Date header has whole seconds: what is told does not follow each of them."""
_NOTHING: Final = "Until then nothing is issued or removed."
_COMPARE: Final = (
    "Compare it with a third clock: the node's is wrong, or a proxy gives a wrong time in Entra's "
    f"answers. {_NOTHING}"
)


def clock_problem(observation: Observation) -> Problem | None:
    """Return why the clocks forbid every effect: which one is wrong, by how much, what to do."""
    messages = [_message(observation, shift) for shift in _STEADY]
    if messages[0] is None:
        return None
    conditions = observation.resource.status.get("conditions") or ()
    told = [c.get("message") for c in conditions if c.get("type") == ConditionType.STALLED]
    said = next((m for m in messages if m in told), None)
    return Problem(reason=Reason.CLOCK_SKEW, message=said or messages[0])


def entra_difference(skew: timedelta | None) -> str:
    """Return how far Entra's clock is from the operator's, as a sentence; empty when it is not.

    Args:
        skew: Entra's clock minus ours, when known.
    """
    if skew is None or abs(skew) < _MINUTE:
        return ""
    return f" Entra's clock is {_amount(skew)} the operator's."


def cluster_ahead(observation: Observation) -> timedelta | None:
    """Return how far the API server's clock is ahead of Entra's, at least 0; None when unknown."""
    entra, api = observation.directory_skew, observation.cluster_skew
    return None if entra is None or api is None else max(api - entra, timedelta(0))


def by_this_clock(memory: Memory, skew: timedelta | None) -> Memory:
    """Return the memory without what was refused while Entra's clock was another one.

    Args:
        memory: of the resource.
        skew: Entra's clock minus ours, as known now.
    """
    same = timedelta(0)
    is_same = abs((skew or same) - (memory.problem_skew or same)) <= _MINUTE
    return memory if is_same else memory.spared(OF_TIMES)


def _message(observation: Observation, shift: timedelta) -> str | None:
    """Return what is told of the clocks; None if none of them is wrong."""
    entra, api = observation.directory_skew, observation.cluster_skew
    most = observation.settings.max_clock_skew
    entra_off, api_off = _beyond(entra, most, shift), _beyond(api, most, shift)
    if entra_off is not None and api_off is not None:
        return _of_both(entra_off, api_off, most)
    if entra_off is not None:
        agrees = ", which agrees with the API server's" if api is not None else ""
        return f"Entra's clock is {_amount(entra_off)} the operator's{agrees}. {_COMPARE}"
    if api_off is not None:
        agrees = ", which agrees with Entra's" if entra is not None else ""
        return (
            f"The API server's clock is {_amount(api_off)} the operator's{agrees}. Set the wrong "
            f"one. {_NOTHING}"
        )
    return None


def _beyond(skew: timedelta | None, most: timedelta, shift: timedelta) -> timedelta | None:
    """Return a difference that is too large, shifted; None of any other."""
    return skew + shift if skew is not None and abs(skew) > most else None


def _of_both(entra: timedelta, api: timedelta, most: timedelta) -> str:
    if abs(entra - api) <= most:
        return (
            f"The operator's clock is {_amount(-entra)} those of Entra and of the API server. Set "
            f"the clock of its node. {_NOTHING}"
        )
    return (
        f"Entra's clock is {_amount(entra)} the operator's, and the API server's is {_amount(api)} "
        f"it. Set the clocks of the nodes. {_NOTHING}"
    )


def _amount(ahead: timedelta) -> str:
    """Return a difference in words, to the minute."""
    minutes = round(abs(ahead) / _MINUTE)
    size = f"{minutes} min" if minutes < _MANY else f"{round(minutes / 60)} h"
    return f"{size} {'ahead of' if ahead > timedelta(0) else 'behind'}"
