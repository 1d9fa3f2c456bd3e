from __future__ import annotations

import pytest

from appcredential.domain.secret import pem
from appcredential.domain.secret.value import may_be
from appcredential.domain.secret_value import SecretValue
from tests.domain.secret.test_pem import DER, KEY, LEAF

THUMBPRINT = pem.sha1_thumbprint(DER)


@pytest.mark.parametrize(
    ("value", "shown", "fits"),
    [
        ("abc8Q~", "abc", True),
        ("abc8Q~", "abd", False),
        ("abc8Q~", "", True),
        (KEY + LEAF, THUMBPRINT, True),
        (LEAF, THUMBPRINT, True),
        (KEY + LEAF, "0" * 40, False),
        (KEY + LEAF, "", True),
    ],
)
def test_what_entra_shows_of_a_value(value: str, shown: str, *, fits: bool) -> None:
    assert may_be(SecretValue(value), shown) is fits
