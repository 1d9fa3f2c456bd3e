"""What only this process knows of a resource between two looks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType

from appcredential.domain.conditions import Problem
from appcredential.domain.observed.federated import FederatedMemory
from appcredential.domain.proof import Proof
from appcredential.domain.spec.model import (
    KeyId,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What only this process knows. Losing it costs time, never safety.

    Attributes:
        pending_proof: sign-ins with P's value.
        published_proof: sign-ins with T's value.
        absences: consecutive direct reads that lacked a key.
        sightings: times of the last consecutive direct reads that showed a key of T or P.
        application_missing: times of consecutive 404 answers for the application.
        removals: when this process removed a key.
        repairs: when this process last wrote T only because its rendering differed.
        federated: of a FederatedIdentity.
        directory_problem: why the last call to the directory failed.
        problem_operation: which call that was; only its success clears the problem.
        retry_time: no Graph call for this resource before then.
    """

    pending_proof: Proof | None = None
    published_proof: Proof | None = None
    absences: Mapping[KeyId, int] = field(default_factory=lambda: MappingProxyType({}))
    consecutive_reads: Mapping[KeyId, tuple[datetime, ...]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    application_missing: tuple[datetime, ...] = ()
    removals: Mapping[KeyId, datetime] = field(default_factory=lambda: MappingProxyType({}))
    repairs: tuple[datetime, ...] = ()
    federated: FederatedMemory = field(default_factory=FederatedMemory)
    directory_problem: Problem | None = None
    problem_operation: str = ""
    retry_time: datetime | None = None


REQUIRED_READS = 3


READ_SPACING = timedelta(seconds=5)
