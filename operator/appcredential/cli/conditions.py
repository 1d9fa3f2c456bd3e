"""What `wait` waits for, and when a rotation or revocation that was asked for is done."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from appcredential.cli.app_credential import AppCredential
from appcredential.domain.conditions import ConditionType

_FOR: Final = re.compile(r"(?:condition=)?(?P<type>[A-Za-z]+)(?:=(?P<status>[A-Za-z]+))?")
_STATUSES: Final = {"true": "True", "false": "False", "unknown": "Unknown"}
_TYPES: Final = {kind.lower(): kind for kind in ConditionType}
_ABNORMAL: Final = frozenset({ConditionType.RECONCILING, ConditionType.STALLED})


@dataclass(frozen=True, slots=True)
class Wanted:
    """A condition that is waited for; without a type, that the resource is gone."""

    type: ConditionType | None
    status: str = "True"

    def is_met(self, resource: AppCredential | None) -> bool:
        """Return whether it holds for the spec as it is now; None is a resource that is gone.

        Reconciling and Stalled exist only while true, so their absence is False.
        """
        if resource is None or self.type is None:
            return resource is None and self.type is None
        found = resource.condition(self.type)
        if found is None:
            return self.status == "False" and self.type in _ABNORMAL and resource.is_current
        return found.status == self.status and found.generation >= resource.generation

    def __str__(self) -> str:
        return "deletion" if self.type is None else f"{self.type}={self.status}"


def parse_wanted(text: str) -> Wanted:
    """Read `--for`: `Ready`, `condition=Ready=False`, `delete`.

    Raises:
        ValueError: it has another form; the message says what is possible.
    """
    if text == "delete":
        return Wanted(None)
    match = _FOR.fullmatch(text)
    kind = _TYPES.get(match["type"].lower()) if match else None
    status = _STATUSES.get((match["status"] or "true").lower()) if match else None
    if kind is None or status is None:
        names = ", ".join(ConditionType)
        raise ValueError(
            f"is delete, or a condition ({names}) such as Ready or condition=Ready=False"
        )
    return Wanted(kind, status)


def present(resource: AppCredential | None) -> str:
    """Return in a few words how a resource is now, for a person who waits."""
    if resource is None:
        return "it does not exist"
    for kind in (ConditionType.STALLED, ConditionType.RECONCILING, ConditionType.READY):
        found = resource.condition(kind)
        if found is not None and (found.status == "True" or kind is ConditionType.READY):
            waits = resource.text("status", "pending", "waitingFor")
            successor = f" The successor waits for {waits}." if waits else ""
            return f"{kind} is {found.status}, {found.reason}: {found.message}{successor}"
    return "the operator has not looked at it yet"


@dataclass(frozen=True, slots=True)
class Renewal:
    """A rotation or revocation that was asked for.

    Attributes:
        replaced: the key id that was published before.
        generation: of the spec that asks for it.
    """

    replaced: str
    generation: int

    def is_done(self, resource: AppCredential) -> bool:
        """Return whether another credential is published and nothing is under way any more."""
        return (
            resource.observed_generation >= self.generation
            and resource.key_id not in {"", self.replaced}
            and resource.at("status", "pending") is None
            and not resource.is_true(ConditionType.RECONCILING)
            and not self.needs_a_person(resource)
        )

    def needs_a_person(self, resource: AppCredential) -> bool:
        """Return whether it will not go on by itself."""
        is_about_it = resource.observed_generation >= self.generation
        return is_about_it and resource.is_true(ConditionType.STALLED)
