from __future__ import annotations

import pytest

from appcredential.domain.spec.grant import allow_tag, is_allow_tag
from appcredential.domain.spec.label_selector import (
    NAME_LABEL,
    LabelOperator,
    LabelRequirement,
    LabelSelector,
)

IN, NOT_IN = LabelOperator.IN, LabelOperator.NOT_IN
EXISTS, ABSENT = LabelOperator.EXISTS, LabelOperator.DOES_NOT_EXIST


@pytest.mark.parametrize(
    ("requirement", "met_by", "not_met_by", "text"),
    [
        (LabelRequirement("a", IN, ("x",)), [{"a": "x"}], [{}, {"a": "X"}, {"b": "x"}], "a=x"),
        (LabelRequirement("a", IN, ("x", "")), [{"a": "x"}, {"a": ""}], [{}], "a in (x,)"),
        (LabelRequirement("a", NOT_IN, ("x",)), [{}, {"a": "y"}], [{"a": "x"}], "a notin (x)"),
        (LabelRequirement("a", EXISTS), [{"a": ""}], [{}], "a"),
        (LabelRequirement("a", ABSENT), [{}, {"b": ""}], [{"a": ""}], "!a"),
    ],
)
def test_a_requirement(
    requirement: LabelRequirement,
    met_by: list[dict[str, str]],
    not_met_by: list[dict[str, str]],
    text: str,
) -> None:
    assert all(requirement.is_met(labels) for labels in met_by)
    assert not any(requirement.is_met(labels) for labels in not_met_by)
    assert str(requirement) == text
    assert requirement.operator.has_values is bool(requirement.values)


@pytest.mark.parametrize(
    ("requirement", "is_selective"),
    [
        (LabelRequirement("a", IN, ("x",)), True),
        (LabelRequirement(NAME_LABEL, IN, ("shop",)), True),
        (LabelRequirement("a", EXISTS), True),
        (LabelRequirement(NAME_LABEL, EXISTS), False),
        (LabelRequirement("a", NOT_IN, ("x",)), False),
        (LabelRequirement("a", ABSENT), False),
    ],
)
def test_what_asks_for_a_label(
    requirement: LabelRequirement,
    is_selective: bool,
) -> None:
    assert requirement.is_selective is is_selective


def test_all_requirements_have_to_be_met() -> None:
    first, second = LabelRequirement("a", EXISTS), LabelRequirement("b", ABSENT)
    selector = LabelSelector((first, second))
    assert selector.unmet({"a": ""}) == ()
    assert selector.unmet({"b": ""}) == (first, second)


def test_tags_that_are_meant_for_grants_are_kept_however_they_are_written() -> None:
    assert is_allow_tag(allow_tag("prod", "shop"))
    assert is_allow_tag("AppCredential.IO/ALLOW = prod/shop")
    assert not is_allow_tag("HideApp")
    assert not is_allow_tag("")
