"""What a scrape shows of the objects that the watches tell."""

from __future__ import annotations

from typing import Any, Final

import pytest

from appcredential.cache.sampled import sample_of
from appcredential.kube.custom_resources import APP_CREDENTIALS, GRANTS, TENANTS, path_of
from appcredential.runtime.ready import Key
from appcredential.runtime.samples import Counts, GrantSample, ResourceSample, TenantSample
from tests.support.world import RESOURCE, World

PATHS: Final = {
    APP_CREDENTIALS: RESOURCE,
    TENANTS: path_of(TENANTS, "", "default"),
    GRANTS: path_of(GRANTS, "", "shop-apps"),
}


def see_all(world: World) -> None:
    """Let the watches tell of every object."""
    for plural, path in PATHS.items():
        world.sync.on_event(plural, "MODIFIED", world.api.objects[path])


async def test_a_tenant_and_its_user_are_shown() -> None:
    world = World()
    await world.look_at_tenant()
    await world.publish()
    see_all(world)
    tenants = [s for s in world.store.samples() if isinstance(s, TenantSample)]
    assert tenants == [TenantSample("default", "True")]
    (resource,) = (s for s in world.store.samples() if isinstance(s, ResourceSample))
    assert (resource.namespace, resource.name, resource.ready) == ("shop", "orders", "True")


async def test_a_tenant_that_cannot_be_used_is_shown_with_its_reason() -> None:
    world = World(trial=True)
    await world.look_at_tenant()
    see_all(world)
    tenants = [s for s in world.store.samples() if isinstance(s, TenantSample)]
    why = "NotInATrial"
    conditions = (("Ready", "False", why), ("Stalled", "True", why))
    assert tenants == [TenantSample("default", "False", why, conditions)]


def test_a_grant_is_shown_once_it_was_looked_at() -> None:
    key, status = Key(GRANTS, "", "shop"), {"usage": {"appCredentials": 3}}
    assert sample_of(key, {}) is None
    assert sample_of(key, {"status": status}) == GrantSample("shop", 3)
    named = {**status, "applications": {"missing": 2}}
    assert sample_of(key, {"status": named}) == GrantSample("shop", 3, missing=2)


@pytest.mark.parametrize(
    ("applications", "missing"),
    [
        ({"found": 3, "missing": 0, "unknown": 0}, 0),
        ({"found": 2, "missing": 0, "unknown": 1}, None),
        ({"found": 1, "missing": 1, "unknown": 1}, 1),
    ],
)
def test_that_none_is_missing_is_said_once_all_were_looked_up(
    applications: dict[str, int], missing: int | None
) -> None:
    status = {"usage": {"appCredentials": 3}, "applications": applications}
    key = Key(GRANTS, "", "shop")
    assert sample_of(key, {"status": status}) == GrantSample("shop", 3, missing=missing)


DOCUMENT: Final[dict[str, Any]] = {
    "spec": {"type": "ClientSecret", "suspend": True},
    "status": {
        "conditions": [
            {"type": "Ready", "status": "True", "reason": "Suspended"},
            {"type": "Verified", "status": "True", "reason": "Proven"},
            {"type": "Expiring", "status": "False", "reason": "NotDue"},
        ],
        "credential": {
            "keyId": "a",
            "expirationTime": "2030-01-02T00:00:00Z",
            "verifiedTime": "2029-12-01T10:00:00Z",
        },
        "renewalTime": "2030-01-01T00:00:00Z",
        "pending": {"keyId": "b", "publishTime": "2030-01-01T22:00:00Z"},
        "retiring": [
            {"keyId": "c", "retireTime": "2029-12-05T00:00:00Z", "waitingFor": "Deployment/orders"},
            {"keyId": "d", "retireTime": "2029-12-04T00:00:00Z"},
            {"keyId": "e"},
        ],
        "inventory": {"managed": 7, "foreign": 6},
    },
}
DAY: Final = 86400.0
END: Final = 1_893_542_400.0


def test_all_that_status_says_of_credentials_is_shown() -> None:
    found = sample_of(Key(APP_CREDENTIALS, "shop", "orders"), DOCUMENT)
    assert found == ResourceSample(
        namespace="shop",
        name="orders",
        ready="True",
        expiration=END,
        renewal=END - DAY,
        counts=Counts(owned=7, foreign=6, orphaned=2),
        tenant="default",
        type="ClientSecret",
        conditions=(("Ready", "True", "Suspended"),),
        is_suspended=True,
        verified=END - 32 * DAY + 10 * 3600,
        retiring=3,
        waiting=1,
        retire=END - 29 * DAY,
        publish=END - 2 * 3600,
    )


def test_nothing_is_counted_before_the_application_was_read() -> None:
    found = sample_of(Key(APP_CREDENTIALS, "shop", "orders"), {**DOCUMENT, "status": {}})
    assert isinstance(found, ResourceSample)
    assert found.counts is None


def test_the_end_of_the_operators_own_credential_is_shown() -> None:
    document = {"status": {"identity": {"expirationTime": "2030-01-02T00:00:00Z"}}}
    found = sample_of(Key(TENANTS, "", "default"), document)
    assert found == TenantSample("default", "Unknown", expiration=END)
