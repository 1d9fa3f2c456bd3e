"""The cluster changes its signing key, and then its issuer: who signs in does not notice."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from demo.exchanging import AUDIENCE, exchange
from demo.processes import OPERATOR_NAMESPACE
from demo.stack import RBAC, EmulatorProcess, write_own_token
from localcluster import Binaries, Cluster
from tests.conftest import CRDS
from tests.integration.installation import SETTINGS, Installation, seed
from tests.integration.stories_federation import Federated, of_a_team
from tests.process.issuing import Published
from tests.process.waiting import wait_for

pytestmark = [pytest.mark.cluster, pytest.mark.process]

PATIENCE: Final = 60.0


@pytest.fixture
def published(binaries: Binaries) -> Iterator[tuple[Cluster, Published]]:
    """A cluster of this test alone, whose issuer is published beside it."""
    with Cluster(binaries=binaries) as cluster, Published(cluster) as documents:
        cluster.install_crds(CRDS)
        cluster.kubectl("apply", "--server-side", "-f", RBAC)
        documents.publish("one")
        cluster.reissue(documents.url("one"))
        yield cluster, documents


@pytest.fixture
def installation(published: tuple[Cluster, Published], tmp_path: Path) -> Iterator[Installation]:
    cluster, documents = published
    emulator = EmulatorProcess(tmp_path / "entra", seed())
    try:
        for name in ("one", "two"):
            known = {"name": name, "url": documents.url(name), "caFile": str(cluster.ca_file)}
            emulator.call("POST", "/issuers", known)
        running = Installation(cluster, emulator, tmp_path / "operator", SETTINGS)
        running.make_tenant("default")
        running.operator.wait_until_ready()
        yield running
        running.close()
    finally:
        emulator.child.stop()


class Running:
    """A workload that signs in all the time with the token that its volume holds."""

    def __init__(self, f: Federated) -> None:
        self._f = f
        self._token = self.fresh_token()
        self.refusals: list[str] = []
        self.tries = 0
        self._stop = threading.Event()

    def fresh_token(self) -> str:
        """Return a token as the kubelet would fetch it now."""
        namespace = self._f.team.namespace
        return self._f.i.cluster.service_account_token(namespace, "orders", audiences=[AUDIENCE])

    def refusal(self, token: str) -> str:
        """Exchange a token; return `""`, or Entra's refusal."""
        return exchange(self._f.i.emulator, self._f.team.client_id, token)

    def take(self, token: str) -> None:
        """Have another token in the volume, as the kubelet does when most of its time is over."""
        self._token = token

    @contextmanager
    def signing_in(self) -> Iterator[None]:
        thread = threading.Thread(target=self._run)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()

    def _run(self) -> None:
        while not self._stop.wait(0.3):
            refusal = self.refusal(self._token)
            self.tries += 1
            if refusal:
                self.refusals.append(refusal[:200])


def test_a_change_of_key_and_of_issuer_is_not_noticed(
    installation: Installation, published: tuple[Cluster, Published]
) -> None:
    cluster, documents = published
    f = of_a_team(installation, "issuer")
    f.account()
    f.apply(serviceAccount={"name": "orders"})
    f.ready()
    assert f.pairs() == {(documents.url("one"), f.subject())}
    workload = Running(f)
    with workload.signing_in():
        _change_key(cluster, documents, workload)
        _change_issuer(installation, documents, f, workload)
    assert workload.tries > 20
    assert workload.refusals == []


def _change_key(cluster: Cluster, documents: Published, workload: Running) -> None:
    cluster.reissue(new_key=True)
    documents.publish("one")
    fresh = workload.fresh_token()
    wait_for(lambda: not workload.refusal(fresh), "the new key is known", PATIENCE)
    workload.take(fresh)


def _change_issuer(i: Installation, documents: Published, f: Federated, workload: Running) -> None:
    documents.publish("two")
    i.cluster.reissue(documents.url("two"))
    write_own_token(i.cluster, OPERATOR_NAMESPACE, i.operator.token_file)
    old, new = ((documents.url(name), f.subject()) for name in ("one", "two"))
    f.team.until(lambda: f.pairs() == {old, new}, "both are trusted", seconds=90)
    f.team.until(
        lambda: f.is_ready() and f.team.status()["federatedIdentities"][0]["issuer"] == new[0],
        "the new one is told",
    )
    workload.take(workload.fresh_token())
    f.team.until(lambda: f.pairs() == {new}, "the old one goes", seconds=90)
    f.ready()
