"""The Problems of a tenant that refuses the operator."""

from __future__ import annotations

from datetime import timedelta

import pytest

from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.observed.memory import RETRY, RETRY_CAP
from appcredential.domain.operator_problems import (
    NO_MANAGED_IDENTITY,
    forbidden,
    rejected,
    unusable_token,
)
from appcredential.domain.spec.model import ClientId, ClientSecretIdentity, Cloud
from appcredential.domain.status.problems_entra import (
    Asked,
    directory_problem,
    federated_refusal,
    probe_age,
    refusal,
)
from appcredential.domain.status.problems_tenant import (
    NOT_IN_A_TRIAL,
    NOT_PROBED_YET,
    TENANT_UNREACHABLE,
    not_ready,
    operator_refusal,
    session_failed,
    tenant_refusal,
    tenant_unreachable,
    trial_problem,
)
from appcredential.errors import (
    AppCredentialError,
    ConflictError,
    IdentityRejectedError,
    NoManagedIdentityError,
    OutcomeUnknownError,
    OwnTokenError,
    PermissionDeniedError,
    RejectedError,
    ThrottledError,
    UnavailableError,
    UntrustedServerError,
)
from tests.support.builders import MINUTE

IDENTITY = ClientSecretIdentity(client_id=ClientId("c" * 36), secret_name="own", secret_key="value")
BAD_REQUEST = Problem(
    reason=Reason.IDENTITY_REJECTED,
    message="Graph refuses the operator's request: BadRequest. Its log has Graph's own words.",
)


def _with_message(error: IdentityRejectedError, message: str) -> IdentityRejectedError:
    error.message = message
    return error


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (IdentityRejectedError("AADSTS7000222"), rejected(IDENTITY)),
        (OwnTokenError("cannot be read."), unusable_token("cannot be read.")),
        (NoManagedIdentityError("no answer"), NO_MANAGED_IDENTITY),
        (PermissionDeniedError("403"), forbidden(IDENTITY)),
        (RejectedError("400", code="BadRequest"), BAD_REQUEST),
    ],
)
def test_a_tenant_says_why_it_refuses_the_operator(
    error: AppCredentialError, problem: Problem
) -> None:
    assert tenant_refusal(IDENTITY, error) == problem


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (
            IdentityRejectedError("AADSTS7000222"),
            Problem(
                reason=Reason.IDENTITY_REJECTED,
                message="Entra refuses the operator's own credential.",
            ),
        ),
        (
            _with_message(IdentityRejectedError("AADSTS7000222"), rejected(IDENTITY).message),
            rejected(IDENTITY),
        ),
    ],
)
def test_without_the_identity_the_error_gives_the_message(
    error: IdentityRejectedError, problem: Problem
) -> None:
    assert operator_refusal(error) == problem


def test_an_unexpected_error_is_told_by_its_type_alone() -> None:
    problem = session_failed(ValueError("a value"))
    assert problem.reason is Reason.INTERNAL_ERROR
    assert "(ValueError)" in problem.message
    assert "a value" not in problem.message


@pytest.mark.parametrize("is_token_endpoint", [True, False])
@pytest.mark.parametrize("issuer", ["Proxy CA", ""])
def test_a_certificate_that_is_not_trusted_is_told_with_its_issuer(
    issuer: str, is_token_endpoint: bool
) -> None:
    error = UntrustedServerError("GET", is_token_endpoint=is_token_endpoint)
    error.issuer = issuer
    problem = tenant_unreachable(error)
    assert problem.reason is Reason.TLS_NOT_TRUSTED
    assert problem.stalled
    assert ("the token endpoint" if is_token_endpoint else "Graph") in problem.message
    assert ('issued by "Proxy CA"' in problem.message) is bool(issuer)
    assert "caBundle" in problem.message
    assert tenant_unreachable(UnavailableError("503")) == TENANT_UNREACHABLE


@pytest.mark.parametrize("problem", [NOT_IN_A_TRIAL, NOT_PROBED_YET, TENANT_UNREACHABLE])
def test_users_of_a_tenant_hear_its_reason_and_remedy(problem: Problem) -> None:
    heard = not_ready(problem)
    assert heard.reason is Reason.TENANT_NOT_READY
    assert str(problem.reason) in heard.message
    assert heard.message.endswith(problem.message)
    assert heard.stalled is problem.stalled


@pytest.mark.parametrize("cloud", list(Cloud))
def test_a_trial_signs_in_to_clouds_of_its_own_only(cloud: Cloud) -> None:
    assert trial_problem(cloud, trial=False) is None
    refused = trial_problem(cloud, trial=True)
    assert refused == (None if cloud is Cloud.CUSTOM else NOT_IN_A_TRIAL)


PAUSE = timedelta(hours=1)


@pytest.mark.parametrize(
    ("error", "reason", "pause", "stalled"),
    [
        (ThrottledError("429", retry_after=MINUTE), Reason.THROTTLED, MINUTE, False),
        (IdentityRejectedError("AADSTS7000222"), Reason.TENANT_NOT_READY, RETRY, True),
        (PermissionDeniedError("403"), Reason.PERMISSION_DENIED, PAUSE, True),
        (RejectedError("400", code="BadRequest"), Reason.CREDENTIAL_REFUSED, RETRY_CAP, True),
        (
            RejectedError("400", code="CredentialInvalidLifetimeAsPerAppPolicy"),
            Reason.LIFETIME_OVER_POLICY,
            RETRY_CAP,
            True,
        ),
        (UnavailableError("503"), Reason.DIRECTORY_UNAVAILABLE, RETRY, False),
        (
            UntrustedServerError("GET", is_token_endpoint=False),
            Reason.TLS_NOT_TRUSTED,
            RETRY,
            False,
        ),
        (OutcomeUnknownError("cut off"), Reason.DIRECTORY_UNAVAILABLE, RETRY, False),
        (ConflictError("409"), Reason.DIRECTORY_UNAVAILABLE, RETRY, False),
    ],
)
def test_a_failed_call_has_a_reason_and_a_pause(
    error: AppCredentialError, reason: Reason, pause: timedelta, stalled: bool
) -> None:
    problem, again = directory_problem(error, PAUSE)
    assert (problem.reason, again, problem.stalled) == (reason, pause, stalled)


@pytest.mark.parametrize(
    ("asked", "command"),
    [
        (
            Asked(application="app", object_id="object", operator="client", principal="principal"),
            "az ad app owner add --id object --owner-object-id principal.",
        ),
        (
            Asked(application="app", operator="client"),
            "--id app --owner-object-id $(az ad sp show --id client --query id --output tsv).",
        ),
        (
            Asked(application="app", object_id="object"),
            "az ad app owner add --id object --owner-object-id PRINCIPAL.",
        ),
    ],
    ids=["all is known", "before the first token and read", "of an unknown operator"],
)
def test_a_missing_owner_is_told_with_the_command(asked: Asked, command: str) -> None:
    problem, _ = directory_problem(PermissionDeniedError("403"), PAUSE, asked)
    assert problem.reason is Reason.PERMISSION_DENIED
    assert command in problem.message
    assert "about the application app." in problem.message


@pytest.mark.parametrize(("code", "words"), [("", "bad request"), ("Conflict", "Conflict")])
def test_a_refused_federated_credential_names_graphs_code(code: str, words: str) -> None:
    problem = federated_refusal(code)
    assert problem.reason is Reason.CREDENTIAL_REFUSED
    assert f": {words}. If" in problem.message


NOT_READY = not_ready(TENANT_UNREACHABLE)
OVER_POLICY = refusal("CredentialInvalidLifetimeAsPerAppPolicy")


@pytest.mark.parametrize(
    ("before", "now", "age"),
    [
        (None, NOT_READY, timedelta(seconds=10)),
        (OVER_POLICY, NOT_READY, timedelta(seconds=10)),
        (None, OVER_POLICY, MINUTE),
        (NOT_READY, NOT_READY, None),
        (NOT_READY, None, None),
        (None, None, None),
        (None, refusal("BadRequest"), None),
    ],
    ids=[
        "the operator is rejected",
        "now the operator is rejected",
        "the policy allows less",
        "known before",
        "over",
        "nothing",
        "of one resource only",
    ],
)
def test_what_concerns_all_users_of_a_tenant_has_it_probed(
    before: Problem | None, now: Problem | None, age: timedelta | None
) -> None:
    assert probe_age(before, now) == age
