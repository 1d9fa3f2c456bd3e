"""ServiceAccounts, output ConfigMaps and the issuer, as the adapters read and write them."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from appcredential.domain.conditions import Problem
from appcredential.domain.facts.annotations import annotation_removals
from appcredential.domain.marker import Owner
from appcredential.domain.observed.federated import Issuer
from appcredential.domain.status.problems_kube import (
    DISCOVERY_UNREAD,
    ISSUERS_DIFFER,
    OWN_TOKEN_UNREAD,
)
from appcredential.effects.annotations import remove_annotations
from appcredential.errors import (
    ConflictError,
    RejectedError,
    UnavailableError,
)
from appcredential.kube.issuer import DISCOVERY, KubeIssuer
from appcredential.kube.outputs import KubeOutputs
from appcredential.kube.service_accounts import KubeServiceAccounts
from tests.support.api_server import ApiServer
from tests.support.builders import CLIENT_ID, MINUTE, OWNER
from tests.support.clock import HandClock
from tests.support.federated import (
    OUR_ANNOTATIONS,
    account,
)

ACCOUNT = f"/api/v1/namespaces/{OWNER.namespace}/serviceaccounts/orders"
OUTPUT = f"/api/v1/namespaces/{OWNER.namespace}/configmaps/out"
DATA = {"AZURE_CLIENT_ID": CLIENT_ID}


def annotated(kube: ApiServer, annotations: dict[str, str]) -> KubeServiceAccounts:
    kube.put(ACCOUNT, {"metadata": {"annotations": annotations}})
    return KubeServiceAccounts(kube)


def held(kube: ApiServer) -> dict[str, str]:
    found: dict[str, str] = kube.objects[ACCOUNT]["metadata"].get("annotations") or {}
    return found


async def test_only_the_version_that_was_read_is_annotated() -> None:
    kube = ApiServer()
    accounts = annotated(kube, {"theirs": "x"})
    live = await accounts.get(OWNER.namespace, "orders")
    assert live is not None
    written = await accounts.annotate(live, {"ours": "y"})
    assert held(kube) == written.annotations == {"theirs": "x", "ours": "y"}
    with pytest.raises(ConflictError):
        await accounts.annotate(live, {"ours": "z"})
    await accounts.annotate(written, {"ours": None})
    assert held(kube) == {"theirs": "x"}


async def test_one_that_goes_counts_as_gone() -> None:
    kube = ApiServer()
    accounts = KubeServiceAccounts(kube)
    assert await accounts.get(OWNER.namespace, "orders") is None
    kube.put(ACCOUNT, {"metadata": {"deletionTimestamp": "2026-11-22T10:00:00Z"}})
    assert await accounts.get(OWNER.namespace, "orders") is None


async def test_only_what_we_wrote_is_taken_away() -> None:
    for given, left in (
        ({**OUR_ANNOTATIONS, "theirs": "x"}, {"theirs": "x"}),
        ({k: v for k, v in OUR_ANNOTATIONS.items() if "wired" not in k}, None),
        ({**OUR_ANNOTATIONS, "azure.workload.identity/client-id": "edited"}, None),
    ):
        kube = ApiServer()
        accounts = annotated(kube, dict(given))
        await remove_annotations(accounts, OWNER, CLIENT_ID, "orders")
        expected = left
        if left is None:
            expected = {k: v for k, v in given.items() if "wired" not in k}
        assert held(kube) == expected
    assert annotation_removals(None, OWNER.name, CLIENT_ID) == {}
    assert annotation_removals(account(OUR_ANNOTATIONS), "another", CLIENT_ID) == {}


async def test_a_refusal_of_admission_leaves_them() -> None:
    kube = ApiServer()
    accounts = annotated(kube, dict(OUR_ANNOTATIONS))

    def refuse(method: str, _path: str) -> None:
        if method == "PATCH":
            raise RejectedError("no", code="Invalid")

    kube.before = refuse
    await remove_annotations(accounts, OWNER, CLIENT_ID, "orders")
    assert held(kube) == OUR_ANNOTATIONS


async def test_an_output_keeps_what_others_put_beside_it() -> None:
    kube = ApiServer()
    outputs = KubeOutputs(kube)
    made = await outputs.put(OWNER, "out", DATA, None)
    assert (made.owner, made.data) == (str(OWNER), DATA)
    found = dict(kube.objects[OUTPUT])
    found["data"] = {**DATA, "theirs": "x"}
    kube.put(OUTPUT, found)
    with pytest.raises(ConflictError):
        await outputs.put(OWNER, "out", {"AZURE_CLIENT_ID": "new"}, made)
    live = await outputs.get(OWNER.namespace, "out")
    assert live is not None
    written = await outputs.put(OWNER, "out", {"AZURE_CLIENT_ID": "new"}, live)
    assert written.data == {"AZURE_CLIENT_ID": "new", "theirs": "x"}
    with pytest.raises(ConflictError):
        await outputs.put(OWNER, "out", DATA, None)
    with pytest.raises(ConflictError):
        await outputs.delete(live)
    heir = Owner(OWNER.namespace, "heir")
    written = await outputs.put(heir, "out", DATA, written)
    assert written.owner == str(heir), "taken over"
    await outputs.delete(written)
    await outputs.delete(written)
    assert await outputs.get(OWNER.namespace, "out") is None
    with pytest.raises(ConflictError):
        await outputs.put(OWNER, "out", DATA, replace(written, uid="another"))


# --- the issuer ----------------------------------------------------------------------------


def write_token(path: Path, issuer: str) -> None:
    payload = base64.urlsafe_b64encode(json.dumps({"iss": issuer, "sub": "x"}).encode())
    path.write_bytes(b"e30." + payload.rstrip(b"=") + b".c2ln")


class Cluster:
    """A cluster whose issuer can be changed, and the operator's own token."""

    def __init__(self, folder: Path) -> None:
        self.kube = ApiServer()
        self.clock = HandClock()
        self.token = folder / "token"
        self.says("https://one.example", "https://one.example")
        self.issuer = KubeIssuer(self.kube, self.clock, str(self.token))

    def says(self, own: str, discovery: str) -> None:
        write_token(self.token, own)
        self.kube.objects[DISCOVERY] = {"issuer": discovery}

    async def after(self, length: timedelta) -> Issuer | Problem:
        self.clock.advance(length)
        return await self.issuer.current()


async def test_the_issuer_is_that_of_the_own_token(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path)
    begun = cluster.clock.now()
    expected = Issuer(url="https://one.example", since=begun)
    assert await cluster.issuer.current() == expected
    assert await cluster.after(MINUTE) == expected
    for _ in range(5):
        assert await cluster.after(timedelta(seconds=1)) == expected
    assert cluster.kube.count("GET", DISCOVERY) == 2, "one look answers for half a minute"


async def test_the_time_of_agreement_begins_anew_with_each_disagreement(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path)
    await cluster.issuer.current()
    cluster.says("https://one.example", "https://two.example")
    assert await cluster.after(MINUTE) == ISSUERS_DIFFER
    cluster.says("https://one.example", "https://one.example")
    found = await cluster.after(MINUTE)
    assert found == Issuer(url="https://one.example", since=cluster.clock.now())
    cluster.says("https://two.example", "https://two.example")
    found = await cluster.after(MINUTE)
    assert found == Issuer(url="https://two.example", since=cluster.clock.now())


@pytest.mark.parametrize(
    "content", [None, b"", b"a.b", b"a.!!!.c", b"e30.e30.c2ln", b"\xff.\xff.x"]
)
async def test_a_token_that_cannot_be_read_says_so(tmp_path: Path, content: bytes | None) -> None:
    cluster = Cluster(tmp_path)
    if content is None:
        cluster.token.unlink()
    else:
        cluster.token.write_bytes(content)
    assert await cluster.issuer.current() == OWN_TOKEN_UNREAD


async def test_a_failing_look_is_unknown_and_ends_no_agreement(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path)
    first = await cluster.issuer.current()

    def fail(_method: str, _path: str) -> None:
        raise UnavailableError("away")

    cluster.kube.before = fail
    assert await cluster.after(MINUTE) == DISCOVERY_UNREAD
    cluster.kube.before = lambda _method, _path: None
    assert await cluster.after(MINUTE) == first
