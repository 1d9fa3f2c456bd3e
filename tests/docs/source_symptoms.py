"""What the operator shows of certificates that others issue, for docs/troubleshooting.md."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import pytest

from appcredential.domain.conditions import Problem
from appcredential.domain.observed.certificate import CertificateInputs, SuppliedCertificate
from appcredential.domain.promised import required
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.certificate import CertificateSource, CertificateSpec
from appcredential.domain.spec.model import CredentialType
from appcredential.domain.status.problems_source import empty_key, unusable_source
from appcredential.domain.status.source import source_problem
from appcredential.errors import UnusableCertificateError
from appcredential.x509.read import CertificateFiles, read_certificate, read_files
from tests.support.builders import DAY, NOW, facts, observation, resource, spec
from tests.support.keys import make_certificate, rsa_key

MADE: Final = make_certificate("orders")
OTHER: Final = make_certificate("invoices", key=rsa_key(1))


def of_source(raw: bytes) -> Problem:
    with pytest.raises(UnusableCertificateError) as caught:
        read_certificate(SecretValue(raw.decode(errors="surrogateescape")))
    return unusable_source(f"{caught.value}.")


def of_pfx(password: str) -> Problem:
    packed = SecretValue(MADE.pkcs12(b"x").decode(errors="surrogateescape"))
    files = CertificateFiles(content=packed, may_hold_key=True, password=SecretValue(password))
    with pytest.raises(UnusableCertificateError) as caught:
        read_files(files)
    return unusable_source(f"{caught.value}.")


def expired_source() -> Problem:
    """Return what is said of a file with two certificates, both of which have expired."""
    value = SecretValue(MADE.bundle.decode())
    old = SuppliedCertificate(value=value, start=NOW - 9 * DAY, end=NOW - 2 * DAY)
    both = replace(old, others=(replace(old, end=NOW - DAY),))
    member = CertificateSpec(source=CertificateSource.INLINE, inline=MADE.pem.decode())
    wanted = replace(spec(), type=CredentialType.CERTIFICATE, certificate=member)
    o = observation(resource=resource(wanted))
    found = facts(replace(o, certificate_inputs=CertificateInputs(supplied=both)))
    return required(source_problem(found))


OF_SOURCES: Final[dict[str, Callable[[], Problem]]] = {
    "The certificate at the source": lambda: of_source("-".encode("utf-16")),
    "is a PKCS #12 file (PFX), which holds a private key": lambda: of_source(MADE.pkcs12(b"x")),
    "is a PKCS #12 file (PFX) that has a password": lambda: of_pfx(""),
    "does not open with the password of spec.certificate.passwordSecretKeyRef": lambda: of_pfx("y"),
    "is empty. It is read again until it is filled": lambda: empty_key("Secret", "tls", "tls.crt"),
    "SourceNotFound": lambda: empty_key("Secret", "tls", "tls.crt"),
    "holds certificates of 2 subjects, with several keys": lambda: of_source(MADE.pem + OTHER.pem),
    "has expired: renew it at its source": expired_source,
}
