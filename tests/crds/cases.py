"""What is accepted and what is refused: one table for the API server and for the parser.

`tests/domain/spec/test_parse.py` runs it through the parser, `test_rules.py`
through a real API server. A row sets one field of a right manifest; `None`
removes the field.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from tests.crds import (
    rows_accepted,
    rows_certificate,
    rows_federated,
    rows_grants,
    rows_identity,
    rows_lists,
    rows_refused,
    rows_restart,
    rows_secret,
    rows_windows,
)
from tests.crds.manifests import APP, GRANT, TENANT, Row, manifest


@dataclass(frozen=True, slots=True)
class Case:
    """One manifest.

    Attributes:
        name: what it shows.
        manifest: the whole object.
        message: part of what the API server says; empty when it accepts.
        path: the field that the parser names; empty when it accepts.
    """

    name: str
    manifest: dict[str, Any]
    message: str = ""
    path: str = ""


def patch(dotted: str, value: Any) -> dict[str, Any]:
    """Return the merge patch that sets one field; without a field the value is the patch."""
    if not dotted:
        return dict(value or {})
    for part in reversed(dotted.split(".")):
        value = {part: value}
    return dict(value)


def _accepted(kind: str, rows: Iterable[Row]) -> tuple[Case, ...]:
    return tuple(Case(name, manifest(kind, patch(field, value))) for name, field, value in rows)


def _refused(kind: str, rows: Iterable[Row]) -> tuple[Case, ...]:
    return tuple(_refusal(kind, *row) for row in rows)


def _refusal(
    kind: str, name: str, field: str, value: Any, message: str, path: str | None = None
) -> Case:
    """Make a case; the parser names the field that was set, unless `path` says another."""
    named = field if path is None else path
    return Case(name, manifest(kind, patch(field, value)), message, f"spec.{named}")


_CERTIFICATE: Final[dict[str, Any]] = {
    "type": "Certificate",
    "clientSecret": None,
    "certificate": {},
}


def _of_certificates(rows: Iterable[Row]) -> tuple[Row, ...]:
    """Return rows whose value is a patch that turns the right manifest into a certificate's."""
    return tuple(
        (name, "", _merged(patch(field, value)), *rest, *([field] if len(rest) == 1 else []))
        for name, field, value, *rest in rows
    )


def _merged(change: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = copy.deepcopy(_CERTIFICATE)
    for name, value in change.items():
        if isinstance(value, dict) and isinstance(found.get(name), dict):
            found[name] |= value
        else:
            found[name] = value
    return found


_FEDERATED: Final[dict[str, Any]] = {"type": "FederatedIdentity", "clientSecret": None}


def _federated(member: dict[str, Any] | None) -> dict[str, Any]:
    """Return the patch that turns the right manifest into one of a federated identity."""
    return {**_FEDERATED, "federatedIdentity": member}


def _refused_federated(rows: Iterable[Row]) -> tuple[Case, ...]:
    found = []
    for name, member, message, path in rows:
        field = f"federatedIdentity.{path}".rstrip(".")
        found.append(_refusal(APP, name, "", _federated(member), message, field))
    return tuple(found)


def _meaningless(rows: Iterable[Row]) -> tuple[Case, ...]:
    base = _federated({"serviceAccount": {"name": "orders"}})
    return tuple(
        _refusal(APP, f"{name} of a federated identity", "", {**base, field: value}, message, field)
        for name, field, value, message in rows
    )


ACCEPTED: Final = (
    *_accepted(APP, _of_certificates(rows_certificate.ACCEPTED)),
    *_accepted(APP, rows_accepted.APP),
    *_accepted(APP, rows_windows.ACCEPTED),
    *_accepted(APP, rows_restart.ACCEPTED),
    *_accepted(TENANT, rows_accepted.TENANT),
    *_accepted(TENANT, rows_identity.ACCEPTED),
    *_accepted(GRANT, rows_accepted.GRANT),
    *_accepted(APP, ((n, "", _federated(m)) for n, m in rows_federated.ACCEPTED)),
    *_accepted(APP, ((n, "", _federated(m)) for n, m in rows_lists.ACCEPTED)),
    *_accepted(GRANT, rows_federated.GRANTS_ACCEPTED),
    *_accepted(GRANT, rows_grants.ACCEPTED),
    Case(
        "a named Secret of a resource whose own name is reserved",
        manifest(APP, {"secret": {"name": "a"}}, "bootstrap-token-a"),
    ),
)
REFUSED: Final = (
    *_refused(APP, _of_certificates(rows_certificate.REFUSED)),
    *_refused(APP, rows_refused.APP),
    *_refused(APP, rows_secret.SECRET),
    *_refused(APP, rows_windows.REFUSED),
    *_refused(APP, rows_restart.REFUSED),
    *_refused(TENANT, rows_refused.TENANT),
    *_refused(TENANT, rows_identity.REFUSED),
    *_refused(GRANT, rows_refused.GRANT),
    *_refused_federated(rows_federated.REFUSED),
    *_refused_federated(rows_lists.REFUSED),
    *_meaningless(rows_federated.MEANINGLESS),
    *_refused(GRANT, rows_federated.GRANTS_REFUSED),
    *_refused(GRANT, rows_grants.REFUSED),
    Case(
        "a name by default that another tool looks for",
        manifest(APP, {}, "cacerts"),
        "set spec.secret.name",
        "spec.secret.name",
    ),
    Case(
        "a reserved name by default",
        manifest(APP, {}, "bootstrap-token-a"),
        "set spec.secret.name",
        "spec.secret.name",
    ),
)
