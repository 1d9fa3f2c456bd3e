"""A running installation as the tests see it: the API server, Entra, and the operator's log."""

from __future__ import annotations

import base64
import json
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from demo.processes import OPERATOR_NAMESPACE
from demo.seed import OPERATOR_ID, OPERATOR_SECRET, TENANT_ID
from demo.signing_in import signs_in
from demo.stack import QUICK, EmulatorProcess, OperatorProcess
from localcluster import Cluster
from localcluster.errors import ApiError
from tests.support.kstatus import kstatus

GROUP: Final = "/apis/appcredential.io/v1alpha1"
API_VERSION: Final = "appcredential.io/v1alpha1"
CORE: Final = "/api/v1"
CLAIMS: Final = "/apis/coordination.k8s.io/v1/namespaces/default/leases"
LOST: Final = "lost"
"""The id of a cluster that is no more; what it issued is used."""
SETTINGS: Final[Mapping[str, str]] = {
    **QUICK,
    "APPCREDENTIAL_ALLOWED_SECRET_KEYS": "example.com/,team,gone,a",
    "APPCREDENTIAL_MIN_LIFETIME": "61s",  # the schema allows 60s: one that is too short exists
    # The emulator has no lag here.
    "APPCREDENTIAL_SETTLE": "2s",
    "APPCREDENTIAL_REMOVAL_FLOOR": "2s",
    "APPCREDENTIAL_TICKET_ABSENCE": "1s",
    "APPCREDENTIAL_CONFLICT_SPACING": "2s",
    "APPCREDENTIAL_NEXT_PROOF_COUNT": "3",
    "APPCREDENTIAL_NEXT_PROOF_SPREAD_MIN": "2s",
    "APPCREDENTIAL_NEXT_PROOF_SPREAD_MAX": "2s",
    "APPCREDENTIAL_GONE_WINDOW": "2s",
    "APPCREDENTIAL_DIRECTORY_RESYNC": "10s",
    "APPCREDENTIAL_RELIST": "20s",
    "APPCREDENTIAL_ADOPT_CLUSTER_IDS": LOST,
}
PATIENCE: Final = 45.0
_POLL: Final = 0.2


class Kube:
    """Plain JSON as the administrator."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster

    def get(self, path: str) -> dict[str, Any] | None:
        """Return an object or a list; None when it is not there."""
        status, text = self.cluster.api.send("GET", path)
        assert status in {200, 404}, f"GET {path}: {status}"
        found: dict[str, Any] = json.loads(text)
        return found if status == 200 else None

    def items(self, path: str) -> list[dict[str, Any]]:
        """Return a list's items."""
        found: list[dict[str, Any]] = self.cluster.api.call("GET", path)["items"]
        return found

    def create(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Create an object."""
        made: dict[str, Any] = self.cluster.api.call("POST", path, body)
        return made

    def edit(self, path: str, change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """Read, change and write an object; again when somebody was faster."""
        for _ in range(20):
            found = self.cluster.api.call("GET", path)
            change(found)
            status, _ = self.cluster.api.send("PUT", path, found)
            if status != 409:
                break
        done: dict[str, Any] = self.cluster.api.call("GET", path)
        assert status == 200, f"PUT {path}: {status}"
        return done

    def delete(self, path: str) -> None:
        """Delete an object; not waited for."""
        status, text = self.cluster.api.send("DELETE", path)
        assert status in {200, 202, 404}, text


class Installation:
    """A cluster with our CRDs and rights, the emulator, and the operator as a process.

    Args:
        namespace: the operator's own.
        process: starts the operator.
    """

    def __init__(
        self,
        cluster: Cluster,
        emulator: EmulatorProcess,
        folder: Path,
        settings: Mapping[str, str],
        *,
        namespace: str = OPERATOR_NAMESPACE,
        process: type[OperatorProcess] = OperatorProcess,
    ) -> None:
        self.cluster = cluster
        self.emulator = emulator
        self.folder = folder
        self.namespace = namespace
        self.kube = Kube(cluster)
        self.make_identity("operator-identity", OPERATOR_SECRET)
        self.operator = process(cluster, emulator, folder, settings)
        self._lock = threading.Lock()
        self._seen: dict[tuple[str, str], dict[str, Any]] = {}
        self._seen_time = 0.0

    def close(self) -> None:
        """End the operator and leave the cluster as it was found."""
        self.operator.child.stop()
        for plural in ("appcredentials", "applicationgrants", "entratenants"):
            for item in self.kube.items(f"{GROUP}/{plural}"):
                self._take_away(plural, item["metadata"])
        for plural in ("configmaps", "secrets"):
            self.kube.delete(f"{CORE}/namespaces/{self.namespace}/{plural}")
        self.kube.delete(f"{CLAIMS}/appcredential-claim")

    def _take_away(self, plural: str, metadata: Mapping[str, Any]) -> None:
        namespace = metadata.get("namespace")
        scope = f"namespaces/{namespace}/{plural}" if namespace else plural
        path = f"{GROUP}/{scope}/{metadata['name']}"
        if metadata.get("finalizers"):
            with suppress(ApiError):  # it went meanwhile
                self.kube.edit(path, lambda found: found["metadata"].update(finalizers=[]))
        self.kube.delete(path)

    # --- what tests make ------------------------------------------------------------------

    def make_identity(self, name: str, value: str) -> None:
        """Put a credential of the operator where an EntraTenant looks for it."""
        self.make_secret(self.namespace, name, {"clientSecret": value})

    def make_secret(self, namespace: str, name: str, data: Mapping[str, str]) -> dict[str, Any]:
        """Create a Secret by hand."""
        body = {"metadata": {"name": name}, "stringData": dict(data)}
        return self.kube.create(f"{CORE}/namespaces/{namespace}/secrets", body)

    def make_tenant(
        self,
        name: str,
        *,
        tenant_id: str = TENANT_ID,
        client_id: str = OPERATOR_ID,
        identity: str = "operator-identity",
    ) -> None:
        """Create an EntraTenant."""
        reference = {"clientId": client_id, "secretRef": {"name": identity}}
        spec = {"tenantId": tenant_id, "cloud": "Custom", "identity": {"clientSecret": reference}}
        body = {"apiVersion": API_VERSION, "kind": "EntraTenant", "metadata": {"name": name}}
        self.kube.create(f"{GROUP}/entratenants", {**body, "spec": spec})

    def make_grant(self, name: str, **spec: Any) -> None:
        """Create an ApplicationGrant."""
        body = {"apiVersion": API_VERSION, "kind": "ApplicationGrant", "metadata": {"name": name}}
        self.kube.create(f"{GROUP}/applicationgrants", {**body, "spec": spec})

    def make_namespace(self, prefix: str) -> str:
        """Create a namespace of a fresh name."""
        name = f"{prefix}-{secrets.token_hex(3)}"
        self.kube.create(f"{CORE}/namespaces", {"metadata": {"name": name}})
        return name

    def make_application(self, **seed: Any) -> str:
        """Create an app registration that the operator owns; return its client id."""
        body = {"displayName": "application", "owners": [OPERATOR_ID], **seed}
        made = self.emulator.call("POST", f"/tenants/{TENANT_ID}/applications", body)
        client_id: str = made["appId"]
        return client_id

    def add_rule(self, **rule: Any) -> str:
        """Add a fault to the emulator; return its id."""
        made: dict[str, str] = self.emulator.call("POST", "/faults/rules", rule)
        return made["id"]

    def drop_rule(self, rule: str) -> None:
        """Take a fault away."""
        self.emulator.call("DELETE", f"/faults/rules/{rule}")

    def put_under_policy(self, client_id: str, **restrictions: list[dict[str, str]]) -> None:
        """Put an application under an app management policy of its own in Entra."""
        body = {"displayName": "strict", "isEnabled": True, "restrictions": restrictions}
        made = self.emulator.call("POST", f"/tenants/{TENANT_ID}/policies", body)
        self.emulator.call("PUT", f"/applications/{client_id}/policy", {"policy": made["id"]})

    def exempt(self, client_id: str) -> None:
        """Take an application's policy away."""
        self.emulator.call("PUT", f"/applications/{client_id}/policy", {"policy": None})

    def team(self, prefix: str, *, granted: bool = True, **seed: Any) -> Team:
        """Return a namespace with an application of its own and, by default, a grant for it."""
        team = Team(self, self.make_namespace(prefix), self.make_application(**seed))
        if granted:
            team.grant()
        return team

    def strict_team(self, **restrictions: list[dict[str, str]]) -> Team:
        """Return a team in an Entra tenant of its own, whose default policy restricts it.

        The operator of that EntraTenant may read the policy.
        """
        policy = {"isEnabled": True, "applicationRestrictions": restrictions}
        seed = {"displayName": "Strict", "defaultPolicy": policy}
        tenant_id = self.emulator.call("POST", "/tenants", seed)["id"]
        wanted = ["Application.ReadWrite.OwnedBy", "Policy.Read.ApplicationConfiguration"]
        body = {"permissions": wanted}
        operator = self.emulator.call("POST", f"/tenants/{tenant_id}/operators", body)
        client_id = operator["clientId"]
        application = {"displayName": "orders", "owners": [client_id]}
        made = self.emulator.call("POST", f"/tenants/{tenant_id}/applications", application)
        team = Team(self, self.make_namespace("strict"), made["appId"])
        team.tenant = f"tenant-{team.namespace}"
        self.make_identity(team.tenant, operator["clientSecret"])
        self.make_tenant(
            team.tenant, tenant_id=tenant_id, client_id=client_id, identity=team.tenant
        )
        team.grant()
        return team

    def nudge(self, tenant: str) -> None:
        """Have the operator look at an EntraTenant before its next turn."""
        annotations = {"example.com/look": secrets.token_hex(4)}
        path = f"{GROUP}/entratenants/{tenant}"
        self.kube.edit(path, lambda found: found["metadata"].update(annotations=annotations))

    # --- what tests see -------------------------------------------------------------------

    def resource(self, namespace: str, name: str) -> dict[str, Any] | None:
        """Return an AppCredential as it was at most a poll ago: all who wait share one list."""
        with self._lock:
            if time.monotonic() - self._seen_time >= _POLL:
                found = self.kube.items(f"{GROUP}/appcredentials")
                self._seen = {(r["metadata"]["namespace"], r["metadata"]["name"]): r for r in found}
                self._seen_time = time.monotonic()
            return self._seen.get((namespace, name))

    def look_anew(self) -> None:
        """Let nobody take what was seen before for what is there now."""
        with self._lock:
            self._seen_time = 0.0

    def tenant(self, name: str) -> dict[str, Any]:
        """Return an EntraTenant."""
        found = self.kube.get(f"{GROUP}/entratenants/{name}")
        assert found is not None
        return found

    def events(self, namespace: str, name: str, kind: str = "AppCredential") -> list[Event]:
        """Return the Events about an object, oldest first, as type, reason and note."""
        path = f"/apis/events.k8s.io/v1/namespaces/{namespace or 'default'}/events"
        found = [
            e
            for e in self.kube.items(path)
            if (e["regarding"].get("name"), e["regarding"].get("kind")) == (name, kind)
        ]
        found.sort(key=lambda e: str(e["eventTime"]))
        return [(e["type"], e["reason"], e["note"]) for e in found]

    def tickets(self, namespace: str) -> list[dict[str, Any]]:
        """Return the open tickets of a namespace's resources."""
        return self._own_config_maps("appcredential.io/ticket", namespace)

    def records(self, namespace: str) -> list[dict[str, Any]]:
        """Return the records of what was issued for a namespace's resources."""
        return self._own_config_maps("appcredential.io/issued", namespace)

    def _own_config_maps(self, label: str, namespace: str) -> list[dict[str, Any]]:
        path = f"{CORE}/namespaces/{self.namespace}/configmaps?labelSelector={label}%3Dtrue"
        return [c for c in self.kube.items(path) if c["data"]["namespace"] == namespace]

    def requests(self, client_id: str, operation: str = "") -> list[dict[str, Any]]:
        """Return what Entra was asked about an application, a path of its id included."""
        path = f"/requests?operation={operation}" if operation else "/requests"
        found: list[dict[str, Any]] = self.emulator.call("GET", path)
        return [r for r in found if r.get("appId") == client_id or client_id in r["path"]]

    def now(self) -> datetime:
        """Return the time in Entra, which is the machine's."""
        return datetime.fromisoformat(self.emulator.call("GET", "/clock")["now"])

    def pass_time(self, moment: datetime) -> None:
        """Wait for a moment: that it passes is what is tested."""
        seconds = (moment - self.now()).total_seconds()
        self.until(lambda: self.now() >= moment, "time passes", max(seconds, 0) + PATIENCE)

    def until(self, condition: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
        """Poll until it holds; fail with what was waited for and the end of the log."""
        deadline = time.monotonic() + seconds
        while not condition():
            self.operator.child.check()
            if time.monotonic() > deadline:
                pytest.fail(f"not within {seconds:g} s: {what}\n{self._last_faults()}")
            time.sleep(_POLL)

    def _last_faults(self) -> str:
        lines = self.operator.child.log.read_text(errors="replace").splitlines()
        bad = [line for line in lines if '"level": "error"' in line or '"level": "warning"' in line]
        return "\n".join(bad[-8:])


Event = tuple[str, str, str]


class Team:
    """A namespace, an application, and the AppCredentials for it."""

    def __init__(self, installation: Installation, namespace: str, client_id: str) -> None:
        self.i = installation
        self.namespace = namespace
        self.client_id = client_id
        self.tenant = "default"

    # --- acting ---------------------------------------------------------------------------

    def grant(self, name: str = "", **spec: Any) -> str:
        """Let the namespace have the application; return the grant's name."""
        name = name or f"{self.namespace}-{secrets.token_hex(3)}"
        self.i.make_grant(name, **{**self.grant_spec(), **spec})
        return name

    def grant_spec(self) -> dict[str, Any]:
        """Return the spec of a grant that matches."""
        return {
            "tenantRef": {"name": self.tenant},
            "applications": {"clientIds": [self.client_id]},
            "namespaces": {"names": [self.namespace]},
            "maxCredentials": 50,
        }

    def manifest(self, name: str = "app", **spec: Any) -> dict[str, Any]:
        """Return an AppCredential."""
        base = {
            "tenantRef": {"name": self.tenant},
            "application": {"clientId": self.client_id},
            "type": "ClientSecret",
            "clientSecret": {},
            "lifetime": "1h",
        }
        return {
            "apiVersion": API_VERSION,
            "kind": "AppCredential",
            "metadata": {"name": name, "namespace": self.namespace},
            "spec": {**base, **spec},
        }

    def apply(self, name: str = "app", **spec: Any) -> dict[str, Any]:
        """Create an AppCredential; return it as it was created."""
        path = f"{GROUP}/namespaces/{self.namespace}/appcredentials"
        made = self.i.kube.create(path, self.manifest(name, **spec))
        self.i.look_anew()  # one of this name may just have gone
        return made

    def change(self, name: str = "app", **spec: Any) -> None:
        """Change fields of its spec; None takes one out."""

        def change(found: dict[str, Any]) -> None:
            merged = {**found["spec"], **spec}
            found["spec"] = {k: v for k, v in merged.items() if v is not None}

        self.i.kube.edit(self.path(name), change)

    def delete(self, name: str = "app") -> None:
        """Delete it, and wait until it is gone."""
        self.i.kube.delete(self.path(name))
        self.i.until(lambda: self.i.kube.get(self.path(name)) is None, f"{name} is gone", 15)

    def path(self, name: str = "app") -> str:
        """Return its path."""
        return f"{GROUP}/namespaces/{self.namespace}/appcredentials/{name}"

    def secret_path(self, name: str = "app") -> str:
        """Return a Secret's path."""
        return f"{CORE}/namespaces/{self.namespace}/secrets/{name}"

    # --- looking --------------------------------------------------------------------------

    def resource(self, name: str = "app") -> dict[str, Any]:
        """Return it; empty when it is not there."""
        return self.i.resource(self.namespace, name) or {}

    def live(self, name: str = "app") -> dict[str, Any]:
        """Return it by a read of its own."""
        found = self.i.kube.get(self.path(name))
        assert found is not None, f"{name} is not there"
        return found

    def status(self, name: str = "app") -> dict[str, Any]:
        """Return its status."""
        found: dict[str, Any] = self.resource(name).get("status") or {}
        return found

    def condition(self, kind: str, name: str = "app") -> dict[str, Any]:
        """Return a condition; empty when it is not there."""
        return condition_of(self.resource(name), kind)

    def is_ready(self, name: str = "app") -> bool:
        """Tell whether it is Ready, and tools would say that all of its spec is met."""
        resource = self.resource(name)
        ready = condition_of(resource, "Ready")
        is_published = (ready.get("status"), ready.get("reason")) == ("True", "Published")
        return is_published and kstatus(resource) == "Current"

    def ready(self, name: str = "app", seconds: float = PATIENCE) -> dict[str, Any]:
        """Wait until it is Ready; return its status."""
        self.until(lambda: self.is_ready(name), f"{name} is Ready", name, seconds)
        return self.status(name)

    def has(self, kind: str, status: str, reason: str, name: str = "app") -> bool:
        """Tell whether it has this condition."""
        found = self.condition(kind, name)
        return found.get("status") == status and found.get("reason") == reason

    def until(
        self,
        condition: Callable[[], object],
        what: str,
        name: str = "app",
        seconds: float = PATIENCE,
    ) -> None:
        """Poll; a failure shows the conditions."""
        try:
            self.i.until(condition, what, seconds)
        except pytest.fail.Exception as error:
            status = self.status(name)
            shown = [
                f"{c['type']}={c['status']} {c['reason']}: {c['message']}"
                for c in status.get("conditions") or ()
            ]
            rest = {k: v for k, v in status.items() if k != "conditions"}
            pytest.fail("\n".join([str(error), *shown, str(rest)]))

    def secret(self, name: str = "app") -> dict[str, Any] | None:
        """Return a Secret as it is stored."""
        return self.i.kube.get(self.secret_path(name))

    def values(self, name: str = "app") -> dict[str, str]:
        """Return a Secret's decoded values."""
        found = self.secret(name)
        assert found is not None, f"Secret {name} is not there"
        return {k: base64.b64decode(v).decode() for k, v in (found.get("data") or {}).items()}

    def signs_in(self, name: str = "app") -> bool:
        """Sign in as a workload does."""
        return self.sign_in(self.values(name))

    def sign_in(self, values: Mapping[str, str]) -> bool:
        """Sign in with values that a workload may still hold."""
        return signs_in(values, self.i.emulator.ca_file, self.i.emulator.url)

    def certificates(self) -> dict[str, str]:
        """Return the thumbprints of the application's certificates by key id."""
        found = self.i.emulator.call("GET", f"/applications/{self.client_id}")["keyCredentials"]
        return {k["keyId"]: k["customKeyIdentifier"] for k in found}

    def key(self, name: str = "app") -> str:
        """Return the key id that its status shows as published."""
        found: str = (self.status(name).get("credential") or {}).get("keyId", "")
        return found

    def time(self, field: str, name: str = "app") -> datetime:
        """Return a time of the published credential in its status."""
        return parse(self.status(name)["credential"][field])

    def pending(self) -> list[dict[str, Any]]:
        """Return the pending Secrets of the namespace."""
        found = self.i.kube.items(f"{CORE}/namespaces/{self.namespace}/secrets")
        return [s for s in found if s["type"] == "appcredential.io/pending"]

    def rotate(self, name: str = "app", overlap: float = 5) -> None:
        """Ask for a successor, when the one of now is old enough to be retired after it."""
        self.i.pass_time(self.time("startTime", name) + timedelta(seconds=overlap + 1))
        rotation = self.live(name)["spec"].get("rotation") or {}
        self.change(name, rotation={**rotation, "rotateIssuedBefore": stamp(self.i.now())})

    def rotated(self, name: str = "app") -> str:
        """Rotate and wait for the successor; return its key id."""
        before = self.key(name)
        self.rotate(name)
        self.until(lambda: self.key(name) not in {"", before}, "a successor is published", name)
        return self.key(name)

    def events(self, name: str = "app") -> list[Event]:
        """Return its Events."""
        return self.i.events(self.namespace, name)

    def warnings(self, name: str = "app") -> set[str]:
        """Return the reasons of its Warnings."""
        return {reason for kind, reason, _ in self.events(name) if kind == "Warning"}

    def key_ids(self) -> list[str]:
        """Return the key ids that the application truly has."""
        return [c["keyId"] for c in self.i.emulator.credentials(self.client_id)]

    def minted(self) -> int:
        """Count the client secrets that Entra was asked for."""
        return len(self.i.requests(self.client_id, "application.addPassword"))


def parse(time: str) -> datetime:
    """Read a time as Kubernetes writes it."""
    return datetime.fromisoformat(time)


def stamp(time: datetime) -> str:
    """Write a time as Kubernetes does."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def condition_of(resource: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """Return a condition of any of the kinds; empty when it is not there."""
    found = (resource.get("status") or {}).get("conditions") or ()
    return next((dict(c) for c in found if c["type"] == kind), {})


def seed() -> dict[str, Any]:
    """Return what the emulator holds at the start: the operator, in one tenant."""
    operator = {
        "displayName": "appcredential operator",
        "appId": OPERATOR_ID,
        "passwords": [{"displayName": "operator", "value": OPERATOR_SECRET, "endInDays": 30}],
        "servicePrincipal": {"permissions": ["Application.ReadWrite.OwnedBy"]},
    }
    return {"tenants": [{"id": TENANT_ID, "displayName": "Contoso", "applications": [operator]}]}
