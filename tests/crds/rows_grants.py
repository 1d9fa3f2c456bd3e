"""Rows of which applications and namespaces an ApplicationGrant is about, and until when."""

from __future__ import annotations

from typing import Any, Final

from tests.crds.manifests import GUID, Row

_APPS: Final = "applications"
_SPACES: Final = "namespaces"
_SELECTOR: Final = "namespaces.selector"
_LABELS: Final = f"{_SELECTOR}.matchLabels"
_EXPRESSIONS: Final = f"{_SELECTOR}.matchExpressions"
_ONE_WAY: Final = "must have exactly one of clientIds, tagged and all"
_NAMES_OR: Final = "must have exactly one of names and selector"
_ALL: Final = "must ask for a label that not every namespace has"
_VALUES: Final = "must be listed for In and NotIn"
_KEYS: Final = "keys must be as those of labels"
_TIME: Final = "is what date -u +%Y-%m-%dT%H:%M:%SZ prints"


def _selected(**selector: Any) -> dict[str, Any]:
    """Return a patch that has namespaces selected in place of named."""
    return {"names": None, "selector": selector}


def _asking(*expressions: dict[str, Any]) -> dict[str, Any]:
    return _selected(matchExpressions=list(expressions))


def _expression(key: str, operator: str, *values: str) -> dict[str, Any]:
    return {"key": key, "operator": operator, **({"values": list(values)} if values else {})}


_ENV: Final = _expression("env", "In", "prod")
_MANY: Final = {f"label-{n}": "x" for n in range(17)}
_LENGTHY: Final = "a" * 254 + "/b"

ACCEPTED: Final[tuple[Row, ...]] = (
    ("tagged applications", _APPS, {"clientIds": None, "tagged": True}),
    ("all applications", _APPS, {"clientIds": None, "all": True}),
    ("namespaces by a label", _SPACES, _selected(matchLabels={"example.com/env": "prod"})),
    ("namespaces by a label without a value", _SPACES, _selected(matchLabels={"preview": ""})),
    ("namespaces by values", _SPACES, _asking(_expression("env", "In", "prod", "test"))),
    ("namespaces by a label's existence", _SPACES, _asking(_expression("preview", "Exists"))),
    (
        "conditions that leave out beside one that selects",
        _SPACES,
        _asking(_ENV, _expression("env", "NotIn", "old"), _expression("off", "DoesNotExist")),
    ),
    (
        "namespaces by the label with their names",
        _SPACES,
        _asking(_expression("kubernetes.io/metadata.name", "In", "shop")),
    ),
    ("an end", "expires", "2026-12-31T00:00:00Z"),
    ("an end with an offset", "expires", "2026-12-31T00:00:00.5+14:00"),
)
REFUSED: Final[tuple[Row, ...]] = (
    ("no way to name applications", _APPS, {"clientIds": None}, _ONE_WAY),
    ("two ways to name applications", _APPS, {"tagged": True}, _ONE_WAY),
    ("ids and all", _APPS, {"all": True}, _ONE_WAY),
    (
        "applications that are not tagged",
        _APPS,
        {"clientIds": None, "tagged": False},
        "must be true",
        f"{_APPS}.tagged",
    ),
    (
        "not all applications",
        _APPS,
        {"clientIds": None, "all": False},
        "must be true",
        f"{_APPS}.all",
    ),
    ("a word for tagged", f"{_APPS}.tagged", "yes", "must be of type boolean"),
    ("an id for all", f"{_APPS}.all", GUID, "must be of type boolean"),
    ("no way to name namespaces", _SPACES, {"names": None}, _NAMES_OR),
    ("two ways to name namespaces", _SELECTOR, {"matchLabels": {"a": "b"}}, _NAMES_OR, _SPACES),
    ("a selector of everything", _SPACES, _selected(), _ALL, _SELECTOR),
    ("a selector without labels", _SPACES, _selected(matchLabels={}), _ALL, _SELECTOR),
    ("a selector without conditions", _SPACES, _asking(), _ALL, _SELECTOR),
    (
        "a selector of all but some",
        _SPACES,
        _asking(_expression("env", "NotIn", "prod")),
        _ALL,
        _SELECTOR,
    ),
    (
        "a selector of all without a label",
        _SPACES,
        _asking(_expression("system", "DoesNotExist")),
        _ALL,
        _SELECTOR,
    ),
    (
        "a selector by a label that all have",
        _SPACES,
        _asking(_expression("kubernetes.io/metadata.name", "Exists")),
        _ALL,
        _SELECTOR,
    ),
    ("17 labels", _SPACES, _selected(matchLabels=_MANY), "must have at most 16 items", _LABELS),
    ("no key", _SPACES, _selected(matchLabels={"a b": "c"}), _KEYS, _LABELS),
    ("a long prefix", _SPACES, _selected(matchLabels={_LENGTHY: "c"}), _KEYS, _LABELS),
    ("no value", _SPACES, _selected(matchLabels={"a": "b c"}), "should match", f"{_LABELS}[a]"),
    (
        "a wildcard for a value",
        _SPACES,
        _selected(matchLabels={"a": "*"}),
        "should match",
        f"{_LABELS}[a]",
    ),
    (
        "17 conditions",
        _SPACES,
        _asking(*(_expression(key, "Exists") for key in _MANY)),
        "must have at most 16 items",
        _EXPRESSIONS,
    ),
    (
        "a condition without values",
        _SPACES,
        _asking(_expression("env", "In")),
        _VALUES,
        f"{_EXPRESSIONS}[0].values",
    ),
    (
        "a condition with values that it does not use",
        _SPACES,
        _asking(_ENV, _expression("a", "Exists", "b")),
        _VALUES,
        f"{_EXPRESSIONS}[1].values",
    ),
    (
        "an unknown operator",
        _SPACES,
        _asking(_expression("env", "Gt", "1")),
        "Unsupported value",
        f"{_EXPRESSIONS}[0].operator",
    ),
    (
        "a condition on no key",
        _SPACES,
        _asking(_expression("a/b/c", "Exists")),
        _KEYS,
        f"{_EXPRESSIONS}[0].key",
    ),
    (
        "a condition twice",
        _SPACES,
        _asking(_ENV, _expression("env", "In", "test")),
        "Duplicate",
        _EXPRESSIONS,
    ),
    (
        "a value twice",
        _SPACES,
        _asking(_expression("env", "In", "a", "a")),
        "Duplicate",
        f"{_EXPRESSIONS}[0].values",
    ),
    (
        "a value that is none",
        _SPACES,
        _asking(_expression("env", "In", "a b")),
        "should match",
        f"{_EXPRESSIONS}[0].values[0]",
    ),
    (
        "65 values",
        _SPACES,
        _asking(_expression("env", "In", *(f"v{n}" for n in range(65)))),
        "must have at most 64 items",
        f"{_EXPRESSIONS}[0].values",
    ),
    ("a day for an end", "expires", "2026-12-31", _TIME),
    ("a word for an end", "expires", "never", _TIME),
    ("an end that is none", "expires", "2026-02-30T10:00:00Z", _TIME),
)
