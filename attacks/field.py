"""The installation that is attacked: cluster, emulator and operator, and what applies to it."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from demo.processes import OPERATOR_NAMESPACE
from demo.seed import OPERATOR_ID, TENANT_ID, seed
from demo.stack import QUICK, Stack

GROUP: Final = "/apis/appcredential.io/v1alpha1"
_KINDS: Final = {
    "appcredentials": "AppCredential",
    "applicationgrants": "ApplicationGrant",
    "entratenants": "EntraTenant",
}
ATTACKER: Final = "attacker"
STRANGER: Final = "stranger"
"""A namespace that no grant names."""
NEIGHBOUR: Final = "neighbour"
SHARED: Final = "44444444-4444-4444-8444-000000000000"
"""The application of the attacker."""
NEIGHBOURS: Final = 240
SETTINGS: Final[Mapping[str, str]] = {
    **QUICK,
    "APPCREDENTIAL_LOG_LEVEL": "INFO",
    # Nearer to the defaults: looks at hundreds of resources would cost more than the attack.
    "APPCREDENTIAL_CLUSTER_LOOK_CEILING": "10m",
    "APPCREDENTIAL_SECRET_CHECK": "10m",
    "APPCREDENTIAL_TICKET_POLL": "10s",
}
RENEW: Final = 1.0
"""Seconds between two renewals of the Lease, by these settings."""


def application(number: int) -> str:
    """Return the client id of a neighbour's application, from 1."""
    return f"44444444-4444-4444-8444-{number:012d}"


def attacked_seed() -> dict[str, Any]:
    """Return the emulator's state: the attacker's application, and many of neighbours."""
    document = seed(lag=False)
    document["tenants"][0]["applications"] += [
        {"displayName": f"app {number}", "appId": application(number), "owners": [OPERATOR_ID]}
        for number in range(NEIGHBOURS + 1)
    ]
    return document


class Field:
    """A stack with a tenant, and a grant for the attacker and one for the neighbour."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._api = stack.cluster.api
        self._numbers = itertools.count(1)
        self.is_restarting = False
        self._prepare()

    def _prepare(self) -> None:
        reference = {"clientId": OPERATOR_ID, "secretRef": {"name": "operator-identity"}}
        identity = {"clientSecret": reference}
        tenant = {"tenantId": TENANT_ID, "cloud": "Custom", "identity": identity}
        self.create(f"{GROUP}/entratenants", "default", {"spec": tenant})
        for namespace in (ATTACKER, STRANGER, NEIGHBOUR):
            self.create("/api/v1/namespaces", namespace, {})
        self._grant(ATTACKER, [SHARED])
        self._grant(NEIGHBOUR, [application(n + 1) for n in range(NEIGHBOURS)])

    def _grant(self, namespace: str, applications: list[str]) -> None:
        for first in range(0, len(applications), 60):
            spec: dict[str, Any] = {
                "applications": {"clientIds": applications[first : first + 60]},
                "namespaces": {"names": [namespace]},
                "maxCredentials": 1000,
            }
            name = f"{namespace}-{first}"
            status, _ = self.create(f"{GROUP}/applicationgrants", name, {"spec": spec})
            if status == 422:
                del spec["maxCredentials"]
                self.create(f"{GROUP}/applicationgrants", name, {"spec": spec})

    # --- the operator ---------------------------------------------------------------------

    @property
    def pid(self) -> int:
        """The operator's process."""
        return self._stack.operator.child.pid

    @property
    def health_url(self) -> str:
        """Where it is probed."""
        return self._stack.operator.health_url

    def ports(self) -> list[int]:
        """Return the ports that it listens on."""
        found = []
        for line in self._stack.operator.child.log.read_text().splitlines():
            if '"health_port"' in line:
                entry = json.loads(line)
                found = [int(entry[name]) for name in ("health_port", "metrics_port")]
        return found

    def restart(self) -> None:
        """Kill the operator and start it again."""
        self.is_restarting = True
        try:
            self._stack.operator.child.kill()
            self._stack.operator.restart()
            self._stack.operator.wait_until_ready()
        finally:
            self.is_restarting = False

    # --- objects --------------------------------------------------------------------------

    def create(self, path: str, name: str, body: Mapping[str, Any]) -> tuple[int, str]:
        """Create an object; return the API server's status and answer."""
        plural = path.rsplit("/", 1)[1]
        own = {"apiVersion": "appcredential.io/v1alpha1", "kind": _KINDS.get(plural)}
        kind = own if plural in _KINDS else {}
        return self._api.send("POST", path, {**kind, **body, "metadata": {"name": name}})

    def get(self, path: str) -> dict[str, Any]:
        """Return an object or a list; an empty dict when there is none."""
        status, text = self._api.send("GET", path)
        found: dict[str, Any] = json.loads(text) if status == 200 else {}
        return found

    def put(self, path: str, body: Mapping[str, Any]) -> None:
        """Replace an object."""
        self._api.send("PUT", path, body)

    def apply(self, namespace: str, name: str, **spec: Any) -> tuple[int, str]:
        """Create an AppCredential, a client secret unless `spec` says otherwise."""
        wanted = {
            "application": {"clientId": SHARED},
            "type": "ClientSecret",
            "deletionGracePeriod": "0s",
            "verification": {"mode": "Disabled"},
            **({"clientSecret": {}} if "type" not in spec else {}),
            **spec,
        }
        return self.create(resources(namespace), name, {"spec": wanted})

    def next_neighbour(self) -> str:
        """Apply the neighbour's next resource; return its name."""
        number = next(self._numbers) % NEIGHBOURS + 1
        name = f"orders-{number}"
        self.apply(NEIGHBOUR, name, application={"clientId": application(number)})
        return name

    def is_ready(self, namespace: str, name: str) -> bool:
        """Return whether an AppCredential is Ready."""
        return reason_of(self.get(f"{resources(namespace)}/{name}"))[0]

    def reasons(self, namespace: str) -> Counter[str]:
        """Count the AppCredentials of a namespace by what their Ready condition says."""
        found = self.get(resources(namespace)).get("items") or []
        return Counter(reason_of(item)[1] for item in found)

    def secret(self, namespace: str, name: str) -> str:
        """Return the path of a Secret."""
        return f"/api/v1/namespaces/{namespace}/secrets/{name}"

    def open_revocations(self) -> int:
        """Count the scheduled revocations."""
        path = f"/api/v1/namespaces/{OPERATOR_NAMESPACE}/configmaps"
        found = self.get(f"{path}?labelSelector=appcredential.io%2Fticket%3Dtrue")
        return len(found.get("items") or [])

    def clear(self, namespace: str) -> None:
        """Delete the AppCredentials of a namespace; not waited for."""
        self._api.send("DELETE", resources(namespace))


def resources(namespace: str) -> str:
    """Return the path of a namespace's AppCredentials."""
    return f"{GROUP}/namespaces/{namespace}/appcredentials"


def reason_of(resource: Mapping[str, Any]) -> tuple[bool, str]:
    """Return whether a resource is Ready, and the reason; what is Stalled goes before."""
    conditions = {c["type"]: c for c in (resource.get("status") or {}).get("conditions") or ()}
    ready, stalled = conditions.get("Ready", {}), conditions.get("Stalled", {})
    reason = str(stalled.get("reason") or ready.get("reason") or "no status")
    return ready.get("status") == "True", reason
