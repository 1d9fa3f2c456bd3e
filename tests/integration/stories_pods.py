"""A replaced credential stays until no pod from before uses the Secret (`RolledOut`)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from tests.integration.installation import CORE, Installation, Team
from tests.support.kstatus import kstatus

_ROTATION: Final[dict[str, Any]] = {"renewBefore": "30m", "overlap": "5s"}
_APPS: Final = "/apis/apps/v1"
_PLAIN: Final = {"name": "app", "image": "app"}
_BY_ENV: Final = {**_PLAIN, "envFrom": [{"secretRef": {"name": "app"}}]}


def deploy(team: Team, name: str, namespace: str = "", **pod_spec: Any) -> str:
    """Create a Deployment whose pod no scheduler places, and wait for the pod; return its path."""
    namespace = namespace or team.namespace
    where, labels = f"{_APPS}/namespaces/{namespace}/deployments", {"app": name}
    spec = {"schedulerName": "nobody", "containers": [_PLAIN], **pod_spec}
    manifest = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": spec},
        },
    }
    team.i.kube.create(where, manifest)
    pods = f"{CORE}/namespaces/{namespace}/pods"

    def is_there() -> bool:
        return any(p["metadata"]["labels"]["app"] == name for p in team.i.kube.items(pods))

    team.i.until(is_there, f"{name} has a pod")
    return f"{where}/{name}"


def a_pod_from_before_keeps_the_old_one(i: Installation) -> None:
    """It signs in for as long as the pod exists; one of another namespace does not matter."""
    team = i.team("pods")
    team.apply(rotation=_ROTATION)
    team.ready()
    first, old = team.key(), team.values()
    elsewhere = i.make_namespace("pods-elsewhere")
    deploy(team, "other", elsewhere, containers=[_BY_ENV])
    path = deploy(team, "orders", containers=[_BY_ENV])
    team.rotated()
    held = "Deployment/orders: 1 pod"

    def is_named() -> bool:
        entries = team.status().get("retiring") or [{}]
        return bool(entries[0].get("waitingFor") == held)

    team.until(is_named, "the pod is named", seconds=60)
    # A kubelet may hand out the former value for a minute: before that nothing goes anyway.
    i.pass_time(team.time("publishedTime") + timedelta(seconds=70))
    assert first in team.key_ids(), "removed while a pod from before exists"
    assert team.sign_in(old), "a pod from before cannot sign in"
    assert is_named()
    assert team.is_ready()
    assert kstatus(team.resource()) == "Current"
    told = [reason for _, reason, _ in team.events()]
    assert told.count("RetirementWaits") == 1
    deploy(team, "later", initContainers=[{**_BY_ENV, "name": "init"}])
    i.kube.delete(path)
    team.until(lambda: first not in team.key_ids(), "the old one is removed", seconds=90)
    assert not team.sign_in(old)
    assert team.signs_in()
    team.until(lambda: "retiring" not in team.status(), "its end is told")


def a_leak_waits_for_no_pod(i: Installation) -> None:
    """`revokeIssuedBefore` removes what a pod uses, and names the pod."""
    team = i.team("pods-leaked")
    team.apply(rotation=_ROTATION)
    team.ready()
    first = team.key()
    deploy(team, "orders", containers=[_BY_ENV])
    i.pass_time(team.time("startTime") + timedelta(seconds=2))
    team.change(rotation={**_ROTATION, "revokeIssuedBefore": f"{i.now():%Y-%m-%dT%H:%M:%SZ}"})
    team.until(lambda: first not in team.key_ids(), "it is revoked", seconds=60)

    def is_named() -> bool:
        notes = [note for _, reason, note in team.events() if reason == "Revoked"]
        return len(notes) == 1 and "Deployment/orders: 1 pod" in notes[0]

    team.until(is_named, "the pod is named")
    assert "Revoked" in team.warnings()
