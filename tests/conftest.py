"""Fixtures for every test that needs a real Kubernetes."""

from __future__ import annotations

import secrets
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from localcluster import Binaries, Cluster, locate
from tests.support.clock import HandClock

CRDS = Path(__file__).parent.parent / "crds"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what the Makefile uses."""
    parser.addoption("--told", action="store_true", help="have the figures of `make e2e` printed")
    parser.addoption("--clients-table", action="store_true", help="print client × operation")
    parser.addoption("--write-snapshots", action="store_true", help="write tests/chart/snapshots")


@pytest.fixture
def clock() -> HandClock:
    """A clock that stands still."""
    return HandClock()


@pytest.fixture(scope="session")
def binaries(pytestconfig: pytest.Config) -> Binaries:
    """The Kubernetes binaries; a first build takes minutes, so its progress is shown."""
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")

    def show(line: str) -> None:
        with nullcontext() if capture is None else capture.global_and_fixture_disabled():
            sys.stderr.write(f"\n{line}")
            sys.stderr.flush()

    return locate(show)


@pytest.fixture(scope="session")
def cluster(binaries: Binaries) -> Iterator[Cluster]:
    """One control plane for the whole session, with our CRDs served."""
    with Cluster(binaries=binaries) as running:
        if any(CRDS.glob("*.yaml")):
            running.install_crds(CRDS)
        yield running


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[str]:
    """The name of a fresh namespace that has its ServiceAccount `default`."""
    name = f"test-{secrets.token_hex(4)}"
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    cluster.api.call("POST", "/api/v1/namespaces", body)
    account = f"/api/v1/namespaces/{name}/serviceaccounts/default"
    wait_until(lambda: cluster.api.send("GET", account)[0] == 200, "ServiceAccount default")
    yield name
    # Not waited for: the whole cluster goes away soon.
    cluster.api.send("DELETE", f"/api/v1/namespaces/{name}")


def wait_until(condition: Callable[[], object], what: str, seconds: float = 20) -> None:
    """Poll until the condition holds; fail with what was waited for."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"not within {seconds:g} s: {what}")
        time.sleep(0.05)


@pytest.fixture
def tell(pytestconfig: pytest.Config, capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Print a figure for a person, when asked to."""

    def tell_person(line: str) -> None:
        if pytestconfig.getoption("--told"):
            with capsys.disabled():
                sys.stdout.write(f"\n  {line}")

    return tell_person
