from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from appcredential.domain.pod_secrets import used_secrets


def volume(**driver: Any) -> dict[str, Any]:
    return {"volumes": [{"name": "other", "emptyDir": {}}, {"name": "entra", **driver}]}


def container(kind: str, **fields: Any) -> dict[str, Any]:
    return {kind: [{"name": "first"}, {"name": "app", **fields}]}


def projected(name: str) -> dict[str, Any]:
    return volume(projected={"sources": [{"configMap": {"name": "c"}}, {"secret": {"name": name}}]})


def env(kind: str, name: str) -> dict[str, Any]:
    key = {"name": "B", "valueFrom": {"secretKeyRef": {"name": name, "key": "password"}}}
    return container(kind, env=[{"name": "A", "value": "b"}, key])


def env_from(kind: str, name: str) -> dict[str, Any]:
    return container(kind, envFrom=[{"configMapRef": {"name": "c"}}, {"secretRef": {"name": name}}])


WAYS: dict[str, Callable[[str], dict[str, Any]]] = {
    "volume": lambda name: volume(secret={"secretName": name}),
    "optional volume": lambda name: volume(secret={"secretName": name, "optional": True}),
    "projected": projected,
    "csi": lambda name: volume(csi={"driver": "d", "nodePublishSecretRef": {"name": name}}),
    "azureFile": lambda name: volume(azureFile={"secretName": name, "shareName": "s"}),
    "flexVolume": lambda name: volume(flexVolume={"driver": "d", "secretRef": {"name": name}}),
    "cephfs": lambda name: volume(cephfs={"secretRef": {"name": name}}),
    "iscsi": lambda name: volume(iscsi={"secretRef": {"name": name}}),
    "rbd": lambda name: volume(rbd={"secretRef": {"name": name}}),
    "scaleIO": lambda name: volume(scaleIO={"secretRef": {"name": name}}),
    "storageos": lambda name: volume(storageos={"secretRef": {"name": name}}),
    **{
        f"{way.__name__} of {kind}": partial(way, kind)
        for way in (env, env_from)
        for kind in ("containers", "initContainers", "ephemeralContainers")
    },
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_read_a_secret_counts(way: str) -> None:
    assert used_secrets(WAYS[way]("orders")) == {"orders"}
    assert "orders" not in used_secrets(WAYS[way]("orders-2"))


@pytest.mark.parametrize(
    "pod_spec",
    [
        {},
        volume(configMap={"name": "orders"}),
        volume(persistentVolumeClaim={"claimName": "orders"}),
        {"serviceAccountName": "orders", "imagePullSecrets": [{"name": "orders"}]},
        container("containers", env=[{"name": "A", "value": "orders"}]),
        container("containers", envFrom=[{"configMapRef": {"name": "orders"}}]),
    ],
)
def test_what_only_has_its_name_does_not_count(pod_spec: dict[str, Any]) -> None:
    assert "orders" not in used_secrets(pod_spec)


def test_any_shape_at_any_place_is_no_error() -> None:
    """A custom resource may hold anything where a PodSpec is expected."""
    junk: list[Any] = [None, 1, "orders", True, [], {}, ["orders"], [[None]], {"name": ["orders"]}]
    draw = random.Random(7)  # noqa: S311

    def spoilt(value: Any) -> Any:
        if draw.random() < 0.2:
            return draw.choice(junk)
        if isinstance(value, dict):
            return {key: spoilt(part) for key, part in value.items()}
        return [spoilt(part) for part in value] if isinstance(value, list) else value

    for way in WAYS.values():
        for _ in range(200):
            assert used_secrets(spoilt(way("orders"))) <= {"orders"}
    for shape in junk:
        assert "orders" not in used_secrets(shape)
