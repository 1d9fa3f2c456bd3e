"""What a certificate and its files are made of, as it lies at its source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from appcredential.domain.conditions import Problem
from appcredential.domain.secret_value import SecretValue


@dataclass(frozen=True, slots=True, kw_only=True)
class SuppliedCertificate:
    """A certificate that others made, as it lies at its source now.

    Attributes:
        value: its private key, where it is at hand, and then its chain, PEM.
        start: of the certificate itself.
        end: of the certificate itself.
    """

    value: SecretValue
    start: datetime
    end: datetime


def _nothing_derived() -> Mapping[str, SecretValue]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateInputs:
    """What a credential or its Secret is made of beside the resource itself.

    Attributes:
        brought: what lies at the source; None for what is made here.
        problem: why the source cannot be used; then nothing new is made of it.
        keystore_problem: why the password of the PKCS #12 file cannot be used; then nothing is
            published that would need it.
        derived: template values that need cryptography, made of T's value.
    """

    supplied: SuppliedCertificate | None = None
    problem: Problem | None = None
    keystore_problem: Problem | None = None
    derived: Mapping[str, SecretValue] = field(default_factory=_nothing_derived)
