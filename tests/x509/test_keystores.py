"""Further forms of key and certificate: other libraries read them, and find the same."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12

from appcredential.domain.secret import pem
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.certificate import KeystoreProfile
from appcredential.x509.keystores import build_jwk, digest, pack_pkcs12
from tests.support.keys import make_certificate, rsa_key
from tests.support.openssl import needs_openssl

MADE = make_certificate("orders")
ISSUER = make_certificate("issuer", key=rsa_key(1))
VALUE = SecretValue((MADE.bundle + ISSUER.pem).decode())
PASSWORD = SecretValue("correct höhrse")
PUBLIC = SecretValue(MADE.pem.decode())


def raw(packed: SecretValue) -> bytes:
    return packed.reveal().encode(errors="surrogateescape")


def test_a_keystore_holds_key_certificate_and_chain() -> None:
    packed = pack_pkcs12(VALUE, PASSWORD)
    found = pkcs12.load_pkcs12(raw(packed), PASSWORD.reveal().encode())
    assert found.cert is not None
    assert found.cert.certificate == MADE.certificate
    assert [c.certificate for c in found.additional_certs] == [ISSUER.certificate]
    assert pack_pkcs12(VALUE, PASSWORD) != packed, "salts are random"


def shown_by_openssl(file: Path, profile: KeystoreProfile) -> str:
    """Return what openssl says of a file's algorithms; it reads both without its legacy ones."""
    file.write_bytes(raw(pack_pkcs12(VALUE, SecretValue("secret"), profile)))
    command = ["openssl", "pkcs12", "-in", str(file), "-passin", "pass:secret", "-info", "-noenc"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 0, done.stderr
    assert "BEGIN PRIVATE KEY" in done.stdout
    assert done.stdout.count("BEGIN CERTIFICATE") == 2
    return done.stderr


@needs_openssl
def test_openssl_reads_it_with_the_algorithms_of_today(tmp_path: Path) -> None:
    found = shown_by_openssl(tmp_path / "keystore.p12", KeystoreProfile.MODERN)
    assert found.count("PBES2, PBKDF2, AES-256-CBC") == 2
    assert "MAC: sha256" in found
    assert "RC2" not in found


@needs_openssl
def test_the_legacy_profile_has_what_old_readers_know_and_nothing_newer(tmp_path: Path) -> None:
    """golang.org/x/crypto/pkcs12 knows this MAC and no other, and of the ciphers only two."""
    found = shown_by_openssl(tmp_path / "keystore.p12", KeystoreProfile.LEGACY_DES)
    assert found.count("pbeWithSHA1And3-KeyTripleDES-CBC") == 2
    assert "MAC: sha1" in found
    assert "PBES2" not in found
    assert "RC2" not in found


@pytest.mark.parametrize("profile", KeystoreProfile)
def test_each_profile_holds_the_same(profile: KeystoreProfile) -> None:
    packed = raw(pack_pkcs12(VALUE, PASSWORD, profile))
    found = pkcs12.load_pkcs12(packed, PASSWORD.reveal().encode())
    assert found.cert is not None
    assert found.cert.certificate == MADE.certificate
    assert [c.certificate for c in found.additional_certs] == [ISSUER.certificate]


def test_a_digest_tells_file_value_and_password_apart() -> None:
    packed, other = pack_pkcs12(VALUE, PASSWORD), SecretValue(MADE.bundle.decode())
    found = {
        digest(packed, VALUE, PASSWORD),
        digest(pack_pkcs12(VALUE, PASSWORD), VALUE, PASSWORD),
        digest(packed, other, PASSWORD),
        digest(packed, VALUE, SecretValue("another")),
        digest(SecretValue("damaged"), VALUE, PASSWORD),
        digest(packed, VALUE, PASSWORD, KeystoreProfile.LEGACY_DES),
    }
    assert len(found) == 6
    assert digest(packed, VALUE, PASSWORD) in found


def test_a_jwk_is_the_same_key() -> None:
    found = json.loads(build_jwk(VALUE).reveal())
    numbers = MADE.key.private_numbers()
    assert isinstance(numbers, rsa.RSAPrivateNumbers)
    public = numbers.public_numbers

    def number(name: str) -> int:
        text = found[name]
        return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))

    assert (number("n"), number("e"), number("d")) == (public.n, public.e, numbers.d)
    assert (number("p"), number("q")) == (numbers.p, numbers.q)
    assert (number("dp"), number("dq"), number("qi")) == (numbers.dmp1, numbers.dmq1, numbers.iqmp)
    assert found["kty"] == "RSA"
    assert found["kid"] == MADE.thumbprint
    assert found["x5t"] == pem.x5t(MADE.der)
    assert found["x5t#S256"] == pem.x5t_s256(MADE.der)
    assert found["x5c"] == [MADE.base64, ISSUER.base64]
    assert build_jwk(VALUE) == build_jwk(VALUE)


@pytest.mark.parametrize("value", [PUBLIC, SecretValue("a client secret")])
def test_nothing_is_made_of_what_has_no_private_key(value: SecretValue) -> None:
    with pytest.raises(ValueError, match="no key and certificate"):
        pack_pkcs12(value, PASSWORD)
    with pytest.raises(ValueError, match="no key and certificate"):
        build_jwk(value)
