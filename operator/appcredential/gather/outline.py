"""What is kept of a target Secret while the spec that names it is unusable."""

from __future__ import annotations

from dataclasses import replace

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
        data={},
        labels={},
        annotations={},
        origin={},
    )
