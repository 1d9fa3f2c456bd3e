"""A workload of a site: its application in Entra, its AppCredential, and what is seen of both."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping
from typing import Any, Final

from demo.seed import FOREIGN, OPERATOR_ID, TENANT_ID
from demo.signing_in import signs_in
from tests.integration.installation import API_VERSION, CORE, GROUP, condition_of, parse
from tests.process.installation import Site
from tests.process.signing import SignIns
from tests.process.waiting import wait_for

OVERLAP: Final = 3.0
_PREFIX: Final = "appcredential.io/"


class Workload:
    """An application in Entra with others' credentials, a grant, and the AppCredential `name`."""

    def __init__(self, site: Site, name: str) -> None:
        self.site = site
        self.name = name
        self._former = ""
        body = {
            "displayName": f"{name} of {site.namespace}",
            "owners": [OPERATOR_ID],
            "passwords": [{"displayName": title, "endInDays": 200} for title in FOREIGN],
        }
        made = site.emulator.call("POST", f"/tenants/{TENANT_ID}/applications", body)
        self.client_id: str = made["appId"]
        self.object_id: str = made["id"]
        self._foreign = sorted(one["keyId"] for one in made["passwords"])
        self._make_grant()

    def _make_grant(self) -> None:
        spec = {
            "applications": {"clientIds": [self.client_id]},
            "namespaces": {"names": [self.site.namespace]},
        }
        body = {"apiVersion": API_VERSION, "kind": "ApplicationGrant", "spec": spec}
        metadata = {"name": f"{self.site.namespace}-{self.name}"}
        self.site.kube.create(f"{GROUP}/applicationgrants", {**body, "metadata": metadata})

    @property
    def grant_path(self) -> str:
        """The grant's API path."""
        return f"{GROUP}/applicationgrants/{self.site.namespace}-{self.name}"

    @property
    def path(self) -> str:
        """The resource's API path."""
        return f"{GROUP}/namespaces/{self.site.namespace}/appcredentials/{self.name}"

    # --- acting ---------------------------------------------------------------------------

    def create(self, **spec: Any) -> None:
        """Create the AppCredential; a rotation can follow the issue closely."""
        rotation = {
            "renewBefore": "30d",
            "overlap": f"{OVERLAP:g}s",
            "retireWhen": "OverlapElapsed",
        }
        body = {
            "apiVersion": API_VERSION,
            "kind": "AppCredential",
            "metadata": {"name": self.name, "namespace": self.site.namespace},
            "spec": {
                "application": {"clientId": self.client_id},
                "type": "ClientSecret",
                "clientSecret": {"description": self.name},
                "lifetime": "90d",
                "rotation": rotation,
                "deletionGracePeriod": "1s",
                **spec,
            },
        }
        self.site.kube.create(self.path.rsplit("/", 1)[0], body)

    def issue(self) -> None:
        """Create the AppCredential and wait until it is settled."""
        self.create()
        self.settle()

    def rotate(self) -> None:
        """Ask for a successor of what is published, once its end would be later by the overlap."""
        annotations = self.annotations()
        self._former, started = annotations["key-id"], _moment(annotations["not-before"])
        # Whole seconds everywhere: one for the issue's, one for the request's.
        wait_for(lambda: time.time() >= started + OVERLAP + 2, "time for an overlap", 10)
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self.site.kube.edit(
            self.path, lambda found: found["spec"]["rotation"].update(rotateIssuedBefore=moment)
        )

    def delete(self) -> None:
        """Delete the AppCredential; not waited for."""
        self.site.kube.delete(self.path)

    def settle(self, seconds: float = 45) -> None:
        """Wait until it is settled."""
        wait_for(self.is_settled, f"{self.name} settled", seconds, self.describe)

    def rule(self, fault: str, operation: str, **words: Any) -> str:
        """Set a fault for this application; return the rule's id."""
        match = {"app": self.client_id, "operation": operation}
        body = {"fault": fault, "match": match, **words}
        return str(self.site.emulator.call("POST", "/faults/rules", body)["id"])

    def drop(self, rule: str) -> None:
        """Take a fault away."""
        self.site.emulator.call("DELETE", f"/faults/rules/{rule}")

    # --- looking --------------------------------------------------------------------------

    def resource(self) -> dict[str, Any]:
        """Return the AppCredential; empty when it is gone."""
        return self.site.kube.get(self.path) or {}

    def target(self) -> dict[str, Any]:
        """Return the target Secret; empty when there is none."""
        return self.site.kube.get(f"{self._secrets}/{self.name}") or {}

    def pending(self) -> dict[str, Any]:
        """Return the pending Secret of this resource; empty when there is none."""
        owner = f"{self.site.namespace}/{self.name}"
        found = (
            secret
            for secret in self.site.kube.items(self._secrets)
            if secret["type"] == "appcredential.io/pending"
            and annotations_of(secret).get("owner") == owner
        )
        return next(found, {})

    @property
    def _secrets(self) -> str:
        return f"{CORE}/namespaces/{self.site.namespace}/secrets"

    def annotations(self) -> dict[str, str]:
        """Return our annotations of the target Secret, without their prefix."""
        return annotations_of(self.target())

    def condition(self, kind: str) -> dict[str, Any]:
        """Return a condition of the resource; empty without it."""
        return condition_of(self.resource(), kind)

    def is_ready(self) -> bool:
        """Tell whether Ready is True for this generation."""
        document = self.resource()
        status = document.get("status") or {}
        generation = document.get("metadata", {}).get("generation")
        is_current = status.get("observedGeneration") == generation
        return is_current and condition_of(document, "Ready").get("status") == "True"

    def published_key(self) -> str:
        """Return the key id that the target Secret names; empty without a Secret."""
        return self.annotations().get("key-id", "")

    def ours(self) -> set[str]:
        """Return the key ids of our credentials that truly exist in Entra."""
        return {c["keyId"] for c in self._credentials() if is_ours(c)}

    def has_foreign(self) -> bool:
        """Tell whether exactly the credentials of others are there as they were."""
        return sorted(c["keyId"] for c in self._credentials() if not is_ours(c)) == self._foreign

    def _credentials(self) -> list[dict[str, Any]]:
        return self.site.emulator.credentials(self.client_id)

    def requests(self, operation: str) -> list[dict[str, Any]]:
        """Return the requests for this application, whichever of its ids they name."""
        found = self.site.emulator.call("GET", f"/requests?operation={operation}")
        return [one for one in found if one.get("appId") in {self.client_id, self.object_id}]

    def asked_for(self) -> int:
        """Count the credentials that Entra was asked for."""
        return len(self.requests("application.addPassword"))

    def is_settled(self) -> bool:
        """Tell whether it is Ready, only what is published exists, and nothing is on its way.

        What a rotation was asked to replace does not count.
        """
        annotations = self.annotations()
        return (
            self.is_ready()
            and self.ours() == {annotations.get("key-id")}
            and annotations.get("key-id") != self._former
            and annotations.get("retiring", "[]") == "[]"
            and not self.pending()
            and self._status_keys().isdisjoint({"pending", "retiring"})
            and not (self.condition("Reconciling") or self.condition("Stalled"))
        )

    def _status_keys(self) -> set[str]:
        return set(self.resource().get("status") or {})

    def is_gone(self) -> bool:
        """Tell whether nothing is left of it: resource, Secrets, ticket, credentials."""
        return not (
            self.resource()
            or self.target()
            or self.pending()
            or self.ours()
            or self.site.tickets(self.name)
        )

    def shape(self) -> dict[str, Any]:
        """Return what two runs of one story must have in common at their end.

        Names, not values; `abandoned` is where an interrupted attempt may be remembered.
        """
        resource, target = self.resource(), self.target()
        status = resource.get("status") or {}
        conditions = status.get("conditions") or ()
        return {
            "conditions": sorted(f"{c['type']}={c['status']} {c['reason']}" for c in conditions),
            "status": sorted(status),
            "finalizers": resource.get("metadata", {}).get("finalizers"),
            "keys": sorted(target.get("data") or {}),
            "annotations": sorted(annotations_of(target).keys() - {"abandoned"}),
            "ours": len(self.ours()),
            "has foreign": self.has_foreign(),
            "pending": bool(self.pending()),
        }

    def value(self) -> str:
        """Return the published client secret."""
        return value_of(self.target())

    def sign_ins(self) -> SignIns:
        """Return what signs in to this application as a workload does."""
        return SignIns(self.site.emulator, self.client_id)

    def describe(self) -> str:
        """Return what a person would look at, without any value."""
        status = json.dumps(self.resource().get("status") or {}, indent=1)
        pending = annotations_of(self.pending())
        logs = "\n".join(one.child.tail(15) for one in self.site.operators)
        entra = sorted(self.ours())
        return f"{status}\nT {self.annotations()}\nP {pending}\nEntra {entra}\n{logs}"


class Certified(Workload):
    """A workload whose credential is a certificate."""

    def create(self, **spec: Any) -> None:
        super().create(**{"type": "Certificate", "clientSecret": None, "certificate": {}, **spec})

    def certificates(self) -> list[str]:
        """Return the key ids of our certificates."""
        found = self.site.emulator.call("GET", f"/applications/{self.client_id}")
        return [key["keyId"] for key in found["keyCredentials"] if is_ours(key)]

    def ours(self) -> set[str]:
        return set(self.certificates())

    def values(self) -> dict[str, str]:
        data = self.target()["data"]
        return {key: base64.b64decode(value).decode() for key, value in data.items()}

    def is_signed_in(self, values: dict[str, str]) -> bool:
        emulator = self.site.emulator
        return signs_in(values, emulator.ca_file, emulator.url)


def annotations_of(document: Mapping[str, Any]) -> dict[str, str]:
    """Return our annotations of an object, without their prefix."""
    found = (document.get("metadata") or {}).get("annotations") or {}
    return {k.removeprefix(_PREFIX): v for k, v in found.items() if k.startswith(_PREFIX)}


def value_of(target: Mapping[str, Any]) -> str:
    """Return the client secret that a target Secret holds."""
    return base64.b64decode(target["data"]["AZURE_CLIENT_SECRET"]).decode()


def is_ours(credential: Mapping[str, Any]) -> bool:
    """Tell whether a credential carries an operator's marker."""
    return (credential["displayName"] or "").startswith("appcred1.")


def _moment(text: str) -> float:
    return parse(text).timestamp()
