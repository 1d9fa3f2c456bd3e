"""A cluster with a node that runs real pods, where the machine can, and the chart on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.stack import EmulatorProcess
from image.archive import archive
from image.engine import TARGETS, find_engine
from localcluster import Binaries, Cluster
from localcluster.helm import locate_helm
from localcluster.node.capabilities import look, reasons
from tests.chart.helming import CHART, NAMESPACE, Helm
from tests.integration.installation import seed
from tests.node.released import PodRelease


@pytest.fixture(scope="session")
def capable() -> None:
    """Skip, with the reasons, where no node can run."""
    if found := reasons(look()):
        pytest.skip("no node here: " + "; ".join(found))


@pytest.fixture(scope="session")
def noded(capable: None, binaries: Binaries) -> Iterator[Cluster]:
    """One cluster with a node for the whole session."""
    with Cluster(binaries=binaries, node=True) as running:
        yield running


@pytest.fixture(scope="session")
def equipped(noded: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    """The same with our images, and a namespace for the operator that enforces *restricted*."""
    folder = tmp_path_factory.mktemp("images")
    engine = find_engine()
    for name in TARGETS.values():
        path = archive(engine, name, folder)
        noded.node.load(path)
        path.unlink()
    label = {"pod-security.kubernetes.io/enforce": "restricted"}
    body = {"metadata": {"name": NAMESPACE, "labels": label}}
    noded.api.call("POST", "/api/v1/namespaces", body)
    return noded


@pytest.fixture(scope="session")
def node_helm(equipped: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Helm:
    """Helm as the administrator of that cluster."""
    return Helm(locate_helm(), tmp_path_factory.mktemp("helm"), equipped)


@pytest.fixture(scope="module")
def entra(equipped: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    """The emulator where pods reach it and no release takes it away: on the machine."""
    folder: Path = tmp_path_factory.mktemp("entra")
    running = EmulatorProcess(folder, seed(), address=str(equipped.node.network.host))
    yield running
    running.child.stop()


@pytest.fixture(scope="module")
def release(
    equipped: Cluster,
    node_helm: Helm,
    entra: EmulatorProcess,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[PodRelease]:
    """The chart, installed for the tests of one file."""
    equipped.install_crds(CHART / "crds")
    made = PodRelease(node_helm, equipped, entra, tmp_path_factory.mktemp("release"))
    try:
        made.operator.wait_until_ready()
        yield made
    finally:
        made.end()
