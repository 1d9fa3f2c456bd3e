"""Objects of an API server of any form: what is missing or malformed counts as absent."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appcredential.domain.attention import situation_of
from appcredential.domain.conditions import ConditionType
from appcredential.domain.document import NEVER_LOOKED, Document, ShownResource

KEYS = st.sampled_from(
    (
        "metadata",
        "spec",
        "status",
        "conditions",
        "type",
        "observedGeneration",
        "credential",
        "Ready",
    )
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


def test_a_value_is_found_by_its_path() -> None:
    found = Document({"spec": {"a": {"b": [{"c": 1}, "text"]}, "n": 4}, "metadata": {"name": "x"}})

    assert found.at("spec", "a", "b") == [{"c": 1}, "text"]
    assert found.at("spec", "n", "deeper") is None
    assert [entry.number("c") for entry in found.entries("spec", "a", "b")] == [1]
    assert found.entries("spec", "n") == []
    assert found.name == "x"
    assert found.text("spec", "n") == ""


@pytest.mark.parametrize(("value", "number"), [(3, 3), (True, None), ("3", None), (None, None)])
def test_only_whole_numbers_are_numbers(value: Any, number: int | None) -> None:
    assert Document({"n": value}).number("n") == number


def test_a_condition_speaks_of_its_generation_or_of_that_of_status() -> None:
    ready = {"type": "Ready", "status": "True", "reason": "Published", "message": "Well."}
    own = {"type": "Stalled", "status": "False", "observedGeneration": 2}
    status = {"observedGeneration": 3, "conditions": [own, ready]}
    found = ShownResource({"metadata": {"generation": 4}, "status": status})

    condition = found.condition("Ready")
    assert condition is not None
    assert (condition.status, condition.generation) == ("True", 3)
    stalled = found.condition("Stalled")
    assert stalled is not None
    assert stalled.generation == 2
    assert found.condition("Expiring") is None
    assert found.is_true(ConditionType.READY)
    assert not found.is_true(ConditionType.STALLED)
    assert not found.is_true(ConditionType.EXPIRING)
    assert not found.is_current


def test_what_nobody_looked_at_says_so() -> None:
    found = ShownResource({"metadata": {"namespace": "shop", "deletionTimestamp": "now"}})

    assert found.observed_generation == NEVER_LOOKED
    assert found.namespace == "shop"
    assert found.is_being_deleted


@given(JSON)
def test_any_form_has_a_situation(document: Any) -> None:
    situation = situation_of(ShownResource({"status": document, "spec": document}))

    assert isinstance(situation.ready, str)
