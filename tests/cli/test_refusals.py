"""Refusals of the API server become one line that says what to do."""

from __future__ import annotations

from typing import Any

import pytest

from appcredential.cli.errors import (
    ChangedError,
    CliError,
    ExpiredListError,
    ForbiddenError,
    NoAnswerError,
    NoSuchKindError,
    NotThereError,
)
from appcredential.cli.refusals import refusal

STATUS: dict[str, Any] = {"kind": "Status", "message": "As it is.\x1b[31m\nReally."}
NAMED = {**STATUS, "details": {"name": "orders", "kind": "appcredentials"}}
CAUSES = {
    **STATUS,
    "details": {"causes": [{"field": "spec.a", "message": "is wrong"}, {"message": "so is b"}, 5]},
}
UNKNOWN = {**STATUS, "message": 'strict decoding error: unknown field "spec.rotation.restart"'}


@pytest.mark.parametrize(
    ("status", "document", "kind", "words"),
    [
        (401, STATUS, CliError, "sign in again"),
        (403, STATUS, ForbiddenError, "As it is. [31m Really."),
        (403, {}, ForbiddenError, "You may not GET /x."),
        (404, NAMED, NotThereError, 'appcredentials "orders" not found'),
        (404, {}, NoSuchKindError, "the CRDs are missing"),
        (404, STATUS, NoSuchKindError, "the CRDs are missing"),
        (409, STATUS, ChangedError, "As it is."),
        (410, STATUS, ExpiredListError, "try again"),
        (429, {}, NoAnswerError, "cannot answer now (429)"),
        (503, STATUS, NoAnswerError, "cannot answer now (503): As it is."),
        (422, CAUSES, CliError, "spec.a: is wrong; so is b"),
        (400, UNKNOWN, CliError, "no field spec.rotation.restart: its operator is older"),
        (418, {}, CliError, "The API server refuses GET /x with 418."),
    ],
)
def test_what_a_refusal_says(
    status: int, document: dict[str, Any], kind: type[CliError], words: str
) -> None:
    found = refusal(status, document, "GET", "/x")

    assert type(found) is kind
    assert words in str(found)
    assert str(found).isprintable()
