"""Why a resource needs a person, and what to type."""

from __future__ import annotations

import shlex
from datetime import datetime
from typing import Final

from appcredential.domain.attention import has_expired, headline, is_renewal_overdue
from appcredential.domain.conditions import Reason
from appcredential.report.rows import Row

_TENANT: Final = frozenset({Reason.TENANT_NOT_FOUND, Reason.TENANT_NOT_READY})
_GRANT: Final = frozenset({Reason.NOT_GRANTED, Reason.GRANT_LIMIT, Reason.GRANT_WITHDRAWN})
_SECRET: Final = frozenset(
    {
        Reason.SECRET_CONFLICT,
        Reason.SECRET_TAKEN_OVER,
        Reason.SECRET_TERMINATING,
        Reason.SECRET_TOO_LARGE,
    }
)
_OPERATOR: Final = "kubectl get pods -A -l app.kubernetes.io/name=appcredential"
"""The label is that of the chart's pods."""


def why(row: Row, now: datetime) -> str:
    """Return in a sentence or two why a resource is as it is."""
    if _has_expired_unseen(row, now):
        return "The credential has expired and status does not say so: is an operator running?"
    if is_renewal_overdue(row.situation, now):
        return "A successor was due, and nothing shows one: is an operator running?"
    return row.message


def commands(row: Row, now: datetime) -> tuple[str, ...]:
    """Return what to type, the first to see what is wrong, the last once it is put right."""
    name, namespace = shlex.quote(row.name), shlex.quote(row.namespace)
    story = f"kubectl appcredential status {name} -n {namespace}"
    look_again = f"kubectl appcredential check {name} -n {namespace} --wait"
    reason = row.situation.stalled or headline(row.situation, now)
    if row.situation.is_suspended:
        return story, f"kubectl appcredential resume {name} -n {namespace}"
    if _is_left_alone(row, now):
        return story, _OPERATOR
    if reason in _TENANT:
        return f"kubectl describe entratenant {shlex.quote(row.tenant)}", look_again
    if reason in _GRANT:
        return story, "kubectl get applicationgrants", look_again
    if reason in _SECRET and row.secret:
        return story, f"kubectl describe secret {shlex.quote(row.secret)} -n {namespace}"
    return story, look_again


def _is_left_alone(row: Row, now: datetime) -> bool:
    """Return whether something is due that an operator at work would have done or explained."""
    return _has_expired_unseen(row, now) or is_renewal_overdue(row.situation, now)


def _has_expired_unseen(row: Row, now: datetime) -> bool:
    situation = row.situation
    is_silent = situation.stalled is None and situation.ready == "True"
    return is_silent and has_expired(situation, now)
