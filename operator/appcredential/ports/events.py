"""Kubernetes Events as the operator writes them, and what they are about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol


@dataclass(frozen=True, slots=True)
class Related:
    """Another object that an Event is about."""

    kind: str
    namespace: str
    name: str


NO_ANNOTATIONS: Final[Mapping[str, str]] = {}


class Events(Protocol):
    """Kubernetes Events (events.k8s.io). A lost Event is no failure."""

    async def emit(
        self,
        about: EventSubject,
        reason: str,
        note: str,
        *,
        warning: bool,
        annotations: Mapping[str, str] = NO_ANNOTATIONS,
        related: Related | None = None,
    ) -> None:
        """Write an Event. Failures are logged, never raised."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSubject:
    """The object an Event is about; `namespace` is empty for cluster-scoped kinds."""

    kind: str
    namespace: str
    name: str
    uid: str
