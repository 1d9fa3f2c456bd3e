"""What is told when Kubernetes, or a fault of the operator, is in the way."""

from __future__ import annotations

from typing import Any

import pytest

from appcredential.domain.conditions import Reason
from appcredential.domain.lifecycle import decide
from appcredential.domain.status.problems_kube import (
    account_problem,
    failed_status,
    no_account,
    no_token,
    output_problem,
    secret_problem,
)
from appcredential.errors import (
    PermissionDeniedError,
    RejectedError,
    SecretForbiddenError,
    SecretRefusal,
    SecretRefusedError,
)
from tests.support.builders import MINUTE, NOW, observation, resource

SERVER_TEXT = "secrets is forbidden: canary of a server's text"


@pytest.mark.parametrize(
    ("error", "reason", "remedy"),
    [
        (
            SecretForbiddenError(SERVER_TEXT, is_write=True),
            Reason.SECRET_FORBIDDEN,
            "may not write Secrets in this namespace. Bind its role",
        ),
        (
            SecretForbiddenError(SERVER_TEXT, is_write=False),
            Reason.SECRET_FORBIDDEN,
            "may not read Secrets in this namespace. Bind its role",
        ),
        (
            SecretRefusedError(SERVER_TEXT, cause=SecretRefusal.QUOTA),
            Reason.SECRET_REFUSED,
            "Raise the quota",
        ),
        (
            SecretRefusedError(SERVER_TEXT, cause=SecretRefusal.ADMISSION),
            Reason.SECRET_REFUSED,
            "Exempt the operator's Secrets",
        ),
        (
            SecretRefusedError(SERVER_TEXT, cause=SecretRefusal.INVALID),
            Reason.SECRET_REFUSED,
            "Change spec.secret",
        ),
    ],
)
def test_a_refusal_names_its_remedy_and_no_text_of_the_server(
    error: SecretForbiddenError | SecretRefusedError, reason: Reason, remedy: str
) -> None:
    problem = secret_problem(error)
    assert (problem.reason, problem.stalled) == (reason, True)
    assert remedy in problem.message
    assert "canary" not in problem.message


def conditions(status: dict[str, Any]) -> dict[str, tuple[str, str, int]]:
    found = status["conditions"]
    return {c["type"]: (c["status"], c["reason"], c.get("observedGeneration", -1)) for c in found}


def test_a_fault_of_ours_says_nothing_new_of_the_secret() -> None:
    before = decide(observation()).status
    after = failed_status(resource(generation=2, status=before), NOW + MINUTE)
    assert conditions(after) == {
        "Ready": ("True", "Published", 1),
        "Verified": ("True", "Proven", 1),
        "Expiring": ("False", "NotDue", 1),
        "Stalled": ("True", "InternalError", 2),
    }
    assert after["observedGeneration"] == 2
    kept = set(before) - {"conditions", "observedGeneration"}
    assert {k: after[k] for k in kept} == {k: before[k] for k in kept}


def test_a_fault_at_a_fresh_resource_leaves_ready_unknown() -> None:
    assert conditions(failed_status(resource(status={"observedGeneration": -1}), NOW)) == {
        "Ready": ("Unknown", "InternalError", 1),
        "Stalled": ("True", "InternalError", 1),
    }


def test_a_fault_replaces_what_was_under_way_and_is_told_once() -> None:
    under_way = decide(observation(target=None)).status
    first = failed_status(resource(status=under_way), NOW)
    assert "Reconciling" not in conditions(first)
    assert failed_status(resource(status=first), NOW + MINUTE) == first


def test_a_missing_right_and_a_rule_are_told_apart() -> None:
    denied, refused = PermissionDeniedError("x"), RejectedError("x")
    told = [account_problem(denied), account_problem(refused)]
    told += [output_problem(denied), output_problem(refused)]
    assert [p.reason for p in told] == [
        Reason.SERVICE_ACCOUNT_FORBIDDEN,
        Reason.SERVICE_ACCOUNT_FORBIDDEN,
        Reason.OUTPUT_FORBIDDEN,
        Reason.OUTPUT_FORBIDDEN,
    ]
    assert len({p.message for p in told}) == 4


def test_a_proof_that_cannot_be_tried_names_the_account_and_the_audience() -> None:
    forbidden, missing = no_token("orders", "api://audience"), no_account("orders")
    assert forbidden.reason is Reason.TOKEN_REQUEST_FORBIDDEN
    assert "ServiceAccount orders for the audience api://audience" in forbidden.message
    assert missing.reason is Reason.SERVICE_ACCOUNT_NOT_FOUND
    assert "ServiceAccount orders does not exist" in missing.message
