"""Kubernetes' label selectors, as far as a grant selects namespaces by one.

Source: the LabelSelector of meta/v1 in the Kubernetes API reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias, assert_never

Labels: TypeAlias = Mapping[str, str]

NAME_LABEL: Final = "kubernetes.io/metadata.name"
"""The API server gives it to every namespace, with the namespace's name as its value."""
MAX_REQUIREMENTS: Final = 16
MAX_VALUES: Final = 64


class LabelOperator(StrEnum):
    """How a label compares with the values of a requirement."""

    IN = "In"
    NOT_IN = "NotIn"
    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"

    @property
    def has_values(self) -> bool:
        """Whether it compares with values."""
        return self in {LabelOperator.IN, LabelOperator.NOT_IN}


@dataclass(frozen=True, slots=True)
class LabelRequirement:
    """One condition on one label.

    Attributes:
        values: in order; empty for operators that compare with none.
    """

    key: str
    operator: LabelOperator
    values: tuple[str, ...] = ()

    def is_met(self, labels: Labels) -> bool:
        """Return whether an object with these labels meets it."""
        match self.operator:
            case LabelOperator.IN:
                return labels.get(self.key) in self.values
            case LabelOperator.NOT_IN:
                return labels.get(self.key) not in self.values
            case LabelOperator.EXISTS:
                return self.key in labels
            case LabelOperator.DOES_NOT_EXIST:
                return self.key not in labels
            case _:
                assert_never(self.operator)

    @property
    def is_selective(self) -> bool:
        """Whether it asks for a label that not every namespace has."""
        match self.operator:
            case LabelOperator.IN:
                return True
            case LabelOperator.EXISTS:
                return self.key != NAME_LABEL
            case LabelOperator.NOT_IN | LabelOperator.DOES_NOT_EXIST:
                return False
            case _:
                assert_never(self.operator)

    def __str__(self) -> str:
        """Return it as `kubectl get -l` takes it."""
        values = f"({','.join(self.values)})"
        match self.operator:
            case LabelOperator.IN:
                return (
                    f"{self.key}={self.values[0]}" if len(self.values) == 1 else self._text(values)
                )
            case LabelOperator.NOT_IN:
                return self._text(values)
            case LabelOperator.EXISTS:
                return self.key
            case LabelOperator.DOES_NOT_EXIST:
                return f"!{self.key}"
            case _:
                assert_never(self.operator)

    def _text(self, values: str) -> str:
        return f"{self.key} {self.operator.lower()} {values}"


@dataclass(frozen=True, slots=True)
class LabelSelector:
    """What all of an object's labels have to meet; at least one requirement is selective."""

    requirements: tuple[LabelRequirement, ...]

    def unmet(self, labels: Labels) -> tuple[LabelRequirement, ...]:
        """Return the requirements that an object with these labels does not meet."""
        return tuple(one for one in self.requirements if not one.is_met(labels))
