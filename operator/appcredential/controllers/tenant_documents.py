"""What the document of an EntraTenant says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from appcredential.kube.custom_resources import FINALIZER
from appcredential.ports.events import EventSubject


def has_finalizer(document: Mapping[str, Any]) -> bool:
    """Return whether an EntraTenant stays until the operator lets it go."""
    return FINALIZER in (document["metadata"].get("finalizers") or ())


def subject_of(document: Mapping[str, Any]) -> EventSubject:
    """Return what an Event about an EntraTenant names."""
    metadata = document["metadata"]
    return EventSubject(
        kind="EntraTenant", namespace="", name=metadata["name"], uid=metadata["uid"]
    )


def stalled_reason(status: Mapping[str, Any]) -> str:
    """Return the reason of the condition Stalled; empty without one."""
    conditions = status.get("conditions") or ()
    return next((str(c.get("reason")) for c in conditions if c.get("type") == "Stalled"), "")
