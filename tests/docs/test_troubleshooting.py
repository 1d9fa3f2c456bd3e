"""Each row of docs/troubleshooting.md leads from a symptom that the operator really shows."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.facts.deletion import scheduled_note
from appcredential.domain.facts.overdue import overdue_note
from appcredential.domain.operator_credential import client_secret_of, pair_of
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import (
    CertificateIdentity,
    ClientId,
    ClientSecretIdentity,
    WorkloadIdentity,
)
from appcredential.domain.status.cluster_kinds import in_use, revocations_open
from appcredential.domain.status.problems_tenant import (
    session_failed,
    tenant_refusal,
    tenant_unreachable,
)
from appcredential.errors import IdentityRejectedError, UntrustedServerError
from tests.docs.cluster_symptoms import OF_CLUSTERS
from tests.docs.grant_symptoms import OF_GRANTS
from tests.docs.pod_symptoms import OF_PODS
from tests.docs.reading import ROOT, rows
from tests.docs.source_symptoms import OF_SOURCES
from tests.docs.truth_symptoms import OF_WORKING
from tests.domain.test_scheduled_revocations import revocation, seen
from tests.support.keys import make_certificate

PAGE: Final = (ROOT / "docs" / "troubleshooting.md").read_text()
ID: Final = ClientId("c" * 36)
SECRET: Final = ClientSecretIdentity(client_id=ID, secret_name="own", secret_key="clientSecret")
CERTIFICATE: Final = CertificateIdentity(client_id=ID, secret_name="own", secret_key="client.pem")
MADE: Final = make_certificate("operator")
ENCRYPTED: Final = b"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"


def of_secret(raw: bytes) -> Problem:
    value = SecretValue(raw.decode(errors="surrogateescape"))
    found = client_secret_of({"clientSecret": value}, SECRET)
    assert isinstance(found, Problem)
    return found


def of_file(raw: bytes) -> Problem:
    found = pair_of({"client.pem": SecretValue(raw.decode(errors="surrogateescape"))}, CERTIFICATE)
    assert isinstance(found, Problem)
    return found


def of_code(code: int) -> Problem:
    error = IdentityRejectedError("token: refused", code=code)
    return tenant_refusal(WorkloadIdentity(client_id=ID), error)


def untrusted() -> Problem:
    return tenant_unreachable(UntrustedServerError("token", is_token_endpoint=True))


SHOWN: Final[dict[str, Callable[[], Problem]]] = {
    **OF_SOURCES,
    **OF_GRANTS,
    **OF_CLUSTERS,
    **OF_WORKING,
    **OF_PODS,
    "is empty": lambda: of_secret(b""),
    "holds a line break": lambda: of_secret(b"value\n"),
    "begins or ends with a blank": lambda: of_secret(b" value"),
    "written as UTF-16": lambda: of_secret("value".encode("utf-16")),
    "begins with a byte order mark": lambda: of_secret("value".encode("utf-8-sig")),
    "is not text but binary": lambda: of_secret(MADE.pkcs12(b"word")),
    "encrypted with a password": lambda: of_file(ENCRYPTED),
    "is a PKCS #12 file (PFX)": lambda: of_file(MADE.pkcs12(b"word")),
    "is one line, with \\n": lambda: of_file(MADE.bundle.replace(b"\n", b"\\n")),
    "base64 once too often": lambda: of_file(base64.b64encode(MADE.bundle)),
    "failed unexpectedly at the tenant's session": lambda: session_failed(ValueError()),
    "should have been revoked at": lambda: Problem(
        reason=Reason.REVOCATIONS_OPEN, message=overdue_note(seen(revocation()))
    ),
    "The resource was deleted; its credentials and its Secret are removed at": lambda: Problem(
        reason=Reason.PROGRESSING, message=scheduled_note(revocation()) or ""
    ),
    "The resource was deleted; its credentials are removed at": lambda: Problem(
        reason=Reason.PROGRESSING, message=scheduled_note(revocation(secret_uid="")) or ""
    ),
    "RevocationsOpen": lambda: revocations_open(["shop/orders"]),
    "InUse": lambda: in_use(["shop/orders"]),
    "IdentitySecretUnusable": lambda: of_secret(b""),
    "Unclassified": lambda: of_code(7654321),
    "TlsNotTrusted": untrusted,
    "InternalError": lambda: session_failed(ValueError()),
}
OF_OTHERS: Final = {
    # Programs that read keystore.p12; test_keystores.py has what the profile changes.
    "pkcs12: unknown digest algorithm: 2.16.840.1.101.3.4.2.1",
    "The specified network password is not correct",
    "keystore password was incorrect",
    'cannot get resource "entratenants"',  # the API server's; tests/chart/test_readers.py shows it
    'secret "orders" not found',  # the kubelet's; tests/gitops/test_kustomize.py shows the cause
    "CERTIFICATE_VERIFY_FAILED",  # OpenSSL's words for the same
    "Some content in the namespace has finalizers remaining: appcredential.io/credential",
}
"""Symptoms that others show."""


def symptoms() -> list[str]:
    """Return what is quoted in the first column."""
    cells = [cell for cell, *_ in rows(PAGE, "you see", "because", "do")]
    return sorted({s for cell in cells for s in re.findall(r"`([^`]+)`", cell)} - OF_OTHERS)


@pytest.mark.parametrize("symptom", symptoms())
def test_the_operator_really_shows_it(symptom: str) -> None:
    code = re.fullmatch(r"AADSTS(\d+)", symptom)
    problem = of_code(int(code[1])) if code else SHOWN[symptom]()
    assert symptom in f"{problem.reason} {problem.message}"
    assert problem.reason is not Reason.UNCLASSIFIED or symptom == "Unclassified"


def test_all_that_is_shown_is_on_the_page() -> None:
    assert SHOWN.keys() <= set(symptoms())


def test_the_page_can_be_found() -> None:
    for page in ("README.md", "docs/install.md", "docs/conditions.md"):
        assert "troubleshooting.md" in Path(ROOT / page).read_text(), page
