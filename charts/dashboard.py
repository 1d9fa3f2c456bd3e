"""The Grafana dashboard of the chart, written by `python -m charts.generate`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

_SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
_WIDTH: Final = 24
_RANGE: Final = "$__rate_interval"
_PROCESSES: Final = ('job=~"$job"', 'instance=~"$instance"')
_NAMESPACES: Final = 'namespace=~"$namespace"'
_NOT_TRUE: Final = 'condition!="True"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A panel: its queries by legend, and how they are shown.

    Attributes:
        kind: of Grafana's panels.
        queries: PromQL by its legend; a table has one, whose labels are its columns.
        unit: one of Grafana's.
        columns: of a table, from label to heading; `Value` is the number.
    """

    title: str
    description: str
    kind: str
    queries: dict[str, str]
    unit: str
    width: int = 8
    height: int = 8
    columns: dict[str, str] | None = None
    reduce: str = "lastNotNull"


def _of(metric: str, *matchers: str) -> str:
    """Return a selector of this metric for the chosen processes."""
    return f"{metric}{{{', '.join((*_PROCESSES, *matchers))}}}"


def _each(metric: str, *matchers: str, by: str = "namespace, name") -> str:
    """Return a metric of the resources once, although each process shows it."""
    return f"max by ({by}) ({_of(metric, _NAMESPACES, *matchers)})"


def _rate(metric: str, by: str, *matchers: str) -> str:
    return f"sum by ({by}) (rate({_of(metric, *matchers)}[{_RANGE}]))"


def _increase(metric: str, by: str) -> str:
    return f"sum by ({by}) (increase({_of(metric)}[{_RANGE}]))"


def _worst(metric: str, by: str, *matchers: str) -> str:
    """Return the largest of a metric of the processes."""
    return f"max by ({by}) ({_of(metric, *matchers)})"


def _quantile(metric: str, share: float, by: str) -> str:
    rates = _rate(f"{metric}_bucket", f"le, {by}" if by else "le")
    return f"histogram_quantile({share}, {rates})"


_PLACE: Final = {"namespace": "Namespace", "name": "Name"}
_END: Final = _each("appcredential_expiration_timestamp_seconds")
_RENEWAL: Final = _each("appcredential_renewal_timestamp_seconds")

OVERVIEW: Final = (
    Panel(
        title="AppCredentials",
        description="How many there are.",
        kind="stat",
        queries={"": f"count({_each('appcredential_info')})"},
        unit="none",
        width=4,
        height=4,
    ),
    Panel(
        title="Not ready",
        description="AppCredentials that are not Ready.",
        kind="stat",
        queries={"": f"sum({_each('appcredential_ready_status', _NOT_TRUE)}) or vector(0)"},
        unit="none",
        width=4,
        height=4,
    ),
    Panel(
        title="Stalled",
        description="AppCredentials for which a person has to act.",
        kind="stat",
        queries={"": f"count({_each('appcredential_stalled')}) or vector(0)"},
        unit="none",
        width=4,
        height=4,
    ),
    Panel(
        title="Next expiry",
        description="Time until the first published credential expires.",
        kind="stat",
        queries={"": f"min({_END}) - time()"},
        unit="s",
        width=4,
        height=4,
    ),
    Panel(
        title="Leaders",
        description="Processes that may act: one for each shard.",
        kind="stat",
        queries={"": f"sum({_of('appcredential_leader')})"},
        unit="none",
        width=4,
        height=4,
    ),
    Panel(
        title="EntraTenants not ready",
        description="EntraTenants that the operator cannot use.",
        kind="stat",
        queries={
            "": "sum("
            f"{_worst('appcredential_tenant_ready_status', 'tenant', _NOT_TRUE)}) or vector(0)"
        },
        unit="none",
        width=4,
        height=4,
    ),
    Panel(
        title="Expiry",
        description="Published credentials, those that end first on top.",
        kind="table",
        queries={"": f"sort(bottomk(50, {_END} - time()))"},
        unit="s",
        width=12,
        columns={**_PLACE, "Value": "Expires in"},
    ),
    Panel(
        title="Next renewals",
        description="When a successor is due. What is below zero is being renewed, or waits.",
        kind="table",
        queries={"": f"sort(bottomk(50, {_RENEWAL} - time()))"},
        unit="s",
        width=12,
        columns={**_PLACE, "Value": "Due in"},
    ),
    Panel(
        title="Not as it should be",
        description="Conditions that are not as they should be, with their reasons.",
        kind="table",
        queries={
            "": _each("appcredential_condition", by="namespace, name, condition, status, reason")
        },
        unit="none",
        width=12,
        columns={**_PLACE, "condition": "Condition", "status": "Status", "reason": "Reason"},
    ),
    Panel(
        title="Replaced credentials that pods may still use",
        description="Time until they go. Restart the pods before that.",
        kind="table",
        queries={
            "": f"{_each('appcredential_retire_timestamp_seconds')} - time() "
            f"and on (namespace, name) {_each('appcredential_retirements_waiting')} > 0"
        },
        unit="s",
        width=12,
        columns={**_PLACE, "Value": "Ends in"},
    ),
)
ROTATION: Final = (
    Panel(
        title="Rotations",
        description="Credentials that were published, and attempts in vain.",
        kind="timeseries",
        queries={
            "{{result}}, {{trigger}}": _increase("appcredential_rotations_total", "result, trigger")
        },
        unit="none",
    ),
    Panel(
        title="Answers to new credentials",
        description="What came of calls that create a credential.",
        kind="timeseries",
        queries={"{{outcome}}": _rate("appcredential_mints_total", "outcome")},
        unit="ops",
    ),
    Panel(
        title="Proofs",
        description="Sign-ins that prove a credential, by Entra's answer.",
        kind="timeseries",
        queries={
            "{{subject}}: {{outcome}}": _rate("appcredential_proofs_total", "subject, outcome")
        },
        unit="ops",
    ),
    Panel(
        title="Duration of effects",
        description="How long the steps of rotations take.",
        kind="heatmap",
        queries={"{{le}}": _increase("appcredential_effect_duration_seconds_bucket", "le")},
        unit="s",
        width=12,
    ),
    Panel(
        title="Credentials by kind",
        description="Ours, others', orphaned and retiring ones of all applications.",
        kind="timeseries",
        queries={
            name: f"sum({_each(f'appcredential_{metric}')})"
            for name, metric in (
                ("owned", "owned_credentials"),
                ("foreign", "foreign_credentials"),
                ("orphaned", "orphaned_credentials"),
                ("retiring", "retiring_credentials"),
            )
        },
        unit="none",
        width=12,
    ),
)
ENTRA: Final = (
    Panel(
        title="Requests to Entra by code",
        description="0 is no answer, 429 a request to slow down.",
        kind="timeseries",
        queries={"{{code}}": _rate("appcredential_directory_requests_total", "code")},
        unit="reqps",
    ),
    Panel(
        title="Requests to Entra by operation",
        description="The operator's requests to Graph and the token endpoint.",
        kind="timeseries",
        queries={"{{operation}}": _rate("appcredential_directory_requests_total", "operation")},
        unit="reqps",
    ),
    Panel(
        title="Duration of requests to Entra",
        description="The 99th percentile by operation.",
        kind="timeseries",
        queries={
            "{{operation}}": _quantile(
                "appcredential_directory_request_duration_seconds", 0.99, "operation"
            )
        },
        unit="s",
    ),
    Panel(
        title="Quota in use",
        description="Of what the operator allows itself of Graph's quotas.",
        kind="timeseries",
        queries={
            "{{tenant}}: {{quota}}": _worst(
                "appcredential_directory_quota_used_ratio", "tenant, quota"
            )
        },
        unit="percentunit",
    ),
    Panel(
        title="Throttling",
        description="Pauses that Graph or the token endpoint asked for, and what is left of them.",
        kind="timeseries",
        queries={
            "{{tenant}}: pauses": _increase("appcredential_directory_pauses_total", "tenant"),
            "{{tenant}}: seconds left": _worst(
                "appcredential_directory_retry_after_seconds", "tenant"
            ),
        },
        unit="none",
    ),
    Panel(
        title="Clocks",
        description="Clocks of the API server and of Entra minus the operator's.",
        kind="timeseries",
        queries={
            "{{server}} {{tenant}}": _worst("appcredential_clock_skew_seconds", "server, tenant")
        },
        unit="s",
    ),
)
PROCESS: Final = (
    Panel(
        title="Queue",
        description="Keys that wait for a worker, by urgency.",
        kind="timeseries",
        queries={
            "{{urgency}}": f"sum by (urgency) ({_of('appcredential_workqueue_depth')})",
            "retrying": f"sum({_of('appcredential_workqueue_retrying_keys')})",
        },
        unit="none",
        width=6,
    ),
    Panel(
        title="Duration of passes",
        description="The 99th percentile by kind.",
        kind="timeseries",
        queries={
            "{{kind}}": _quantile("appcredential_reconcile_duration_seconds", 0.99, "kind"),
        },
        unit="s",
        width=6,
    ),
    Panel(
        title="Progress",
        description="Delay of the event loop (99th percentile), and the oldest work under way.",
        kind="timeseries",
        queries={
            "loop": _quantile("appcredential_event_loop_lag_seconds", 0.99, ""),
            "{{instance}}": _worst("appcredential_workqueue_longest_running_seconds", "instance"),
        },
        unit="s",
        width=6,
    ),
    Panel(
        title="Leader",
        description="1 while the process may act.",
        kind="timeseries",
        queries={"{{instance}}": _worst("appcredential_leader", "instance")},
        unit="none",
        width=6,
    ),
    Panel(
        title="Memory",
        description="Resident memory of each process.",
        kind="timeseries",
        queries={"{{instance}}": _worst("process_resident_memory_bytes", "instance")},
        unit="bytes",
        width=12,
    ),
    Panel(
        title="CPU",
        description="Processors that each process keeps busy.",
        kind="timeseries",
        queries={"{{instance}}": _rate("process_cpu_seconds_total", "instance")},
        unit="none",
        width=12,
    ),
)
ROWS: Final = {
    "Credentials": OVERVIEW,
    "Rotation": ROTATION,
    "Entra": ENTRA,
    "The operator": PROCESS,
}


def dashboard() -> str:
    """Return the dashboard as JSON."""
    found = {
        "uid": "appcredential",
        "title": "AppCredential",
        "description": "Credentials of Microsoft Entra app registrations, by expiry and need.",
        "tags": ["appcredential"],
        "editable": False,
        "schemaVersion": 39,
        "time": {"from": "now-24h", "to": "now"},
        "refresh": "1m",
        "timezone": "browser",
        "templating": {"list": _variables()},
        "panels": _panels(),
    }
    return json.dumps(found, indent=1) + "\n"


def _variables() -> list[dict[str, Any]]:
    source = {
        "name": "datasource",
        "label": "Data source",
        "type": "datasource",
        "query": "prometheus",
        "refresh": 1,
    }
    labels = {
        "job": "label_values(appcredential_build_info, job)",
        "instance": 'label_values(appcredential_build_info{job=~"$job"}, instance)',
        "namespace": 'label_values(appcredential_info{job=~"$job"}, namespace)',
    }
    return [source, *(_variable(name, query) for name, query in labels.items())]


def _variable(name: str, query: str) -> dict[str, Any]:
    return {
        "name": name,
        "label": name.capitalize(),
        "type": "query",
        "datasource": _SOURCE,
        "query": query,
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".+",
        "current": {"text": "All", "value": "$__all"},
    }


def _panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    top = 0
    for title, panels in ROWS.items():
        place = {"x": 0, "y": top, "w": _WIDTH, "h": 1}
        found.append({"id": len(found) + 1, "type": "row", "title": title, "gridPos": place})
        top, left, height = top + 1, 0, 0
        for panel in panels:
            if left + panel.width > _WIDTH:
                top, left, height = top + height, 0, 0
            place = {"x": left, "y": top, "w": panel.width, "h": panel.height}
            found.append({"id": len(found) + 1, "gridPos": place, **_panel(panel)})
            left, height = left + panel.width, max(height, panel.height)
        top += height
    return found


def _panel(panel: Panel) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "type": panel.kind,
        "title": panel.title,
        "description": panel.description,
        "datasource": _SOURCE,
        "targets": [
            _target(panel, letter, legend, expr)
            for letter, (legend, expr) in zip("ABCDEFGH", panel.queries.items(), strict=False)
        ],
        "fieldConfig": {"defaults": {"unit": panel.unit}, "overrides": []},
        "options": {},
    }
    if panel.kind == "heatmap":
        shown["options"] = {"calculate": False, "yAxis": {"unit": panel.unit}}
    if panel.kind == "stat":
        shown["options"] = {"reduceOptions": {"calcs": [panel.reduce]}, "colorMode": "value"}
    if panel.columns is not None:
        hidden = {name: True for name in ("Time", "Value") if name not in panel.columns}
        organised = {"renameByName": panel.columns, "excludeByName": hidden}
        shown["transformations"] = [{"id": "organize", "options": organised}]
    return shown


def _target(panel: Panel, letter: str, legend: str, expr: str) -> dict[str, Any]:
    target = {"refId": letter, "datasource": _SOURCE, "expr": expr, "legendFormat": legend}
    if panel.kind == "table":
        return {**target, "instant": True, "format": "table"}
    return {**target, "format": "heatmap"} if panel.kind == "heatmap" else target
