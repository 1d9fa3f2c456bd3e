"""An AppCredential as the tool reads it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from appcredential.domain.attention import Situation, situation_of
from appcredential.domain.document import NEVER_LOOKED, Document, ShownCondition, ShownResource

__all__ = ["NEVER_LOOKED", "AppCredential", "Document", "ShownCondition"]


@dataclass(frozen=True, slots=True)
class AppCredential(ShownResource):
    """One AppCredential, with what the commands ask of it."""

    @property
    def situation(self) -> Situation:
        """What says how much attention it needs."""
        return situation_of(self)

    @property
    def full_name(self) -> str:
        """Namespace and name, as messages say them."""
        return f"{self.namespace}/{self.name}"

    @property
    def version(self) -> str:
        """The version that was read."""
        return str(self.at("metadata", "resourceVersion") or "")

    @property
    def secret_name(self) -> str:
        """The name of the Secret that workloads read; empty for a FederatedIdentity."""
        if self.text("spec", "type") == "FederatedIdentity":
            return ""
        return (
            self.text("status", "secretRef", "name")
            or self.text("spec", "secret", "name")
            or self.name
        )

    def share_left(self, now: datetime) -> float | None:
        """Return how much of the published credential's lifetime is left, between 0 and 1."""
        start, end = self.time("status", "credential", "startTime"), self.expires
        if start is None or end is None or end <= start:
            return None
        return min(1.0, max(0.0, (end - now) / (end - start)))
