"""The operator's own client secret on a real API server and the emulator, in time moved by hand."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

from appcredential.domain.own.secret import ANNOTATION, LABEL
from appcredential.domain.own.secret_records import (
    NEXT_SECRET,
    MadeSecret,
    SecretRecords,
    mark_of,
    recorded,
)
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import ClientId, TenantId, VerificationScope
from appcredential.entra.signin import TokenEndpoint
from appcredential.kube.client import KubeClient
from appcredential.kube.secret_store import secrets_path
from tests.entra.own_scene import CLUSTER, PERMISSIONS, Scene
from tests.support.emulator import Emulator

DAY = timedelta(days=1)


class SecretScene(Scene):
    """An EntraTenant whose client secret the operator renews, and the Entra that knows it."""

    member = "clientSecret"

    def __init__(self, emulator: Emulator, kube: KubeClient, namespace: str) -> None:
        super().__init__(emulator, kube, namespace)
        emulator.set_owners(self.client_id, self.client_id)
        self.by_hand = self.add("by hand", 10)
        self.first_value = self.by_hand[1]

    def add(self, name: str, days: int) -> tuple[str, str]:
        """Add a client secret as a person does; return key id and value."""
        end = (self.clock.now() + days * DAY).isoformat()
        made = self.emulator.add_password(self.client_id, displayName=name, endDateTime=end)
        return made.key_id, made.secret or ""

    def made_before(self) -> dict[str, str]:
        """Return the annotations by which the operator made the first one itself."""
        self.by_hand = self.add(mark_of(CLUSTER.whole, self.name, "0" * 16), 10)
        key_id, self.first_value = self.by_hand
        now = self.clock.now()
        digest = SecretValue(self.first_value).sha256()
        records = SecretRecords(
            cluster=CLUSTER.whole,
            tenant=self.name,
            main=key_id,
            digest=digest,
            since=now,
            made=(MadeSecret(key_id, digest, now, now + 10 * DAY),),
            asked=(),
        )
        return {ANNOTATION: records.text()}

    async def create(self, rotation: dict[str, str] | None = None, **changed: Any) -> None:
        metadata = {"name": self.name, "labels": {LABEL: "true"}, **changed}
        data = {"clientSecret": base64.b64encode(self.first_value.encode()).decode()}
        body = {"metadata": metadata, "type": "Opaque", "data": data}
        await self.kube.request("POST", secrets_path(self.namespace), body=body)
        await self.create_tenant(self.name, {"lifetime": "10d"} if rotation is None else rotation)

    async def move(self) -> None:
        """Name another app registration, and put a client secret of that into the Secret."""
        self.client_id, _ = self.emulator.create_operator(self.tenant, PERMISSIONS)
        self.emulator.set_owners(self.client_id, self.client_id)
        self.by_hand = self.add("by hand", 10)
        self.first_value = self.by_hand[1]
        value = base64.b64encode(self.first_value.encode()).decode()
        await self.edit(lambda found: found["data"].update(clientSecret=value))
        await self._edit_identity(clientId=self.client_id)

    async def main(self) -> SecretValue:
        data = (await self.secret())["data"]
        return SecretValue(base64.b64decode(data["clientSecret"]).decode())

    async def records(self) -> SecretRecords | None:
        return recorded((await self.secret())["metadata"].get("annotations") or {})

    async def has_successor(self) -> bool:
        return NEXT_SECRET in (await self.secret())["data"]

    async def is_renewed(self) -> bool:
        return (await self.main()).reveal() != self.first_value

    def names(self) -> dict[str, str]:
        """Return the names of the application's client secrets by key id, as they truly are."""
        found = self.emulator.application(self.client_id)["passwordCredentials"]
        return {key["keyId"]: key["displayName"] for key in found}

    async def signs_in(self) -> bool:
        endpoint = TokenEndpoint(
            TenantId(self.tenant),
            self.endpoints,
            ca_file=str(self.emulator.ca_file),
            clock=self.clock,
        )
        result = await endpoint.with_secret(
            ClientId(self.client_id), await self.main(), VerificationScope.GRAPH, "test"
        )
        return result.reason == "Proven"
