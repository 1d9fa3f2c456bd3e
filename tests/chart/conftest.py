"""Helm, built once, and a cluster of the chart's own: it installs CRDs and admission policies."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from demo.exchanging import add_cluster_issuer
from demo.stack import EmulatorProcess
from localcluster import Binaries, Cluster
from localcluster.helm import locate_helm
from tests.chart.helming import NAMESPACE, Helm
from tests.integration.installation import seed


@pytest.fixture(scope="session")
def helm_binary(pytestconfig: pytest.Config) -> Path:
    """The helm command; a first build takes more than a minute, so its progress is shown."""
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")

    def show(line: str) -> None:
        with nullcontext() if capture is None else capture.global_and_fixture_disabled():
            sys.stderr.write(f"\n{line}")
            sys.stderr.flush()

    return locate_helm(show)


@pytest.fixture(scope="session")
def helm(helm_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Helm:
    """Helm without a cluster: it renders."""
    return Helm(helm_binary, tmp_path_factory.mktemp("helm"))


@pytest.fixture(scope="session")
def bare(binaries: Binaries) -> Iterator[Cluster]:
    """A cluster that knows nothing of us yet, with a namespace that enforces *restricted*.

    Its audit log tells what the operator asks for.
    """
    with Cluster(binaries=binaries, audited=True) as running:
        label = {"pod-security.kubernetes.io/enforce": "restricted"}
        metadata = {"name": NAMESPACE, "labels": label}
        running.api.call("POST", "/api/v1/namespaces", {"metadata": metadata})
        yield running


@pytest.fixture(scope="session")
def bare_helm(helm_binary: Path, bare: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Helm:
    """Helm as the administrator of the bare cluster."""
    return Helm(helm_binary, tmp_path_factory.mktemp("helm-cluster"), bare)


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    """The Entra emulator, without lag."""
    running = EmulatorProcess(tmp_path_factory.mktemp("entra"), seed())
    yield running
    running.child.stop()


@pytest.fixture(scope="session")
def known_issuer(bare: Cluster, emulator: EmulatorProcess) -> EmulatorProcess:
    """The emulator, which can fetch the keys of the bare cluster's tokens."""
    add_cluster_issuer(bare, emulator)
    return emulator
