"""The form of an issuer, wherever one is named."""

from __future__ import annotations

import pytest

from appcredential.domain.spec.issuers import MAX_ISSUER, is_issuer


@pytest.mark.parametrize("value", ["https://ci.example", "https://ci.example:8443/a/b/"])
def test_a_url_of_https_is_an_issuer(value: str) -> None:
    assert is_issuer(value)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "ci.example",
        "http://ci.example",
        "https://ci.example/?a=b",
        "https://ci.example/ ",
        "https://ci.example/" + "a" * MAX_ISSUER,
    ],
)
def test_anything_else_is_none(value: str) -> None:
    assert not is_issuer(value)
