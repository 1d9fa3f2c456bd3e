"""Kubernetes in memory, as each process of the operator reaches it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from appcredential.domain.demanded import SCHEMA_ANNOTATION, SCHEMA_VERSION
from appcredential.kube.client import JSON, KubeClient
from appcredential.kube.custom_resources import APP_CREDENTIALS, GRANTS, TENANTS, path_of
from appcredential.kube.issuer import DISCOVERY
from appcredential.kube.secret_store import secrets_path
from tests.support.api_server import ApiServer, copied
from tests.support.builders import CLIENT_ID, OPERATOR_CLIENT_ID, OWNER, SYSTEM_UID, TENANT_ID
from tests.support.federated import ISSUER
from tests.world.ports import Gate, Server

SYSTEM: Final = "appcredential-system"
CRDS: Final = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
RESOURCE: Final = path_of(APP_CREDENTIALS, OWNER.namespace, OWNER.name)
SECRETS: Final = secrets_path(OWNER.namespace)
TARGET: Final = f"{SECRETS}/orders-entra"
ACCOUNT: Final = f"/api/v1/namespaces/{OWNER.namespace}/serviceaccounts/orders"
TENANT: Final = path_of(TENANTS, "", "default")
SECOND_TENANT: Final = path_of(TENANTS, "", "second")
GRANT: Final = path_of(GRANTS, "", "shop-apps")
SECOND_GRANT: Final = path_of(GRANTS, "", "shop-second")
APPS: Final = f"/apis/apps/v1/namespaces/{OWNER.namespace}/"
SOURCE: Final = f"{SECRETS}/orders-tls"
_WHOLE: Final[Mapping[str, Any]] = {
    "applications": {"clientIds": [CLIENT_ID]},
    "namespaces": {"names": [OWNER.namespace]},
}
_KINDS: Final = (APP_CREDENTIALS, TENANTS, GRANTS)


class Cluster(ApiServer):
    """The state of the cluster. What a person does is `apply`, `edit` and `delete`.

    Attributes:
        was_restored: it was set back to a backup.
        watchers: called with the kind, the watch event and the object, for the three kinds.
        heard: called with the path, the kind of watch event and the object, for all of them.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        super().__init__(now)
        self.changed = self._tell
        self.was_restored = False
        self.watchers: list[Callable[[str, str, dict[str, Any]], None]] = []
        self.heard: Callable[[str, str, dict[str, Any]], None] = lambda _p, _e, _o: None
        self._install()

    def _install(self) -> None:
        self.put("/version", {"major": "1", "minor": "36"})
        for plural in _KINDS:
            crd = {
                "metadata": {"annotations": {SCHEMA_ANNOTATION: str(SCHEMA_VERSION)}},
                "spec": {"versions": [{"name": "v1alpha1", "served": True}]},
                "status": {"conditions": [{"type": "Established", "status": "True"}]},
            }
            self.put(f"{CRDS}/{plural}.appcredential.io", crd)
        self.put("/api/v1/namespaces/kube-system", {"metadata": {"uid": SYSTEM_UID}})
        self.put(f"/api/v1/namespaces/{OWNER.namespace}", {})
        self.put(DISCOVERY, {"issuer": ISSUER})
        self.put(ACCOUNT, {})
        self.put(secrets_path(SYSTEM, "identity"), {"data": {"clientSecret": "b3duLXZhbHVl"}})
        identity = {"clientId": OPERATOR_CLIENT_ID, "secretRef": {"name": "identity"}}
        tenant = {
            "tenantId": TENANT_ID,
            "cloud": "Public",
            "identity": {"clientSecret": identity},
        }
        held = {"finalizers": ["appcredential.io/credential"]}
        self.put(TENANT, {"metadata": held, "spec": tenant})
        self.put_grant()

    def put_grant(self, **members: Any) -> None:
        """Write the grant that allows everything of this world, unless members say otherwise."""
        self.put(GRANT, {"spec": {**_WHOLE, **members}})

    def put_second_tenant(self) -> None:
        """Give the directory a second EntraTenant, with a grant."""
        self.put(SECOND_TENANT, {"spec": self.objects[TENANT]["spec"]})
        self.put(SECOND_GRANT, {"spec": {**_WHOLE, "tenantRef": {"name": "second"}}})

    # --- what people do ----------------------------------------------------------------------

    def apply(self, path: str, spec: Mapping[str, Any]) -> None:
        """Create an AppCredential, or replace its spec."""
        found = self.objects.get(path, {"metadata": {}})
        generation = int(found["metadata"].get("generation", 0))
        if found.get("spec") != spec:
            generation += 1
        if "status" not in found:  # as the schema defaults it
            found = {**found, "status": {"observedGeneration": -1}}
        metadata = {**found["metadata"], "generation": generation}
        self.put(path, {**found, "metadata": metadata, "spec": dict(spec)})

    def edit(self, path: str, change: Callable[[dict[str, Any]], object]) -> None:
        """Change an object that exists."""
        if path in self.objects:
            found = copied(self.objects[path])
            change(found)
            self.put(path, found)

    def checkpoint(self) -> tuple[int, dict[str, dict[str, Any]]]:
        """Return the whole state, as a backup of etcd holds it."""
        return self.version, dict(self.objects)

    def restore(self, backup: tuple[int, dict[str, dict[str, Any]]]) -> None:
        """Go back to a backup."""
        self.version, self.objects = backup[0], dict(backup[1])
        self.was_restored = True

    def put(self, path: str, document: Mapping[str, Any]) -> dict[str, Any]:
        """Store an object; another spec of a workload is another generation of it."""
        known = self.objects.get(path)
        if known is not None and path.startswith(APPS) and known["spec"] != document["spec"]:
            generation = known["metadata"]["generation"] + 1
            metadata = {**document["metadata"], "generation": generation}
            document = {**document, "metadata": metadata}
        return super().put(path, document)

    # --- what it tells -----------------------------------------------------------------------

    def _tell(self, path: str, event: str, found: dict[str, Any]) -> None:
        self.heard(path, event, found)
        for kind in _KINDS:
            if f"/{kind}/" in path and not path.startswith(CRDS):
                for watcher in self.watchers:
                    watcher(kind, event, copied(found))

    def _change(self, method: str, path: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
        found = super()._change(method, path, wanted)
        metadata = found["metadata"]
        if method == "PATCH" and "deletionTimestamp" in metadata and not metadata.get("finalizers"):
            self.take_away(path)
        return found

    def now_and_here(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        query: Sequence[tuple[str, str]],
        accept: str,
    ) -> dict[str, Any]:
        """Answer a request at once."""
        answering = self.request(method, path, body=body, query=query, accept=accept)
        try:
            answering.send(None)
        except StopIteration as done:
            found: dict[str, Any] = done.value
            return found
        raise AssertionError("an API server in memory waits for nothing")


class Client(KubeClient):
    """The API server as one process reaches it."""

    def __init__(self, cluster: Cluster, gate: Gate) -> None:
        self._cluster = cluster
        self._gate = gate

    async def close(self) -> None:
        return

    def skew(self) -> timedelta | None:
        return -self._gate.process.clock.offset

    async def request(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        query: Sequence[tuple[str, str]] = (),
        content_type: str = JSON,
        accept: str = JSON,
    ) -> dict[str, Any]:
        name = f"{method} {path}"
        passage = await self._gate.pass_(Server.KUBE, name, is_write=method != "GET")
        process, cluster = self._gate.process, self._cluster
        if method == "GET":
            found = cluster.now_and_here(method, path, body, query, accept)
            process.world.sees(process, path, found)
        else:
            place = path.removesuffix("/status")
            if method == "POST" and body is not None and "metadata" in body:
                place = f"{path}/{body['metadata']['name']}"
            before = cluster.objects.get(place)
            found = cluster.now_and_here(method, path, body, query, accept)
            process.world.writes(process, method, place, before, cluster.objects.get(place))
        answer: dict[str, Any] = passage.answer(found)
        return answer
