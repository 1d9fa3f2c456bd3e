"""Killed at any effect of a takeover or a revocation: the Secret always holds what signs in."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from typing import Any, Final

import pytest

from tests.integration.installation import API_VERSION, condition_of
from tests.process.conftest import NewSite
from tests.process.installation import SETTINGS, Site
from tests.process.operators import Operator
from tests.process.waiting import wait_for
from tests.process.workloads import Workload, annotations_of, is_ours
from tests.support.pods import Pod

pytestmark = [pytest.mark.cluster, pytest.mark.process]

AT_ONCE: Final = 4
PATIENCE: Final = 75.0
HEIR: Final = "orders-certificate"
TAKEOVER: Final = (
    ("intent", "kill in flight"),
    ("addCertificate", "kill in flight"),
    ("minted", "kill"),
    ("sign-in", "kill"),
    ("target", "kill in flight"),
    ("target", "kill"),
    ("delete pending", "kill in flight"),
    ("status", "kill"),
)
REVOCATION: Final = (
    ("addPassword", "kill in flight"),
    ("minted", "kill"),
    ("target", "kill in flight"),
    ("target", "kill"),
    ("removePassword", "kill in flight"),
    ("removePassword", "kill"),
)


class Handover(Workload):
    """A workload with a client secret, and the certificate that is to take its Secret over."""

    @property
    def heir_path(self) -> str:
        """The API path of the AppCredential that takes it over."""
        return f"{self.path.rsplit('/', 1)[0]}/{HEIR}"

    def create_heir(self) -> None:
        """Create the certificate's AppCredential."""
        body = {
            "apiVersion": API_VERSION,
            "kind": "AppCredential",
            "metadata": {"name": HEIR, "namespace": self.site.namespace},
            "spec": {
                "application": {"clientId": self.client_id},
                "type": "Certificate",
                "certificate": {},
                "secret": {"name": self.name, "takeOverFrom": self.name},
            },
        }
        self.site.kube.create(self.heir_path.rsplit("/", 1)[0], body)

    def heir(self) -> dict[str, Any]:
        """Return that AppCredential."""
        return self.site.kube.get(self.heir_path) or {}

    def certificates(self) -> list[str]:
        """Return the key ids of our certificates."""
        found = self.site.emulator.call("GET", f"/applications/{self.client_id}")
        return [key["keyId"] for key in found["keyCredentials"] if is_ours(key)]

    def values(self) -> dict[str, str]:
        """Return what the Secret holds."""
        data = self.target()["data"]
        return {key: base64.b64decode(value).decode() for key, value in data.items()}

    def is_handed_over(self) -> bool:
        """Tell whether it has gone to the heir, and both say so."""
        ready, stalled = condition_of(self.heir(), "Ready"), self.condition("Stalled")
        secrets = self.site.kube.items(f"/api/v1/namespaces/{self.site.namespace}/secrets")
        return (
            ready.get("status") == "True"
            and stalled.get("reason") == "SecretTakenOver"
            and self.annotations().get("owner") == f"{self.site.namespace}/{HEIR}"
            and not [s for s in secrets if s["type"] == "appcredential.io/pending"]
        )

    def describe(self) -> str:
        return f"{self.heir().get('status')}\n{annotations_of(self.heir())}\n{super().describe()}"


def crash(operator: Operator, point: tuple[str, str], act: Callable[[], None], about: str) -> None:
    """Let something happen, and the process die at a point of it."""
    operator.arm(point[0], 1, point[1])
    act()
    wait_for(lambda: not operator.is_alive(), "the crash", PATIENCE, lambda: about)
    operator.disarm()
    operator.restart()


def hand_over(site: Site, point: tuple[str, str]) -> list[str]:
    """Issue, hand over with a crash, delete the former owner; return what went wrong."""
    wrong: list[str] = []

    def expect(kept: bool, what: str) -> None:
        if not kept:
            wrong.append(f"{point}: {what}")

    with site.operator() as operator, ExitStack() as stack:
        workload = Handover(site, "orders")
        workload.issue()
        (first,) = workload.ours()
        started = stack.enter_context(Pod(site.emulator, workload.values, is_mounted=False))
        mounted = stack.enter_context(Pod(site.emulator, workload.values, is_mounted=True))
        crash(operator, point, workload.create_heir, f"{point}")
        wait_for(workload.is_handed_over, "the handover", PATIENCE, workload.describe)
        expect(workload.ours() == {first}, "the client secret is gone, or another was made")
        expect(len(workload.certificates()) == 1, f"{len(workload.certificates())} certificates")
        expect(workload.asked_for() == 1, "a client secret was made in vain")
        expect("AZURE_CLIENT_SECRET" not in workload.values(), "the old key is still there")
        started.stop()
        workload.delete()
        wait_for(lambda: not workload.ours(), "the revocation", PATIENCE, workload.describe)
        is_done = partial(_has_no_ticket, site)
        wait_for(is_done, "the end of the ticket", PATIENCE, workload.describe)
        expect(bool(workload.target()), "the ticket took the Secret that is not its own")
        expect(workload.has_foreign(), "a foreign credential is gone")
        tries = mounted.tries + 3
        wait_for(lambda: mounted.tries >= tries or mounted.failures, "sign-ins", PATIENCE)
    for name, pod in (("started", started), ("mounted", mounted)):
        expect(pod.tries > 5, f"the {name} pod hardly tried")
        expect(not pod.failures, f"the {name} pod failed: {pod.failures[:3]}")
    return wrong


def _has_no_ticket(site: Site) -> bool:
    return not site.tickets("orders")


def revoke(site: Site, point: tuple[str, str]) -> list[str]:
    """Issue, and revoke with a crash; return what went wrong."""
    wrong: list[str] = []
    with site.operator() as operator:
        workload = Workload(site, "orders")
        workload.create(rotation={"renewBefore": "30d", "overlap": "15d"})
        workload.settle()
        (first,) = workload.ours()
        started = time.time()
        wait_for(lambda: time.time() >= started + 2, "a later second", 10)
        crash(operator, point, lambda: _leak(workload), f"{point}")
        wait_for(lambda: first not in workload.ours(), "the end", PATIENCE, workload.describe)
        workload.settle(PATIENCE)
        with workload.sign_ins() as sign_ins:
            refusal = sign_ins.refusal(workload.value())
        if refusal:
            wrong.append(f"{point}: the successor is refused: {refusal}")
        if workload.asked_for() > 2 + int(point[0] == "addPassword"):
            wrong.append(f"{point}: {workload.asked_for()} credentials were made")
        if not workload.has_foreign():
            wrong.append(f"{point}: a foreign credential is gone")
    return wrong


def _leak(workload: Workload) -> None:
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    workload.site.kube.edit(
        workload.path, lambda found: found["spec"]["rotation"].update(revokeIssuedBefore=moment)
    )


def _all(
    story: Callable[[Site, tuple[str, str]], list[str]],
    points: tuple[tuple[str, str], ...],
    new_site: NewSite,
) -> list[str]:
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        told = [pool.submit(story, new_site(), point) for point in points]
        return [text for one in told for text in one.result()]


def test_killed_at_any_effect_of_a_takeover_no_pod_notices(new_site: NewSite) -> None:
    wrong = _all(hand_over, TAKEOVER, new_site)
    assert not wrong, "\n".join(wrong)


def test_killed_at_any_effect_of_a_revocation_the_leak_is_closed(new_site: NewSite) -> None:
    wrong = _all(revoke, REVOCATION, new_site)
    assert not wrong, "\n".join(wrong)


def test_an_operator_that_revokes_at_the_takeover_is_caught(site: Site) -> None:
    """The pods of the first test do notice a client secret that goes too early."""
    with site.operator(settings={**SETTINGS, "INSTRUMENTED_BREAK": "hasty"}):
        workload = Handover(site, "orders")
        workload.issue()
        with Pod(site.emulator, workload.values, is_mounted=False) as started:
            workload.create_heir()
            wait_for(lambda: started.failures, "a refused sign-in", PATIENCE, workload.describe)
    assert "ClientSecretCredential was refused" in started.failures[0]
