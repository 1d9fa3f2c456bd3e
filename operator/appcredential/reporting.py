"""Builds the report that the operator serves, for `composition.py`."""

from __future__ import annotations

from appcredential.kube.viewers import KubeViewers
from appcredential.parts import Parts
from appcredential.report.page import Origin, render
from appcredential.report.style import POLICY
from appcredential.runtime.report_page import Rendering, ReportPage


def build_report(parts: Parts) -> ReportPage | None:
    """Return the page `/report`; None unless the settings ask for it.

    It shows what the store holds: a standby keeps up with the cluster, too.
    """
    if not parts.settings.report:
        return None
    rendering = Rendering(
        problem=lambda: "" if parts.store.is_complete else "the first lists are not complete",
        render=lambda: render(parts.store.rows(), _origin(parts), parts.clock.now()),
        policy=POLICY,
    )
    return ReportPage(KubeViewers(parts.client), rendering, parts.clock)


def _origin(parts: Parts) -> Origin:
    settings = parts.settings
    namespaces = settings.watch_namespaces
    role = "leads" if parts.lease.remaining() > 0 else "stands by"
    shard = f" shard {settings.shard} of {settings.shards}" if settings.shards > 1 else ""
    left_out = ", ".join(sorted(parts.informer.left_out))
    unread = f" The operator may not list these namespaces now: {left_out}." if left_out else ""
    return Origin(
        scope=", ".join(namespaces) if namespaces else "all namespaces",
        is_whole=not namespaces,
        team_label=settings.report_team_label,
        told=f"Served by {settings.pod_name}, which {role}{shard}.{unread}",
        read=parts.store.listed,
    )
