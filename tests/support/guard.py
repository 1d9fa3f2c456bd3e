"""The guard of a process that leads and has seen everything: it lets every effect start."""

from __future__ import annotations

from datetime import timedelta

from appcredential.domain.shards import WHOLE, Shard
from appcredential.runtime.effect_guard import EffectGuard


def open_guard(shard: Shard = WHOLE) -> EffectGuard:
    """Return a guard with a minute of the Lease left; a test may close it."""
    return EffectGuard(
        remaining=lambda: 60.0,
        is_synced=lambda: True,
        effect_margin=timedelta(seconds=30),
        mint_margin=timedelta(seconds=45),
        shard=shard,
    )
