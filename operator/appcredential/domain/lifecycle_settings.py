"""The timings that the lifecycle rules use; docs/settings.md explains each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class LifecycleSettings:
    """The settings that the lifecycle rules use; docs/settings.md explains each."""

    freshness: timedelta = timedelta(seconds=15)
    settle: timedelta = timedelta(seconds=30)
    removal_floor: timedelta = timedelta(minutes=10)
    min_remaining: timedelta = timedelta(minutes=10)
    expired_grace: timedelta = timedelta(minutes=10)
    intent_respect: timedelta = timedelta(seconds=60)
    journal_window: timedelta = timedelta(hours=1)
    min_lifetime: timedelta = timedelta(hours=1)
    mint_backoff: timedelta = timedelta(minutes=1)
    mint_backoff_cap: timedelta = timedelta(hours=6)
    mint_backoff_cap_unpublished: timedelta = timedelta(minutes=15)
    issued_before_spacing: timedelta = timedelta(minutes=10)
    max_clock_skew: timedelta = timedelta(minutes=5)
    arrival_grace: timedelta = timedelta(minutes=2)
    deletion_settle: timedelta = timedelta(seconds=15)
    missing_application_window: timedelta = timedelta(minutes=5)
    directory_resync: timedelta = timedelta(hours=1)
    secret_check: timedelta = timedelta(minutes=10)
    proof_max_age: timedelta = timedelta(minutes=2)
    proof_budget: timedelta = timedelta(minutes=30)
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
    allow_private_issuers: bool = False
