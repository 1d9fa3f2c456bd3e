"""Opens PKCS #12 files (PFX, RFC 7292) that users supply, without a library's help.

OpenSSL derives a key for each part of such a file, as often as the file says: with 2³¹ rounds that
holds the interpreter for an hour. What an encrypted part holds, such as a key that is encrypted
once more, nobody can check before that part is decrypted. So the parts are opened here one after
the other, within one budget of rounds (`pfx_ciphers`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from appcredential.x509 import der
from appcredential.x509.der import DerError
from appcredential.x509.pfx_ciphers import (
    Budget,
    Password,
    PfxError,
    PfxPasswordError,
    decrypt,
    is_authentic,
    passwords_of,
)

MAX_PARTS: Final = 200
"""Parts of one list in a file; a long chain has 100 certificates."""

_PKCS: Final = bytes.fromhex("2a864886f70d01")
_DATA: Final = _PKCS + bytes.fromhex("0701")
_ENCRYPTED_DATA: Final = _PKCS + bytes.fromhex("0706")
_BAGS: Final = _PKCS + bytes.fromhex("0c0a01")
_KEY, _SHROUDED_KEY, _CERTIFICATE = (_BAGS + bytes([n]) for n in (1, 2, 3))
_X509: Final = _PKCS + bytes.fromhex("091601")
_IMPLICIT_0: Final = 0x80
_BER: Final = 0x80
"""The first byte of a length that is not told, which RFC 7292 allows and DER does not."""


@dataclass(slots=True)
class Opened:
    """What a file holds, in its order.

    Attributes:
        keys: PKCS #8, DER, not encrypted.
        certificates: DER.
    """

    keys: list[bytes] = field(default_factory=list)
    certificates: list[bytes] = field(default_factory=list)


def open_pfx(raw: bytes, password: str) -> Opened:
    """Return what a file holds. It takes some two seconds at most: not on the event loop.

    Args:
        raw: the file, whose length the caller has bounded.
        password: empty for a file without one.

    Raises:
        PfxPasswordError: it has another password.
        PfxError: it cannot be opened; the message says why.
    """
    try:
        return _opened(raw, password)
    except DerError:
        what = "has another form than is read" if raw[1:2] == bytes([_BER]) else "is damaged"
        raise PfxError(what) from None


def _opened(raw: bytes, text: str) -> Opened:
    file = der.expect(der.SEQUENCE, raw).content
    safe = der.expect(der.SEQUENCE, file, der.natural(file, 0).end)
    name, value = _content_info(safe.content)
    if name != _DATA:
        raise PfxError("is signed with a key, which is not read")
    content, budget = der.expect(der.OCTETS, value).content, Budget()
    password = _password(file[safe.end :], content, text, budget)
    found = Opened()
    for part in _elements(der.expect(der.SEQUENCE, content).content):
        bags = _plain(part, password, budget)
        for bag in _elements(der.expect(der.SEQUENCE, bags).content):
            _take(bag, password, budget, found)
    return found


def _password(mac: bytes, content: bytes, text: str, budget: Budget) -> Password:
    """Return the encoding of the password with which the file is authentic."""
    found = passwords_of(text)
    if not mac:
        return found[0]  # what it decrypts to says whether it is right
    data = der.expect(der.SEQUENCE, mac).content
    for password in found:
        if is_authentic(data, content, password, budget):
            return password
    raise PfxPasswordError("does not open with its password")


def _elements(content: bytes) -> Iterator[bytes]:
    """Return the contents of a list of SEQUENCEs."""
    at = count = 0
    while at < len(content):
        found = der.expect(der.SEQUENCE, content, at)
        count += 1
        if count > MAX_PARTS:
            raise PfxError(f"has more than {MAX_PARTS} parts")
        at = found.end
        yield found.content


def _content_info(content: bytes) -> tuple[bytes, bytes]:
    """Return type and value of a ContentInfo (RFC 5652 §3)."""
    name = der.expect(der.OID, content)
    return name.content, der.expect(der.EXPLICIT_0, content, name.end).content


def _plain(part: bytes, password: Password, budget: Budget) -> bytes:
    """Return the SafeContents of a part (RFC 7292 §4.1)."""
    name, value = _content_info(part)
    if name == _DATA:
        return der.expect(der.OCTETS, value).content
    if name != _ENCRYPTED_DATA:
        raise PfxError("is encrypted in a way that is not read")
    body = der.expect(der.SEQUENCE, value).content
    info = der.expect(der.SEQUENCE, body, der.natural(body, 0).end).content
    algorithm = der.expect(der.SEQUENCE, info, der.expect(der.OID, info).end)
    data = der.expect(_IMPLICIT_0, info, algorithm.end)
    return decrypt(algorithm.content, data.content, password, budget)


def _take(bag: bytes, password: Password, budget: Budget, found: Opened) -> None:
    """Take the key or the certificate from a SafeBag (RFC 7292 §4.2); others do not matter."""
    name, value = _content_info(bag)
    if name == _KEY:
        found.keys.append(value)
    elif name == _SHROUDED_KEY:
        body = der.expect(der.SEQUENCE, value).content
        algorithm = der.expect(der.SEQUENCE, body)
        data = der.expect(der.OCTETS, body, algorithm.end).content
        found.keys.append(_whole(decrypt(algorithm.content, data, password, budget)))
    elif name == _CERTIFICATE:
        kind, wrapped = _content_info(der.expect(der.SEQUENCE, value).content)
        if kind == _X509:
            found.certificates.append(der.expect(der.OCTETS, wrapped).content)


def _whole(key: bytes) -> bytes:
    """Return a decrypted key. One of 256 wrong passwords leaves a padding that seems right.

    Raises:
        PfxPasswordError: it is not one SEQUENCE (PrivateKeyInfo, RFC 5208 §5).
    """
    with suppress(DerError):
        if der.expect(der.SEQUENCE, key).end == len(key):
            return key
    raise PfxPasswordError("does not open with its password")
