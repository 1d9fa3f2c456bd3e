"""X.509 certificates as in `keyCredentials`: read once, compared by thumbprint."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, pkcs12

from entra_emulator.values.instants import Ticks, ticks_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A public certificate.

    Attributes:
        der: its bytes.
        subject: the distinguished name as Graph shows it, most specific part first.
        start: notBefore.
        end: notAfter.
        public_key: None if the algorithm is not RSA, because then nothing can sign in with it.
    """

    der: bytes
    subject: str
    start: Ticks
    end: Ticks
    public_key: rsa.RSAPublicKey | None

    @property
    def thumbprint(self) -> str:
        """The SHA-1 thumbprint in upper-case hexadecimal digits, as the portal shows it."""
        return hashlib.sha1(self.der, usedforsecurity=False).hexdigest().upper()

    @property
    def sha256(self) -> bytes:
        """The SHA-256 thumbprint, which `x5t#S256` contains."""
        return hashlib.sha256(self.der).digest()


def read_certificate(content: bytes) -> Certificate:
    """Read DER, or PEM text, which Graph accepts too.

    Raises:
        ValueError: the content is neither.
    """
    is_text = content.lstrip().startswith(b"-----BEGIN")
    load = x509.load_pem_x509_certificate if is_text else x509.load_der_x509_certificate
    return _certificate(load(content))


def read_key_pair(content: bytes, password: str) -> Certificate:
    """Return the certificate of a PKCS #12 file that also contains its private key.

    Raises:
        ValueError: the content is no such file, the password is wrong, or a part is missing.
    """
    key, found, _ = pkcs12.load_key_and_certificates(content, password.encode())
    if key is None or found is None:
        raise ValueError("no certificate with its private key")
    return _certificate(found)


def _certificate(found: x509.Certificate) -> Certificate:
    key = found.public_key()
    names = [part.rfc4514_string() for part in reversed(list(found.subject.rdns))]
    return Certificate(
        der=found.public_bytes(Encoding.DER),
        subject=", ".join(names),
        start=ticks_of(found.not_valid_before_utc),
        end=ticks_of(found.not_valid_after_utc),
        public_key=key if isinstance(key, rsa.RSAPublicKey) else None,
    )


_WHITE_SPACE = str.maketrans("", "", " \t\r\n")


def decode_binary(text: str) -> bytes:
    """Read an Edm.Binary: plain base64 without `-` and `_`, in which white space may stand.

    Raises:
        ValueError: the text is not base64.
    """
    try:
        return base64.b64decode(text.translate(_WHITE_SPACE), validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from error


def encode_binary(content: bytes) -> str:
    """Write an Edm.Binary."""
    return base64.b64encode(content).decode()
