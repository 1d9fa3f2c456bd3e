"""What the operator may do to the Secret with its own certificate, and what it may not."""

from __future__ import annotations

from typing import Any, Final

from tests.chart.attempts import BOUND, HELD, LABEL, REPLACE, Attempt, manifest

_ALLOWED_BY: Final = {"appcredential.io/identity": "true"}
_RECORD: Final = {"appcredential.io/identity-rotation": "{}"}
_DATA: Final = {"tls.crt": "YQ==", "tls.key": "YQ=="}
_ONLY: Final = "nothing but the content and its own record"


def identity(name: str = "identity", **changed: Any) -> str:
    """Return the Secret as a person made it, except what is changed."""
    wanted = {"labels": _ALLOWED_BY, "type": "kubernetes.io/tls", "data": _DATA}
    return manifest("Secret", name, namespace=BOUND, **wanted | changed)


IDENTITY_OBJECTS: Final = (identity(), identity("private", labels={}))
IDENTITY_ALLOWED: Final = (
    Attempt(
        "its own certificate, renewed",
        REPLACE,
        identity(annotations=_RECORD, data={**_DATA, "tls.key": "Yg=="}),
        namespace=BOUND,
    ),
)
IDENTITY_REFUSED: Final = (
    Attempt("a certificate without the label", REPLACE, identity("private"), LABEL, BOUND),
    Attempt(
        "a mark on its own certificate", REPLACE, identity(annotations={"a": "b"}), _ONLY, BOUND
    ),
    Attempt(
        "a label on its own certificate",
        REPLACE,
        identity(labels={**_ALLOWED_BY, "a": "b"}),
        _ONLY,
        BOUND,
    ),
    Attempt("an owner of its own certificate", REPLACE, identity(held=HELD[0]), _ONLY, BOUND),
    Attempt(
        "the end of its own certificate",
        "delete secret identity",
        message="only Secrets of its own",
        namespace=BOUND,
    ),
)
