from __future__ import annotations

from appcredential.domain.conditions import ConditionType, Reason


def test_every_type_and_reason_is_one_word_that_the_crd_takes() -> None:
    for word in (*ConditionType, *Reason):
        assert word.isalnum()
        assert word[0].isupper()
