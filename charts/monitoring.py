"""The parts of docs/monitoring.md that are made: tables of metrics and of alerts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import yaml

from appcredential.runtime.metrics import Metrics
from appcredential.runtime.metrics_of_resources import SERIES

_PART: Final = "<!-- {0}: written by `python -m charts.generate` -->\n\n{1}\n<!-- end of {0} -->"


@dataclass(frozen=True, slots=True)
class Documented:
    """A metric as the page names it."""

    name: str
    type: str
    labels: tuple[str, ...]
    meaning: str


def metrics() -> Iterator[Documented]:
    """Yield every metric that the operator shows."""
    for series in SERIES:
        labels = ("namespace", "name", *series.labels)
        yield Documented(series.name, "gauge", labels, series.help)
    shown = Metrics(list)
    for family in shown.registry.collect():
        suffix = "_total" if family.type == "counter" else ""
        labels = _labels(shown, family)
        yield Documented(f"{family.name}{suffix}", family.type, labels, family.documentation)


def _labels(shown: Metrics, family: Any) -> tuple[str, ...]:
    """Return the names of the labels; the library does not tell them without a series."""
    collector = shown.registry._names_to_collectors.get(family.name)  # noqa: SLF001
    known: Iterable[str] = getattr(family, "_labelnames", getattr(collector, "_labelnames", ()))
    return tuple(known)


def metrics_table() -> str:
    """Return the table of the metrics."""
    lines = ["| metric | type | labels | meaning |", "|---|---|---|---|"]
    for found in sorted(metrics(), key=lambda found: found.name):
        labels = ", ".join(f"`{label}`" for label in found.labels) or "–"
        lines.append(f"| `{found.name}` | {found.type} | {labels} | {found.meaning} |")
    return "\n".join(lines) + "\n"


def alerts(text: str) -> list[dict[str, str]]:
    """Return the alerts of the text of files/alerts.yaml."""
    document = yaml.safe_load(text)
    return [*document["alerts"], *document["withoutOperator"]]


def alerts_table(text: str) -> str:
    """Return the table of the alerts."""
    lines = ["| alert | severity | fires when |", "|---|---|---|"]
    for alert in alerts(text):
        link = f"[{alert['name']}](runbooks/{alert['name']}.md)"
        lines.append(f"| {link} | {alert['severity']} | {_plain(alert['summary'])} |")
    return "\n".join(lines) + "\n"


def _plain(summary: str) -> str:
    """Return a summary with words for what Prometheus fills in."""
    named = re.sub(r"\{\{ \$labels\.(\w+) \}\}", lambda m: m[1].upper(), summary)
    named = re.sub(r"\{\{ \$value[^}]*\}\}", "…", named)
    return named.replace("%shards%", "…")


def page(text: str, alerts_file: str) -> str:
    """Return docs/monitoring.md with its made parts up to date.

    Args:
        text: the page as it is.
        alerts_file: the text of files/alerts.yaml.
    """
    for name, table in (("metrics", metrics_table()), ("alerts", alerts_table(alerts_file))):
        begin, end = f"<!-- {name}: ", f"<!-- end of {name} -->"
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        text = before + _PART.format(name, table) + after
    return text
