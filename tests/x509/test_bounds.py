"""Foreign keys are bounded before OpenSSL sees them: what would take minutes is refused at once."""

from __future__ import annotations

import base64
import random

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import example, given, settings
from hypothesis import strategies as st

from appcredential.domain.secret_value import SecretValue
from appcredential.errors import UnusableCertificateError
from appcredential.x509 import bounds
from appcredential.x509.read import read_certificate, read_pair
from tests.support.keys import make_certificate

RSA_OID = bytes.fromhex("300d06092a864886f70d0101010500")
LABELS = ("RSA PRIVATE KEY", "PRIVATE KEY")


def element(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes((tag, 0x80 | len(length))) + length + content


def number(value: int) -> bytes:
    return element(2, value.to_bytes(value.bit_length() // 8 + 1))


def key_der(*numbers: int) -> bytes:
    """Return an RSAPrivateKey of any numbers, whether they make sense or not."""
    return element(0x30, b"".join(map(number, (0, *numbers))))


def wrapped(der: bytes) -> bytes:
    """Return it within PKCS #8."""
    return element(0x30, number(0) + RSA_OID + element(4, der))


def as_pem(label: str, der: bytes) -> str:
    body = base64.encodebytes(der).decode()
    return f"-----BEGIN {label}-----\n{body}-----END {label}-----\n"


def huge(bits: int) -> bytes:
    """Return a key whose primes OpenSSL would test for as long as they are large."""
    dice = random.Random(bits)  # noqa: S311 - the same every time
    p, q = (dice.getrandbits(bits // 2) | 1 | 1 << (bits // 2 - 1) for _ in range(2))
    return key_der(p * q, 65537, dice.getrandbits(bits - 1), p, q, p - 2, q - 2, 3)


@pytest.mark.parametrize("bits", [8704, 20000, 100_000])
@pytest.mark.parametrize("label", LABELS)
def test_a_huge_key_is_refused_before_its_primes_are_tested(label: str, bits: int) -> None:
    der = huge(bits)
    text = as_pem(label, der if label.startswith("RSA") else wrapped(der))
    with pytest.raises(bounds.KeySizeError):
        bounds.load_rsa_key(text)
    with pytest.raises(UnusableCertificateError, match=r"2048 to 8192 bits|than 32 KiB"):
        read_pair(SecretValue(make_certificate("leaf").pem.decode()), SecretValue(text))


@pytest.mark.parametrize("form", [huge(20000), wrapped(huge(20000))])
def test_a_huge_key_where_a_certificate_is_meant_is_never_loaded(form: bytes) -> None:
    for content in (base64.b64encode(form).decode(), form.decode(errors="surrogateescape")):
        with pytest.raises(UnusableCertificateError, match="holds a private key"):
            read_certificate(SecretValue(content))


def test_numbers_that_do_not_belong_together_are_no_key() -> None:
    with pytest.raises(bounds.KeyFormatError, match="belong together"):
        bounds.load_rsa_key(as_pem("RSA PRIVATE KEY", huge(2048)))


@pytest.mark.parametrize(
    "numbers",
    [
        (1 << 2047 | 1, 1 << 33 | 1, 3, 3, 3, 3, 3, 3),
        (1 << 2047 | 1, 2, 3, 3, 3, 3, 3, 3),
        (1 << 2047 | 1, 1 << 4000, 3, 3, 3, 3, 3, 3),
        (1 << 1023 | 1, 65537, 3, 3, 3, 3, 3, 3),
    ],
    ids=["large exponent", "even exponent", "endless exponent", "small"],
)
def test_unusual_sizes_are_refused(numbers: tuple[int, ...]) -> None:
    with pytest.raises(bounds.KeySizeError):
        bounds.load_rsa_key(as_pem("RSA PRIVATE KEY", key_der(*numbers)))


def test_a_part_that_is_longer_than_the_modulus_is_refused() -> None:
    numbers = (1 << 2047 | 1, 65537, 1 << 20000, 3, 3, 3, 3, 3)
    with pytest.raises(bounds.KeyFormatError, match="too long"):
        bounds.load_rsa_key(as_pem("RSA PRIVATE KEY", key_der(*numbers)))


def pem_of(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


@pytest.mark.parametrize(
    "key", [ec.generate_private_key(ec.SECP521R1()), ed25519.Ed25519PrivateKey.generate()]
)
def test_other_kinds_are_named(
    key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey,
) -> None:
    with pytest.raises(bounds.OtherKeyError):
        bounds.load_rsa_key(pem_of(key))


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
        (
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n"
            "-----END RSA PRIVATE KEY-----\n"
        ),
    ],
)
def test_an_encrypted_key_is_named_and_no_password_is_derived(text: str) -> None:
    with pytest.raises(bounds.EncryptedKeyError):
        bounds.load_rsa_key(text)


@settings(derandomize=True, max_examples=400, deadline=None)
@given(st.binary(max_size=300))
@example(b"\x30\x80")
@example(b"\x30\x84\xff\xff\xff\xff")
@example(element(0x30, number(0)))
def test_any_bytes_are_refused_by_name(raw: bytes) -> None:
    bounds.is_private_der(raw)
    for label in LABELS:
        with pytest.raises(bounds.KeyFormatError):
            bounds.load_rsa_key(as_pem(label, raw))


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.data())
def test_a_damaged_key_is_refused_or_still_the_key(data: st.DataObject) -> None:
    der = bytearray(huge(2048))
    for at in data.draw(st.lists(st.integers(0, len(der) - 1), min_size=1, max_size=4)):
        der[at] = data.draw(st.integers(0, 255))
    with pytest.raises(bounds.KeyFormatError):
        bounds.load_rsa_key(as_pem("RSA PRIVATE KEY", bytes(der)))


def test_more_certificates_than_a_chain_has_are_refused() -> None:
    text = make_certificate("leaf").pem.decode() * 33
    with pytest.raises(UnusableCertificateError, match="at most 32"):
        read_certificate(SecretValue(text))
