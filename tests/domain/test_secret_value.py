from __future__ import annotations

import copy
import hashlib
import json
import pickle

import pytest

from appcredential.domain.secret_value import SecretValue
from tests.support.builders import NEXT_SECRET, SECRET

TEXT = "canary"


@pytest.mark.parametrize("show", [repr, str, "{}".format, "{0!r:>5}".format, lambda v: f"{[v]}"])
def test_it_is_never_shown(show: object) -> None:
    assert callable(show)
    assert TEXT not in show(SecretValue(TEXT))


def test_only_reveal_gives_it() -> None:
    assert SecretValue(TEXT).reveal() == TEXT


@pytest.mark.parametrize("attempt", [pickle.dumps, copy.deepcopy, copy.copy, json.dumps])
def test_it_is_never_serialised(attempt: object) -> None:
    assert callable(attempt)
    with pytest.raises(TypeError):
        attempt(SecretValue(TEXT))


def test_values_are_equal_by_their_text() -> None:
    assert SecretValue(TEXT) == SecretValue(TEXT)
    assert SECRET != NEXT_SECRET
    assert SecretValue(TEXT) != TEXT
    assert len({SecretValue(TEXT), SecretValue(TEXT), SECRET}) == 2


def test_its_digest_is_that_of_the_bytes() -> None:
    assert SecretValue(TEXT).sha256() == hashlib.sha256(TEXT.encode()).hexdigest()
    odd = b"\xff\x00".decode(errors="surrogateescape")
    assert SecretValue(odd).sha256() == hashlib.sha256(b"\xff\x00").hexdigest()
    assert SecretValue(odd) == SecretValue(odd)


def test_it_has_no_other_attributes() -> None:
    with pytest.raises(AttributeError):
        SecretValue(TEXT).note = "x"  # type: ignore[attr-defined]
