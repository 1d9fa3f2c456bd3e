"""The operator renews its own certificate, whatever happens on the way."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import pytest

from appcredential.kube.client import KubeClient
from localcluster import Cluster
from tests.entra.own_scene import Scene, keep_time
from tests.support.clock import HandClock
from tests.support.emulator import Emulator

pytestmark = pytest.mark.cluster
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with Emulator(tmp_path_factory.mktemp("entra")) as running:
        running.stop_clock()
        yield running


@pytest.fixture
async def scene(
    emulator: Emulator, cluster: Cluster, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Scene]:
    emulator.clear_faults()
    kube = await KubeClient.connect(HandClock(), str(cluster.kubeconfig))
    made = Scene(emulator, kube, namespace)
    keep_time(monkeypatch, made.clock)
    yield made
    await kube.close()


async def test_it_is_renewed_when_a_third_of_its_life_is_left(scene: Scene) -> None:
    await scene.create()
    process = scene.process()
    await process.look()
    await process.look()
    scene.pass_(55 * DAY)
    await process.look()
    assert not await scene.is_renewed()
    scene.pass_(5 * DAY)
    await scene.until(process, scene.is_renewed)
    assert await scene.signs_in()
    await process.end()
