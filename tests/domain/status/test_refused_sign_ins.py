"""What status says about a refused sign-in, of an application and of the operator itself."""

from __future__ import annotations

from datetime import timedelta

import pytest

from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.operator_problems import rejected
from appcredential.domain.proof import SignInClass, classify
from appcredential.domain.spec.model import (
    CertificateIdentity,
    ClientId,
    ClientSecretIdentity,
    ManagedIdentity,
    TenantIdentity,
    WorkloadIdentity,
)
from appcredential.domain.status.problems_tenant import operator_refusal, tenant_refusal
from appcredential.domain.status.refused_sign_ins import application_message, operator_problem
from appcredential.errors import IdentityRejectedError
from tests.domain.test_proof import ANSWERS

ID = ClientId("c" * 36)
IDENTITIES: list[TenantIdentity] = [
    CertificateIdentity(client_id=ID, secret_name="own", secret_key="tls.crt"),
    ClientSecretIdentity(client_id=ID, secret_name="own", secret_key="value"),
    ManagedIdentity(),
    WorkloadIdentity(client_id=ID),
]
OWN = "Entra refuses the operator's own credential. Put a valid one there."
CODES = [(code, SignInClass(kind), Reason(reason)) for _, code, kind, reason in ANSWERS]
OF_THE_CREDENTIAL = {
    Reason.SIGN_IN_REJECTED,
    Reason.CERTIFICATE_REJECTED,
    Reason.FEDERATION_MISMATCH,
}


@pytest.mark.parametrize(("status", "code", "kind", "reason"), ANSWERS)
def test_an_application_is_told_the_number(status: int, code: int, kind: str, reason: str) -> None:
    message = application_message(classify(status, (code,)))
    assert message.endswith(f". Entra's code: AADSTS{code}.")


@pytest.mark.parametrize(
    ("skew", "told"),
    [
        (timedelta(minutes=-15), "Entra's clock is 15 min behind the operator's. Entra's code"),
        (None, "Set the clock of the operator's node. Entra's code"),
    ],
)
def test_a_refused_clock_is_told_with_the_difference(skew: timedelta | None, told: str) -> None:
    assert told in application_message(classify(401, (700024,)), skew)
    error = IdentityRejectedError("token: refused", code=700024, skew=skew)
    assert told in operator_refusal(error).message
    assert "Entra's clock" not in application_message(classify(400, (7000215,)), skew)


def test_without_a_number_there_is_none() -> None:
    assert "AADSTS" not in application_message(classify(400, ()))
    assert "log has the status" in application_message(classify(400, ()))
    assert operator_problem(0, OWN) == Problem(reason=Reason.IDENTITY_REJECTED, message=OWN)


@pytest.mark.parametrize(("code", "kind", "reason"), CODES)
def test_the_operator_is_judged_as_an_application_is(
    code: int, kind: SignInClass, reason: Reason
) -> None:
    problem = operator_problem(code, OWN)
    is_credential = reason in OF_THE_CREDENTIAL
    assert problem.reason is (Reason.IDENTITY_REJECTED if is_credential else reason)
    assert problem.message.endswith(f" Entra's code: AADSTS{code}.")
    assert problem.message.startswith(OWN) is is_credential
    assert "proving sign-in" not in problem.message
    assert problem.stalled is (reason is not Reason.ISSUER_KEYS)


@pytest.mark.parametrize(
    ("code", "reason", "words"),
    [
        (5000225, Reason.TENANT_BLOCKED, "reactivate"),
        (53003, Reason.BLOCKED_BY_CONDITIONAL_ACCESS, "Exclude its service principal"),
        (700024, Reason.CLOCK_SKEW, "Set the clock of the operator's node"),
        (7000112, Reason.APPLICATION_DISABLED, "Enable it"),
        (90002, Reason.WRONG_TENANT_OR_CLOUD, "Check tenantId and cloud"),
        (50166, Reason.ISSUER_UNREACHABLE, "Make the issuer public"),
        (7654321, Reason.UNCLASSIFIED, "Look the number up"),
    ],
)
@pytest.mark.parametrize("identity", IDENTITIES)
def test_a_tenant_asks_for_no_credential_where_that_would_not_help(
    identity: TenantIdentity, code: int, reason: Reason, words: str
) -> None:
    error = IdentityRejectedError("token: refused", code=code)
    problem = tenant_refusal(identity, error)
    assert problem.reason is reason
    assert words in problem.message
    assert "Put a valid one" not in problem.message
    error.message = rejected(identity).message
    assert operator_refusal(error) == problem
