"""What the API server's refusals mean for a person, in one line each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from appcredential.cli.app_credential import Document
from appcredential.cli.errors import (
    ChangedError,
    CliError,
    ExpiredListError,
    ForbiddenError,
    NoAnswerError,
    NoSuchKindError,
    NotThereError,
)
from appcredential.cli.text import plain

_UNKNOWN_FIELD: Final = re.compile(r'unknown field "([\w.\[\]]+)"')
_LENGTH: Final = 500


def refusal(status: int, document: Mapping[str, Any], method: str, path: str) -> CliError:
    """Return the error that an answer stands for.

    Args:
        status: the HTTP status.
        document: a Kubernetes Status, or empty if the answer was none.
        method: of the request.
        path: of the request.
    """
    answer = Document(document)
    said = _said(answer)
    if status == HTTPStatus.UNAUTHORIZED:
        return CliError("The API server does not accept your credentials: sign in again.")
    if status == HTTPStatus.FORBIDDEN:
        return ForbiddenError(said or f"You may not {method} {path}.")
    if status == HTTPStatus.NOT_FOUND:
        return _not_found(answer)
    if status == HTTPStatus.CONFLICT:
        return ChangedError(said)
    if status == HTTPStatus.GONE:
        return ExpiredListError("The list changed faster than it could be read: try again.")
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return NoAnswerError(f"The API server cannot answer now ({status}): {said}".rstrip(": "))
    # The API server's words for it are long, because they quote the whole object.
    unknown = _UNKNOWN_FIELD.search(str(answer.at("message")))
    if unknown:
        return CliError(
            f"This cluster's AppCredentials have no field {unknown[1]}: its operator is older than "
            "this tool. Upgrade the operator with its CRDs."
        )
    return CliError(said or f"The API server refuses {method} {path} with {status}.")


def _not_found(answer: Document) -> CliError:
    name = answer.text("details", "name")
    if answer.at("kind") == "Status" and name:
        kind = answer.text("details", "kind") or "object"
        return NotThereError(f'{kind} "{name}" not found')
    return NoSuchKindError(
        "The API server does not know appcredential.io/v1alpha1: the CRDs are missing, or are of "
        "another version than this tool."
    )


def _said(answer: Document) -> str:
    """Return the API server's own words: the causes if there are any, else the message."""
    causes = [
        ": ".join(filter(None, (c.text("field"), c.text("message"))))
        for c in answer.entries("details", "causes")
    ]
    found = "; ".join(filter(None, causes)) or answer.text("message")
    return plain(found, _LENGTH)
