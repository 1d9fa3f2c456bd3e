"""What is kept of a target Secret between looks."""

from __future__ import annotations

from dataclasses import replace

from appcredential.domain.empty import no_entries
from appcredential.domain.observed.target import Target
from appcredential.domain.spec.model import ObjectId, TenantId


def outline(target: Target) -> Target:
    """Return what status says of a target Secret while the spec that names it is unusable.

    It is no version of the Secret, so that the next read is one of the whole Secret.
    """
    return replace(
        target,
        resource_version="",
        tenant_id=TenantId(""),
        object_id=ObjectId(""),
        value=None,
        retiring=(),
        abandoned=(),
        taken_from=(),
        handed_over=None,
        data=no_entries(),
        labels=no_entries(),
        annotations=no_entries(),
        origin=no_entries(),
    )


def resting(target: Target) -> Target:
    """Return what is kept of a target Secret with which all is well: nothing of its content."""
    nothing = no_entries()
    return replace(
        target, value=None, data=nothing, annotations=nothing, origin=nothing, retiring=()
    )
