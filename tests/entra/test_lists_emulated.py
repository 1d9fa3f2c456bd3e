"""Lists and batches against the emulator: what it really answers, with Entra's limits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from appcredential.domain.inventory import IN_A_BATCH, Way, fingerprint
from appcredential.domain.spec.model import ClientId, ObjectId
from tests.entra.test_emulated import Scene, scene
from tests.support.emulator import MadeApplication
from tests.support.keys import make_certificate

__all__ = ["scene"]

FRESH = timedelta(0)


async def shown(scene: Scene, way: Way, *wanted: MadeApplication) -> list[str]:
    await scene.session.probe()
    ids = [ClientId(app.app_id) for app in wanted]
    lists = scene.session.lists.pages(way, ids, 5, scene.session.principal_id)
    return sorted([found.object_id async for page in lists for found in page.found.values()])


async def test_each_way_shows_an_application_as_a_direct_read_does(scene: Scene) -> None:
    made = make_certificate()
    scene.emulator.add_key(scene.app.app_id, certificate=made.pem.decode())
    scene.emulator.add_password(scene.app.app_id, displayName="portal")
    await scene.session.probe()
    direct = await scene.session.directory.application(scene.client_id, FRESH)
    assert len(direct.credentials) == 2
    for way in Way:
        lists = scene.session.lists.pages(way, [scene.client_id], 5, scene.session.principal_id)
        (found,) = [page.found[scene.client_id] async for page in lists]
        assert fingerprint(found) == fingerprint(direct)
        assert found.read_time <= datetime.now(UTC)


async def test_only_owned_ones_are_shown_as_owned(scene: Scene) -> None:
    foreign = scene.emulator.create_application(scene.tenant)
    assert await shown(scene, Way.OWNED, scene.app, foreign) == [scene.app.id]
    assert await shown(scene, Way.ALL, scene.app, foreign) == sorted([scene.app.id, foreign.id])
    assert await shown(scene, Way.FILTER, scene.app, foreign) == sorted([scene.app.id, foreign.id])


async def test_a_thousand_owned_ones_take_two_pages(scene: Scene) -> None:
    owner = scene.operator[0]
    made = [scene.emulator.create_application(scene.tenant, owner=owner) for _ in range(1000)]
    scene.emulator.reset_log()
    assert len(await shown(scene, Way.OWNED, *made, scene.app)) == 1001
    assert scene.count("servicePrincipal.ownedObjects.list") == 2


async def test_trusts_of_twenty_applications_are_one_request(scene: Scene) -> None:
    made = [scene.emulator.create_application(scene.tenant) for _ in range(IN_A_BATCH)]
    scene.emulator.add_federated(
        made[3].app_id, name="portal", issuer="https://issuer.example", subject="somebody"
    )
    ids = [ObjectId(app.id) for app in made]
    scene.emulator.reset_log()
    found = await scene.session.lists.federated(ids)
    assert len(found) == IN_A_BATCH
    assert scene.count("batch") == 1
    direct = await scene.session.directory.federated(ids[3], FRESH)
    listed = found[ids[3]]
    assert listed is not None
    assert listed.credentials == direct.credentials
    scene.emulator.delete_application(made[3].app_id)
    assert (await scene.session.lists.federated(ids))[ids[3]] is None
