"""What is recorded and told of values that `generateOnce` makes."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import count

from appcredential.domain.observed.target import Target
from appcredential.domain.secret.annotations import Name
from appcredential.domain.secret.content import is_rendered
from appcredential.domain.secret.generated import ChangedValues, changed_values, generated_keys
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.secret import GenerateOnce
from tests.domain.secret.test_content import edited, live, rendered
from tests.support.builders import spec

_SECRET = spec().secret
ONCE = replace(spec(), secret=replace(_SECRET, data={"b": GenerateOnce(16), "a": GenerateOnce(16)}))
DIGEST = SecretValue("g" * 16).sha256()[:8]


def recorded(target: Target) -> dict[str, str]:
    return dict(json.loads(target.annotations.get(Name.GENERATED, "{}")))


def without(target: Target, key: str) -> Target:
    return replace(target, data={k: v for k, v in target.data.items() if k != key})


def test_what_was_generated_is_recorded_by_a_part_of_its_digest() -> None:
    made = live(rendered(ONCE))
    assert recorded(made) == {"a": DIGEST, "b": DIGEST}
    assert changed_values(ONCE, made) == ChangedValues()
    assert is_rendered(made, rendered(ONCE, made))


def test_nothing_is_recorded_without_such_a_value() -> None:
    assert Name.GENERATED not in rendered(spec()).annotations
    assert generated_keys(spec()) == []
    assert generated_keys(ONCE) == ["a", "b"]


def test_a_value_that_went_is_told_and_the_new_one_recorded() -> None:
    lost = without(live(rendered(ONCE)), "a")
    assert changed_values(ONCE, lost) == ChangedValues(missing=("a",))
    assert recorded(live(rendered(ONCE, lost))) == {"a": DIGEST, "b": DIGEST}


def test_a_value_that_was_edited_is_told_once_kept_and_recorded_no_more() -> None:
    mine = edited(live(rendered(ONCE)), data={"a": "short"})
    assert changed_values(ONCE, mine) == ChangedValues(edited=("a",))
    wanted = rendered(ONCE, mine, may_generate=False)
    assert not is_rendered(mine, wanted), "a write is due, which tells it"
    after = live(wanted)
    assert after.data["a"] == SecretValue("short")
    assert recorded(after) == {"b": DIGEST}
    assert changed_values(ONCE, after) == ChangedValues()
    assert is_rendered(after, rendered(ONCE, after))


def test_values_of_before_the_record_are_neither_written_nor_told() -> None:
    made = live(rendered(ONCE))
    plain = {k: v for k, v in made.annotations.items() if k != Name.GENERATED}
    old = replace(made, annotations=plain)
    assert changed_values(ONCE, old) == ChangedValues()
    assert is_rendered(old, rendered(ONCE, old))


def test_a_broken_record_counts_as_none() -> None:
    made = live(rendered(ONCE))
    for text, number in zip(("[", "[]", '{"a":1,"b":null}', "x" * 99), count()):
        broken = edited(made, annotations={Name.GENERATED: text})
        assert changed_values(ONCE, broken) == ChangedValues(), number
        assert recorded(live(rendered(ONCE, broken))) == {}


def test_a_key_that_the_spec_drops_is_not_told() -> None:
    lost = without(live(rendered(ONCE)), "a")
    assert changed_values(spec(), lost) == ChangedValues()
