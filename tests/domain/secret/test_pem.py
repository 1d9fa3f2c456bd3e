from __future__ import annotations

import base64

import pytest

from appcredential.domain.secret import pem

DER = bytes(range(48))
BODY = base64.b64encode(DER).decode()
KEY = f"-----BEGIN PRIVATE KEY-----\n{BODY}\n-----END PRIVATE KEY-----\n"
LEAF = f"-----BEGIN CERTIFICATE-----\n{BODY[:32]}\n{BODY[32:]}\n-----END CERTIFICATE-----\n"
ISSUER = LEAF.replace(BODY[32:], BODY[36:])
BROKEN = LEAF.replace(BODY[:32], BODY[:31])


def test_a_bundle_is_split_into_key_and_chain() -> None:
    assert pem.split_bundle(KEY + LEAF + ISSUER) == (KEY, LEAF + ISSUER)
    assert pem.split_bundle(f"text before\n{LEAF}text after\n{KEY}") == (KEY, LEAF)
    assert pem.split_bundle("no PEM at all") == ("", "")


def test_the_leaf_is_the_first_certificate() -> None:
    assert pem.leaf_der(KEY + LEAF + ISSUER) == DER


@pytest.mark.parametrize(
    ("text", "message"), [(KEY, "there is no certificate"), (BROKEN, "no base64")]
)
def test_without_a_readable_certificate_there_is_none(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pem.leaf_der(text)


def test_thumbprints_have_the_forms_that_people_and_libraries_use() -> None:
    assert pem.sha1_thumbprint(b"abc") == "A9993E364706816ABA3E25717850C26C9CD0D89D"
    assert pem.sha256_thumbprint(b"abc").startswith("BA7816BF8F01CFEA")
    assert pem.x5t(b"abc") == "qZk-NkcGgWq6PiVxeFDCbJzQ2J0"
    assert pem.x5t_s256(b"abc") == "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0"


@pytest.mark.parametrize(
    ("text", "certificate", "key"),
    [
        (KEY + LEAF, True, True),
        (LEAF, True, False),
        (KEY, False, True),
        (KEY + BROKEN, False, True),
        ("secret", False, False),
    ],
)
def test_what_a_value_holds(text: str, certificate: bool, key: bool) -> None:
    assert pem.has_certificate(text) is certificate
    assert pem.has_private_key(text) is key


def test_a_hostile_text_is_read_as_fast_as_any() -> None:
    """Quadratic, this would take hours; anybody who may edit the Secret could stop all work."""
    hostile = "-----BEGIN A-----" + " " * 1_000_000 + "!"
    assert pem.blocks(hostile) == []
