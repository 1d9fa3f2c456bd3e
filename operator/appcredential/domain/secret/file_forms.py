"""Forms in which values arrive in Secrets although nothing can read them so, and their remedies.

A Secret holds bytes, and adapters decode them without loss: a byte that is no UTF-8 becomes a
lone surrogate. Each `…_fault` returns a predicate for a message, which holds nothing of the value.
"""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from typing import Final

_BEGIN: Final = "-----BEGIN "
_BYTE_ORDER: Final = ("\udcff\udcfe", "\udcfe\udcff")
_PFX: Final = re.compile(
    # RFC 7292 §4: a SEQUENCE that begins with version 3 and a ContentInfo.
    rb"\x30(?:[\x00-\x80]|\x81.|\x82..|\x83...|\x84....)\x02\x01\x03\x30",
    re.DOTALL,
)
_ENCRYPTED: Final = re.compile(
    # PKCS #8, and OpenSSL's own form of RFC 1421.
    r"-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: *4, *ENCRYPTED",
    re.MULTILINE,
)


def client_secret_fault(text: str) -> str:
    """Return why a value cannot be a client secret; empty when it can.

    Entra makes client secrets of printable characters, and people choose no others.
    """
    if not text:
        return "is empty: put the client secret there"
    if _is_utf16(text):
        return (
            "is not text: written as UTF-16, as PowerShell's > does? Create the Secret with "
            "kubectl create secret generic --from-literal"
        )
    if any("\udc80" <= c <= "\udcff" for c in text):
        return "is not text but binary: put the client secret itself there, not a file of it"
    if text.startswith("\ufeff"):
        return (
            "begins with a byte order mark, which some editors write: create the Secret with "
            "kubectl create secret generic --from-literal"
        )
    if "\n" in text or "\r" in text:
        return (
            "holds a line break, and no client secret has one: write the file with printf %s, or "
            "with echo -n"
        )
    if text != text.strip():
        return "begins or ends with a blank, and no client secret does: remove it"
    if any(unicodedata.category(c) == "Cc" for c in text):
        return "holds a control character, and no client secret has one: remove it"
    return ""


def pem_fault(text: str, file: str) -> str:
    """Return why a file cannot be read as PEM although it holds what is asked for; else empty.

    Args:
        text: its content.
        file: its name, for the command that converts it.
    """
    if not text.strip():
        return "is empty: put the certificate, or its key, there"
    if _is_utf16(text):
        return (
            "is not text: written as UTF-16, as PowerShell's > does? Convert it with "
            f"iconv -f UTF-16 -t UTF-8 {file} > plain.pem"
        )
    if is_pfx(text):
        return (
            "is a PKCS #12 file (PFX), not PEM: convert it with "
            f"openssl pkcs12 -in {file} -nodes > plain.pem"
        )
    if _ENCRYPTED.search(text):
        also = f"; openssl x509 -in {file}" if f"{_BEGIN}CERTIFICATE-" in text else ""
        return (
            "has a private key that is encrypted with a password: remove that with "
            f"(openssl pkey -in {file}{also}) > plain.pem"
        )
    if _is_one_line(text):
        return (
            "is one line, with \\n for each line break: convert it with "
            f'printf %b "$(cat {file})" > plain.pem'
        )
    return _wrapped_fault(text, file)


def unfolded(text: str) -> str:
    """Return the PEM in a text that has only one meaning, although it is no PEM; else the text.

    That is base64 of PEM, as in a Secret's manifest, and PEM in one line with a backslash and n
    for each line break, as JSON and environment variables have it.
    """
    inner = _unwrapped(text)
    plain = inner.decode(errors="surrogateescape") if inner.startswith(_BEGIN.encode()) else text
    if not _is_one_line(plain):
        return plain
    return plain.replace("\\r\\n", "\n").replace("\\n", "\n")


def _wrapped_fault(text: str, file: str) -> str:
    """Return that a file is base64 of PEM or PKCS #12, as it is in a Secret's manifest."""
    inner = _unwrapped(text)
    if not inner.startswith(_BEGIN.encode()) and not _PFX.match(inner):
        return ""
    return f"is base64 once too often: decode it with base64 -d {file} > plain.pem"


def _unwrapped(text: str) -> bytes:
    """Return what a text is base64 of; nothing when it is none."""
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _is_one_line(text: str) -> bool:
    return _BEGIN in text and ("-----\\n" in text or "-----\\r\\n" in text)


def _is_utf16(text: str) -> bool:
    """Return whether every other byte is zero, or a byte order mark says so."""
    if text.startswith(_BYTE_ORDER):
        return True
    return len(text) > 2 and any(set(text[first::2]) == {"\x00"} for first in (0, 1))


def is_pfx(text: str) -> bool:
    """Return whether a file begins as PKCS #12 does."""
    return _PFX.match(text.encode(errors="surrogateescape")) is not None
