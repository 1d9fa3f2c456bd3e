"""Objects of an API server as people are shown them. What is missing or malformed counts as absent.

Status may be of an older operator, or edited by hand: nothing in it is relied upon. The lifecycle
reads manifests by `spec/` and status by `observed/`, which are stricter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from appcredential.domain.conditions import ConditionType
from appcredential.domain.shown_text import plain
from appcredential.domain.times import parse_time

NEVER_LOOKED: Final = -1


@dataclass(frozen=True, slots=True)
class ShownCondition:
    """One condition; `status` is `True`, `False` or `Unknown`."""

    type: str
    status: str
    reason: str
    message: str
    generation: int


@dataclass(frozen=True, slots=True)
class Document:
    """An object of the API server, or a part of one."""

    document: Mapping[str, Any]

    def at(self, *path: str) -> Any:
        """Return a value by its path; None where there is none."""
        value: Any = self.document
        for key in path:
            if not isinstance(value, dict):  # of JSON; `Mapping` takes ten times as long to ask
                return None
            value = value.get(key)
        return value

    def text(self, *path: str) -> str:
        """Return a string by its path, fit for a terminal; empty where there is none."""
        return plain(self.at(*path))

    def time(self, *path: str) -> datetime | None:
        """Return a time by its path."""
        return parse_time(self.at(*path))

    def entries(self, *path: str) -> Sequence[Document]:
        """Return the objects of a list by its path."""
        found = self.at(*path)
        listed = found if isinstance(found, list) else []
        return [Document(entry) for entry in listed if isinstance(entry, dict)]

    def number(self, *path: str) -> int | None:
        """Return a whole number by its path."""
        found = self.at(*path)
        return found if isinstance(found, int) and not isinstance(found, bool) else None

    @property
    def name(self) -> str:
        """Its name."""
        return self.text("metadata", "name")

    @property
    def observed_generation(self) -> int:
        """The generation that status speaks of; -1 before the first look."""
        found = self.number("status", "observedGeneration")
        return NEVER_LOOKED if found is None else found

    def condition(self, kind: str) -> ShownCondition | None:
        """Return a condition by its type."""
        for entry in self.entries("status", "conditions"):
            if entry.at("type") == kind:
                generation = entry.number("observedGeneration")
                return ShownCondition(
                    type=kind,
                    status=entry.text("status"),
                    reason=entry.text("reason"),
                    message=entry.text("message"),
                    generation=self.observed_generation if generation is None else generation,
                )
        return None

    def is_true(self, kind: ConditionType) -> bool:
        """Return whether a condition is there and True."""
        found = self.condition(kind)
        return found is not None and found.status == "True"


@dataclass(frozen=True, slots=True)
class ShownResource(Document):
    """A custom resource, with what its metadata, spec and status have in common."""

    @property
    def namespace(self) -> str:
        """Its namespace."""
        return self.text("metadata", "namespace")

    @property
    def generation(self) -> int:
        """The generation of the spec."""
        return self.number("metadata", "generation") or 0

    @property
    def is_current(self) -> bool:
        """Whether status speaks of the spec as it is now."""
        return self.observed_generation >= self.generation

    @property
    def is_suspended(self) -> bool:
        """Whether `spec.suspend` is set."""
        return self.at("spec", "suspend") is True

    @property
    def is_being_deleted(self) -> bool:
        """Whether somebody deleted it and its finalizer keeps it."""
        return bool(self.text("metadata", "deletionTimestamp"))

    @property
    def key_id(self) -> str:
        """The id of the published credential; empty without one."""
        return self.text("status", "credential", "keyId")

    @property
    def expires(self) -> datetime | None:
        """When the published credential expires."""
        return self.time("status", "credential", "expirationTime")
