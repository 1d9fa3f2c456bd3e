"""A cluster in which admission demands labels of every Secret, and what users may add to theirs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import pytest

from appcredential.domain.secret.records import pending_name
from appcredential.domain.spec.model import CredentialType
from appcredential.domain.spec.reserved import INSTANCE_KEY, UNPRUNED, AllowedKeys
from appcredential.kube.translate import raise_for_status
from tests.support.api_server import ApiServer
from tests.support.builders import DAY, MINUTE, OWNER
from tests.support.session import MemorySession
from tests.support.world import RESOURCE, SECRETS, TARGET, World

PENDING: Final = f"{SECRETS}/{pending_name(OWNER.hash)}"
MANAGED: Final = {"app.kubernetes.io/managed-by": "appcredential"}
TYPES: Final[tuple[dict[str, Any], ...]] = (
    {"type": "ClientSecret", "clientSecret": {}},
    {"type": "Certificate", "clientSecret": None, "certificate": {}},
)
"""The types that have Secrets: a federated identity has none."""
REFUSED: Final = 'admission webhook "labels.example.com" denied the request: a label is missing'


class Demanding(ApiServer):
    """Refuses every write of a Secret that lacks one of the labels, and keeps what was written."""

    def __init__(self, *labels: str) -> None:
        super().__init__()
        self.labels = labels
        self.written: dict[str, list[dict[str, Any]]] = {}

    async def request(self, method: str, path: str, **rest: Any) -> dict[str, Any]:
        if method in {"POST", "PUT"} and path.startswith(SECRETS):
            metadata = rest["body"]["metadata"]
            if not all(metadata["labels"].get(label) for label in self.labels):
                raise_for_status(
                    403, {"reason": "Forbidden", "message": REFUSED}, {}, f"{method} {path}"
                )
            self.written.setdefault(metadata["name"], []).append(metadata)
        return await super().request(method, path, **rest)


class Labelled(World):
    """A world on such an API server."""

    def __init__(self, *demanded: str, keys: AllowedKeys, **spec: Any) -> None:
        self.demanding = Demanding(*demanded)
        super().__init__(keys=keys, api=self.demanding)
        self.entra = MemorySession(self.clock, types=CredentialType)
        self.put_resource(OWNER, **spec)

    def labels(self, name: str) -> list[dict[str, str]]:
        """Return the labels of each write of a Secret."""
        return [metadata["labels"] for metadata in self.demanding.written[name]]


def secret(**members: Any) -> dict[str, Any]:
    return {"secret": {"name": "orders-entra", **members}}


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind["type"])
async def test_labels_of_the_resource_are_on_both_secrets(kind: dict[str, Any]) -> None:
    keys = AllowedKeys(("team",))
    wanted = {"team": "shop", "app.kubernetes.io/name": "orders"}
    note = {"reloader.stakater.com/match": "true"}
    world = Labelled(*wanted, keys=keys, **kind, **secret(labels=wanted, annotations=note))
    await world.publish()
    for name in (pending_name(OWNER.hash), "orders-entra"):
        assert world.labels(name)
        assert all(labels == MANAGED | wanted for labels in world.labels(name)), name
        for metadata in world.demanding.written[name]:
            assert note.items() <= metadata["annotations"].items()


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind["type"])
async def test_labels_of_the_installation_are_on_every_secret(kind: dict[str, Any]) -> None:
    keys = AllowedKeys(("team",), (("cost-centre", "7"), ("team", "platform")))
    world = Labelled("cost-centre", "team", keys=keys, **kind, **secret(labels={"team": "shop"}))
    await world.publish()
    for name in (pending_name(OWNER.hash), "orders-entra"):
        assert {"cost-centre": "7", "team": "shop"}.items() <= world.labels(name)[0].items()


async def test_labels_of_a_successor_are_those_of_the_spec_now() -> None:
    keys = AllowedKeys(("team",))
    world = Labelled("team", keys=keys, **secret(labels={"team": "shop"}))
    await world.publish()
    world.demanding.labels = ("app.kubernetes.io/name",)
    wanted = {"app.kubernetes.io/name": "orders"}
    world.put_resource(OWNER, **secret(labels=wanted))
    await world.until(lambda: "team" not in world.api.objects[TARGET]["metadata"]["labels"])
    world.clock.advance(70 * DAY)
    first = world.status["credential"]["keyId"]
    await world.until(lambda: world.status["credential"]["keyId"] != first)
    assert world.labels(pending_name(OWNER.hash))[-1] == MANAGED | wanted
    assert world.labels("orders-entra")[-1] == MANAGED | wanted


async def test_a_refusal_names_both_remedies_and_ends_with_either() -> None:
    world = Labelled("team", keys=AllowedKeys(("team",)))
    await world.look_at_tenant()
    await world.look()
    stalled = world.conditions["Stalled"]
    assert stalled["reason"] == "SecretRefused"
    assert "spec.secret.labels" in stalled["message"]
    assert "secretLabels" in stalled["message"]
    assert world.entra.calls.count("add") == 0
    world.put_resource(OWNER, **secret(labels={"team": "shop"}))
    world.clock.advance(MINUTE)
    await world.until(lambda: world.ready["status"] == "True")
    assert "Stalled" not in world.conditions


async def test_argo_cd_does_not_prune_what_has_its_label() -> None:
    """Set to track by it, Argo CD takes the Secret for a part of the application of that name."""
    labels = {INSTANCE_KEY: "shop"}
    world = Labelled(INSTANCE_KEY, keys=AllowedKeys(), **secret(labels=labels))
    await world.publish()
    for name in (pending_name(OWNER.hash), "orders-entra"):
        for metadata in world.demanding.written[name]:
            assert dict(UNPRUNED).items() <= metadata["annotations"].items()
    world.demanding.labels = ()
    world.put_resource(OWNER)
    world.clock.advance(timedelta(minutes=1))
    await world.until(lambda: INSTANCE_KEY not in world.api.objects[TARGET]["metadata"]["labels"])
    assert not dict(UNPRUNED).keys() & world.api.objects[TARGET]["metadata"]["annotations"].keys()
    assert RESOURCE in world.api.objects
    assert PENDING not in world.api.objects
