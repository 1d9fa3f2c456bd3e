"""What the target Secret of a deleted resource says about its end. Pure."""

from __future__ import annotations

from datetime import datetime

from appcredential.domain.observed.target import Target
from appcredential.domain.secret.annotations import Name
from appcredential.domain.secret.content import MANAGED_BY, MANAGER, Rendering
from appcredential.domain.times import format_time


def with_revocation_time(live: Target, due: datetime | None) -> Rendering | None:
    """Return a target Secret that says when it is revoked, or with None that says it no more.

    Args:
        live: the Secret; all else in it stays as it is.
        due: when, aware UTC.

    Returns:
        What to write; None when it already is so.
    """
    annotations = {k: v for k, v in live.annotations.items() if k != Name.REVOCATION_TIME}
    if due is not None:
        annotations[Name.REVOCATION_TIME] = format_time(due)
    if annotations == dict(live.annotations):
        return None
    labels = {**live.labels, MANAGED_BY: MANAGER}
    return Rendering(data=live.data, labels=labels, annotations=annotations)
