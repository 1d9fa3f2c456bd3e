"""The comparison of rights with requests sees what is too much and what is too little."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

from localcluster import Cluster
from tests.chart.rights import Right, compare, granted, requested

_USER: Final = "system:serviceaccount:ops:robot"
_SUBJECT: Final = {"kind": "ServiceAccount", "namespace": "ops", "name": "robot"}


def role(kind: str, name: str, namespace: str = "", **rule: list[str]) -> list[dict[str, Any]]:
    """Return a role with one rule, and its binding to the user."""
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    reference = {"kind": kind, "name": name}
    return [
        {"kind": kind, "metadata": metadata, "rules": [{"apiGroups": [""], **rule}]},
        {
            "kind": f"{kind}Binding",
            "metadata": metadata,
            "roleRef": reference,
            "subjects": [_SUBJECT],
        },
    ]


def event(number: int, verb: str, resource: str, name: str, **more: Any) -> dict[str, Any]:
    """Return a line of an audit log."""
    return {
        "auditID": str(number),
        "verb": verb,
        "requestURI": f"/api/v1/namespaces/shop/{resource}/{name}?x=y",
        "user": {"username": _USER},
        "objectRef": {"resource": resource, "namespace": "shop", "name": name, "apiVersion": "v1"},
        "responseStatus": {"code": 200},
        **more,
    }


READ: Final = role("Role", "reader", "shop", resources=["secrets"], verbs=["get"])
REASONS: Final = {"list pods": "somebody looked at it"}


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A Secret read twice, a watch with beginning and end, and what somebody else did."""
    lines = [
        event(1, "get", "secrets", "one"),
        event(2, "get", "secrets", "two"),
        event(3, "watch", "pods", "", stage="ResponseStarted"),
        event(3, "watch", "pods", "", stage="ResponseComplete"),
        event(4, "delete", "secrets", "one", user={"username": "system:serviceaccount:a:b"}),
        {**event(5, "get", "", ""), "requestURI": "/version", "objectRef": None},
    ]
    path = tmp_path / "audit.log"
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return path


def faults(log: Path, manifests: list[dict[str, Any]]) -> list[str]:
    """Compare what was logged with what the manifests grant."""
    rights = granted(manifests, "ops:robot")
    return compare(rights, requested(log, _USER)).faults(REASONS)


WATCH: Final = role("ClusterRole", "watcher", resources=["pods"], verbs=["watch", "list"])


def test_all_that_is_granted_was_used_or_has_a_reason(log: Path) -> None:
    assert faults(log, READ + WATCH) == []
    found = compare(granted(READ + WATCH, "ops:robot"), requested(log, _USER))
    assert found.uses == {
        Right("", "", "pods", "list"): 0,
        Right("", "", "pods", "watch"): 1,
        Right("shop", "", "secrets", "get"): 2,
    }
    assert [str(request) for request in found.public] == ["get /version"]
    lines = "\n".join(found.table(REASONS))
    assert "list pods: somebody looked at it" in lines


def test_what_nobody_needs_is_named(log: Path) -> None:
    more = role("Role", "more", "shop", resources=["secrets/status"], verbs=["patch"])
    assert faults(log, READ + WATCH + more) == ["nothing needs: patch secrets/status in shop"]


def test_a_reason_for_what_is_not_granted_any_more_is_named(log: Path) -> None:
    only = role("ClusterRole", "watcher", resources=["pods"], verbs=["watch"])
    assert faults(log, READ + only) == ["a reason for what is not given: list pods"]


def test_what_was_done_by_another_role_is_named(log: Path) -> None:
    other = role("Role", "reader", "elsewhere", resources=["secrets"], verbs=["get"])
    found = faults(log, other + WATCH)
    assert "nothing needs: get secrets in elsewhere" in found
    assert "not of these roles: get /api/v1/namespaces/shop/secrets/one" in found


def test_a_right_for_one_object_is_none_for_another(log: Path) -> None:
    named = role("Role", "r", "shop", resources=["secrets"], verbs=["get"], resourceNames=["one"])
    assert faults(log, named + WATCH) == [
        "not of these roles: get /api/v1/namespaces/shop/secrets/two"
    ]


def test_what_was_refused_is_named(log: Path) -> None:
    with log.open("a") as file:
        refused = event(6, "list", "secrets", "", responseStatus={"code": 403})
        file.write(json.dumps(refused) + "\n")
    assert faults(log, READ + WATCH) == ["refused: list /api/v1/namespaces/shop/secrets/"]


def test_roles_of_others_are_not_ours() -> None:
    assert granted(READ + WATCH, "ops:somebody") == []


@pytest.mark.cluster
def test_nothing_is_audited_unless_it_is_asked_for(cluster: Cluster) -> None:
    token = cluster.service_account_token("default", "default")
    assert token
    assert not cluster.audit_log.exists()
