"""Finds the certificates in a file that may be meant, each with its issuers.

People append a renewed certificate to the file that holds the expired one, so a file may hold
several. Which of them counts depends on the time, and is decided in `domain/`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from cryptography import x509

from appcredential.errors import UnusableCertificateError
from appcredential.x509 import bounds, certificates
from appcredential.x509.bounds import PublicNumbers

MAX_LEAVES: Final = 10
"""Of those that may be meant in one file, the ones that end last; a chain is held for each."""


@dataclass(frozen=True, slots=True)
class _Named:
    """A certificate with its place in the file.

    Names are numbered, equal ones alike: comparing them each time would take long for large ones.
    """

    place: int
    certificate: x509.Certificate
    subject: int
    issuer: int


def chains_of(
    found: Sequence[x509.Certificate], keys: Collection[PublicNumbers] | None
) -> list[list[x509.Certificate]]:
    """Return each certificate that may be meant, followed by its issuers; from any order.

    Args:
        found: the certificates of one file, in its order.
        keys: of the private keys, one of which they have to belong to; None when that is elsewhere.

    Returns:
        One chain for each, in the order of the file; empty if none was issued for a key, or
        none is at the end of a chain.

    Raises:
        UnusableCertificateError: without a key, several may be meant that do not succeed each
            other.
    """
    named = _numbered(found)
    if keys is None:
        leaves = _leaves(named)
        _check_kinship(leaves)
    else:
        leaves = [c for c in named if _key_of(c) in keys]
    last = sorted(leaves, key=lambda c: c.certificate.not_valid_after_utc)[-MAX_LEAVES:]
    return [_chain(leaf, named) for leaf in leaves if leaf in last]


def _numbered(found: Sequence[x509.Certificate]) -> list[_Named]:
    numbers: dict[x509.Name, int] = {}

    def number(name: x509.Name) -> int:
        return numbers.setdefault(name, len(numbers))

    unique = enumerate(dict.fromkeys(found))
    return [_Named(place, c, number(c.subject), number(c.issuer)) for place, c in unique]


def _chain(leaf: _Named, found: Sequence[_Named]) -> list[x509.Certificate]:
    chain, places = [leaf], {leaf.place}
    while chain[-1].subject != chain[-1].issuer:
        issuer = _issuer(chain[-1], [c for c in found if c.place not in places])
        if issuer is None:
            break
        places.add(issuer.place)
        chain.append(issuer)
    return [c.certificate for c in chain]


def _issuer(of: _Named, rest: Sequence[_Named]) -> _Named | None:
    """Return an issuer by its name: of several the next in the file, where chains are appended."""
    named = [c for c in rest if c.subject == of.issuer]
    return next((c for c in named if c.place > of.place), named[0] if named else None)


def _leaves(found: Sequence[_Named]) -> list[_Named]:
    """Return the certificates that issued none of the others."""
    leaves = [
        c
        for c in found
        # A certificate of the same name is not its issuer, but for instance its successor.
        if not any(o.issuer == c.subject and o.subject != c.subject for o in found if o is not c)
    ]
    return leaves if len(leaves) < 2 else _without_authorities(leaves)


def _without_authorities(leaves: Sequence[_Named]) -> list[_Named]:
    """Leave out authorities that issued nothing in the file, such as the rest of a bundle.

    Self-signed certificates often call themselves authorities, too. So one stays if there is
    nothing else, or if it has the name of another that stays, which it succeeds.
    """
    plain = {c.subject for c in leaves if not _is_authority(c.certificate)}
    return [c for c in leaves if c.subject in plain] if plain else list(leaves)


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        found = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    except (
        ValueError,
        x509.ExtensionNotFound,
        x509.DuplicateExtension,
        x509.UnsupportedGeneralNameType,
    ):
        return False  # odd extensions are for Entra to judge
    return found.value.ca


def _check_kinship(leaves: Sequence[_Named]) -> None:
    """Refuse certificates of which only a person knows the one that is meant.

    What succeeds another has its name or its key. Those that Entra cannot use are not meant.
    """
    keys = {c.place: key for c in leaves if (key := _key_of(c)) is not None}
    subjects = {c.subject for c in leaves if c.place in keys}
    if len(subjects) > 1 and len(set(keys.values())) > 1:
        raise UnusableCertificateError(
            f"holds certificates of {len(subjects)} subjects, with several keys: keep those that "
            "the application is to have"
        )


def _key_of(named: _Named) -> PublicNumbers | None:
    """Return the key; None if Entra cannot use it. An issuer may have any."""
    try:
        return certificates.rsa_of(named.certificate)
    except bounds.KeyFormatError:
        return None
