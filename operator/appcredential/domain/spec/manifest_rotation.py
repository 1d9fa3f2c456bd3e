"""`spec.rotation` as it stands in a manifest."""

from __future__ import annotations

import msgspec

from appcredential.domain.spec.model import RetireWhen
from appcredential.domain.spec.restart import RestartWorkloads
from appcredential.domain.spec.shape import Shape
from appcredential.domain.spec.windows import Weekday


class Window(Shape, frozen=True):
    """`spec.rotation.windows[]`."""

    start: str = msgspec.field(name="from")
    to: str
    days: list[Weekday] = msgspec.field(default_factory=lambda: list(Weekday))
    time_zone: str = "UTC"


class Restart(Shape, frozen=True):
    """`spec.rotation.restart`: exactly one of the two."""

    workloads: RestartWorkloads | None = None
    match_labels: dict[str, str] | None = None


class Rotation(Shape, frozen=True):
    """`spec.rotation`."""

    renew_before: str | None = None
    overlap: str | None = None
    retire_when: RetireWhen = RetireWhen.ROLLED_OUT
    rotate_issued_before: str | None = None
    revoke_issued_before: str | None = None
    windows: list[Window] = msgspec.field(default_factory=list)
    restart: Restart | None = None
