from __future__ import annotations

import pytest

from appcredential.domain.promised import required


@pytest.mark.parametrize("value", ["x", "", 0, False])
def test_what_is_there_is_returned(value: object) -> None:
    assert required(value) is value


def test_a_broken_promise_is_a_fault_of_the_operator() -> None:
    with pytest.raises(AssertionError):
        required(None)
