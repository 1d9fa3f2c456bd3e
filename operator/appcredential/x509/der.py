"""DER (X.690), as far as bounds need it: one element at a time, never deeper than asked for.

Nothing here recurses or builds objects, so any bytes cost time in proportion to their length.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SEQUENCE: Final = 0x30
INTEGER: Final = 0x02
OCTETS: Final = 0x04
BITS: Final = 0x03
OID: Final = 0x06
EXPLICIT_0: Final = 0xA0

_MAX_LENGTH_BYTES: Final = 4


class DerError(ValueError):
    """Bytes are not the DER that was expected."""


@dataclass(frozen=True, slots=True)
class Element:
    """One element.

    Attributes:
        content: its bytes, not parsed.
        end: the offset behind it.
    """

    tag: int
    content: bytes
    end: int


def element(der: bytes, at: int = 0) -> Element:
    """Return the element that begins at an offset.

    Raises:
        DerError: there is none, or its length is not a definite one.
    """
    head = der[at : at + 2]
    if len(head) < 2:
        raise DerError("it ends early")
    start, length = at + 2, head[1]
    if length & 0x80:
        count = length & 0x7F
        if not 1 <= count <= _MAX_LENGTH_BYTES:
            raise DerError("it has an unusual length")
        length = int.from_bytes(der[start : start + count])
        start += count
    if start + length > len(der):
        raise DerError("it ends early")
    return Element(head[0], der[start : start + length], start + length)


def expect(tag: int, der: bytes, at: int = 0) -> Element:
    """Return the element that begins at an offset, which has to have a tag.

    Raises:
        DerError: there is none, or it has another tag.
    """
    found = element(der, at)
    if found.tag != tag:
        raise DerError("it holds something else")
    return found


def natural(der: bytes, at: int) -> Element:
    """Return a number that is not negative; its content may have a leading zero byte.

    Raises:
        DerError: there is none.
    """
    found = expect(INTEGER, der, at)
    if not found.content or found.content[0] & 0x80:
        raise DerError("it holds no number where one is due")
    return found


def bits(number: Element) -> int:
    """Return the length of a number in bits, without making it an integer."""
    stripped = number.content.lstrip(b"\0")
    return (len(stripped) - 1) * 8 + stripped[0].bit_length() if stripped else 0


def tag_at(der: bytes, at: int) -> int:
    """Return the tag at an offset; 0 at the end."""
    return der[at] if at < len(der) else 0
