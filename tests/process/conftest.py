"""One emulator and one EntraTenant for all process tests; each test has its own site."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

from demo.seed import OPERATOR_ID, TENANT_ID
from demo.stack import EmulatorProcess
from localcluster import Cluster
from tests.integration.installation import seed
from tests.process.installation import Site

NewSite: TypeAlias = Callable[[], Site]


@pytest.fixture(scope="session")
def emulator(
    cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EmulatorProcess]:
    """The emulator without lag, and the EntraTenant that leads to it."""
    running = EmulatorProcess(tmp_path_factory.mktemp("entra") / "tls", seed())
    identity = {"clientId": OPERATOR_ID, "secretRef": {"name": "operator-identity"}}
    tenant = {
        "apiVersion": "appcredential.io/v1alpha1",
        "kind": "EntraTenant",
        "metadata": {"name": "default"},
        "spec": {
            "tenantId": TENANT_ID,
            "cloud": "Custom",
            "identity": {"clientSecret": identity},
        },
    }
    cluster.kubectl("apply", "--server-side", "-f", "-", input=json.dumps(tenant))
    yield running
    running.child.stop()


@pytest.fixture
def new_site(cluster: Cluster, emulator: EmulatorProcess, tmp_path: Path) -> NewSite:
    """Make a site; a test may need several."""
    return lambda: Site(cluster, emulator, tmp_path)


@pytest.fixture
def site(new_site: NewSite) -> Site:
    """A site of this test."""
    return new_site()
