"""What people bring as a certificate: read in every form it comes in, or named for what it is."""

from __future__ import annotations

import base64
import functools
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs7

from appcredential.domain.secret import pem
from appcredential.domain.secret_value import SecretValue
from appcredential.errors import UnusableCertificateError
from appcredential.x509.certificates import MAX_CONTENT
from appcredential.x509.generate import load_pair
from appcredential.x509.read import read_certificate, read_pair
from tests.support.keys import MadeCertificate, ec_key, make_certificate, rsa_key

LEAF = make_certificate("orders")
OTHER = make_certificate("invoices", key=rsa_key(1))
EC = make_certificate("curve", key=ec_key())


@functools.cache
def small_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 1024)  # noqa: S505 - what must be refused


def issued(name: str, key: rsa.RSAPrivateKey, by: str, signer: rsa.RSAPrivateKey) -> bytes:
    """Return a certificate that another one issued, PEM."""
    now = datetime.now(UTC).replace(microsecond=0)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name.from_rfc4514_string(f"CN={name}"))
        .issuer_name(x509.Name.from_rfc4514_string(f"CN={by}"))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(signer, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )


ROOT = make_certificate("root", key=rsa_key(2))
MIDDLE = issued("middle", rsa_key(3), "root", rsa_key(2))
CHAINED = issued("orders", rsa_key(), "middle", rsa_key(3))


def value(content: bytes) -> SecretValue:
    return SecretValue(content.decode(errors="surrogateescape"))


def names(text: str) -> list[str]:
    found = x509.load_pem_x509_certificates(pem.split_bundle(text)[1].encode())
    return [c.subject.rfc4514_string() for c in found]


def encrypted(made: MadeCertificate) -> bytes:
    return made.key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"x"),
    )


def _encrypted_old_key() -> bytes:
    """Return a key in OpenSSL's old form, whose headers make it no plain PEM block."""
    return rsa_key().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.BestAvailableEncryption(b"x"),
    )


def test_what_the_library_only_finds_when_asked_is_named_as_well() -> None:
    """A version that X.509 does not have raises something of its own when the file is parsed."""
    odd = LEAF.der.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x07", 1)
    with pytest.raises(UnusableCertificateError, match="cannot be read"):
        read_certificate(value(odd))


@pytest.mark.parametrize(
    "content",
    [
        LEAF.pem,
        b"Bag Attributes\n    friendlyName: orders\n" + LEAF.pem,
        LEAF.pem.replace(b"\n", b"\r\n"),
        LEAF.pem * 2,
        LEAF.der,
        base64.b64encode(LEAF.der),
        base64.encodebytes(LEAF.der),
    ],
    ids=["PEM", "with text before", "from Windows", "twice", "DER", "base64", "base64 in lines"],
)
def test_a_certificate_alone_is_read_in_every_form(content: bytes) -> None:
    found = read_certificate(value(content))
    assert found.value.reveal() == LEAF.pem.decode()
    assert found.start == LEAF.certificate.not_valid_before_utc
    assert found.end == LEAF.certificate.not_valid_after_utc


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_a_chain_begins_with_the_leaf_in_whatever_order_it_comes(
    order: tuple[int, ...],
) -> None:
    parts = [CHAINED, MIDDLE, ROOT.pem]
    content = b"".join(parts[n] for n in order)
    alone = read_certificate(value(content)).value.reveal()
    assert names(alone) == ["CN=orders", "CN=middle", "CN=root"]
    pair = read_pair(value(content), value(LEAF.key_pem)).value
    assert names(pair.reveal()) == ["CN=orders", "CN=middle", "CN=root"]
    key, _ = load_pair(pair)
    assert key.private_numbers() == rsa_key().private_numbers()


def test_a_key_of_the_old_form_is_kept_in_the_new_one() -> None:
    old = rsa_key().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    assert read_pair(value(LEAF.pem), value(old)).value.reveal() == LEAF.bundle.decode()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b" \n", "is empty"),
        (b"x" * (MAX_CONTENT + 1), "is larger than 128 KiB"),
        (b"no certificate", "cannot be read"),
        (b"\xff\xfe\x00", "cannot be read"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "cannot be read"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n", "cannot be read"),
        (LEAF.key_pem, "holds a private key where a certificate is meant"),
        (LEAF.bundle, "holds a private key where a certificate is meant"),
        (
            LEAF.key.private_bytes(
                serialization.Encoding.DER,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ),
            "holds a private key where a certificate is meant",
        ),
        (
            LEAF.key.private_bytes(
                serialization.Encoding.DER,
                serialization.PrivateFormat.PKCS8,
                serialization.BestAvailableEncryption(b"x"),
            ),
            "holds a private key where a certificate is meant",
        ),
        (
            x509.CertificateSigningRequestBuilder()
            .subject_name(x509.Name.from_rfc4514_string("CN=a"))
            .sign(rsa_key(), hashes.SHA256())
            .public_bytes(serialization.Encoding.PEM),
            "is a certificate request",
        ),
        (
            pkcs7.serialize_certificates([LEAF.certificate], serialization.Encoding.PEM),
            "is a PKCS #7 file",
        ),
        (
            rsa_key()
            .public_key()
            .public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            ),
            "is a bare public key",
        ),
        (LEAF.pem + OTHER.pem, "holds 2 leaf certificates"),
        (
            issued("a", rsa_key(), "b", rsa_key(1)) + issued("b", rsa_key(1), "a", rsa_key()),
            "cannot be read",
        ),
        (LEAF.pem + make_certificate("orders", key=rsa_key(1)).pem, "holds 2 leaf certificates"),
        (_encrypted_old_key(), "holds a private key where a certificate is meant"),
        (EC.pem, "has no RSA key"),
        (make_certificate("small", key=small_key()).pem, "has a key of 1024 bits"),
    ],
)
def test_what_cannot_be_used_is_named(content: bytes, message: str) -> None:
    with pytest.raises(UnusableCertificateError) as caught:
        read_certificate(value(content))
    assert str(caught.value).startswith(message)
    assert ": " in str(caught.value), "the remedy is missing"


@pytest.mark.parametrize(
    ("content", "key", "message"),
    [
        (LEAF.pem, OTHER.key_pem, "does not belong to the private key beside it"),
        (LEAF.pem, encrypted(LEAF), "has an encrypted private key beside it"),
        (LEAF.pem, b"no key", "has a private key beside it that cannot be read"),
        (EC.pem, EC.key_pem, "has a private key that is not RSA"),
        (
            LEAF.pem + make_certificate("orders again").pem,
            LEAF.key_pem,
            "holds 2 certificates for the private key",
        ),
        (LEAF.key_pem, LEAF.key_pem, "holds a private key where a certificate is meant"),
    ],
)
def test_a_pair_that_cannot_be_used_is_named(content: bytes, key: bytes, message: str) -> None:
    with pytest.raises(UnusableCertificateError) as caught:
        read_pair(value(content), value(key))
    assert str(caught.value).startswith(message)
