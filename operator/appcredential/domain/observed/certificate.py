"""The certificate and the password that users supply, as their sources hold them now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from appcredential.domain.conditions import Problem
from appcredential.domain.empty import no_entries
from appcredential.domain.secret_value import SecretValue


@dataclass(frozen=True, slots=True, kw_only=True)
class SuppliedCertificate:
    """A certificate that others made, as its source holds it now.

    Attributes:
        value: PEM: the private key, if the source has it, and then the chain.
        start: notBefore of the certificate.
        end: notAfter of the certificate.
        others: further ones in the same file that may be meant as well, in its order.
    """

    value: SecretValue
    start: datetime
    end: datetime
    others: tuple[SuppliedCertificate, ...] = ()

    def current(self, now: datetime) -> SuppliedCertificate:
        """Return the one that counts: of those that are valid now, the one that ends last.

        Renewed certificates are often appended to the file with the expired one. While none is
        valid, the next to become valid counts, or else the one that expired last. Of two with
        the same times the later one in the file counts.
        """
        found = (self, *self.others)
        return max(enumerate(found), key=lambda one: (_rank(one[1], now), one[0]))[1]


def _rank(one: SuppliedCertificate, now: datetime) -> tuple[int, timedelta, timedelta]:
    if one.start <= now < one.end:
        return 2, one.end - now, one.start - now
    if one.start > now:
        return 1, now - one.start, one.end - now
    return 0, one.end - now, one.start - now


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived:
    """What cryptography makes of a credential's value for the content of its Secret.

    Attributes:
        values: by template name.
        keystore_digest: of the PKCS #12 file among them, and of what it was packed of; empty
            without one.
    """

    values: Mapping[str, SecretValue] = field(default_factory=no_entries)
    keystore_digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateInputs:
    """What a certificate and its Secret are made from, besides the resource itself.

    Attributes:
        supplied: what its source holds; None for one that the operator generates. `current`
            says which certificate of it counts.
        problem: why the source cannot be used; nothing new is issued then.
        keystore_problem: why the password of the PKCS #12 file cannot be used; nothing that
            needs it is published then.
        derived: what is made of the published value.
    """

    supplied: SuppliedCertificate | None = None
    problem: Problem | None = None
    keystore_problem: Problem | None = None
    derived: Derived = field(default_factory=Derived)
