"""The permissions page lists every request that the operator makes of Graph, as it is sent."""

from __future__ import annotations

import math
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Final
from urllib.parse import unquote

import pytest

from appcredential.domain.conditions import Reason
from appcredential.domain.inventory import Way
from appcredential.domain.operator_credential import OperatorCredential
from appcredential.domain.spec.trusts import Trust
from appcredential.entra import operations as observing
from appcredential.entra.keys import GraphKeys
from appcredential.entra.lists import GraphLists
from appcredential.entra.pacing import PACING
from appcredential.entra.rate_limit import RateLimiter
from appcredential.entra.usage import last_sign_ins
from appcredential.errors import AppCredentialError
from appcredential.ports.lists import Page
from tests.docs.reading import ROOT, rows
from tests.support.graph import CLIENT, END, KEY, OBJECT, OPERATOR, Graph, World, failure

PAGE: Final = (ROOT / "docs" / "guides" / "entra-permissions.md").read_text()
TABLE: Final = {
    operation.strip("`"): (re.findall(r"`([^`]+)`", request), needs)
    for operation, request, needs, _ in rows(PAGE, "operation", "request", "needs", "when")
}
_TRUST: Final = Trust("https://issuer.example", "job-1", "api://AzureADTokenExchange")


def _keys(world: World) -> GraphKeys:
    gate = RateLimiter(PACING, world.clock, world.clock.sleep)
    return GraphKeys(world.session, gate, world.clock, lambda: True)


def _owned_by_user(world: World) -> AsyncGenerator[Page, None]:
    gate = RateLimiter(PACING, world.clock, world.clock.sleep)
    lists = GraphLists(world.session, gate, world.clock, owner_is_user=True)
    return lists.pages(Way.OWNED, (CLIENT,), 1, KEY)


CALLS: Final[Mapping[str, tuple[Callable[[World], Awaitable[object]], ...]]] = {
    observing.LIST: (lambda w: w.directory.probe(OPERATOR, OperatorCredential()),),
    observing.READ: (
        lambda w: w.directory.application(CLIENT, timedelta(0)),
        lambda w: _keys(w).read(OBJECT, with_content=True),
    ),
    observing.ADD: (lambda w: w.directory.add_password(OBJECT, "marker", END),),
    observing.REMOVE: (lambda w: w.directory.remove_password(OBJECT, KEY),),
    observing.UPDATE: (lambda w: _keys(w).replace(OBJECT, [], deadline=math.inf),),
    observing.LIST_FEDERATED: (lambda w: w.directory.federated(OBJECT, timedelta(0)),),
    observing.ADD_FEDERATED: (lambda w: w.directory.add_federated(OBJECT, "n", _TRUST, "d"),),
    observing.UPDATE_FEDERATED: (lambda w: w.directory.update_federated(OBJECT, KEY, _TRUST, "d"),),
    observing.REMOVE_FEDERATED: (lambda w: w.directory.remove_federated(OBJECT, KEY),),
    observing.PRINCIPAL: (lambda w: w.directory.is_client_id(KEY),),
    observing.POLICY: (lambda w: w.directory.default_policy(),),
    observing.OWNED: (lambda w: anext(w.directory.lists.pages(Way.OWNED, (CLIENT,), 1, KEY)),),
    observing.OWNED_BY_USER: (lambda w: anext(_owned_by_user(w)),),
    observing.USAGE: (lambda w: anext(last_sign_ins(w.session, "https://graph.test", None)),),
    observing.BATCH: (lambda w: w.directory.lists.federated([OBJECT]),),
}
"""What makes each request, once for every address that it is sent to."""


def _spelled(request: str) -> str:
    """Return a request as the page writes it."""
    method, path = request.split(" ")
    path = unquote(path).split("?")[0].removeprefix("/v1.0")
    path = re.sub(r"appId='[^']+'", "appId='…'", path)
    return f"{method} {path.replace(OBJECT, '{id}').replace(KEY, '{id}')}"


def test_every_operation_is_listed_and_no_other() -> None:
    known = {
        value
        for name, value in vars(observing).items()
        if name.isupper() and isinstance(value, str)
    }
    assert set(TABLE) == known - {observing.TOKEN}
    assert set(CALLS) == set(TABLE)


@pytest.mark.parametrize("operation", CALLS)
async def test_a_request_is_the_one_that_is_listed(operation: str) -> None:
    world = World(Graph(failure(404, "Request_ResourceNotFound")))
    for call in CALLS[operation]:
        with suppress(AppCredentialError):
            await call(world)
    assert {seen for seen, _ in world.observed} == {operation}
    assert [_spelled(path) for path in world.graph.paths()] == TABLE[operation][0]


@pytest.mark.parametrize("operation", TABLE)
def test_what_changes_an_application_needs_ownership(operation: str) -> None:
    requests, needs = TABLE[operation]
    # A batch holds reads alone, each with the permission that it needs by itself.
    reads = all(request.startswith("GET ") for request in requests) or operation == observing.BATCH
    assert ("ownership" in needs) is not reads


def test_no_source_asks_graph_by_another_way() -> None:
    """Whoever adds a request names it in observing.py, where the first test sees it."""
    folder = ROOT / "operator" / "appcredential" / "entra"
    made = "".join(path.read_text() for path in folder.glob("*.py"))
    sent = set(re.findall(r"Call\(\s*operation=(\w+)", made))
    assert {getattr(observing, name) for name in sent} == set(TABLE)


def test_the_reasons_are_real() -> None:
    table = rows(PAGE, "seen at", "reason", "cause", "remedy")
    told = {reason.strip("`") for _, reason, _, _ in table if reason != "–"}
    assert told
    assert told <= set(Reason)
