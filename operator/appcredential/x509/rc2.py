"""RC2 (RFC 2268) with CBC, decryption alone: Windows and older tools encrypt certificates with it.

`cryptography` knows only its keys of 128 bits, and PKCS #12 files have those of 40.
"""

from __future__ import annotations

import struct
from typing import Final

_BLOCK: Final = 8
_PI: Final = bytes.fromhex(
    "d978f9c419ddb5ed28e9fd794aa0d89dc67e37832b76538e624c6488448bfba2"
    "179a59f587b34f1361456d8d09817d32bd8f40eb86b77b0bf09521225c6b4e82"
    "54d66593ce60b21c7356c014a78cf1dc1275ca1f3bbee4d1423dd430a33cb626"
    "6fbf0eda4669075727f21d9bbc944303f811c7f690ef3ee706c3d52fc8661ed7"
    "08e8eade8052eef784aa72ac354d6a2a961ad2715a1549744b9fd05e0418a4ec"
    "c2e0416e0f51cbcc2491af50a1f47039997c3a8523b8b47afc02365b25559731"
    "2d5dfa98e38a92ae05df2910676cbac9d300e6cfe19ea82c6316013f58e289a9"
    "0d38341bab33ffb0bb480c5fb9b1cd2ec5f3db47e5a59c770aa62068fe7fc1ad"
)
_SHIFTS: Final = (1, 2, 3, 5)
_MASHED: Final = (4, 10)
"""The rounds of mixing, counted from the end, before which a round of mashing is undone."""


def decrypt_cbc(key: bytes, vector: bytes, data: bytes) -> bytes:
    """Return the plain text with its padding; the effective key has all bits of `key`.

    Args:
        key: 1 to 128 bytes.
        vector: 8 bytes.
        data: whole blocks of 8 bytes.

    Raises:
        ValueError: the lengths are others.
    """
    if not 1 <= len(key) <= 128 or len(vector) != _BLOCK or len(data) % _BLOCK:
        raise ValueError("not whole blocks of RC2")
    words, found, last = _expanded(key), bytearray(), vector
    for at in range(0, len(data), _BLOCK):
        block = data[at : at + _BLOCK]
        plain = _decrypt(words, block)
        found += bytes(a ^ b for a, b in zip(plain, last, strict=True))
        last = block
    return bytes(found)


def _expanded(key: bytes) -> tuple[int, ...]:
    """Return the 64 words of the expanded key (RFC 2268 §2)."""
    size = len(key)
    found = bytearray(key)
    for n in range(size, 128):
        found.append(_PI[(found[n - 1] + found[n - size]) & 0xFF])
    found[128 - size] = _PI[found[128 - size]]
    for n in range(127 - size, -1, -1):
        found[n] = _PI[found[n + 1] ^ found[n + size]]
    return struct.unpack("<64H", found)


def _decrypt(words: tuple[int, ...], block: bytes) -> bytes:
    """Return one block decrypted (RFC 2268 §4)."""
    r = list(struct.unpack("<4H", block))
    at = 63
    for number in range(16):
        for n in (3, 2, 1, 0):
            a, b, c = r[n - 1], r[n - 2], r[n - 3]
            word = (r[n] >> _SHIFTS[n] | r[n] << 16 - _SHIFTS[n]) & 0xFFFF
            r[n] = (word - words[at] - (a & b) - (~a & c)) & 0xFFFF
            at -= 1
        if number in _MASHED:
            for n in (3, 2, 1, 0):
                r[n] = (r[n] - words[r[n - 1] & 63]) & 0xFFFF
    return struct.pack("<4H", *r)
