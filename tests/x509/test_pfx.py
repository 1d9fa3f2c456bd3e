"""PKCS #12 files that users supply: opened in every usual form, and bounded before any work."""

from __future__ import annotations

import hashlib
import hmac
import os
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from unittest.mock import patch

import pytest
from cryptography.hazmat.decrepit.ciphers.algorithms import RC2
from cryptography.hazmat.primitives import hashes, padding, serialization
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.serialization import pkcs12
from hypothesis import given, settings
from hypothesis import strategies as st

from appcredential.x509 import pfx_ciphers, rc2
from appcredential.x509.pfx import MAX_PARTS, open_pfx
from appcredential.x509.pfx_ciphers import MAX_ROUNDS, PfxError, PfxPasswordError
from tests.support.keys import make_certificate, rsa_key
from tests.support.openssl import needs_openssl
from tests.x509.test_bounds import element, number

FEW = settings(max_examples=150, derandomize=True, database=None, deadline=None)
MADE, ISSUER = make_certificate("orders"), make_certificate("issuer", key=rsa_key(1))
PASSWORD = "correct h\u00f6rse"
KEY_DER = MADE.key.private_bytes(
    serialization.Encoding.DER,
    serialization.PrivateFormat.PKCS8,
    serialization.NoEncryption(),
)


def packed(password: bytes = PASSWORD.encode(), rounds: int = 2000) -> bytes:
    """Return a file as `cryptography` writes it."""
    encryption = (
        serialization.PrivateFormat.PKCS12.encryption_builder()
        .kdf_rounds(rounds)
        .key_cert_algorithm(pkcs12.PBES.PBESv2SHA256AndAES256CBC)
        .hmac_hash(hashes.SHA256())
        .build(password)
    )
    return pkcs12.serialize_key_and_certificates(
        b"test", MADE.key, MADE.certificate, [ISSUER.certificate], encryption
    )


FILE = packed()


@needs_openssl
@pytest.mark.parametrize(
    "options",
    [
        "",
        "-legacy",
        "-legacy -certpbe PBE-SHA1-RC2-128",
        "-keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg sha1",
        "-keypbe AES-128-CBC -certpbe AES-192-CBC -macalg sha512",
        "-keypbe DES-EDE3-CBC -certpbe DES-EDE3-CBC -macalg sha384",
        "-keypbe NONE -certpbe NONE -macalg sha224",
        "-nomac",
        "-nomaciter",
        "-iter 10000",
        # As many rounds of the older derivation as keytool of Java 9 to 15 has, all in Python.
        "-keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg sha1 -iter 50000",
    ],
    ids=lambda options: options or "today's",
)
@pytest.mark.parametrize("password", [PASSWORD, ""], ids=["password", "none"])
def test_what_openssl_writes_is_opened(options: str, password: str, tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_bytes(MADE.key_pem)
    (tmp_path / "cert.pem").write_bytes(MADE.pem)
    (tmp_path / "chain.pem").write_bytes(ISSUER.pem)
    files = "-inkey key.pem -in cert.pem -certfile chain.pem -out f.p12"
    command = ["openssl", "pkcs12", "-export", *options.split(), *files.split()]
    done = subprocess.run(
        [*command, "-passout", f"pass:{password}"], cwd=tmp_path, check=False, capture_output=True
    )
    if done.returncode and "-legacy" in options:
        pytest.skip("this openssl has no legacy provider")
    assert done.returncode == 0, done.stderr
    raw = (tmp_path / "f.p12").read_bytes()
    found = open_pfx(raw, password)
    assert found.keys == [KEY_DER]
    assert sorted(found.certificates) == sorted([MADE.der, ISSUER.der])
    # Without a MAC a wrong password now and then decrypts to something, which is no part then.
    with pytest.raises(PfxError if "-nomac" in options else PfxPasswordError):
        open_pfx(raw, "another")


@pytest.mark.parametrize("secret", [PASSWORD, "x" * 128])
def test_what_cryptography_writes_is_opened(secret: str) -> None:
    found = open_pfx(packed(secret.encode()), secret)
    assert found.keys == [KEY_DER]
    assert found.certificates == [MADE.der, ISSUER.der]


def test_one_that_is_not_encrypted_needs_no_password() -> None:
    raw = pkcs12.serialize_key_and_certificates(
        None, MADE.key, MADE.certificate, None, serialization.NoEncryption()
    )
    assert open_pfx(raw, "").keys == [KEY_DER]


@pytest.mark.parametrize("size", [5, 16])
def test_rc2_is_that_of_others(size: int) -> None:
    """`cryptography` knows the long key alone; openssl -legacy writes files with the short one."""
    key, vector, data = os.urandom(16), os.urandom(8), os.urandom(256)
    if size == 16:
        decryptor = Cipher(RC2(key), modes.CBC(vector)).decryptor()
        assert rc2.decrypt_cbc(key, vector, data) == decryptor.update(data)
    else:
        assert rc2.decrypt_cbc(key[:5], vector, data) != rc2.decrypt_cbc(key, vector, data)


@pytest.mark.parametrize(("key", "vector", "data"), [(b"", b"v" * 8, b""), (b"k", b"", b"")])
def test_rc2_refuses_other_lengths(key: bytes, vector: bytes, data: bytes) -> None:
    with pytest.raises(ValueError, match="not whole blocks"):
        rc2.decrypt_cbc(key, vector, data)


# --- bounds ----------------------------------------------------------------------------------

OID = 6
DATA = bytes.fromhex("2a864886f70d010701")
ENCRYPTED = bytes.fromhex("2a864886f70d010706")
SHROUDED = bytes.fromhex("2a864886f70d010c0a0102")
TRIPLE_DES = bytes.fromhex("2a864886f70d010c0103")
SHA256 = bytes.fromhex("608648016503040201")
PBES2 = bytes.fromhex("2a864886f70d01050d")
PBKDF2 = bytes.fromhex("2a864886f70d01050c")
SCRYPT = bytes.fromhex("2b06010401da47040b")
AES = bytes.fromhex("60864801650304012a")
PBMAC1 = bytes.fromhex("2a864886f70d01050e")
HMAC_SHA256 = bytes.fromhex("2a864886f70d0209")
SALT, VECTOR = b"s" * 8, b"v" * 16
HUGE = (MAX_ROUNDS + 1, 2**31 - 1, 2**31, 2**4000)


def sequence(*parts: bytes) -> bytes:
    return element(0x30, b"".join(parts))


def info(name: bytes, value: bytes) -> bytes:
    return sequence(element(OID, name), element(0xA0, value))


def old_scheme(rounds: int) -> bytes:
    return sequence(element(OID, TRIPLE_DES), sequence(element(4, SALT), number(rounds)))


def pbes2(rounds: int, *, kdf: bytes = PBKDF2, cipher: bytes = AES) -> bytes:
    prf = sequence(element(OID, HMAC_SHA256), element(5, b""))
    settings_ = sequence(element(4, SALT), number(rounds), number(32), prf)
    derivation = sequence(element(OID, kdf), settings_)
    scheme = sequence(element(OID, cipher), element(4, VECTOR))
    return sequence(element(OID, PBES2), sequence(derivation, scheme))


def shrouded(algorithm: bytes, data: bytes = b"x" * 16) -> bytes:
    return info(SHROUDED, sequence(algorithm, element(4, data)))


def encrypted(algorithm: bytes, data: bytes = b"x" * 16) -> bytes:
    content = sequence(element(OID, DATA), algorithm, element(0x80, data))
    return info(ENCRYPTED, sequence(number(0), content))


def plain(*bags: bytes) -> bytes:
    return info(DATA, element(4, sequence(*bags)))


def mac(rounds: int, digest: bytes = SHA256) -> bytes:
    algorithm = sequence(element(OID, digest), element(5, b""))
    return sequence(sequence(algorithm, element(4, b"m" * 32)), element(4, SALT), number(rounds))


def pbmac1(rounds: int, *, wanted: bytes = b"m" * 32, prf: bytes = HMAC_SHA256) -> bytes:
    """Return what authenticates a file by RFC 9579, as go-pkcs12's Modern2026 does."""
    function = sequence(element(OID, HMAC_SHA256), element(5, b""))
    settings_ = sequence(element(4, SALT), number(rounds), number(32), function)
    derivation = sequence(element(OID, PBKDF2), settings_)
    scheme = sequence(derivation, sequence(element(OID, prf), element(5, b"")))
    algorithm = sequence(element(OID, PBMAC1), scheme)
    return sequence(sequence(algorithm, element(4, wanted)), element(4, b""), number(0))


def file(*parts: bytes, authenticated: bytes = b"") -> bytes:
    return sequence(number(3), info(DATA, element(4, sequence(*parts))), authenticated)


def hidden(text: bytes) -> bytes:
    """Return bytes encrypted with the password by `pbes2(1)`."""
    key = hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), SALT, 1, 32)
    padder = padding.PKCS7(128).padder()
    data = padder.update(text) + padder.finalize()
    return Cipher(algorithms.AES(key), modes.CBC(VECTOR)).encryptor().update(data)


def within(rounds: int) -> bytes:
    """Return a file whose encrypted part holds a key that is encrypted once more."""
    return file(encrypted(pbes2(1), hidden(sequence(shrouded(pbes2(rounds))))))


@pytest.mark.parametrize(
    "text", [b"", b"*", b"0\x02\x05", KEY_DER[:-1], KEY_DER + b"\x00", b"1" + KEY_DER[1:]]
)
def test_a_padding_that_seems_right_is_no_key(text: bytes) -> None:
    """One of 256 wrong passwords leaves such a padding; without a MAC nothing else tells."""
    assert open_pfx(file(plain(shrouded(pbes2(1), hidden(KEY_DER)))), PASSWORD).keys == [KEY_DER]
    with pytest.raises(PfxPasswordError):
        open_pfx(file(plain(shrouded(pbes2(1), hidden(text)))), PASSWORD)


def test_the_newest_mac_is_read() -> None:
    key_bag = info(SHROUDED[:-1] + b"\x01", KEY_DER)
    key = hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), SALT, 2048, 32)
    content = sequence(plain(key_bag))
    right = file(
        plain(key_bag), authenticated=pbmac1(2048, wanted=hmac.digest(key, content, "sha256"))
    )
    assert open_pfx(right, PASSWORD).keys == [KEY_DER]
    with pytest.raises(PfxPasswordError):
        open_pfx(right, "another")


@pytest.mark.parametrize("rounds", HUGE)
@pytest.mark.parametrize(
    "made",
    [
        lambda rounds: file(authenticated=mac(rounds)),
        lambda rounds: file(authenticated=pbmac1(rounds)),
        lambda rounds: file(authenticated=mac(max(rounds // 2, 1) + 1)),
        lambda rounds: file(encrypted(pbes2(rounds))),
        lambda rounds: file(encrypted(old_scheme(rounds))),
        lambda rounds: file(plain(shrouded(pbes2(rounds)))),
        lambda rounds: file(plain(shrouded(old_scheme(rounds)))),
        within,
    ],
    ids=[
        "MAC",
        "newer MAC",
        "MAC in Python",
        "part",
        "old part",
        "key",
        "old key",
        "key within a part",
    ],
)
def test_endless_stretching_is_refused_before_a_round_of_it(
    made: Callable[[int], bytes], rounds: int
) -> None:
    raw, stretched = made(rounds), []
    plain_pbkdf2 = hashlib.pbkdf2_hmac

    def count(*args: object) -> bytes:
        stretched.append(args[3])
        return plain_pbkdf2(*args)  # type: ignore[arg-type]

    with (
        patch.object(hashlib, "pbkdf2_hmac", count),
        patch.object(pkcs12, "load_pkcs12", side_effect=AssertionError),
        patch.object(pkcs12, "load_key_and_certificates", side_effect=AssertionError),
        pytest.raises(PfxError, match="takes more work"),
    ):
        open_pfx(raw, PASSWORD)
    assert stretched == ([1] if made is within else [])


def test_many_parts_share_one_budget() -> None:
    """Each is within the bound, and together they are not."""
    key = shrouded(pbes2(MAX_ROUNDS // 4))
    with (
        patch.object(pfx_ciphers, "_cbc", return_value=KEY_DER),
        patch.object(hashlib, "pbkdf2_hmac", return_value=b"k" * 32) as derived,
        pytest.raises(PfxError, match="takes more work"),
    ):
        open_pfx(file(plain(*[key] * 20)), PASSWORD)
    assert derived.call_count == 4


def test_a_cipher_in_python_is_paid_for_out_of_the_same_budget() -> None:
    name = bytes.fromhex("2a864886f70d010c0106")
    algorithm = sequence(element(OID, name), sequence(element(4, SALT), number(1)))
    long = encrypted(algorithm, b"x" * 70_000)
    with patch.object(rc2, "decrypt_cbc", return_value=b"") as decrypted:
        with pytest.raises(PfxPasswordError):
            open_pfx(file(long), PASSWORD)
        with pytest.raises(PfxError, match="takes more work"):
            open_pfx(file(encrypted(algorithm, b"x" * 90_000)), PASSWORD)
    assert decrypted.call_count == 1


def test_more_parts_than_a_chain_needs_are_refused() -> None:
    with pytest.raises(PfxError, match="has more than 200 parts"):
        open_pfx(file(*[plain()] * (MAX_PARTS + 1)), "")


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (file(encrypted(pbes2(1, kdf=SCRYPT))), "is encrypted in a way that is not read"),
        (file(encrypted(pbes2(1, cipher=SCRYPT))), "is encrypted in a way that is not read"),
        (file(encrypted(sequence(element(OID, SCRYPT), sequence()))), "is encrypted in a way"),
        (file(info(SCRYPT, b"")), "is encrypted in a way that is not read"),
        (file(authenticated=mac(1, SCRYPT)), "is authenticated in a way that is not read"),
        (file(authenticated=pbmac1(1, prf=SCRYPT)), "is authenticated in a way that is not read"),
        (file(encrypted(pbes2(0))), "takes more work"),
        (sequence(number(3), info(ENCRYPTED, b"")), "is signed with a key"),
        (FILE[:-1], "is damaged"),
        (b"\x30\x80" + FILE[4:], "has another form"),
        (file(encrypted(pbes2(1)).replace(VECTOR, b"v" * 15 + b"")), "is damaged"),
    ],
)
def test_what_is_not_read_is_named(raw: bytes, words: str) -> None:
    with pytest.raises(PfxError, match=words):
        open_pfx(raw, PASSWORD)


def test_a_long_salt_is_refused() -> None:
    algorithm = sequence(element(OID, TRIPLE_DES), sequence(element(4, b"s" * 2000), number(1)))
    with pytest.raises(PfxError, match="takes more work"):
        open_pfx(file(encrypted(algorithm)), PASSWORD)


@FEW
@given(st.data())
def test_a_damaged_file_is_refused_or_opened(data: st.DataObject) -> None:
    raw = bytearray(packed(rounds=1))
    for _ in range(data.draw(st.integers(1, 3))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    with suppress(PfxError):
        open_pfx(bytes(raw), PASSWORD)


@FEW
@given(st.data())
def test_a_damaged_file_that_nothing_authenticates_is_refused_or_opened(
    data: st.DataObject,
) -> None:
    raw = bytearray(file(encrypted(old_scheme(1), b"x" * 64), plain(shrouded(pbes2(1)))))
    for _ in range(data.draw(st.integers(0, 3))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    with suppress(PfxError):
        open_pfx(bytes(raw), data.draw(st.sampled_from(["", PASSWORD])))


@FEW
@given(st.binary(max_size=300))
def test_any_bytes_are_refused_by_name(raw: bytes) -> None:
    with pytest.raises(PfxError):
        open_pfx(raw, "")
