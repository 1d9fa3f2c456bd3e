"""Rows of `spec.rotation.restart`."""

from __future__ import annotations

from typing import Any, Final

from tests.crds.manifests import GUID, Row

_FIELD: Final = "rotation.restart"
_LABELS: Final = f"{_FIELD}.matchLabels"
_ONE: Final = "must have exactly one of workloads and matchLabels"
_USING: Final = {"workloads": "UsingSecret"}


def _labels(*labels: tuple[str, str]) -> dict[str, Any]:
    return {"matchLabels": dict(labels)}


_TEN: Final = tuple((f"label-{number}", "x") for number in range(10))
ACCEPTED: Final[tuple[Row, ...]] = (
    ("restarts of what uses the Secret", _FIELD, _USING),
    ("restarts by a label", _FIELD, _labels(("app.kubernetes.io/part-of", "orders"))),
    ("restarts by ten labels", _FIELD, _labels(*_TEN)),
    ("restarts by a label without a value", _FIELD, _labels(("web", ""))),
)
REFUSED: Final[tuple[Row, ...]] = (
    ("restarts of nothing", _FIELD, {}, _ONE, _FIELD),
    ("two ways to select", _FIELD, {**_USING, **_labels(("a", "b"))}, _ONE, _FIELD),
    ("no such workloads", _FIELD, {"workloads": "All"}, "Unsupported value", f"{_FIELD}.workloads"),
    ("no labels", _FIELD, _labels(), "should have at least 1 properties", _LABELS),
    ("eleven labels", _FIELD, _labels(*_TEN, ("b", "c")), "must have at most 10 items", _LABELS),
    ("a label that is none", _FIELD, _labels(("a b", "c")), "must be as those of labels", _LABELS),
    ("a value that is none", _FIELD, _labels(("a", "b c")), "should match", f"{_LABELS}[a]"),
    ("a long value", _FIELD, _labels(("a", "b" * 64)), "Too long", f"{_LABELS}[a]"),
    (
        "restarts for a federated identity",
        "",
        {
            "type": "FederatedIdentity",
            "clientSecret": None,
            "federatedIdentity": {"managedIdentity": {"principalId": GUID}},
            "rotation": {"restart": _USING},
        },
        "rotation is not for type FederatedIdentity",
        "rotation",
    ),
)
