"""Killed at any effect of a federated credential's life: no gap, no second one, no open door."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Final

import pytest

from demo.exchanging import sign_in_as
from demo.seed import OPERATOR_ID, TENANT_ID
from tests.integration.installation import API_VERSION, CORE, GROUP, condition_of
from tests.process.conftest import NewSite
from tests.process.installation import SETTINGS, Site
from tests.process.waiting import wait_for

pytestmark = [pytest.mark.cluster, pytest.mark.process]

AT_ONCE: Final = 4
PATIENCE: Final = 75.0
CLIENT_ID: Final = "azure.workload.identity/client-id"
# Shorter than the demonstration's: the emulator has no lag here.
QUIET: Final = {
    **SETTINGS,
    "APPCREDENTIAL_FEDERATED_QUIET": "2s",
    "APPCREDENTIAL_FEDERATED_OVERLAP": "4s",
    "APPCREDENTIAL_DIRECTORY_RESYNC": "8s",
}
Point = tuple[str, str]
CREATION: Final[tuple[Point, ...]] = (
    ("finalizer", "kill"),
    ("createFederated", "kill"),
    ("createFederated", "kill in flight"),
    ("annotate", "kill"),
    ("annotate", "kill in flight"),
    ("output", "kill"),
    ("output", "kill in flight"),
)
CHANGE: Final[tuple[Point, ...]] = (
    ("createFederated", "kill"),
    ("createFederated", "kill in flight"),
    ("updateFederated", "kill"),
    ("updateFederated", "kill in flight"),
    ("removeFederated", "kill"),
    ("removeFederated", "kill in flight"),
    ("annotate", "kill in flight"),
)
DELETION: Final[tuple[Point, ...]] = (
    ("ticket", "kill"),
    ("ticket", "kill in flight"),
    ("release finalizer", "kill"),
    ("removeFederated", "kill"),
    ("removeFederated", "kill in flight"),
    ("annotate", "kill"),
    ("delete output", "kill in flight"),
)


class Trusting:
    """Two ServiceAccounts, and the AppCredential that has one of them trusted."""

    def __init__(self, site: Site) -> None:
        self.site = site
        body = {"displayName": site.namespace, "owners": [OPERATOR_ID]}
        made = site.emulator.call("POST", f"/tenants/{TENANT_ID}/applications", body)
        self.client_id: str = made["appId"]
        self.base = f"{CORE}/namespaces/{site.namespace}"
        self.path = f"{GROUP}/namespaces/{site.namespace}/appcredentials/orders"
        for name in ("one", "two"):
            site.kube.create(f"{self.base}/serviceaccounts", {"metadata": {"name": name}})
        tenant = f"{GROUP}/applicationgrants"
        spec = {
            "applications": {"clientIds": [self.client_id]},
            "namespaces": {"names": [site.namespace]},
        }
        metadata = {"name": site.namespace}
        grant = {"apiVersion": API_VERSION, "kind": "ApplicationGrant", "metadata": metadata}
        site.kube.create(tenant, {**grant, "spec": spec})

    def create(self) -> None:
        spec = {
            "application": {"clientId": self.client_id},
            "type": "FederatedIdentity",
            "federatedIdentity": {
                "serviceAccount": {"name": "one"},
                "configMap": {"name": "orders-entra"},
            },
            "deletionGracePeriod": "1s",
        }
        metadata = {"name": "orders", "namespace": self.site.namespace}
        body = {"apiVersion": API_VERSION, "kind": "AppCredential", "metadata": metadata}
        self.site.kube.create(self.path.rsplit("/", 1)[0], {**body, "spec": spec})

    def change(self) -> None:
        self.site.kube.edit(
            self.path,
            lambda found: found["spec"]["federatedIdentity"]["serviceAccount"].update(name="two"),
        )

    def delete(self) -> None:
        self.site.kube.delete(self.path)

    def resource(self) -> dict[str, Any]:
        return self.site.kube.get(self.path) or {}

    def describe(self) -> str:
        status = self.resource().get("status") or {}
        return f"{status.get('conditions')}\n{self.listed()}"

    def listed(self) -> list[str]:
        """Return the subjects that are trusted."""
        found = self.site.emulator.call("GET", f"/applications/{self.client_id}")
        return sorted(c["subject"] for c in found["federatedIdentityCredentials"])

    def annotation(self, name: str) -> str:
        """Return for which application a ServiceAccount is annotated."""
        found = self.site.kube.get(f"{self.base}/serviceaccounts/{name}") or {"metadata": {}}
        return str((found["metadata"].get("annotations") or {}).get(CLIENT_ID, ""))

    def is_settled(self, *accounts: str) -> bool:
        """Tell whether all is as asked for, and just these accounts are trusted."""
        resource = self.resource()
        ready = condition_of(resource, "Ready").get("status") == "True" if resource else False
        status = resource.get("status") or {}
        is_current = status.get("observedGeneration") == resource["metadata"]["generation"]
        wanted = [f"system:serviceaccount:{self.site.namespace}:{name}" for name in accounts]
        return ready and is_current and self.listed() == wanted

    def is_gone(self) -> bool:
        """Tell whether nothing is left of it anywhere."""
        output = self.site.kube.get(f"{self.base}/configmaps/orders-entra")
        told = any(self.annotation(name) for name in ("one", "two"))
        is_left = self.listed() or told or output or self.site.tickets("orders")
        return not is_left and not self.resource()


class Pods:
    """Sign in all the time as whichever ServiceAccount is annotated, as its new pods do."""

    def __init__(self, trusting: Trusting) -> None:
        self._trusting = trusting
        self.refusals: list[str] = []
        self.tries = 0
        self._stop = threading.Event()

    @contextmanager
    def watching(self) -> Iterator[None]:
        thread = threading.Thread(target=self._watch)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()

    def _watch(self) -> None:
        site = self._trusting.site
        while not self._stop.wait(0.3):
            for name in ("one", "two"):
                client_id = self._trusting.annotation(name)
                if not client_id:
                    continue
                refusal = sign_in_as(
                    site.cluster, site.emulator, site.namespace, name, client_id=client_id
                )
                self.tries += 1
                # An account whose annotations went meanwhile may be refused.
                if refusal and self._trusting.annotation(name):
                    self.refusals.append(f"{name}: {refusal[:200]}")


def live(site: Site, creation: Point, change: Point, deletion: Point) -> list[str]:
    """Create, change and delete with one crash in each; return what went wrong."""
    with site.operator(settings=QUIET) as operator:
        trusting = Trusting(site)
        pods = Pods(trusting)

        def crash(point: Point, act: Callable[[], None]) -> None:
            operator.arm(point[0], 1, point[1])
            act()
            wait_for(
                lambda: not operator.is_alive(), f"the crash {point}", PATIENCE, trusting.describe
            )
            operator.disarm()
            operator.restart()

        def settle(condition: Callable[[], bool], what: str) -> None:
            wait_for(condition, f"{what} after {point}", PATIENCE, trusting.describe)

        with pods.watching():
            point = creation
            crash(point, trusting.create)
            settle(lambda: trusting.is_settled("one"), "one is trusted")
            point = change
            crash(point, trusting.change)
            settle(lambda: trusting.is_settled("two"), "two is trusted alone")
        wrong = [f"{creation}, {change}: {text}" for text in pods.refusals]
        if pods.tries < 5:
            wrong.append(f"{creation}, {change}: hardly a sign-in was tried")
        if trusting.annotation("one"):
            wrong.append(f"{change}: the first account is still annotated")
        point = deletion
        crash(point, trusting.delete)
        settle(trusting.is_gone, "nothing is left")
    return wrong


def test_killed_at_any_effect_there_is_no_gap_and_no_open_door(new_site: NewSite) -> None:
    sites = [new_site() for _ in CREATION]
    rows = zip(sites, CREATION, CHANGE, DELETION, strict=True)
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        lives = [pool.submit(live, *row) for row in rows]
        wrong = [text for one in lives for text in one.result()]
    assert not wrong, "\n".join(wrong)


def test_an_operator_that_breaks_before_it_makes_is_caught(site: Site) -> None:
    """The pods of the test above do notice a trust that goes too early."""
    with site.operator(settings={**QUIET, "INSTRUMENTED_BREAK": "gap"}):
        trusting = Trusting(site)
        pods = Pods(trusting)
        trusting.create()
        wait_for(lambda: trusting.is_settled("one"), "one is trusted", PATIENCE, trusting.describe)
        with pods.watching():
            trusting.change()
            wait_for(lambda: pods.refusals, "a refused sign-in", PATIENCE, trusting.describe)
    assert "one: " in pods.refusals[0]
