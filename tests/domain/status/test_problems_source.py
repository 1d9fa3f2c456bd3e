"""Certificate sources and passwords of keystores that are of no use, and what to do."""

from __future__ import annotations

import pytest

from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.certificate import KeyRef
from appcredential.domain.status.problems_source import (
    CONFIG_MAPS_FORBIDDEN,
    PasswordOf,
    empty_key,
    missing_key,
    missing_source,
    refused_password,
    refused_source,
    unusable_source,
    usable_password,
)

REF = KeyRef(name="tls", key="tls.crt")


@pytest.mark.parametrize(
    ("problem", "reason", "remedy"),
    [
        (missing_source("Secret", "tls"), Reason.SOURCE_NOT_FOUND, "Create it, or name another"),
        (missing_key("ConfigMap", REF), Reason.SOURCE_NOT_FOUND, "no key tls.crt. Name the key"),
        (
            empty_key("Secret", "tls", "tls.key"),
            Reason.SOURCE_NOT_FOUND,
            "Key tls.key of Secret tls",
        ),
        (unusable_source("has expired: renew it."), Reason.SOURCE_UNUSABLE, "source has expired"),
        (
            unusable_source("is odd: mend it.", "spec.certificate.inline"),
            Reason.SOURCE_UNUSABLE,
            "source (spec.certificate.inline) is odd: mend it",
        ),
        (
            refused_source(REF, "spec.certificate.secretKeyRef", "is ours: name another"),
            Reason.SOURCE_UNUSABLE,
            f"spec.certificate.secretKeyRef: Secret {REF.name} is ours: name another.",
        ),
        (
            refused_password(REF, "is ours: name another"),
            Reason.KEYSTORE_PASSWORD,
            f"pkcs12.passwordSecretKeyRef: Secret {REF.name} is ours: name another.",
        ),
        (
            refused_password(REF, "is ours: name another", PasswordOf.SOURCE),
            Reason.SOURCE_UNUSABLE,
            f"spec.certificate.passwordSecretKeyRef: Secret {REF.name} is ours: name another.",
        ),
        (CONFIG_MAPS_FORBIDDEN, Reason.SOURCE_UNUSABLE, "Bind its role there"),
    ],
)
def test_what_is_wrong_comes_with_the_remedy(problem: Problem, reason: Reason, remedy: str) -> None:
    assert problem.reason is reason
    assert problem.stalled
    assert remedy in problem.message


@pytest.mark.parametrize("text", ["x", "correct horse", "ä" * 128])
def test_a_password_is_printable_and_bounded(text: str) -> None:
    value = SecretValue(text)
    assert usable_password(REF, {"tls.crt": value, "other": SecretValue("")}) is value


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "does not exist"),
        ({}, "has no key tls.crt"),
        ("", "1 to 128 printable characters"),
        ("x" * 129, "1 to 128 printable characters"),
        ("canary\n", "without a line break"),
    ],
)
def test_everything_else_is_no_password(text: object, words: str) -> None:
    given = {"tls.crt": SecretValue(text)} if isinstance(text, str) else text
    found = usable_password(REF, given)  # type: ignore[arg-type]
    assert isinstance(found, Problem)
    assert found.reason is Reason.KEYSTORE_PASSWORD
    assert words in found.message
    assert "canary" not in found.message


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (None, Reason.SOURCE_NOT_FOUND),
        ({}, Reason.SOURCE_NOT_FOUND),
        ({"tls.crt": SecretValue("")}, Reason.SOURCE_NOT_FOUND),
        ({"tls.crt": SecretValue("a\n")}, Reason.SOURCE_UNUSABLE),
    ],
)
def test_the_password_of_a_source_is_part_of_the_source(
    values: dict[str, SecretValue] | None, reason: Reason
) -> None:
    found = usable_password(REF, values, PasswordOf.SOURCE)
    assert isinstance(found, Problem)
    assert found.reason is reason
