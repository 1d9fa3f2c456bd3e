from __future__ import annotations

import pytest

from appcredential.domain.observed.target import IssuedCredential
from appcredential.domain.secret.content import Rendering
from appcredential.domain.spec.model import KeyId
from appcredential.errors import (
    AppCredentialError,
    SecretForbiddenError,
    SecretRefusal,
    SecretRefusedError,
    UnavailableError,
)
from appcredential.kube.secret_documents import build_target
from tests.support.builders import OWNER, minted, retiring, target
from tests.support.minting import MADE, PENDING, SECRETS, Minting

TARGET = f"{SECRETS}/orders-entra"


def publish(world: Minting, published: IssuedCredential, *, retires: KeyId | None = None) -> None:
    """Have somebody else write T."""
    live = target(published, retiring=(retiring(retires),) if retires else ())
    wanted = Rendering(data=live.data, labels=live.labels, annotations=live.annotations)
    world.kube.put(TARGET, build_target(OWNER.namespace, live.name, None, wanted))


def lose_pending(world: Minting) -> None:
    """Have P go while the answer of addPassword is on its way."""

    def lose() -> None:
        del world.kube.objects[PENDING]

    world.directory.after_add = lose


async def test_a_credential_without_a_place_for_its_value_is_removed() -> None:
    world = Minting()
    lose_pending(world)
    await world.mint()
    assert world.directory.removed == [MADE]


async def test_it_is_removed_also_when_another_one_is_published() -> None:
    world = Minting()
    lose_pending(world)
    publish(world, minted())
    await world.mint()
    assert world.directory.removed == [MADE]


@pytest.mark.parametrize(
    "refusal",
    [
        SecretForbiddenError("no role", is_write=True),
        SecretRefusedError("a quota", cause=SecretRefusal.QUOTA),
    ],
    ids=["forbidden", "quota"],
)
async def test_a_credential_whose_value_is_refused_is_removed(refusal: AppCredentialError) -> None:
    world = Minting()

    def refuse(method: str, path: str) -> None:
        if (method, path) == ("PUT", PENDING) and world.directory.is_made:
            raise refusal

    world.kube.before = refuse
    with pytest.raises(type(refusal)):
        await world.mint()
    assert world.directory.removed == [MADE]


@pytest.mark.parametrize("is_retiring", [False, True])
async def test_a_credential_that_workloads_have_stays(is_retiring: bool) -> None:
    world = Minting()
    lose_pending(world)
    if is_retiring:
        publish(world, minted(), retires=MADE)
    else:
        publish(world, minted(MADE))
    await world.mint()
    assert world.directory.removed == []


async def test_a_credential_is_kept_when_it_cannot_be_seen_whether_workloads_have_it() -> None:
    world = Minting()
    lose_pending(world)

    def fail(method: str, path: str) -> None:
        if path == TARGET:
            raise UnavailableError("no Secrets now")

    world.kube.before = fail
    await world.mint()
    assert world.directory.is_made
    assert world.directory.removed == []
