"""A cluster with a node that runs real pods, where the machine can."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from localcluster import Binaries, Cluster
from localcluster.node.capabilities import look, reasons


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
