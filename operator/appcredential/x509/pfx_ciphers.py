"""What encrypts and authenticates the parts of a PKCS #12 file (RFC 7292, RFC 8018), bounded.

A file says how often its password is stretched. Each round is paid for out of one budget before
anything is derived, so that no file costs more than some two seconds, whatever it says, and other
threads get their turn meanwhile.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from appcredential.x509 import der, rc2

MAX_ROUNDS: Final = 1_000_000
"""Of all parts of one file. Tools write files of 2,000 to 100,000 rounds, with three parts."""
_IN_PYTHON: Final = 2
"""Rounds of PBKDF2, which is done in C, that cost as much as one in Python, which holds the
interpreter. keytool of Java 9 to 15 writes files of 350,000 in Python, and must be read."""
_MAX_SALT: Final = 1024
_TOO_MUCH: Final = "takes more work to open than is allowed"
_RC2_BLOCK: Final = 50 * _IN_PYTHON
"""Rounds that take as long as a block of RC2, which is done in Python."""

_PKCS: Final = bytes.fromhex("2a864886f70d01")
_PBES2: Final = _PKCS + bytes.fromhex("050d")
_PBKDF2: Final = _PKCS + bytes.fromhex("050c")
_PBMAC1: Final = _PKCS + bytes.fromhex("050e")
_PRFS: Final = {
    bytes.fromhex("2a864886f70d0207"): "sha1",
    bytes.fromhex("2a864886f70d0208"): "sha224",
    bytes.fromhex("2a864886f70d0209"): "sha256",
    bytes.fromhex("2a864886f70d020a"): "sha384",
    bytes.fromhex("2a864886f70d020b"): "sha512",
}
_DIGESTS: Final = {
    bytes.fromhex("2b0e03021a"): "sha1",
    bytes.fromhex("608648016503040204"): "sha224",
    bytes.fromhex("608648016503040201"): "sha256",
    bytes.fromhex("608648016503040202"): "sha384",
    bytes.fromhex("608648016503040203"): "sha512",
}
_TRIPLE_DES: Final = bytes.fromhex("2a864886f70d0307")
_KEY_SIZES: Final = {
    bytes.fromhex("608648016503040102"): 16,
    bytes.fromhex("608648016503040116"): 24,
    bytes.fromhex("60864801650304012a"): 32,
    _TRIPLE_DES: 24,
}
"""Of AES and triple DES with CBC, bytes."""
_OLD_KEY_SIZES: Final = {
    _PKCS + bytes.fromhex("0c0103"): 24,  # pbeWithSHAAnd3-KeyTripleDES-CBC
    _PKCS + bytes.fromhex("0c0105"): 16,  # pbeWithSHAAnd128BitRC2-CBC
    _PKCS + bytes.fromhex("0c0106"): 5,  # pbeWithSHAAnd40BitRC2-CBC
}
_KEY, _VECTOR, _MAC = 1, 2, 3
"""What is derived (RFC 7292 B.3)."""


class PfxError(ValueError):
    """A PKCS #12 file cannot be opened; `args[0]` says why, without any of its content."""


class PfxPasswordError(PfxError):
    """It has another password."""


@dataclass(slots=True)
class Budget:
    """The rounds that one file may still cost."""

    left: int = MAX_ROUNDS

    def spend(self, rounds: int, times: int) -> None:
        """Pay for the rounds of a derivation.

        Raises:
            PfxError: they are none, or more than are left.
        """
        if rounds < 1 or rounds * times > self.left:
            raise PfxError(_TOO_MUCH)
        self.left -= rounds * times


@dataclass(frozen=True, slots=True)
class Password:
    """A password in both encodings: RFC 7292 B.1 for the older schemes, UTF-8 for PBES2."""

    old: bytes
    utf8: bytes


def passwords_of(text: str) -> tuple[Password, ...]:
    """Return what a password may be encoded as: writers do not agree on an empty one."""
    if not text:
        return Password(b"\0\0", b""), Password(b"", b"")
    return (Password(text.encode("utf-16-be") + b"\0\0", text.encode()),)


def decrypt(algorithm: bytes, data: bytes, password: Password, budget: Budget) -> bytes:
    """Return the plain text of a part.

    Args:
        algorithm: the content of its AlgorithmIdentifier.
        data: the encrypted part.
        password: of the file.
        budget: pays for the rounds.

    Raises:
        PfxPasswordError: it has another password.
        PfxError, DerError: it is encrypted in another way, or costs too much.
    """
    name = der.expect(der.OID, algorithm)
    settings = der.expect(der.SEQUENCE, algorithm, name.end).content
    if name.content == _PBES2:
        return _decrypt_pbes2(settings, data, password, budget)
    size = _OLD_KEY_SIZES.get(name.content)
    if size is None:
        raise PfxError("is encrypted in a way that is not read")
    stretching = _stretching(settings, password, budget)
    key, vector = (stretching.derive(*of) for of in ((_KEY, "sha1", size), (_VECTOR, "sha1", 8)))
    if size == _KEY_SIZES[_TRIPLE_DES]:
        return _cbc(TripleDES(key), vector, data)
    blocks = len(data) // 8
    budget.spend(_RC2_BLOCK, blocks)
    return _unpadded(rc2.decrypt_cbc(key, vector, data[: blocks * 8]), 64)


def is_authentic(mac_data: bytes, content: bytes, password: Password, budget: Budget) -> bool:
    """Return whether a file's content has the MAC that the file says (RFC 7292 §4).

    Args:
        mac_data: the content of its MacData.
        content: what is authenticated.
        password: of the file.
        budget: pays for the rounds.

    Raises:
        PfxError, DerError: it is authenticated in another way, or costs too much.
    """
    info = der.expect(der.SEQUENCE, mac_data)
    algorithm = der.expect(der.SEQUENCE, info.content)
    wanted = der.expect(der.OCTETS, info.content, algorithm.end).content
    name = der.expect(der.OID, algorithm.content)
    if name.content == _PBMAC1:
        settings = der.expect(der.SEQUENCE, algorithm.content, name.end).content
        return hmac.compare_digest(_pbmac1(settings, content, password, budget), wanted)
    digest = _DIGESTS.get(name.content)
    if digest is None:
        raise PfxError("is authenticated in a way that is not read")
    stretching = _stretching(mac_data[info.end :], password, budget)
    size = hashlib.new(digest, usedforsecurity=False).digest_size
    key = stretching.derive(_MAC, digest, size)
    return hmac.compare_digest(hmac.digest(key, content, digest), wanted)


@dataclass(frozen=True, slots=True)
class _Stretching:
    """How often a password is stretched, and with what."""

    password: Password
    salt: bytes
    rounds: int
    budget: Budget

    def derive(self, purpose: int, digest: str, size: int) -> bytes:
        """Return a key, a vector or a MAC key (RFC 7292 B.2)."""
        new = hashlib.new(digest, usedforsecurity=False)
        length, block = new.digest_size, new.block_size
        self.budget.spend(self.rounds, -(-size // length) * _IN_PYTHON)
        function = getattr(hashlib, digest)
        mixed, found = _filled(self.salt, block) + _filled(self.password.old, block), b""
        while len(found) < size:
            part = function(bytes([purpose]) * block + mixed, usedforsecurity=False).digest()
            for _ in range(self.rounds - 1):
                part = function(part, usedforsecurity=False).digest()
            found += part
            mixed = _mixed(mixed, (part * block)[:block])
        return found[:size]

    def pbkdf2(self, digest: str, size: int) -> bytes:
        """Return a key (RFC 8018 §5.2)."""
        length = hashlib.new(digest, usedforsecurity=False).digest_size
        self.budget.spend(self.rounds, -(-size // length))
        return hashlib.pbkdf2_hmac(digest, self.password.utf8, self.salt, self.rounds, size)


def _stretching(settings: bytes, password: Password, budget: Budget) -> _Stretching:
    """Read salt and rounds, with which all settings begin."""
    salt = der.expect(der.OCTETS, settings)
    rounds = der.natural(settings, salt.end) if salt.end < len(settings) else None
    if len(salt.content) > _MAX_SALT or (rounds is not None and der.bits(rounds) > 31):
        raise PfxError(_TOO_MUCH)
    number = 1 if rounds is None else int.from_bytes(rounds.content)
    return _Stretching(password, salt.content, number, budget)


def _filled(text: bytes, block: int) -> bytes:
    """Return a text repeated to whole blocks; nothing stays nothing."""
    size = -(-len(text) // block) * block
    return (text * block)[:size] if text else b""


def _mixed(blocks: bytes, addend: bytes) -> bytes:
    """Return blocks with a number and one added to each, without the carry."""
    size, number = len(addend), int.from_bytes(addend) + 1
    parts = (int.from_bytes(blocks[n : n + size]) for n in range(0, len(blocks), size))
    return b"".join(((part + number) % (1 << 8 * size)).to_bytes(size) for part in parts)


def _pbmac1(settings: bytes, content: bytes, password: Password, budget: Budget) -> bytes:
    """Return a MAC whose key PBKDF2 derives (RFC 9579)."""
    derivation = der.expect(der.SEQUENCE, settings)
    scheme = der.expect(der.SEQUENCE, settings, derivation.end).content
    digest = _PRFS.get(der.expect(der.OID, scheme).content)
    name = der.expect(der.OID, derivation.content)
    if digest is None or name.content != _PBKDF2:
        raise PfxError("is authenticated in a way that is not read")
    size = hashlib.new(digest, usedforsecurity=False).digest_size  # as RFC 9579 recommends
    stretching = der.expect(der.SEQUENCE, derivation.content, name.end).content
    return hmac.digest(_pbkdf2(stretching, size, password, budget), content, digest)


def _decrypt_pbes2(settings: bytes, data: bytes, password: Password, budget: Budget) -> bytes:
    """Return the plain text of a part that is encrypted by PBES2 with PBKDF2 (RFC 8018 §6.2)."""
    derivation = der.expect(der.SEQUENCE, settings)
    scheme = der.expect(der.SEQUENCE, settings, derivation.end).content
    cipher = der.expect(der.OID, scheme)
    size = _KEY_SIZES.get(cipher.content)
    name = der.expect(der.OID, derivation.content)
    if size is None or name.content != _PBKDF2:
        raise PfxError("is encrypted in a way that is not read")
    vector = der.expect(der.OCTETS, scheme, cipher.end).content
    stretching = der.expect(der.SEQUENCE, derivation.content, name.end).content
    key = _pbkdf2(stretching, size, password, budget)
    if cipher.content == _TRIPLE_DES:
        return _cbc(TripleDES(key), vector, data)
    return _cbc(algorithms.AES(key), vector, data)


def _pbkdf2(settings: bytes, size: int, password: Password, budget: Budget) -> bytes:
    at = der.natural(settings, der.expect(der.OCTETS, settings).end).end
    if der.tag_at(settings, at) == der.INTEGER:  # the length of the key, which the cipher says
        at = der.element(settings, at).end
    digest: str | None = "sha1"
    if der.tag_at(settings, at) == der.SEQUENCE:
        function = der.expect(der.SEQUENCE, settings, at).content
        digest = _PRFS.get(der.expect(der.OID, function).content)
    if digest is None:
        raise PfxError("is encrypted in a way that is not read")
    return _stretching(settings, password, budget).pbkdf2(digest, size)


def _cbc(algorithm: algorithms.AES | TripleDES, vector: bytes, data: bytes) -> bytes:
    size = algorithm.block_size
    if len(vector) * 8 != size:
        raise PfxError("is encrypted in a way that is not read")
    decryptor = Cipher(algorithm, modes.CBC(vector)).decryptor()
    return _unpadded(decryptor.update(data[: len(data) * 8 // size * size // 8]), size)


def _unpadded(plain: bytes, size: int) -> bytes:
    unpadder = padding.PKCS7(size).unpadder()
    try:
        return unpadder.update(plain) + unpadder.finalize()
    except ValueError:
        raise PfxPasswordError("does not open with its password") from None
