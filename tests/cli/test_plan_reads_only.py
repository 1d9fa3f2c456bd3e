"""A plan cannot write: its client sends GETs alone, and asks for no Secret's data."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final, cast

import pytest

from appcredential.cli.connection import Connection
from appcredential.cli.plan.person import PersonalClient
from appcredential.domain.observed.workloads import Progress, Workload, WorkloadKind
from appcredential.domain.secret.content import Rendering
from appcredential.errors import AppCredentialError, RejectedError
from appcredential.kube.app_credentials import KubeResources
from appcredential.kube.client import METADATA_ONLY, KubeClient
from appcredential.kube.custom_resources import KubeObjects
from appcredential.kube.outputs import KubeOutputs
from appcredential.kube.revocations import KubeRevocations
from appcredential.kube.secret_store import KubeSecrets
from appcredential.kube.service_accounts import KubeServiceAccounts
from appcredential.kube.workloads import KubeWorkloads
from appcredential.ports.kube import Intent
from tests.domain.test_scheduled_revocations import revocation
from tests.support.builders import (
    HOLDER,
    IDENTITY,
    NEXT_SECRET,
    NOW,
    OBJECT_ID,
    OWNER,
    TENANT_ID,
    minted,
    pending,
    resource,
    target,
)
from tests.support.clock import HandClock
from tests.support.federated import account, output_map


class Wire:
    """Notes what is sent, and answers each request with an empty object."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, str]] = []

    def now(self) -> datetime:
        return datetime.now(UTC)

    def request(self, method: str, path: str, *, accept: str = "", **_: object) -> dict[str, Any]:
        self.sent.append((method, path, accept))
        return {"metadata": {}}


class WritingClient(PersonalClient):
    """A broken one, which sends whatever it is given."""

    async def request(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        query: Sequence[tuple[str, str]] = (),
        content_type: str = "",
        accept: str = "",
    ) -> dict[str, Any]:
        return self._connection.request(method, path, accept=accept)


Write = Callable[[KubeClient, HandClock], Awaitable[object]]
INTENT: Final = Intent(
    owner=OWNER, cluster=IDENTITY.cluster, tenant_id=TENANT_ID, object_id=OBJECT_ID,
    attempt_number=1, holder=HOLDER, time=NOW, abandoned=(),
)  # fmt: skip
NOTHING: Final = Rendering(data={}, labels={}, annotations={})
WORKLOAD: Final = Workload(
    kind=WorkloadKind.DEPLOYMENT, name="orders", uid="u", resource_version="1", stamps=(),
    progress=Progress.COMPLETE, pods=1,
)  # fmt: skip
WRITES: Final[dict[str, Write]] = {
    "put_target": lambda k, _: KubeSecrets(k, IDENTITY).put_target("shop", "a", None, NOTHING),
    "put_intent": lambda k, _: KubeSecrets(k, IDENTITY).put_intent(INTENT, None),
    "put_minted": lambda k, _: KubeSecrets(k, IDENTITY).put_minted(
        OWNER, pending(), minted(), NEXT_SECRET
    ),
    "put_abandoned": lambda k, _: KubeSecrets(k, IDENTITY).put_abandoned(OWNER, pending()),
    "delete_pending": lambda k, _: KubeSecrets(k, IDENTITY).delete_pending(OWNER, pending()),
    "delete_target": lambda k, _: KubeSecrets(k, IDENTITY).delete_target("shop", target()),
    "set_finalizer": lambda k, c: KubeResources(KubeObjects(k), c).set_finalizer(
        resource(), present=True
    ),
    "apply_status": lambda k, c: KubeResources(KubeObjects(k), c).apply_status(resource(), {}),
    "annotate": lambda k, _: KubeServiceAccounts(k).annotate(account(), {"a": "b"}),
    "token": lambda k, _: KubeServiceAccounts(k).token("shop", "orders", "api://x"),
    "put_output": lambda k, _: KubeOutputs(k).put(OWNER, "a", {}, None),
    "delete_output": lambda k, _: KubeOutputs(k).delete(output_map("a")),
    "put_revocation": lambda k, _: KubeRevocations(k, "s").put("a", revocation(), None),
    "delete_revocation": lambda k, _: KubeRevocations(k, "s").delete("a", revocation()),
    "restart": lambda k, _: KubeWorkloads(k).restart("shop", WORKLOAD, NOW),
}


def written(client: type[PersonalClient], write: Write, clock: HandClock) -> list[str]:
    """Return the writes that a client sends, whatever the adapter makes of the answer."""
    wire = Wire()
    with suppress(AppCredentialError, KeyError, ValueError):
        asyncio.run(_done(write(client(cast("Connection", wire)), clock)))
    return [method for method, _, _ in wire.sent if method != "GET"]


async def _done(work: Awaitable[object]) -> None:
    await work


@pytest.mark.parametrize("name", WRITES)
def test_no_adapter_can_write(name: str, clock: HandClock) -> None:
    wire = Wire()

    with pytest.raises(RejectedError, match="a plan only reads"):
        asyncio.run(_done(WRITES[name](PersonalClient(cast("Connection", wire)), clock)))

    assert wire.sent == []
    assert written(WritingClient, WRITES[name], clock) != [], "a client that writes is caught"


def test_a_watch_is_refused() -> None:
    async def watch() -> None:
        client = PersonalClient(cast("Connection", Wire()))
        async for _ in client.lines("/x", (), "", 1):
            raise AssertionError

    with pytest.raises(RejectedError):
        asyncio.run(watch())


def test_of_secrets_only_metadata_is_asked_for() -> None:
    wire = Wire()
    client = PersonalClient(cast("Connection", wire))

    for path in ("/api/v1/namespaces/a/secrets/b", "/api/v1/namespaces/a/secrets"):
        asyncio.run(client.request("GET", path, accept="application/json"))
    asyncio.run(client.request("GET", "/api/v1/namespaces/a/configmaps/secrets", accept="x"))

    assert [accept for _, _, accept in wire.sent] == [METADATA_ONLY, METADATA_ONLY, "x"]
