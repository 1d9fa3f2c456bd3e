"""What refusals of published credentials amount to, one by one. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from appcredential.domain.lifecycle_settings import LifecycleSettings
from appcredential.domain.proof import SLOW_RETRY, SignInClass, SignInResult

_ROW_ENDS: Final = 3 * SLOW_RETRY
"""Retries come sooner, also after one that got no answer."""
_FIRST_RETRY: Final = timedelta(seconds=10)
_NEXT_RETRY: Final = timedelta(seconds=20)
_REFUSALS: Final = 3
_UNMATCHED_WINDOW: Final = timedelta(minutes=5)
"""Field reports say that 2 % of the exchanges with a trust that is well fail by themselves."""

# The network, throttling, an outage of the token endpoint and faults of the operator say nothing
# of the credential.
_EVIDENCE: Final = frozenset(
    {
        SignInClass.NOT_YET,
        SignInClass.UNMATCHED,
        SignInClass.BLOCKED,
        SignInClass.APPLICATION,
        SignInClass.UNCLASSIFIED,
    }
)


@dataclass(frozen=True, slots=True)
class Judgement:
    """Refusals of one class in a row. What is no evidence, and comes between them, does not count.

    Attributes:
        attempt: that made the refused credential.
        result: the last refusal.
        count: how many.
        since: time of the first.
        last: time of the last.
    """

    attempt: str
    result: SignInResult
    count: int
    since: datetime
    last: datetime


def judged(
    before: Judgement | None, attempt: str, result: SignInResult, now: datetime
) -> Judgement | None:
    """Return the judgement after one more answer; None after a success.

    What was refused long before, as before hours of suspension, is of another row.
    """
    if result.kind is SignInClass.PROVEN:
        return None
    held = before if before is not None and before.attempt == attempt else None
    if result.kind not in _EVIDENCE:
        return held
    if held is None or held.result.kind is not result.kind or now - held.last > _ROW_ENDS:
        return Judgement(attempt, result, 1, now, now)
    return Judgement(attempt, result, held.count + 1, held.since, now)


def says_nothing(result: SignInResult) -> bool:
    """Return whether an answer says nothing of the credential: it is no success, either."""
    return result.kind is not SignInClass.PROVEN and result.kind not in _EVIDENCE


def is_confirmed(judgement: Judgement, settings: LifecycleSettings) -> bool:
    """Return whether refusals came so often, and for so long, that no replica is at fault."""
    is_trust = judgement.result.kind is SignInClass.UNMATCHED
    window = _UNMATCHED_WINDOW if is_trust else settings.gone_window
    return judgement.count >= _REFUSALS and judgement.last - judgement.since >= window


def retry(judgement: Judgement, settings: LifecycleSettings) -> timedelta:
    """Return how soon to sign in again after a refusal: soon until it is confirmed."""
    if is_confirmed(judgement, settings):
        return SLOW_RETRY
    if judgement.result.kind is SignInClass.UNMATCHED:
        return settings.federated_proof_spacing  # Entra caches a failed exchange
    return _FIRST_RETRY if judgement.count == 1 else _NEXT_RETRY
