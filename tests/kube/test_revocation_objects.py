from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import pytest

from appcredential.domain.observed.revocation import Revocation
from appcredential.errors import ConflictError
from appcredential.kube.revocations import KubeRevocations
from tests.support.api_server import ApiServer
from tests.support.revocation_documents import REVOCATIONS, damaged, revocation_document

NAMESPACE = "appcredential-system"
DAMAGES: list[dict[str, Any]] = [
    {"data": None},
    {"data": {}},
    damaged({"due": "soon"}),
    damaged({"due": ""}),
    damaged({"due": "0001-01-01T00:00:00+14:00"}),
    damaged({"due": "9999-12-31T23:59:59Z"}),
    damaged({"type": "Password"}),
    damaged({"policy": "Keep"}),
    damaged({"clientId": "22222222-2222-2222-2222-22222222222/"}),
    damaged({"namespace": "../kube-system"}),
    damaged({"name": ""}),
    damaged({"secretName": "a/b"}),
    damaged({"name": "invoices"}),
]


def with_label(document: dict[str, Any]) -> dict[str, Any]:
    return {**document, "metadata": {"labels": {"appcredential.io/ticket": "true"}}}


@pytest.mark.parametrize("document", DAMAGES, ids=range(len(DAMAGES)))
async def test_a_damaged_revocation_is_named_once_and_hides_no_other(
    document: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    kube, name = ApiServer(), revocation_document()[0]
    kube.put(f"{REVOCATIONS}/{name}", with_label(document))
    other, whole = revocation_document({"name": "invoices"})
    kube.put(f"{REVOCATIONS}/{other}", whole)
    revocations = KubeRevocations(kube, NAMESPACE)
    for _ in range(3):
        assert [t.owner.name for t in await revocations.list()] == ["invoices"]
    assert await revocations.get(name) is None
    warned = [r for r in caplog.records if r.levelno == logging.WARNING]
    assert [vars(r)["configmap"] for r in warned] == [name]
    kube.put(f"{REVOCATIONS}/{name}", with_label(document))
    await revocations.list()
    assert sum(r.levelno == logging.WARNING for r in caplog.records) == 2


async def known() -> Revocation:
    """Return a revocation as it is read."""
    kube = ApiServer()
    name, whole = revocation_document()
    kube.put(f"{REVOCATIONS}/{name}", whole)
    found = await KubeRevocations(kube, NAMESPACE).get(name)
    assert found is not None
    return found


async def test_a_revocation_is_written_and_replaced() -> None:
    kube, revocation = ApiServer(), await known()
    revocations = KubeRevocations(kube, NAMESPACE)
    name = revocation_document()[0]
    first = await revocations.put(name, revocation, None)
    second = await revocations.put(name, replace(revocation, resource_uid="another"), first)
    assert (second.uid, second.resource_uid) == (first.uid, "another")
    with pytest.raises(ConflictError):
        await revocations.put(name, revocation, first)
    with pytest.raises(ConflictError):
        await revocations.put(name, revocation, None)


async def test_a_damaged_revocation_of_the_same_name_does_not_hold_up_a_deletion() -> None:
    kube, revocation = ApiServer(), await known()
    name = revocation_document()[0]
    kube.put(f"{REVOCATIONS}/{name}", damaged({"due": "soon"}))
    written = await KubeRevocations(kube, NAMESPACE).put(name, revocation, None)
    assert written.due == revocation.due


async def test_a_config_map_that_is_not_a_revocation_is_left_alone() -> None:
    kube, revocation = ApiServer(), await known()
    name = revocation_document()[0]
    kube.put(f"{REVOCATIONS}/{name}", {"data": {"theirs": "1"}})
    with pytest.raises(ConflictError):
        await KubeRevocations(kube, NAMESPACE).put(name, revocation, None)
    assert kube.objects[f"{REVOCATIONS}/{name}"]["data"] == {"theirs": "1"}
