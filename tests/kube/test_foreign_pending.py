from __future__ import annotations

from typing import Any, Final

import pytest

from appcredential.domain.observed.target import Pending
from appcredential.domain.secret.records import pending_name
from appcredential.errors import ConflictError
from appcredential.kube.secret_store import KubeSecrets
from appcredential.ports.kube import Intent
from tests.support.api_server import ApiServer
from tests.support.builders import (
    HOLDER,
    IDENTITY,
    NEXT_SECRET,
    NOW,
    OBJECT_ID,
    OTHER_OWNER,
    OWNER,
    TENANT_ID,
    minted,
)

PATH: Final = f"/api/v1/namespaces/{OWNER.namespace}/secrets/{pending_name(OWNER.hash)}"
OWNED: Final = "appcredential.io/owner"


def intent() -> Intent:
    return Intent(
        owner=OWNER,
        cluster=IDENTITY.cluster,
        tenant_id=TENANT_ID,
        object_id=OBJECT_ID,
        attempt_number=1,
        holder=HOLDER,
        time=NOW,
        abandoned=(),
    )


async def stored(kube: ApiServer) -> dict[str, Any]:
    """Have P written as an intent; return it as JSON."""
    await KubeSecrets(kube, IDENTITY).put_intent(intent(), None)
    return kube.objects[PATH]


async def read(kube: ApiServer) -> Pending:
    found = await KubeSecrets(kube, IDENTITY).pending(OWNER)
    assert found is not None
    return found


FOREIGN: Final = [
    {"owner": "kube-system/orders"},
    {"owner": "shop"},
    {"owner": str(OTHER_OWNER)},
    {"type": "Opaque"},
]


@pytest.mark.parametrize("change", FOREIGN, ids=str)
async def test_a_secret_that_only_bears_the_name_is_neither_written_nor_deleted(
    change: dict[str, str],
) -> None:
    kube = ApiServer()
    document = await stored(kube)
    if "owner" in change:
        document["metadata"]["annotations"][OWNED] = change["owner"]
    document["type"] = change.get("type", document["type"])
    theirs = kube.put(PATH, document)
    live = await read(kube)
    assert live.is_foreign
    kube.requests.clear()
    secrets = KubeSecrets(kube, IDENTITY)
    for attempt in (
        secrets.put_intent(intent(), live),
        secrets.put_minted(OWNER, live, minted(), NEXT_SECRET),
        secrets.put_abandoned(OWNER, live),
        secrets.delete_pending(OWNER, live),
    ):
        with pytest.raises(ConflictError):
            await attempt
    assert kube.requests == []
    assert kube.objects == {PATH: theirs}


async def test_what_is_written_goes_to_the_owner_whatever_the_annotation_says() -> None:
    kube = ApiServer()
    document = await stored(kube)
    del document["metadata"]["annotations"][OWNED]
    kube.put(PATH, document)
    live = await read(kube)
    assert not live.is_foreign
    written = await KubeSecrets(kube, IDENTITY).put_abandoned(OWNER, live)
    assert written.owner == str(OWNER)
    assert list(kube.objects) == [PATH]


async def test_a_pending_secret_of_ours_goes_its_way() -> None:
    kube = ApiServer()
    await stored(kube)
    secrets = KubeSecrets(kube, IDENTITY)
    kept = await secrets.put_minted(OWNER, await read(kube), minted(value=NEXT_SECRET), NEXT_SECRET)
    assert kept.value == NEXT_SECRET
    fenced = await secrets.put_abandoned(OWNER, kept)
    assert not fenced.is_foreign
    await secrets.delete_pending(OWNER, fenced)
    assert kube.objects == {}
