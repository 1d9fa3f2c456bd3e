"""A supplied certificate that somebody removed from the application stays removed."""

from __future__ import annotations

import base64
import copy
from collections.abc import Callable
from typing import Final

import pytest

from appcredential.domain.observed.observation import REGISTER_AGAIN
from appcredential.domain.proof import PROVEN, SignInResult
from appcredential.domain.secret import pem
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import ClientId, CredentialType, KeyId, VerificationScope
from appcredential.kube.custom_resources import APP_CREDENTIALS
from tests.controllers.test_certificate import Certified, put_source, supplied
from tests.support.builders import HOUR, NOT_YET, OWNER
from tests.support.session import MemorySession
from tests.support.world import RESOURCE, TARGET

GARBAGE: Final = base64.b64encode(b"garbage").decode()


MADE: Final = supplied()


class Honest(MemorySession):
    """No certificate signs in while none is registered."""

    async def with_certificate(
        self, client_id: ClientId, value: SecretValue, scope: VerificationScope, correlation: str
    ) -> SignInResult:
        return PROVEN if self.credentials else NOT_YET


async def removed(*, has_key: bool = True) -> Certified:
    """Return a world whose supplied certificate an administrator has removed, as was noticed."""
    world = Certified(source="Secret", secretKeyRef={"name": "source", "key": "tls.crt"})
    world.entra = Honest(world.clock, types=CredentialType)
    put_source(world, MADE, key=has_key)
    await world.look_at_tenant()
    await world.until(lambda: world.ready["status"] == "True", 120)
    await world.pass_(HOUR)
    await remove(world)
    return world


async def remove(world: Certified) -> None:
    del world.entra.credentials[KeyId(world.published)]
    await world.pass_(2 * HOUR)
    assert world.stalled == "CertificateRemoved"
    assert world.ready["status"] == "False"


def delete(world: Certified) -> None:
    del world.api.objects[TARGET]


def damage(world: Certified) -> None:
    edited = copy.deepcopy(world.api.objects[TARGET])
    edited["data"].update({"tls.crt": GARBAGE, "tls.key": GARBAGE, "client.pem": GARBAGE})
    world.api.put(TARGET, edited)


def forge(world: Certified) -> None:
    """Leave a whole Secret whose records say nothing."""
    edited = copy.deepcopy(world.api.objects[TARGET])
    del edited["metadata"]["annotations"]["appcredential.io/key-id"]
    world.api.put(TARGET, edited)


def restart(world: Certified) -> None:
    world.states.forget(OWNER)


def withdraw(world: Certified) -> None:
    """Close a gate, and lose the Secret while nothing is looked at."""
    world.put_grant("shop-apps", namespaces=("elsewhere",))
    delete(world)


def say(world: Certified, key: str) -> None:
    """Write a person's request to register the certificate again."""
    found = copy.deepcopy(world.api.objects[RESOURCE])
    found["metadata"].setdefault("annotations", {})[REGISTER_AGAIN] = key
    world.sync.on_event(APP_CREDENTIALS, "MODIFIED", world.api.put(RESOURCE, found))


@pytest.mark.parametrize("has_key", [True, False])
@pytest.mark.parametrize("harm", [delete, damage, forge, restart, withdraw])
async def test_it_is_not_registered_again_whatever_becomes_of_the_secret(
    harm: Callable[[Certified], None], has_key: bool
) -> None:
    world = await removed(has_key=has_key)
    told = world.status["removedCertificate"]
    assert told["thumbprintSHA256"] == pem.sha256_thumbprint(MADE.der)
    harm(world)
    await world.pass_(2 * HOUR)
    world.put_grant("shop-apps")
    restart(world)
    await world.pass_(26 * HOUR)
    assert world.verbs == ["add"]
    assert world.entra.credentials == {}
    assert world.stalled == "CertificateRemoved"
    assert world.status["removedCertificate"] == told
    put_source(world, supplied(1), key=has_key)
    await world.pass_(2 * HOUR)
    assert world.ready["status"] == "True", "another certificate helps"
    assert "removedCertificate" not in world.status


@pytest.mark.parametrize("is_deleted", [True, False])
async def test_it_is_registered_again_once_if_a_person_says_so(is_deleted: bool) -> None:
    world = await removed()
    first = world.published
    assert f"{REGISTER_AGAIN}={first}." in world.conditions["Stalled"]["message"]
    if is_deleted:
        delete(world)
    say(world, "another")
    await world.pass_(HOUR)
    assert world.verbs == ["add"]
    say(world, first)
    await world.pass_(2 * HOUR)
    assert world.verbs == ["add", "add"]
    assert world.ready["status"] == "True"
    assert "removedCertificate" not in world.status
    await remove(world)
    delete(world)
    await world.pass_(2 * HOUR)
    assert world.verbs == ["add", "add"], "the request was for the first removal"


async def test_an_entry_that_is_listed_after_all_was_never_removed() -> None:
    """A replica lagged for longer than ever."""
    world = Certified(source="Inline", inline=MADE.pem.decode())
    await world.look_at_tenant()
    await world.until(lambda: world.ready["status"] == "True", 120)
    await world.pass_(HOUR)
    entry = world.entra.credentials[KeyId(world.published)]
    await remove(world)
    world.entra.credentials[entry.key_id] = entry
    delete(world)
    await world.pass_(2 * HOUR)
    assert "removedCertificate" not in world.status
    assert world.ready["status"] == "True"
