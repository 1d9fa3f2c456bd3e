"""When a token may be exchanged again by one trust. Pure.

A trust is tried until it is proven (`rules/federated.py`), and now and then from then on
(`published_sign_ins.py`). Entra caches a failed exchange for minutes, whoever tries.
"""

from __future__ import annotations

from datetime import datetime

from appcredential.domain.lifecycle_settings import LifecycleSettings
from appcredential.domain.observed.memory import Memory
from appcredential.domain.proof import SignInClass


def quiet_ends(memory: Memory, settings: LifecycleSettings, now: datetime) -> datetime | None:
    """Return until when no exchange tells anything: a trust was changed. None if it was not."""
    ends = (t + settings.federated_quiet for t in memory.federated.changed.values())
    return max((end for end in ends if end > now), default=None)


def exchange_waits(memory: Memory, settings: LifecycleSettings, now: datetime) -> datetime | None:
    """Return until when no token may be exchanged; None if one may be now."""
    proof = memory.pending_proof
    quiet = quiet_ends(memory, settings, now)
    if proof is None or proof.result.kind is not SignInClass.UNMATCHED:
        return quiet
    ends = proof.last_try + settings.federated_proof_spacing
    return max(quiet or now, ends) if ends > now else quiet
