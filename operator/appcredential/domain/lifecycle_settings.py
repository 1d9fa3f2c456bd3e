"""The timings that the lifecycle rules use; docs/settings.md explains each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class LifecycleSettings:
    """The timings that the lifecycle rules use; docs/settings.md explains each.

    The first seven are constants: the proof that no workload loses its sign-in rests on their
    values (docs/settings.md#constants), so no installation can change them.
    """

    freshness: ClassVar[timedelta] = timedelta(seconds=15)
    journal_window: ClassVar[timedelta] = timedelta(hours=1)
    mint_backoff_cap: ClassVar[timedelta] = timedelta(hours=6)
    mint_backoff_cap_unpublished: ClassVar[timedelta] = timedelta(minutes=15)
    max_clock_skew: ClassVar[timedelta] = timedelta(minutes=5)
    proof_max_age: ClassVar[timedelta] = timedelta(minutes=2)
    proof_budget: ClassVar[timedelta] = timedelta(minutes=30)

    settle: timedelta = timedelta(seconds=30)
    removal_floor: timedelta = timedelta(minutes=10)
    min_remaining: timedelta = timedelta(minutes=10)
    expired_grace: timedelta = timedelta(minutes=10)
    intent_respect: timedelta = timedelta(seconds=60)
    min_lifetime: timedelta = timedelta(hours=1)
    mint_backoff: timedelta = timedelta(minutes=1)
    issued_before_spacing: timedelta = timedelta(minutes=10)
    arrival_grace: timedelta = timedelta(minutes=2)
    deletion_settle: timedelta = timedelta(seconds=15)
    max_deletion_grace: timedelta = timedelta(days=7)
    max_open_revocations: int = 500
    missing_application_window: timedelta = timedelta(minutes=5)
    directory_resync: timedelta = timedelta(hours=1)
    full_check: timedelta = timedelta(hours=6)
    secret_check: timedelta = timedelta(minutes=10)
    gone_window: timedelta = timedelta(seconds=30)
    first_proof_count: int = 3
    first_proof_spacing: timedelta = timedelta(seconds=1)
    next_proof_count: int = 5
    next_proof_spread_min: timedelta = timedelta(seconds=5)
    next_proof_spread_max: timedelta = timedelta(seconds=60)
    trial: bool = False
    federated_quiet: timedelta = timedelta(seconds=90)
    federated_overlap: timedelta = timedelta(hours=24)
    federated_proof_spacing: timedelta = timedelta(seconds=60)
    issuer_agreement: timedelta = timedelta(minutes=10)
    published_sign_in_rate: int = 2
    """How many published credentials sign in in a second, through each tenant; 0: none does."""
    allow_private_issuers: bool = False
