"""The whole status of an EntraTenant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from appcredential.domain.conditions import Condition
from appcredential.domain.observed.app_policy import AppPolicy
from appcredential.domain.status.merge import merge_conditions


def tenant_status(
    document: Mapping[str, Any],
    conditions: Sequence[Condition],
    identity: Mapping[str, str],
    policy: AppPolicy | None,
    *,
    now: datetime,
    trial: bool,
) -> dict[str, Any]:
    """Return what an EntraTenant's status is to say.

    Args:
        document: the EntraTenant as it was read.
        conditions: the wanted ones.
        identity: the operator's own credential, as `operator_identity` returns it.
        policy: what Entra's policy allows; None without a session.
        now: when a condition that changes has changed.
        trial: whether the operator runs as a trial.
    """
    generation = int(document["metadata"]["generation"])
    wanted: dict[str, Any] = {
        "observedGeneration": generation,
        "conditions": merge_conditions(
            (document.get("status") or {}).get("conditions") or (),
            list(conditions),
            generation=generation,
            now=now,
            trial=trial,
        ),
    }
    if identity:
        wanted["identity"] = dict(identity)
    if policy is not None:
        wanted["appManagementPolicy"] = policy.summary()
    return wanted
