"""The certificate and the password that users supply, as their sources hold them now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from appcredential.domain.conditions import Problem
from appcredential.domain.secret_value import SecretValue


@dataclass(frozen=True, slots=True, kw_only=True)
class SuppliedCertificate:
    """A certificate that others made, as its source holds it now.

    Attributes:
        value: PEM: the private key, if the source has it, and then the chain.
        start: notBefore of the certificate.
        end: notAfter of the certificate.
    """

    value: SecretValue
    start: datetime
    end: datetime


def _no_values() -> Mapping[str, SecretValue]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived:
    """What cryptography makes of a credential's value for the content of its Secret.

    Attributes:
        values: by template name.
        keystore_digest: of the PKCS #12 file among them, and of what it was packed of; empty
            without one.
    """

    values: Mapping[str, SecretValue] = field(default_factory=_no_values)
    keystore_digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateInputs:
    """What a certificate and its Secret are made from, besides the resource itself.

    Attributes:
        supplied: the certificate at its source; None for one that the operator generates.
        problem: why the source cannot be used; nothing new is issued then.
        keystore_problem: why the password of the PKCS #12 file cannot be used; nothing that
            needs it is published then.
        derived: what is made of the published value.
    """

    supplied: SuppliedCertificate | None = None
    problem: Problem | None = None
    keystore_problem: Problem | None = None
    derived: Derived = field(default_factory=Derived)
