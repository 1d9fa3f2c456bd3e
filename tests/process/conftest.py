"""One emulator and one EntraTenant for all process tests; each test has its own site."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import TypeAlias

import pytest

from demo.exchanging import add_issuers
from demo.seed import OPERATOR_ID, TENANT_ID
from demo.stack import EmulatorProcess
from localcluster import Cluster
from tests.integration.at_once import Stories, stories_of
from tests.integration.at_once import at_once as integration_at_once
from tests.integration.installation import seed
from tests.process.installation import Site

NewSite: TypeAlias = Callable[[], Site]


@pytest.fixture(scope="session")
def emulator(
    cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EmulatorProcess]:
    """The emulator without lag, and the EntraTenant that leads to it."""
    running = EmulatorProcess(tmp_path_factory.mktemp("entra") / "tls", seed())
    add_issuers(cluster, running)
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


@pytest.fixture(scope="session")
def new_site(
    cluster: Cluster, emulator: EmulatorProcess, tmp_path_factory: pytest.TempPathFactory
) -> NewSite:
    """Make a site; a test may need several."""
    folder = tmp_path_factory.mktemp("sites")
    return lambda: Site(cluster, emulator, folder)


@pytest.fixture
def site(new_site: NewSite) -> Site:
    """A site of this test."""
    return new_site()


@pytest.fixture(scope="module")
def stories(new_site: NewSite, request: pytest.FixtureRequest) -> Iterator[Stories]:
    """The module's stories that were selected, begun together; see `at_once`."""
    items = [item for item in request.session.items if item.path == request.path]
    begun = Stories(new_site, stories_of(items))  # type: ignore[arg-type] # only handed on
    yield begun
    begun.close()


def at_once(story: Callable[[NewSite], None]) -> Callable[[Stories], None]:
    """Make a test of a story that makes its own sites; all of a module run at the same time."""
    return integration_at_once(story)  # type: ignore[arg-type] # only handed on
