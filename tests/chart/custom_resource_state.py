"""A small evaluator of kube-state-metrics' custom resource state, by its documentation.

It knows what the example uses: gauges with `path`, `valueFrom` and `labelsFromPath`. Anything else
in a configuration is refused, so that nothing is believed that was not evaluated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

_RESOURCE: Final = {
    "groupVersionKind",
    "metricNamePrefix",
    "labelsFromPath",
    "metrics",
    "errorLogV",
}
_METRIC: Final = {"name", "help", "each"}
_GAUGE: Final = {"path", "valueFrom", "labelsFromPath"}
_WORDS: Final = {"true": 1.0, "yes": 1.0, "false": 0.0, "no": 0.0, "unknown": 0.0}


@dataclass(frozen=True, slots=True)
class Shown:
    """One series."""

    name: str
    labels: Mapping[str, str]
    value: float


def evaluate(config: Mapping[str, Any], document: Mapping[str, Any]) -> list[Shown]:
    """Return what a configuration makes of an object.

    Raises:
        ValueError: it holds something that is not known here.
    """
    if config["kind"] != "CustomResourceStateMetrics" or set(config) != {"kind", "spec"}:
        raise ValueError("not a configuration")
    return [
        series
        for resource in config["spec"]["resources"]
        if _matches(resource, document)
        for metric in _known(resource, _RESOURCE)["metrics"]
        for series in _series(resource, metric, document)
    ]


def _matches(resource: Mapping[str, Any], document: Mapping[str, Any]) -> bool:
    kind = resource["groupVersionKind"]
    version = f"{kind['group']}/{kind['version']}"
    return (version, kind["kind"]) == (document["apiVersion"], document["kind"])


def _series(
    resource: Mapping[str, Any], metric: Mapping[str, Any], document: Mapping[str, Any]
) -> Iterator[Shown]:
    each = _known(metric, _METRIC)["each"]
    if each["type"] != "Gauge" or set(each) != {"type", "gauge"}:
        raise ValueError(f"{metric['name']}: only gauges are known")
    gauge = _known(each["gauge"], _GAUGE)
    found = _at(document, gauge["path"])
    if isinstance(found, dict):
        raise ValueError(f"{metric['name']}: a path to an object is ambiguous")
    name = f"{resource['metricNamePrefix']}_{metric['name']}"
    base = _labels(document, resource["labelsFromPath"])
    for item in found if isinstance(found, list) else [found]:
        value = _at(item, gauge.get("valueFrom", []))
        if value is not None:
            labels = {**base, **_labels(item, gauge.get("labelsFromPath", {}))}
            yield Shown(name, labels, _number(value))


def _labels(where: Any, paths: Mapping[str, list[str]]) -> dict[str, str]:
    found = {label: _at(where, path) for label, path in paths.items()}
    return {label: str(value) for label, value in found.items() if value is not None}


def _at(where: Any, path: list[str]) -> Any:
    for part in path:
        where = where.get(part) if isinstance(where, dict) else None
    return where


def _number(value: Any) -> float:
    if isinstance(value, str) and value.lower() in _WORDS:
        return _WORDS[value.lower()]
    return datetime.fromisoformat(value).timestamp() if isinstance(value, str) else float(value)


def _known(found: Mapping[str, Any], names: set[str]) -> Mapping[str, Any]:
    if unknown := set(found) - names:
        raise ValueError(f"not known here: {sorted(unknown)}")
    return found
