"""What the process tests run against: one cluster, one emulator, operators with Leases of their own.

A `Site` is an operator's namespace with its ServiceAccount, identity and Lease, and
a namespace for workloads that only this operator watches. So tests do not meet,
although they share the API server and the emulator.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from demo.processes import OPERATOR_ACCOUNT, OPERATOR_NAMESPACE, Child
from demo.seed import OPERATOR_ID, OPERATOR_SECRET, TENANT_ID
from demo.stack import QUICK, RBAC, EmulatorProcess
from localcluster import Cluster

GROUP: Final = "/apis/appcredential.io/v1alpha1"
FOREIGN: Final = ("made by hand in the portal", "terraform, team payments")
SETTINGS: Final[Mapping[str, str]] = {
    # Shorter than the demonstration's: the emulator has no lag unless a test says so.
    **QUICK,
    "APPCREDENTIAL_SETTLE": "2s",
    "APPCREDENTIAL_REMOVAL_FLOOR": "2s",
    "APPCREDENTIAL_TICKET_ABSENCE": "1s",
    "APPCREDENTIAL_LEASE_DURATION": "4s",
    "APPCREDENTIAL_EFFECT_MARGIN": "1s",
    "APPCREDENTIAL_MINT_MARGIN": "2s",
    "APPCREDENTIAL_CONFLICT_SPACING": "2s",
    "APPCREDENTIAL_NEXT_PROOF_COUNT": "3",
    "APPCREDENTIAL_NEXT_PROOF_SPREAD_MIN": "2s",
    "APPCREDENTIAL_NEXT_PROOF_SPREAD_MAX": "2s",
}


def wait_for(
    condition: Callable[[], object],
    what: str,
    seconds: float,
    explain: Callable[[], str] = lambda: "",
) -> None:
    """Poll until the condition holds; fail with what was waited for, and why it may be."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"not within {seconds:g} s: {what}\n{explain()}")
        time.sleep(0.1)


@dataclass(frozen=True, slots=True)
class Effect:
    """One line of an instrumented operator's record. `time` is the machine's monotonic clock."""

    time: float
    pid: int
    effect: str
    phase: str
    error: str


class Operator:
    """One operator process of a site: the real one, its effects noted."""

    def __init__(self, site: Site, name: str, settings: Mapping[str, str]) -> None:
        self.folder = site.folder / name
        self.folder.mkdir(parents=True)
        kubeconfig = site.cluster.service_account_kubeconfig(
            site.operator_namespace, OPERATOR_ACCOUNT, self.folder / "kubeconfig"
        )
        emulator = site.emulator
        self._env = {
            "KUBECONFIG": str(kubeconfig),
            "INSTRUMENTED_FOLDER": str(self.folder),
            "APPCREDENTIAL_NAMESPACE": site.operator_namespace,
            "APPCREDENTIAL_WATCH_NAMESPACES": site.namespace,
            "APPCREDENTIAL_POD_NAME": name,
            "APPCREDENTIAL_HEALTH_ADDRESS": "127.0.0.1",
            "APPCREDENTIAL_HEALTH_PORT": "0",
            "APPCREDENTIAL_CUSTOM_AUTHORITY": emulator.url,
            "APPCREDENTIAL_CUSTOM_GRAPH": emulator.url,
            "APPCREDENTIAL_CUSTOM_CA_FILE": str(emulator.ca_file),
            **settings,
        }
        self.child = self._start()

    def _start(self) -> Child:
        arguments = ["tests.process.instrumented", "run"]
        return Child("the operator", arguments, self.folder / "operator.log", self._env)

    def restart(self) -> None:
        """Start it again after it ended; its log goes on."""
        self.child = self._start()

    def arm(self, effect: str, occurrence: int = 1, how: str = "kill") -> None:
        """Make the process kill or stop itself at the n-th such effect from now on."""
        armed = {
            "id": secrets.token_hex(4),
            "effect": effect,
            "occurrence": occurrence,
            "how": how,
        }
        whole = self.folder / "armed.tmp"
        whole.write_text(json.dumps(armed))
        whole.rename(self.folder / "armed.json")

    def disarm(self) -> None:
        """Let the process live."""
        (self.folder / "armed.json").unlink(missing_ok=True)

    def effects(self, since: float = 0.0) -> list[Effect]:
        """Return what was noted, since a moment of the monotonic clock."""
        path = self.folder / "effects.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        noted = [Effect(**json.loads(line)) for line in lines]
        return [effect for effect in noted if effect.time >= since]

    def is_quiet(self, seconds: float) -> bool:
        """Tell whether no effect was noted for so long."""
        return not self.effects(time.monotonic() - seconds)

    def log_lines(self) -> list[dict[str, Any]]:
        """Return its own log, decoded."""
        lines = self.child.log.read_text(errors="replace").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    @property
    def health_url(self) -> str:
        """Where its metrics are, by the last start in its log."""
        ports = [line["health_port"] for line in self.log_lines() if "health_port" in line]
        return f"http://127.0.0.1:{ports[-1] if ports else 0}"


class Workload:
    """An application in Entra with others' credentials, a grant, and the AppCredential `name`."""

    def __init__(self, site: Site, name: str) -> None:
        self.site = site
        self.name = name
        body = {
            "displayName": f"{name} of {site.namespace}",
            "owners": [OPERATOR_ID],
            "passwords": [{"displayName": title, "endInDays": 200} for title in FOREIGN],
        }
        made = site.emulator.call("POST", f"/tenants/{TENANT_ID}/applications", body)
        self.client_id: str = made["appId"]
        self.object_id: str = made["id"]
        self._foreign = sorted(one["keyId"] for one in made["passwords"])
        grant = {
            "apiVersion": "appcredential.io/v1alpha1",
            "kind": "ApplicationGrant",
            "metadata": {"name": f"{site.namespace}-{name}"},
            "spec": {
                "applications": {"clientIds": [self.client_id]},
                "namespaces": {"names": [site.namespace]},
            },
        }
        site.cluster.api.call("POST", f"{GROUP}/applicationgrants", grant)

    @property
    def path(self) -> str:
        """The resource's API path."""
        return f"{GROUP}/namespaces/{self.site.namespace}/appcredentials/{self.name}"

    def create(self, **spec: Any) -> None:
        """Create the AppCredential; a rotation can follow the issue closely."""
        body = {
            "apiVersion": "appcredential.io/v1alpha1",
            "kind": "AppCredential",
            "metadata": {"name": self.name, "namespace": self.site.namespace},
            "spec": {
                "application": {"clientId": self.client_id},
                "type": "ClientSecret",
                "clientSecret": {"description": self.name},
                "lifetime": "90d",
                "rotation": {
                    "renewBefore": "30d",
                    "overlap": "3s",
                    "retireWhen": "OverlapElapsed",
                },
                "deletionGracePeriod": "1s",
                **spec,
            },
        }
        self.site.cluster.api.call("POST", self.path.rsplit("/", 1)[0], body)

    def rotate(self) -> None:
        """Ask for a successor of what is published, once its end would be later by the overlap."""
        issued = self.target()["metadata"]["annotations"]["appcredential.io/not-before"]
        started = parse(issued)
        wait_for(lambda: time.time() >= started + 5, "time for an overlap", 10)
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        wait_for(lambda: self._put_rotation(moment), "the resource to be updated", 10)

    def _put_rotation(self, moment: str) -> bool:
        document = self.resource()
        document["spec"]["rotation"]["rotateIssuedBefore"] = moment
        status, text = self.site.cluster.api.send("PUT", self.path, document)
        assert status in {200, 409}, text
        return status == 200

    def delete(self) -> None:
        """Delete the AppCredential."""
        self.site.cluster.api.call("DELETE", self.path)

    # --- looking --------------------------------------------------------------------------

    def resource(self) -> dict[str, Any]:
        """Return the AppCredential; empty when it is gone."""
        return self._get(self.path)

    def target(self) -> dict[str, Any]:
        """Return the target Secret; empty when there is none."""
        return self._get(f"/api/v1/namespaces/{self.site.namespace}/secrets/{self.name}")

    def pending(self) -> dict[str, Any]:
        """Return the pending Secret of this resource; empty when there is none."""
        found = self.site.cluster.api.call(
            "GET", f"/api/v1/namespaces/{self.site.namespace}/secrets"
        )
        owner = f"{self.site.namespace}/{self.name}"
        for item in found["items"]:
            annotations = item["metadata"].get("annotations") or {}
            is_ours = annotations.get("appcredential.io/owner") == owner
            if is_ours and item["metadata"]["name"].startswith("appcredential-pending-"):
                pending: dict[str, Any] = item
                return pending
        return {}

    def _get(self, path: str) -> dict[str, Any]:
        status, text = self.site.cluster.api.send("GET", path)
        if status == 404:
            return {}
        assert status == 200, text
        found: dict[str, Any] = json.loads(text)
        return found

    def condition(self, kind: str) -> dict[str, Any]:
        """Return a condition of the resource; empty without it."""
        status = self.resource().get("status") or {}
        found = (c for c in status.get("conditions") or () if c["type"] == kind)
        return next(found, {})

    def is_ready(self) -> bool:
        """Tell whether Ready is True for this generation."""
        document = self.resource()
        status = document.get("status") or {}
        ready = {c["type"]: c["status"] for c in status.get("conditions") or ()}.get("Ready")
        generation = document.get("metadata", {}).get("generation")
        return ready == "True" and status.get("observedGeneration") == generation

    def published_key(self) -> str:
        """Return the key id that the target Secret names; empty without a Secret."""
        return key_of(self.target())

    def ours(self) -> set[str]:
        """Return the key ids of our credentials that truly exist in Entra."""
        found = self.site.emulator.credentials(self.client_id)
        return {c["keyId"] for c in found if (c["displayName"] or "").startswith("appcred1.")}

    def has_foreign(self) -> bool:
        """Tell whether exactly the credentials of others are there as they were."""
        found = self.site.emulator.credentials(self.client_id)
        others = (c for c in found if not (c["displayName"] or "").startswith("appcred1."))
        return sorted(c["keyId"] for c in others) == self._foreign

    def is_settled(self) -> bool:
        """Tell whether it is Ready, only what is published exists, and nothing is on its way."""
        target = self.target()
        annotations = target.get("metadata", {}).get("annotations") or {}
        return (
            self.is_ready()
            and self.ours() == {key_of(target)}
            and annotations.get("appcredential.io/retiring", "[]") == "[]"
            and not self.pending()
        )

    def is_gone(self) -> bool:
        """Tell whether nothing is left of it: resource, Secrets, ticket, credentials."""
        return not (
            self.resource()
            or self.target()
            or self.pending()
            or self.ours()
            or self.site.tickets(self.name)
        )

    def describe(self) -> str:
        """Return what a person would look at, without any value."""
        status = json.dumps(self.resource().get("status") or {}, indent=1)
        target = (self.target().get("metadata") or {}).get("annotations")
        pending = (self.pending().get("metadata") or {}).get("annotations")
        logs = "\n".join(one.child.tail(15) for one in self.site.operators)
        return f"{status}\nT {target}\nP {pending}\nEntra {sorted(self.ours())}\n{logs}"

    def rule(self, fault: str, operation: str, **words: Any) -> str:
        """Set a fault for this application; return the rule's id."""
        match = {"app": self.client_id, "operation": operation}
        body = {"fault": fault, "match": match, **words}
        return str(self.site.emulator.call("POST", "/faults/rules", body)["id"])

    def requests(self, operation: str) -> list[dict[str, Any]]:
        """Return the requests for this application, whichever of its ids they name."""
        found = self.site.emulator.call("GET", f"/requests?operation={operation}")
        return [one for one in found if one.get("appId") in {self.client_id, self.object_id}]


class Site:
    """An operator's namespace, a namespace of workloads, and the operators that run there."""

    def __init__(self, cluster: Cluster, emulator: EmulatorProcess, folder: Path) -> None:
        suffix = secrets.token_hex(3)
        self.cluster = cluster
        self.emulator = emulator
        self.folder = folder / suffix
        self.operator_namespace = f"operator-{suffix}"
        self.namespace = f"team-{suffix}"
        self.operators: list[Operator] = []
        self._install()

    def _install(self) -> None:
        identity = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "operator-identity", "namespace": self.operator_namespace},
            "stringData": {"clientSecret": OPERATOR_SECRET},
        }
        team = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace}}
        rights = RBAC.read_text().replace(OPERATOR_NAMESPACE, self.operator_namespace)
        documents = [*yaml.safe_load_all(rights), identity, team]
        for document in documents:
            if document["kind"] == "ClusterRoleBinding":
                document["metadata"]["name"] = self.operator_namespace
        text = yaml.safe_dump_all(documents)
        self.cluster.kubectl("apply", "--server-side", "-f", "-", input=text)

    @contextmanager
    def operator(
        self, name: str = "operator", settings: Mapping[str, str] = SETTINGS
    ) -> Iterator[Operator]:
        """Run an operator here; wait until it is ready, and end it afterwards."""
        operator = Operator(self, name, settings)
        self.operators.append(operator)
        try:
            self.wait_until_ready(operator)
            yield operator
        finally:
            if operator.child.exit_status() is None:
                operator.child.kill()

    def wait_until_ready(self, operator: Operator) -> None:
        """Wait until its first lists are complete."""
        wait_for(
            lambda: operator.child.check() or not operator.health_url.endswith(":0"),
            "the operator to start",
            30,
            operator.child.tail,
        )
        operator.child.wait_until_ready(f"{operator.health_url}/readyz", None, 30)

    def lease(self) -> dict[str, Any]:
        """Return the Lease's spec; empty when there is none."""
        path = f"/apis/coordination.k8s.io/v1/namespaces/{self.operator_namespace}/leases"
        status, text = self.cluster.api.send("GET", f"{path}/appcredential")
        return dict(json.loads(text)["spec"]) if status == 200 else {}

    def tickets(self, name: str) -> list[dict[str, Any]]:
        """Return the open tickets of a resource."""
        path = f"/api/v1/namespaces/{self.operator_namespace}/configmaps"
        found = self.cluster.api.call("GET", path)["items"]
        return [one for one in found if (one.get("data") or {}).get("name") == name]


def key_of(target: Mapping[str, Any]) -> str:
    """Return the key id that a target Secret names; empty without one."""
    annotations = (target.get("metadata") or {}).get("annotations") or {}
    return str(annotations.get("appcredential.io/key-id") or "")


def parse(moment: str) -> float:
    """Return the Unix time of an RFC 3339 moment in UTC."""
    from datetime import datetime

    return datetime.fromisoformat(moment).timestamp()
