"""One installation for each file; each story has its own namespace and application."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from demo.exchanging import add_issuers
from demo.stack import RBAC, EmulatorProcess
from localcluster import Cluster
from tests.integration.at_once import Stories, stories_of
from tests.integration.installation import SETTINGS, Installation, seed


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    """The Entra emulator, without lag."""
    running = EmulatorProcess(tmp_path_factory.mktemp("entra"), seed())
    yield running
    running.child.stop()


@pytest.fixture(scope="module")
def settings() -> Mapping[str, str]:
    """The operator's settings; a file may have others."""
    return SETTINGS


@pytest.fixture(scope="module")
def installation(
    cluster: Cluster,
    emulator: EmulatorProcess,
    settings: Mapping[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Installation]:
    """The session's cluster with the emulator and the operator's process, alone for a file."""
    cluster.kubectl("apply", "--server-side", "-f", RBAC)
    add_issuers(cluster, emulator)
    running = Installation(cluster, emulator, tmp_path_factory.mktemp("operator"), settings)
    try:
        running.make_tenant("default")
        running.operator.wait_until_ready()
        yield running
    finally:
        running.close()


@pytest.fixture(scope="module")
def stories(installation: Installation, request: pytest.FixtureRequest) -> Iterator[Stories]:
    """The module's stories that were selected, begun together."""
    items = [item for item in request.session.items if item.path == request.path]
    begun = Stories(installation, stories_of(items))
    yield begun
    begun.close()
