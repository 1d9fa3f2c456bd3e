"""Keys and certificates: what is made is what Entra and its clients take."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from appcredential.domain.secret import pem
from appcredential.domain.secret_value import SecretValue
from appcredential.x509 import generate as certificates
from tests.support.keys import ec_key, make_certificate

NOW = datetime(2026, 11, 25, 10, 0, 0, 123456, tzinfo=UTC)
END = NOW + timedelta(days=90)
AUDIENCE = "https://login.example/tenant/oauth2/v2.0/token"


@pytest.fixture(scope="module")
def pair() -> certificates.KeyPair:
    return certificates.generate("CN=orders,O=Contoso", 2048, NOW, END)


def parts(value: SecretValue) -> tuple[rsa.RSAPrivateKey, x509.Certificate]:
    private, chain = pem.split_bundle(value.reveal())
    key = serialization.load_pem_private_key(private.encode(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key, x509.load_pem_x509_certificate(chain.encode())


def test_a_certificate_is_for_signing_in_and_nothing_else(pair: certificates.KeyPair) -> None:
    key, certificate = parts(pair.value)
    assert key.key_size == 2048
    assert certificate.version is x509.Version.v3
    assert certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "orders"
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    assert list(usage.value) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    key_usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    assert key_usage.digital_signature
    assert not key_usage.key_cert_sign
    assert not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    identifier = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    assert identifier.value == x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    certificate.verify_directly_issued_by(certificate)


def test_it_starts_a_little_earlier_and_has_whole_seconds(pair: certificates.KeyPair) -> None:
    _, certificate = parts(pair.value)
    assert certificate.not_valid_before_utc == NOW.replace(microsecond=0) - timedelta(minutes=5)
    assert certificate.not_valid_after_utc == END.replace(microsecond=0)
    assert pair.end == certificate.not_valid_after_utc


def test_no_two_are_alike(pair: certificates.KeyPair) -> None:
    other = certificates.generate("CN=orders,O=Contoso", 2048, NOW, END)
    assert other.value.sha256() != pair.value.sha256()
    assert parts(other.value)[1].serial_number != parts(pair.value)[1].serial_number


@pytest.mark.parametrize("subject", ["orders", "CN=a,"])
def test_a_subject_that_is_no_name_is_refused(subject: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        certificates.generate(subject, 2048, NOW, END)


def test_an_assertion_has_the_form_that_entra_documents(pair: certificates.KeyPair) -> None:
    key, certificate = parts(pair.value)
    text = certificates.sign_assertion(pair.value, "client", AUDIENCE, NOW).reveal()
    header, claims, signature = (
        base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in text.split(".")
    )
    digest = base64.urlsafe_b64encode(certificate.fingerprint(hashes.SHA256())).rstrip(b"=")
    assert json.loads(header) == {"alg": "PS256", "typ": "JWT", "x5t#S256": digest.decode()}
    found = json.loads(claims)
    assert (found["iss"], found["sub"], found["aud"]) == ("client", "client", AUDIENCE)
    assert found["exp"] - found["nbf"] == 300
    assert found["jti"]
    key.public_key().verify(
        signature,
        text.rsplit(".", 1)[0].encode(),
        padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH),
        hashes.SHA256(),
    )


@pytest.mark.parametrize("what", ["nothing", "no key", "an elliptic curve"])
def test_what_cannot_sign_says_so_without_the_value(what: str) -> None:
    value = {
        "nothing": "",
        "no key": make_certificate("only").pem.decode(),
        "an elliptic curve": make_certificate("ec", key=ec_key()).bundle.decode(),
    }[what]
    with pytest.raises(ValueError, match=r"the value holds no|not RSA") as caught:
        certificates.sign_assertion(SecretValue(value), "client", AUDIENCE, NOW)
    assert "PRIVATE" not in str(caught.value)


def test_a_key_pair_is_not_printed(pair: certificates.KeyPair) -> None:
    assert "PRIVATE KEY" not in repr(pair)
