"""What people bring as a certificate: read in every form it comes in, or named for what it is."""

from __future__ import annotations

import base64
import functools
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs7, pkcs12

from appcredential.domain.observed.certificate import SuppliedCertificate
from appcredential.domain.secret import pem
from appcredential.domain.secret_value import SecretValue
from appcredential.errors import UnusableCertificateError
from appcredential.x509 import both as both_module
from appcredential.x509.certificates import MAX_CONTENT
from appcredential.x509.generate import load_pair
from appcredential.x509.pfx import Opened
from appcredential.x509.read import CertificateFiles, read_certificate, read_files, read_pair
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
        base64.b64encode(LEAF.pem),
        base64.encodebytes(LEAF.pem),
        LEAF.pem.replace(b"\n", b"\\n"),
        b'"' + LEAF.pem.replace(b"\n", b"\\r\\n") + b'"',
        base64.b64encode(LEAF.pem.replace(b"\n", b"\\n")),
    ],
    ids=[
        *("PEM", "with text before", "from Windows", "twice", "DER", "base64", "base64 in lines"),
        *("base64 of PEM", "base64 of PEM in lines", "one line", "JSON", "base64 of one line"),
    ],
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
    "key",
    [base64.b64encode(LEAF.key_pem), LEAF.key_pem.replace(b"\n", b"\\n")],
    ids=["base64 of PEM", "one line"],
)
def test_a_key_is_read_in_the_same_forms(key: bytes) -> None:
    found = read_pair(value(base64.b64encode(LEAF.pem)), value(key))
    assert found.value.reveal() == LEAF.bundle.decode()


# --- several in one file ---------------------------------------------------------------------

TODAY = LEAF.certificate.not_valid_before_utc
DAY = timedelta(days=1)


def lasting(
    first: int, last: int, name: str = "orders", key: rsa.RSAPrivateKey | None = None
) -> MadeCertificate:
    """Return one that is valid from one day to another, counted from today."""
    return make_certificate(name, start=TODAY + first * DAY, end=TODAY + last * DAY, key=key)


EXPIRED, VALID, LONGER = lasting(-90, -1), lasting(-9, 80), lasting(-1, 89)
EARLIER, COMING, LATER = lasting(-200, -99), lasting(5, 200), lasting(99, 190)


def current(found: SuppliedCertificate, after: timedelta = timedelta(0)) -> str:
    return found.current(TODAY + after).value.reveal()


@pytest.mark.parametrize(
    ("files", "meant"),
    [
        ([EXPIRED, VALID], VALID),
        ([VALID, EXPIRED], VALID),
        ([VALID, LONGER], LONGER),
        ([LONGER, VALID, EXPIRED], LONGER),
        ([VALID, COMING], VALID),
        ([EXPIRED, LATER, COMING], COMING),
        ([EXPIRED, EARLIER], EXPIRED),
    ],
    ids=["appended", "before", "longer", "three", "not valid yet", "next", "last"],
)
@pytest.mark.parametrize("has_key", [True, False])
def test_of_several_in_a_file_the_valid_one_counts_that_ends_last(
    files: list[MadeCertificate], meant: MadeCertificate, has_key: bool
) -> None:
    content = value(b"".join(made.pem for made in files))
    found = read_pair(content, value(LEAF.key_pem)) if has_key else read_certificate(content)
    assert current(found) == (meant.bundle if has_key else meant.pem).decode()
    assert len(found.others) == len(files) - 1


def test_the_choice_changes_with_the_time_and_not_with_the_bytes() -> None:
    found = read_certificate(value(VALID.pem + COMING.pem))
    assert current(found) == VALID.pem.decode()
    assert current(found, 5 * DAY) == COMING.pem.decode()
    assert current(found, 300 * DAY) == COMING.pem.decode()


def test_of_two_with_the_same_times_the_one_that_was_appended_counts() -> None:
    first, second = lasting(-9, 80), lasting(-9, 80)
    assert current(read_certificate(value(first.pem + second.pem))) == second.pem.decode()


def test_another_key_may_have_been_made_for_the_renewed_one() -> None:
    renewed = lasting(-1, 89, key=rsa_key(1))
    found = read_certificate(value(VALID.pem + renewed.pem))
    assert current(found) == renewed.pem.decode()
    pair = read_pair(value(VALID.pem + renewed.pem), value(renewed.key_pem))
    assert pair.value.reveal() == renewed.bundle.decode()
    assert pair.others == ()


def test_one_that_entra_cannot_use_is_never_the_choice() -> None:
    curve = make_certificate("orders", end=TODAY + 900 * DAY, key=ec_key())
    assert current(read_certificate(value(VALID.pem + curve.pem))) == VALID.pem.decode()


def test_each_has_the_chain_that_follows_it() -> None:
    """A renewed intermediate has the name of the former one."""
    again = issued("middle", rsa_key(1), "root", rsa_key(2))
    renewed = issued("orders", rsa_key(1), "middle", rsa_key(1))
    found = read_certificate(value(CHAINED + MIDDLE + ROOT.pem + renewed + again))
    first, second = (one.value.reveal() for one in (found, *found.others))
    assert first.encode() == CHAINED + MIDDLE + ROOT.pem
    assert second.encode() == renewed + again + ROOT.pem


def authority(name: str, key: rsa.RSAPrivateKey) -> bytes:
    """Return a root that says of itself that it is one, as openssl's do, PEM."""
    subject = x509.Name.from_rfc4514_string(f"CN={name}")
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(TODAY)
        .not_valid_after(TODAY + 3650 * DAY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )


def test_an_authority_of_a_bundle_is_not_taken_for_the_certificate() -> None:
    root, own = authority("another root", rsa_key(1)), authority("orders", rsa_key(1))
    assert current(read_certificate(value(root + VALID.pem))) == VALID.pem.decode()
    assert current(read_certificate(value(VALID.pem + own))) == own.decode()
    assert len(read_certificate(value(root + own)).others) == 1


@pytest.mark.parametrize("end", [9, 900])
def test_without_a_key_one_of_another_name_and_key_is_no_choice(end: int) -> None:
    other = lasting(-9, end, name="server", key=rsa_key(1))
    with pytest.raises(UnusableCertificateError, match="certificates of 2 subjects"):
        read_certificate(value(VALID.pem + other.pem))
    pair = read_pair(value(VALID.pem + other.pem), value(LEAF.key_pem))
    assert (pair.value.reveal(), pair.others) == (VALID.bundle.decode(), ())


def test_without_a_key_one_of_another_name_that_entra_cannot_use_is_passed_over() -> None:
    curve = make_certificate("server", end=TODAY + 900 * DAY, key=ec_key())
    found = read_certificate(value(VALID.pem + curve.pem))
    assert (found.value.reveal(), found.others) == (VALID.pem.decode(), ())


def test_without_a_key_one_of_another_name_for_the_same_key_is_its_successor() -> None:
    renamed = lasting(-1, 120, name="orders-2")
    assert current(read_certificate(value(VALID.pem + renamed.pem))) == renamed.pem.decode()


def test_a_key_that_is_repeated_counts_once() -> None:
    found = read_files(both(VALID.bundle + LEAF.key_pem * 15 + LONGER.pem))
    assert [one.value.reveal() for one in (found, *found.others)] == [
        VALID.bundle.decode(),
        LONGER.bundle.decode(),
    ]


def test_several_keys_share_one_bound() -> None:
    made = [lasting(n, n + 90, key=rsa_key(n % 3)) for n in range(-29, 1)]
    found = read_files(both(b"".join(one.bundle for one in made[:3] + made[-12:])))
    assert len(found.others) == 9
    assert [one.value.reveal() for one in (found, *found.others)] == [
        one.bundle.decode() for one in made[-10:]
    ]


def test_a_file_that_grew_for_years_holds_few() -> None:
    made = [lasting(n, n + 90) for n in range(-99, 1)]
    found = read_certificate(value(b"".join(one.pem for one in made)))
    assert len(found.others) == 9
    assert current(found) == made[-1].pem.decode()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b" \n", "is empty"),
        (b"x" * (MAX_CONTENT + 1), "is larger than 128 KiB"),
        (b"no certificate", "cannot be read"),
        (b"\xff\xfe\x00", "is not text: written as UTF-16"),
        (LEAF.pem.decode().encode("utf-16"), "is not text: written as UTF-16"),
        (LEAF.pem.decode().encode("utf-16-be"), "is not text: written as UTF-16"),
        (LEAF.pkcs12(b"word"), "is a PKCS #12 file (PFX)"),
        (base64.b64encode(LEAF.pkcs12(b"word")), "is a PKCS #12 file (PFX)"),
        (LEAF.key_pem.replace(b"\n", b"\\n"), "holds a private key where a certificate is meant"),
        (base64.b64encode(LEAF.key_pem), "holds a private key where a certificate is meant"),
        (base64.b64encode(base64.b64encode(LEAF.pem)), "is base64 once too often"),
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
        (
            issued("a", rsa_key(), "b", rsa_key(1)) + issued("b", rsa_key(1), "a", rsa_key()),
            "cannot be read",
        ),
        (EC.pem + make_certificate("small", key=small_key()).pem, "has no RSA key"),
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
            LEAF.pem,
            LEAF.key_pem.decode().encode("utf-16"),
            "has a private key beside it that is not text: written as UTF-16",
        ),
        (
            LEAF.pem,
            LEAF.pkcs12(b"word"),
            "has a private key beside it that is a PKCS #12 file (PFX)",
        ),
        (LEAF.pem, b"", "has a private key beside it that is empty"),
        (LEAF.key_pem, LEAF.key_pem, "holds a private key where a certificate is meant"),
    ],
)
def test_a_pair_that_cannot_be_used_is_named(content: bytes, key: bytes, message: str) -> None:
    with pytest.raises(UnusableCertificateError) as caught:
        read_pair(value(content), value(key))
    assert str(caught.value).startswith(message)


# --- one file with the private key -------------------------------------------------------------

EC_FILE = pkcs12.serialize_key_and_certificates(
    None, ec_key(), EC.certificate, None, serialization.NoEncryption()
)
ONLY_CERTIFICATES = pkcs12.serialize_key_and_certificates(
    None, None, LEAF.certificate, None, serialization.NoEncryption()
)


def both(content: bytes, password: str = "", private: bytes | None = None) -> CertificateFiles:
    """Return a file of a Secret, which may hold the private key."""
    return CertificateFiles(
        content=value(content),
        private=None if private is None else value(private),
        may_hold_key=True,
        password=SecretValue(password),
        name="client.pem",
    )


@pytest.mark.parametrize(
    ("content", "password"),
    [
        (LEAF.pem + LEAF.key_pem, ""),
        (LEAF.key_pem + LEAF.pem, ""),
        (base64.b64encode(LEAF.bundle), ""),
        (LEAF.bundle.replace(b"\n", b"\\n"), ""),
        (b"Bag Attributes\n" + LEAF.bundle, ""),
        (LEAF.pkcs12(b"word"), "word"),
        (base64.b64encode(LEAF.pkcs12(b"word")), "word"),
        (base64.encodebytes(LEAF.pkcs12(b"word")), "word"),
    ],
    ids=["PEM", "key first", "base64", "one line", "bags", "PFX", "PFX in base64", "in lines"],
)
def test_a_file_with_both_is_read(content: bytes, password: str) -> None:
    assert read_files(both(content, password)).value.reveal() == LEAF.bundle.decode()


def test_a_chain_in_a_file_with_both_follows_the_leaf() -> None:
    found = read_files(both(MIDDLE + ROOT.pem + LEAF.key_pem + CHAINED)).value
    assert names(found.reveal()) == ["CN=orders", "CN=middle", "CN=root"]
    assert load_pair(found)


def test_the_key_in_the_file_counts_before_one_beside_it() -> None:
    found = read_files(both(LEAF.bundle, private=OTHER.key_pem))
    assert found.value.reveal() == LEAF.bundle.decode()


def test_a_file_of_a_secret_without_a_key_is_read_as_before() -> None:
    assert read_files(both(LEAF.pem)).value.reveal() == LEAF.pem.decode()
    assert read_files(both(LEAF.der)).value.reveal() == LEAF.pem.decode()
    beside = read_files(both(LEAF.pem, private=LEAF.key_pem))
    assert beside.value.reveal() == LEAF.bundle.decode()


def test_pairs_that_were_appended_keep_their_keys() -> None:
    renewed = lasting(-1, 120, key=rsa_key(1))
    found = read_files(both(EXPIRED.bundle + renewed.bundle))
    assert current(found) == renewed.bundle.decode()
    assert [one.value.reveal() for one in (found, *found.others)] == [
        EXPIRED.bundle.decode(),
        renewed.bundle.decode(),
    ]
    beside = read_pair(value(EXPIRED.pem + renewed.pem), value(EXPIRED.key_pem + renewed.key_pem))
    assert current(beside) == renewed.bundle.decode()


@pytest.mark.parametrize(
    ("content", "password", "message"),
    [
        (LEAF.pkcs12(b"word"), "", "is a PKCS #12 file (PFX) that has a password: name"),
        (LEAF.pkcs12(b"word"), "other", "is a PKCS #12 file (PFX) that does not open with"),
        (LEAF.pkcs12(b"word")[:-9], "word", "is a PKCS #12 file (PFX) that is damaged: convert"),
        (ONLY_CERTIFICATES, "", "is a PKCS #12 file (PFX) without a private key: export both"),
        (EC_FILE, "", "has a private key that is not RSA"),
        (LEAF.key_pem, "", "has a private key and no certificate: put the certificate"),
        (LEAF.pem + OTHER.key_pem, "", "does not belong to the private key beside it"),
        (EC.bundle, "", "has a private key that is not RSA"),
        (encrypted(LEAF) + LEAF.pem, "", "has a private key that is encrypted with a password"),
        (_encrypted_old_key() + LEAF.pem, "", "has a private key that is encrypted"),
        (LEAF.bundle.decode().encode("utf-16"), "", "is not text: written as UTF-16"),
        (b"x" * (MAX_CONTENT + 1), "", "is larger than 128 KiB"),
        (b"", "", "is empty"),
        (LEAF.pem * 101 + LEAF.key_pem, "", "holds 101 certificates"),
        (b"no certificate", "", "cannot be read"),
    ],
)
def test_a_file_with_both_that_cannot_be_used_is_named(
    content: bytes, password: str, message: str
) -> None:
    with pytest.raises(UnusableCertificateError) as caught:
        read_files(both(content, password))
    assert str(caught.value).startswith(message)
    assert ": " in str(caught.value), "the remedy is missing"


def test_a_file_with_many_keys_is_refused_before_they_are_checked() -> None:
    opened = Opened(keys=[b""] * 11, certificates=[LEAF.der])
    with (
        patch.object(both_module, "open_pfx", return_value=opened),
        pytest.raises(UnusableCertificateError, match="more than 10 private keys: export one"),
    ):
        read_files(both(LEAF.pkcs12(b"word"), "word"))


def test_where_no_key_may_be_none_is_read() -> None:
    """Anybody may read a ConfigMap or a manifest."""
    with pytest.raises(
        UnusableCertificateError, match="put it into a Secret and use source Secret"
    ):
        read_files(CertificateFiles(content=value(LEAF.pkcs12(b"word")), name="app.cer"))
    with pytest.raises(UnusableCertificateError, match="holds a private key where"):
        read_files(CertificateFiles(content=value(LEAF.bundle)))
