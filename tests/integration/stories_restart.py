"""After a rotation the operator restarts the workloads that use the Secret (`rotation.restart`)."""

from __future__ import annotations

from typing import Any, Final

from charts.generate import rights
from tests.integration.confined import allow
from tests.integration.installation import Installation, Team

_ROTATION: Final[dict[str, Any]] = {
    "renewBefore": "30m",
    "overlap": "5s",
    "restart": {"workloads": "UsingSecret"},
}
_RESTARTED_AT: Final = "appcredential.io/restarted-at"
_BY_ENV: Final = {"name": "app", "image": "app", "envFrom": [{"secretRef": {"name": "app"}}]}


def _deploy(team: Team, name: str, container: dict[str, Any]) -> str:
    """Create a Deployment without pods, which no node would run; return its path."""
    labels, where = {"app": name}, f"/apis/apps/v1/namespaces/{team.namespace}/deployments"
    spec = {
        "replicas": 0,
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
    }
    team.i.kube.create(where, {"metadata": {"name": name}, "spec": spec})
    return f"{where}/{name}"


def a_rotation_ends_by_itself(i: Installation) -> None:
    """All that use the Secret are restarted, nothing else is, and then the old one goes."""
    allow(i.cluster, i.namespace, rights()["restarts"])
    team = i.team("restart")
    team.apply(rotation=_ROTATION)
    team.ready()
    first = team.key()
    using = [_deploy(team, name, _BY_ENV) for name in ("orders", "web")]
    other = _deploy(team, "other", {"name": "app", "image": "app"})

    def stamps(path: str) -> dict[str, str]:
        found = i.kube.get(path)
        assert found is not None
        marks: dict[str, str] = found["spec"]["template"]["metadata"].get("annotations") or {}
        return marks

    team.rotated()
    assert first in team.key_ids(), "removed before the restart"
    team.until(lambda: "restart" in team.status(), "the restart is told")
    team.until(lambda: all(stamps(p) for p in using), "all are restarted", seconds=330)
    team.until(lambda: first not in team.key_ids(), "the old one is removed", seconds=60)
    assert [set(stamps(p)) for p in using] == [{_RESTARTED_AT}] * 2
    assert stamps(other) == {}
    team.until(lambda: "restart" not in team.status(), "its end is told")
    told = [reason for _, reason, _ in team.events()]
    assert (told.count("Restarted"), told.count("RestartComplete")) == (2, 1)
    assert team.signs_in()
