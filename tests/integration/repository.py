"""A team's folder in Git as a tool applies it, with a credential of each type."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from typing import Any, Final

import pytest

from demo.exchanging import sign_in_as
from tests.integration.installation import API_VERSION, CORE, GROUP, Installation, condition_of
from tests.support.kstatus import kstatus

Document = dict[str, Any]

SECRET: Final = "secret"
CERTIFICATE: Final = "certificate"
TRUST: Final = "trust"
NAMES: Final = (SECRET, CERTIFICATE, TRUST)
FINALIZER: Final = "appcredential.io/credential"
ACCOUNT: Final = "orders"
LABEL: Final = "example.com/team"
_MEMBERS: Final[Mapping[str, Mapping[str, Any]]] = {
    SECRET: {"type": "ClientSecret", "clientSecret": {}, "lifetime": "1h"},
    CERTIFICATE: {"type": "Certificate", "certificate": {}, "lifetime": "1h"},
    TRUST: {
        "type": "FederatedIdentity",
        "federatedIdentity": {
            "serviceAccount": {"name": ACCOUNT},
            "configMap": {"name": "trust-output"},
        },
    },
}
# Every story has a workload, and they all run at once.
_POLL: Final = 0.5
_SIGN_IN: Final = 2.0


class Repository:
    """The documents, the tool's commands, and the workload that signs in meanwhile.

    Args:
        prefix: of the namespace's name.

    Attributes:
        doing: what is tried, for messages.
    """

    def __init__(self, installation: Installation, prefix: str) -> None:
        self.i = installation
        self.team = installation.team(prefix)
        self.namespace = self.team.namespace
        self.documents = [self._document(name) for name in NAMES]
        account = {"metadata": {"name": ACCOUNT}}
        self.i.kube.create(f"{CORE}/namespaces/{self.namespace}/serviceaccounts", account)
        self.doing = "issue"
        self._values: dict[str, dict[str, str]] = {}
        self._listed: frozenset[str] = frozenset()
        self._next_look = self._next_sign_in = 0.0
        self._turn = 0

    def _document(self, name: str) -> Document:
        spec = {
            "application": {"clientId": self.team.client_id},
            "tenantRef": {"name": self.team.tenant},
            "deletionGracePeriod": "30m",
            **deepcopy(dict(_MEMBERS[name])),
        }
        if name != TRUST:
            # What a tool selects by may stand on the Secret too, and must not make it its own.
            spec["secret"] = {"labels": {LABEL: "shop"}, "data": {"session": {"generateOnce": {}}}}
        metadata = {"name": name, "namespace": self.namespace, "labels": {LABEL: "shop"}}
        return {
            "apiVersion": API_VERSION,
            "kind": "AppCredential",
            "metadata": metadata,
            "spec": spec,
        }

    def find(self, name: str) -> Document:
        """Return a document by the name that it has in the folder."""
        return next(d for d in self.documents if d["metadata"]["name"] == name)

    # --- the tool -------------------------------------------------------------------------

    def kubectl(self, *words: str, documents: Sequence[Document] | None = None) -> None:
        """Run kubectl in the namespace on the documents, as `-f -`."""
        listed = {"apiVersion": "v1", "kind": "List", "items": list(documents or self.documents)}
        command = [str(self.i.cluster.binaries.kubectl), *words, "-n", self.namespace, "-f", "-"]
        done = subprocess.run(
            command,
            input=json.dumps(listed),
            # The feature that --applyset is still behind; it changes nothing else.
            env={**self.i.cluster.env(), "KUBECTL_APPLYSET": "true"},
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        assert done.returncode == 0, f"kubectl {' '.join(words)}: {done.stderr}"

    def apply(self, *words: str) -> None:
        """Apply the folder."""
        self.kubectl("apply", *words)

    def issue(self, *words: str) -> None:
        """Apply the folder for the first time, and remember what came of it."""
        self.apply(*words)
        self.settled()
        self._values = {name: self.team.values(name) for name in (SECRET, CERTIFICATE)}
        self._listed = frozenset(self.listed())
        self.signs_in()

    def gone(self) -> None:
        """Wait until the resources are gone, and tickets will revoke what is theirs."""
        self.until(lambda: not self.live(), "they are gone")
        tickets = {t["data"]["name"] for t in self.i.tickets(self.namespace)}
        assert set(NAMES) <= tickets, f"{self.doing}: deleted without a ticket"

    def stay_away(self) -> None:
        """Let time pass in which a hasty operator would revoke: TICKET_ABSENCE, and some polls."""
        self._pass(4)

    def wait_quietly(self) -> None:
        """Let time pass in which the operator has looked at everything once more: SECRET_CHECK."""
        self._pass(6)

    def _pass(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        self.until(lambda: time.monotonic() > until, "time passes")

    def back(self) -> None:
        """Wait until everything is as a person wants it again, and none of it is to be revoked."""
        self.settled()
        there = {(d["metadata"]["name"], d["spec"]["type"]) for d in self.documents}
        ours = {"tenant": self.team.tenant, "clientId": self.team.client_id}

        def is_kept() -> bool:
            tickets = [t["data"] for t in self.i.tickets(self.namespace)]
            waiting = {(t["name"], t["type"]) for t in tickets if ours.items() <= t.items()}
            return waiting.isdisjoint(there)

        self.until(is_kept, "the tickets are cancelled")
        self.signs_in()

    # --- the workload ---------------------------------------------------------------------

    def until(self, condition: Callable[[], object], what: str, seconds: float = 60) -> None:
        """Poll; meanwhile nothing is revoked, and what the workload took at first signs in."""

        def holds() -> bool:
            if time.monotonic() < self._next_look:
                return False
            self._next_look = time.monotonic() + _POLL
            self._look()
            return bool(condition())

        self.i.until(holds, f"{self.doing}: {what}", seconds)

    def _look(self) -> None:
        told = f"{self.doing}: revoked before the tool came back"
        assert self._listed <= self.listed(), told
        if self._values and time.monotonic() >= self._next_sign_in:
            self._next_sign_in = time.monotonic() + _SIGN_IN
            self._turn += 1
            self._signs_in(NAMES[self._turn % len(NAMES)])

    def signs_in(self) -> None:
        """Sign in with all three, with what the workload took at first and what is there now."""
        for name in NAMES:
            self._signs_in(name)
        for name in (SECRET, CERTIFICATE):
            told = f"{self.doing}: what {name} has published does not sign in"
            assert self.team.signs_in(name), told

    def _signs_in(self, name: str) -> None:
        if name == TRUST:
            where = (self.i.cluster, self.i.emulator, self.namespace, ACCOUNT)
            refusal = sign_in_as(*where, client_id=self.team.client_id)
            assert refusal == "", f"{self.doing}: {name} does not sign in any more: {refusal}"
        else:
            told = f"{self.doing}: {name} does not sign in any more"
            assert self.team.sign_in(self._values[name]), told

    # --- looking --------------------------------------------------------------------------

    def live(self) -> dict[str, Document]:
        """Return the resources by name."""
        found = self.i.kube.items(f"{GROUP}/namespaces/{self.namespace}/appcredentials")
        return {item["metadata"]["name"]: item for item in found}

    def settled(self, seconds: float = 90) -> None:
        """Wait until each document is there and Ready for its own generation, with finalizer."""
        names = {d["metadata"]["name"] for d in self.documents}

        def is_settled() -> bool:
            found = self.live()
            return found.keys() == names and all(map(_is_settled, found.values()))

        try:
            self.until(is_settled, "all are Ready", seconds)
        except pytest.fail.Exception as error:
            told = [f"{n}: {c}" for n, r in self.live().items() for c in _told(r)]
            pytest.fail("\n".join([str(error), *told]))

    def listed(self) -> set[str]:
        """Return the ids of everything that the application truly has in Entra."""
        found = self.i.emulator.call("GET", f"/applications/{self.team.client_id}")
        keys = [*found["passwordCredentials"], *found["keyCredentials"]]
        return {k["keyId"] for k in keys} | {f["id"] for f in found["federatedIdentityCredentials"]}

    def writes(self) -> list[str]:
        """Return what was asked of Graph that changes the application, in order."""
        asked = self.i.requests(self.team.client_id)
        return [r["operation"] for r in asked if r["method"] != "GET" and r["operation"] != "token"]

    def published(self) -> dict[str, Any]:
        """Return what a workload sees: data and uid of Secrets and output, and annotations."""
        found = {name: self._secret(name) for name in (SECRET, CERTIFICATE)}
        output = self._get("configmaps/trust-output")
        account = self._get(f"serviceaccounts/{ACCOUNT}")
        return {
            **{name: (s["metadata"]["uid"], s["data"]) for name, s in found.items()},
            TRUST: (output["data"], account["metadata"].get("annotations")),
        }

    def snapshot(self) -> dict[str, Any]:
        """Return everything that applying the same again must not change."""
        secrets = [self._secret(name)["metadata"] for name in (SECRET, CERTIFICATE)]
        return {
            "published": self.published(),
            "versions": [s["resourceVersion"] for s in secrets],
            "listed": self.listed(),
            "writes": self.writes(),
            "tickets": self.i.tickets(self.namespace),
            "resources": {
                name: (
                    r["metadata"]["uid"],
                    r["metadata"]["generation"],
                    r["metadata"]["finalizers"],
                    r["status"],
                )
                for name, r in self.live().items()
            },
        }

    def _secret(self, name: str) -> Document:
        return self._get(f"secrets/{name}")

    def _get(self, path: str) -> Document:
        found = self.i.kube.get(f"{CORE}/namespaces/{self.namespace}/{path}")
        assert found is not None, f"{path} is not there"
        return found


def _is_settled(resource: Document) -> bool:
    is_ready = condition_of(resource, "Ready").get("status") == "True"
    is_whole = FINALIZER in (resource["metadata"].get("finalizers") or ())
    return is_ready and is_whole and kstatus(resource) == "Current"


def _told(resource: Document) -> list[str]:
    conditions = resource["status"].get("conditions") or ()
    return [f"{c['type']}={c['status']} {c['reason']}: {c['message']}" for c in conditions]
