from __future__ import annotations

from dataclasses import replace

import pytest

from appcredential.cache.open_revocations import OpenRevocations
from appcredential.domain.observed.revocation import Revocation
from appcredential.domain.spec.model import ClientId, CredentialType, TenantId
from appcredential.kube.revocations import KubeRevocations
from tests.support.api_server import ApiServer
from tests.support.builders import CLIENT_ID, OTHER_OWNER, OWNER, TENANT_ID
from tests.support.revocation_documents import REVOCATIONS, revocation_document


async def listed() -> tuple[OpenRevocations, ApiServer, str, Revocation]:
    """Return one open revocation, as read."""
    kube = ApiServer()
    name, document = revocation_document()
    kube.put(f"{REVOCATIONS}/{name}", document)
    found = OpenRevocations(KubeRevocations(kube, "appcredential-system"))
    await found.refresh()
    revocation = found.find(name)
    assert revocation is not None
    return found, kube, name, revocation


async def test_a_refresh_finds_what_is_there_and_drops_what_is_not() -> None:
    found, kube, name, revocation = await listed()
    assert found.items() == ((name, revocation),)
    assert found.count == 1
    del kube.objects[f"{REVOCATIONS}/{name}"]
    assert found.find(name) == revocation
    await found.refresh()
    assert found.find(name) is None
    assert found.count == 0


async def test_they_are_found_by_their_owner() -> None:
    found, _, name, revocation = await listed()
    assert found.of(OWNER) == {name: revocation}
    assert found.of(OTHER_OWNER) == {}
    found.note("second", revocation)
    assert set(found.of(OWNER)) == {name, "second"}
    found.note(name, None)
    assert set(found.of(OWNER)) == {"second"}
    await found.refresh()
    assert set(found.of(OWNER)) == {name}


async def test_what_this_process_writes_and_deletes_counts_at_once() -> None:
    found, _, name, revocation = await listed()
    found.note(name, None)
    found.note(name, None)
    assert found.items() == ()
    found.note(name, revocation)
    assert found.find(name) == revocation


async def test_only_federated_credentials_of_the_namespace_and_application_are_left_behind() -> (
    None
):
    found, _, name, revocation = await listed()
    assert found.leaving(OWNER.namespace, CLIENT_ID) == frozenset()
    found.note(name, replace(revocation, type=CredentialType.FEDERATED_IDENTITY))
    assert found.leaving(OWNER.namespace, CLIENT_ID) == {OWNER.hash}
    assert found.leaving("another", CLIENT_ID) == frozenset()
    assert found.leaving(OWNER.namespace, ClientId(CLIENT_ID[::-1])) == frozenset()


async def test_those_of_a_namespace_are_found() -> None:
    found, _, _, revocation = await listed()
    assert found.of_namespace(OWNER.namespace) == (revocation,)
    assert found.of_namespace("another") == ()


async def test_what_is_written_while_a_list_is_under_way_counts() -> None:
    """Else the EntraTenant of a deleted resource could go before the next list."""
    found, kube, name, revocation = await listed()

    def write(method: str, path: str) -> None:
        found.note("written meanwhile", revocation)
        found.note(name, None)

    kube.before = write
    await found.refresh()
    assert found.items() == (("written meanwhile", revocation),)
    assert set(found.of(OWNER)) == {"written meanwhile"}


@pytest.mark.parametrize(
    ("tenant", "tenant_id", "is_needed"),
    [
        ("default", TENANT_ID, True),
        ("default", "", True),
        ("default", "another directory", False),
        ("another", TENANT_ID, False),
    ],
)
async def test_one_needs_the_entra_tenant_of_its_name_and_directory(
    tenant: str, tenant_id: str, is_needed: bool
) -> None:
    found, _, name, revocation = await listed()
    assert found.needing(tenant, tenant_id) == ([OWNER] if is_needed else [])
    found.note(name, replace(revocation, tenant_id=TenantId("")))
    assert found.needing(tenant, tenant_id) == ([OWNER] if tenant == "default" else [])


async def test_one_that_names_nothing_needs_no_entra_tenant() -> None:
    """Its EntraTenant perhaps never worked, and such a revocation ends with it."""
    found, _, name, revocation = await listed()
    nothing = replace(revocation, tenant_id=TenantId(""), object_id=None, secret_uid="")
    found.note(name, nothing)
    assert found.needing("default", TENANT_ID) == []
