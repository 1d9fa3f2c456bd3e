"""The emulator's certificate authority and its server certificate.

A folder keeps one authority for all starts, so that clients can go on trusting `ca.pem`. The key
of the authority is in a private file; the key of the server never stays on disk.
"""

from __future__ import annotations

import ipaddress
import ssl
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from entra_emulator.files import write_private, write_public

CA_FILE = "ca.pem"
_AUTHORITY_FILE = "ca-key.pem"
_ALWAYS = ("localhost", "127.0.0.1", "::1")
_BACKDATED = timedelta(hours=1)
_YEAR = timedelta(days=365)


def server_context(folder: Path, names: Sequence[str]) -> ssl.SSLContext:
    """Return a TLS context for the given names; make the authority if the folder has none.

    Raises:
        TypeError: the folder holds another kind of key.
    """
    authority, authority_key = _authority(folder)
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _server_certificate(authority, authority_key, key, names)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    chain = _key_pem(key) + _pem(certificate) + _pem(authority)
    # ssl reads a chain only from a file; this one disappears at the end of the block.
    with tempfile.NamedTemporaryFile(suffix=".pem") as file:
        file.write(chain)
        file.flush()
        context.load_cert_chain(file.name)
    return context


def _authority(folder: Path) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    path = folder / _AUTHORITY_FILE
    if not path.exists():
        key = ec.generate_private_key(ec.SECP256R1())
        write_private(path, _key_pem(key) + _pem(_authority_certificate(key)))
    content = path.read_bytes()
    loaded = serialization.load_pem_private_key(content, password=None)
    if not isinstance(loaded, ec.EllipticCurvePrivateKey):
        raise TypeError(f"{path} holds no EC key; remove it to have an authority made")
    certificate = x509.load_pem_x509_certificate(content)
    public = folder / CA_FILE
    if not public.exists() or public.read_bytes() != _pem(certificate):
        write_public(public, _pem(certificate))
    return certificate, loaded


def _authority_certificate(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Entra emulator CA")])
    builder = _builder(name, name, key.public_key(), 10 * _YEAR)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_key_usage(signs_certificates=True), critical=True)
    return builder.sign(key, hashes.SHA256())


def _server_certificate(
    authority: x509.Certificate,
    authority_key: ec.EllipticCurvePrivateKey,
    key: ec.EllipticCurvePrivateKey,
    names: Sequence[str],
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Entra emulator")])
    alternatives = [_general_name(name) for name in dict.fromkeys((*_ALWAYS, *names))]
    # Copied from the authority: one made elsewhere may identify its key by another hash.
    named = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    issuer_id = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(named)
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    builder = _builder(subject, authority.subject, key.public_key(), _YEAR)
    builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    builder = builder.add_extension(
        x509.BasicConstraints(ca=False, path_length=None), critical=True
    )
    builder = builder.add_extension(_key_usage(signs_certificates=False), critical=True)
    builder = builder.add_extension(issuer_id, critical=False)
    builder = builder.add_extension(usage, critical=False)
    return builder.sign(authority_key, hashes.SHA256())


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, validity: timedelta
) -> x509.CertificateBuilder:
    # The machine's time, because clients judge certificates by their own clock.
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + validity)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
