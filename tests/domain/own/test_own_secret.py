"""Which Secret the operator may write, what it writes, and what it tells of refusals."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from appcredential.domain.own import problems
from appcredential.domain.own.secret import (
    ANNOTATION,
    LABEL,
    NEXT_KEY,
    OwnContent,
    OwnRecords,
    OwnSecret,
    fault_of,
    with_main,
    with_successor,
    without_successor,
)
from appcredential.domain.own.secret_records import NEXT_SECRET
from appcredential.domain.proof import PROVEN, UNREACHABLE
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import CertificateIdentity, ClientId
from appcredential.errors import (
    AppCredentialError,
    IdentityRejectedError,
    NotFoundError,
    PermissionDeniedError,
    RejectedError,
    SecretForbiddenError,
    UnavailableError,
)
from tests.support.builders import NOW, OPERATOR_CLIENT_ID

IDENTITY = CertificateIdentity(
    client_id=ClientId(OPERATOR_CLIENT_ID), secret_name="own", secret_key="tls.crt"
)
LIVE = OwnSecret(uid="u", resource_version="1", labels={LABEL: "true"})
KEY = "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n"
CHAIN = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"
RECORDS = OwnRecords(cluster="c", tenant="t", main="A", since=NOW, added=("A",))


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({}, ""),
        ({"labels": {}}, f"give it the label {LABEL}=true"),
        ({"labels": {LABEL: "yes"}}, f"give it the label {LABEL}=true"),
        ({"immutable": True}, "is immutable"),
        ({"is_leaving": True}, "being deleted"),
        ({"type": "kubernetes.io/tls"}, ""),
        ({"type": "appcredential.io/pending"}, "is of type"),
        ({"is_owned": True}, "metadata.ownerReferences"),
        ({"appliers": ("kubectl",)}, "server-side apply by kubectl"),
        ({"annotations": {ANNOTATION: "{}"}}, ""),
        ({"annotations": {"example.com/note": "a"}}, ""),
        ({"annotations": {"cert-manager.io/certificate-name": "a"}}, "cert-manager.io"),
        ({"annotations": {"kubectl.kubernetes.io/last-applied-configuration": "a"}}, "kubectl."),
        ({"annotations": {"meta.helm.sh/release-name": "a"}}, "meta.helm.sh"),
        ({"annotations": {"argocd.argoproj.io/tracking-id": "a"}}, "argocd.argoproj.io"),
        ({"labels": {"reconcile.external-secrets.io/managed": "true"}}, "external-secrets.io"),
        ({"labels": {"app.kubernetes.io/managed-by": "Helm"}}, "app.kubernetes.io/managed-by"),
        ({"labels": {"app.kubernetes.io/instance": "a"}}, "app.kubernetes.io/instance"),
        ({"labels": {"kustomize.toolkit.fluxcd.io/name": "a"}}, "fluxcd.io"),
    ],
)
def test_who_may_write_it(changed: dict[str, Any], words: str) -> None:
    fault = fault_of(replace(LIVE, **changed), IDENTITY.secret_key)
    assert words in fault
    assert bool(fault) == bool(words)


def test_the_successor_has_a_key_of_its_own() -> None:
    assert NEXT_KEY in fault_of(LIVE, NEXT_KEY)
    assert NEXT_SECRET in fault_of(LIVE, NEXT_SECRET, NEXT_SECRET)


def test_the_successor_takes_the_place_in_the_form_that_was_there() -> None:
    value, other = SecretValue(KEY + CHAIN), SecretValue("a")
    apart = replace(LIVE, data={"tls.crt": SecretValue("old"), "tls.key": other, "x": other})
    beside = replace(apart, data=with_successor(apart, value))
    assert beside.data == {**apart.data, NEXT_KEY: value}
    assert without_successor(beside) == apart.data
    assert with_main(beside, IDENTITY, value) == {
        "tls.crt": SecretValue(CHAIN),
        "tls.key": SecretValue(KEY),
        "x": other,
    }
    together = replace(LIVE, data={"client.pem": SecretValue(KEY + "old")})
    named = replace(IDENTITY, secret_key="client.pem")
    assert with_main(together, named, value) == {"client.pem": value}


def test_records_are_read_as_they_were_written() -> None:
    borrowed = replace(RECORDS, is_borrowed=True)
    for kept in (RECORDS, borrowed):
        annotation = OwnContent(data={}, records=kept).annotation()
        assert replace(LIVE, annotations={ANNOTATION: annotation}).records() == kept


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", '{"cluster":"c","tenant":"t","main":"A","since":"never","added":[]}'],
)
def test_records_that_cannot_be_read_are_none(text: str) -> None:
    assert replace(LIVE, annotations={ANNOTATION: text}).records() is None


def test_records_follow_each_step() -> None:
    assert RECORDS.with_added("B").added == ("A", "B")
    assert RECORDS.without(frozenset({"A"})).added == ()
    borrowed = replace(RECORDS, is_borrowed=True)
    assert borrowed.with_main("A", NOW).is_borrowed
    assert not borrowed.with_main("B", NOW).is_borrowed


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (SecretForbiddenError("", is_write=True), "rbac.identitySecrets"),
        (RejectedError("", code="Code"), "(Code)"),
        (RejectedError(""), "(bad request)"),
        (PermissionDeniedError(""), "clientId"),
        (NotFoundError(""), "in this tenant"),
        (UnavailableError(""), ""),
        (IdentityRejectedError(""), ""),
    ],
)
def test_a_refusal_names_the_remedy(error: AppCredentialError, words: str) -> None:
    problem = problems.refused_call(error)
    assert (problem is not None) == bool(words)
    assert problem is None or words in problem.message


def test_who_may_not_change_its_own_application_must_own_it() -> None:
    assert problems.refused_password(PermissionDeniedError("")) == problems.NOT_OWNER
    for error in (
        SecretForbiddenError("", is_write=True),
        IdentityRejectedError(""),
        RejectedError("", code="Code"),
    ):
        assert problems.refused_password(error) == problems.refused_call(error)


def test_a_sign_in_that_may_still_succeed_is_no_problem() -> None:
    assert problems.refused_sign_in(PROVEN) is None
    assert problems.refused_sign_in(UNREACHABLE) is None


def test_who_shares_it_is_named() -> None:
    assert "a, b" in problems.shared_with(["a", "b"]).message
