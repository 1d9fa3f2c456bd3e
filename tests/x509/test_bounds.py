"""Foreign keys are bounded before OpenSSL sees them: what would take minutes is refused at once."""

from __future__ import annotations

import base64
import random
from contextlib import suppress
from unittest.mock import patch

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import example, given, settings
from hypothesis import strategies as st

from appcredential.domain.secret_value import SecretValue
from appcredential.errors import UnusableCertificateError
from appcredential.x509 import bounds, certificates
from appcredential.x509.generate import load_pair
from appcredential.x509.read import read_certificate, read_pair
from tests.support.keys import make_certificate, rsa_key

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


def composite_key() -> bytes:
    """Return a key of 2,048 bits whose arithmetic is right, but one of whose primes is none."""
    good, other = (rsa_key(n).private_numbers() for n in (0, 1))
    p, q = 0, good.p
    while (p * q).bit_length() != 2048:
        half = rsa.generate_private_key(65537, 1024).private_numbers()  # noqa: S505 - two primes
        p = half.p * half.q
    d = pow(65537, -1, (p - 1) * (q - 1))
    assert other.p != q
    return key_der(p * q, 65537, d, p, q, d % (p - 1), d % (q - 1), pow(q, -1, p))


def test_a_number_that_is_no_prime_is_found_by_the_signature() -> None:
    with pytest.raises(bounds.KeyFormatError, match="belong together"):
        bounds.load_rsa_key(as_pem("RSA PRIVATE KEY", composite_key()))


def test_a_key_of_more_than_two_primes_is_refused() -> None:
    der = element(0x30, number(1) + b"".join(map(number, (1 << 2047 | 1, 65537, *[3] * 6))))
    with pytest.raises(bounds.OtherKeyError):
        bounds.load_rsa_key(as_pem("RSA PRIVATE KEY", der))


def certificate_of(modulus: int, exponent: int) -> bytes:
    """Return a certificate like `make_certificate`'s, but of another public key, DER."""
    leaf = make_certificate("leaf")
    public = leaf.certificate.public_key()
    assert isinstance(public, rsa.RSAPublicKey)
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    old = public.public_bytes(serialization.Encoding.DER, form)
    key = element(0x30, number(modulus) + number(exponent))
    new = element(0x30, RSA_OID + element(3, b"\0" + key))
    tbs = leaf.certificate.tbs_certificate_bytes
    body = tbs[4:].replace(old, new)
    assert body != tbs[4:]
    rest = leaf.der[4 + len(tbs) :]
    return element(0x30, element(0x30, body) + rest)


@pytest.mark.parametrize(
    ("modulus", "exponent", "message"),
    [
        (1 << 8192 | 1, 65537, "has a key of 8193 bits"),
        (1 << 100_000 | 1, 65537, "has a key of 100001 bits"),
        (1 << 2047 | 1, 1 << 33 | 1, "unusual public exponent"),
        (1 << 2047 | 1, 1, "unusual public exponent"),
        (1 << 2047, 65537, "unusual public exponent or modulus"),
    ],
    ids=["8193 bits", "100001 bits", "large exponent", "exponent 1", "even modulus"],
)
@pytest.mark.parametrize("with_key", [False, True])
def test_a_certificate_of_an_unusual_key_is_refused_and_its_key_never_loaded(
    modulus: int, exponent: int, message: str, with_key: bool
) -> None:
    raw = certificate_of(modulus, exponent)
    if with_key:
        with pytest.raises(UnusableCertificateError, match="does not belong"):
            read_pair(
                SecretValue(base64.b64encode(raw).decode()),
                SecretValue(make_certificate("leaf").key_pem.decode()),
            )
        return
    with pytest.raises(UnusableCertificateError, match=message):
        read_certificate(SecretValue(base64.b64encode(raw).decode()))


def test_issuers_may_have_any_key() -> None:
    curve = make_certificate("issuer", key=ec.generate_private_key(ec.SECP384R1()))
    leaf = make_certificate("leaf")
    found = read_pair(
        SecretValue((leaf.pem + curve.pem).decode()), SecretValue(leaf.key_pem.decode())
    )
    assert found.value.reveal() == leaf.bundle.decode()


def test_a_value_is_loaded_only_with_its_own_key() -> None:
    leaf, other = make_certificate("leaf"), make_certificate("other", key=rsa_key(1))
    mixed = SecretValue((leaf.key_pem + other.pem).decode())
    with pytest.raises(ValueError, match="no key and certificate"):
        load_pair(mixed)
    many = SecretValue(leaf.bundle.decode() + leaf.pem.decode() * certificates.MAX_CERTIFICATES)
    with pytest.raises(ValueError, match="no key and certificate"):
        load_pair(many)


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


# --- any bytes -------------------------------------------------------------------------------

FEW = settings(derandomize=True, max_examples=300, deadline=None)
LEAF = make_certificate("leaf")
NESTED = element(0x30, b"") + b"\x30\x80" * 30_000


def damaged(data: st.DataObject, raw: bytes) -> bytes:
    """Return bytes with a few of them changed, cut out or repeated."""
    found = bytearray(raw)
    for at in data.draw(st.lists(st.integers(0, len(raw) - 1), min_size=1, max_size=4)):
        found[at : at + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=3))
    return bytes(found)


@FEW
@given(st.binary(max_size=300))
@example(b"\x30\x80")
@example(b"\x30\x84\xff\xff\xff\xff")
@example(element(0x30, number(0)))
@example(NESTED)
def test_any_bytes_are_refused_by_name(raw: bytes) -> None:
    bounds.is_private_der(raw)
    for label in LABELS:
        with pytest.raises(bounds.KeyFormatError):
            bounds.load_rsa_key(as_pem(label, raw))
    with pytest.raises(UnusableCertificateError):
        read_certificate(SecretValue(raw.decode(errors="surrogateescape")))
    with pytest.raises(UnusableCertificateError):
        read_certificate(SecretValue(as_pem("CERTIFICATE", raw)))


@FEW
@given(st.data())
def test_a_damaged_key_is_refused_or_still_the_key(data: st.DataObject) -> None:
    raw = damaged(data, base64.b64decode("".join(LEAF.key_pem.decode().splitlines()[1:-1])))
    try:
        found = bounds.load_rsa_key(as_pem("PRIVATE KEY", raw))
    except bounds.KeyFormatError:
        return
    assert found.private_numbers() == rsa_key().private_numbers()


@FEW
@given(st.data())
def test_a_damaged_certificate_is_refused_or_read(data: st.DataObject) -> None:
    content = SecretValue(as_pem("CERTIFICATE", damaged(data, LEAF.der)))
    key = SecretValue(LEAF.key_pem.decode())
    with suppress(UnusableCertificateError):
        read_certificate(content)
    with suppress(UnusableCertificateError):
        read_pair(content, key)


@FEW
@given(bits=st.one_of(st.integers(1, 2047), st.integers(8193, 60_000)), data=st.data())
def test_openssl_never_sees_what_is_over_a_bound(bits: int, data: st.DataObject) -> None:
    """Whatever the other numbers are: `cryptography` is not called."""
    numbers = data.draw(st.lists(st.integers(0, 1 << 64), min_size=6, max_size=6))
    der = key_der(1 << bits - 1 | 1, 65537, *numbers)
    label = data.draw(st.sampled_from(LABELS))
    text = as_pem(label, der if label.startswith("RSA") else wrapped(der))
    with (
        patch.object(serialization, "load_der_private_key", side_effect=AssertionError),
        pytest.raises(bounds.KeySizeError),
    ):
        bounds.load_rsa_key(text)


@FEW
@given(st.text(alphabet="-BEGINCRTFAOPVK \n+/=", max_size=300))
@example("-----BEGIN CERTIFICATE-----\n" * 10_000)
@example("-----BEGIN " + "A" * 100_000 + "-----")
def test_any_text_is_refused_by_name(text: str) -> None:
    with pytest.raises(UnusableCertificateError):
        read_certificate(SecretValue(text))
    with pytest.raises(UnusableCertificateError):
        read_pair(SecretValue(LEAF.pem.decode()), SecretValue(text))


def test_more_certificates_than_a_chain_has_are_refused() -> None:
    text = make_certificate("leaf").pem.decode() * (certificates.MAX_CERTIFICATES + 1)
    with pytest.raises(UnusableCertificateError, match="at most 100"):
        read_certificate(SecretValue(text))
