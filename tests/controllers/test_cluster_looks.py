"""Light looks at the cluster: what somebody changes behind the operator's back is noticed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from copy import copy
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import pytest

from appcredential.controllers import looks
from appcredential.controllers.issuer_looks import IssuerLooks
from appcredential.domain.looks import LookBudget
from appcredential.domain.marker import Owner
from appcredential.domain.observed.federated import Issuer
from appcredential.domain.secret.annotations import Name
from appcredential.domain.spec.model import CredentialType
from appcredential.domain.status.problems_kube import DISCOVERY_UNREAD, ISSUERS_DIFFER
from appcredential.gather.looked_at import looked_at
from appcredential.kube.client import METADATA_ONLY
from appcredential.kube.custom_resources import APP_CREDENTIALS, GRANTS, path_of
from appcredential.ports.versions import ObjectKind
from appcredential.runtime.ready import Key
from tests.controllers.test_certificate import Certified, put_source, supplied
from tests.controllers.test_federated_identity import ACCOUNTS, OUTPUT, Federated
from tests.controllers.test_truth import of_type
from tests.support.builders import DAY, HOUR, MINUTE, NOW, OWNER, SECOND
from tests.support.federated import ISSUER, OUR_ANNOTATIONS
from tests.support.heirs import MemoryIssuer
from tests.support.keys import MadeCertificate
from tests.support.world import RESOURCE, SECRETS, TARGET, NoDocuments, World

KEY: Final = Key(APP_CREDENTIALS, OWNER.namespace, OWNER.name)
ACCOUNT: Final = f"{ACCOUNTS}/orders"
WITH_SECRET: Final = (CredentialType.CLIENT_SECRET, CredentialType.CERTIFICATE)

Harm = Callable[[World], None]


async def settled(world: World) -> World:
    """Bring a resource to where nothing is due for long."""
    await world.look_at_tenant()
    await world.until(lambda: world.ready["status"] == "True", 120)
    return await rest(world)


async def rest(world: World) -> World:
    """Do what is due until nothing is for long."""
    for _ in range(60):
        wait = await world.look()
        assert wait is not None
        if wait > 15 * MINUTE:
            break
        world.clock.advance(wait)
    world.api.requests.clear()
    return world


async def reasons_until_ready(world: World) -> list[str]:
    """Return what Ready said from now on until it is True again."""
    said: list[str] = []
    for _ in range(60):
        wait = await world.look()
        if world.ready["reason"] not in said[-1:]:
            said.append(world.ready["reason"])
        if world.ready["status"] == "True":
            return said
        world.clock.advance(wait or timedelta(0))
    raise AssertionError(f"it never became ready again: {said}")


def delete_the_secret(world: World) -> None:
    del world.api.objects[TARGET]


def edit_the_value(world: World) -> None:
    found = world.api.objects[TARGET]
    world.api.put(TARGET, {**found, "data": dict.fromkeys(found["data"], "ZWRpdGVk")})


def edit_our_record(world: World) -> None:
    annotate(world, **{Name.KEY_ID: "", Name.VALUE_SHA256: ""})


def edit_another_annotation(world: World) -> None:
    annotate(world, **{Name.PUBLISHED_TIME: "yesterday"})


def annotate(world: World, **annotations: str) -> None:
    found = world.api.objects[TARGET]
    held = {**found["metadata"]["annotations"], **annotations}
    world.api.put(TARGET, {**found, "metadata": {**found["metadata"], "annotations": held}})


def unwire_the_account(world: World) -> None:
    world.api.put(ACCOUNT, {})


def delete_the_account(world: World) -> None:
    del world.api.objects[ACCOUNT]


def delete_the_output(world: World) -> None:
    del world.api.objects[OUTPUT]


def edit_the_output(world: World) -> None:
    world.api.put(OUTPUT, {**world.api.objects[OUTPUT], "data": {}})


# --- what changed is noticed within a minute --------------------------------------------------


@pytest.mark.parametrize("kind", WITH_SECRET)
@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (delete_the_secret, "SecretMissing"),
        (edit_the_value, "SecretEdited"),
        (edit_our_record, "SecretEdited"),
    ],
)
async def test_a_lost_secret_is_said_and_written_anew(
    kind: CredentialType, harm: Harm, reason: str
) -> None:
    world = await settled(of_type(kind))
    harm(world)
    assert world.ready["reason"] == "Published"
    assert await world.look_around(MINUTE) == [KEY]
    assert world.ready["reason"] == "Published", "a look concludes nothing"
    assert await reasons_until_ready(world) == [reason, "Published"]
    assert TARGET in world.api.objects


@pytest.mark.parametrize("kind", WITH_SECRET)
async def test_an_edited_annotation_is_repaired(kind: CredentialType) -> None:
    world = await settled(of_type(kind))
    before = world.api.objects[TARGET]
    edit_another_annotation(world)
    assert await world.look_around(MINUTE) == [KEY]
    await rest(world)
    assert world.api.objects[TARGET]["data"] == before["data"]
    after = world.api.objects[TARGET]["metadata"]["annotations"]
    assert after[Name.PUBLISHED_TIME] != "yesterday"


@pytest.mark.parametrize(
    "harm", [unwire_the_account, delete_the_account, delete_the_output, edit_the_output]
)
async def test_what_tells_workloads_of_a_trust_is_written_anew(harm: Harm) -> None:
    world = await settled(Federated())
    output = world.api.objects[OUTPUT]["data"]
    harm(world)
    assert await world.look_around(MINUTE) == [KEY]
    if harm is delete_the_account:
        await world.look()
        assert world.ready["status"] == "False"
        world.api.put(ACCOUNT, {})
        await world.until(lambda: world.ready["status"] == "True")
    await rest(world)
    assert world.api.objects[ACCOUNT]["metadata"]["annotations"] == OUR_ANNOTATIONS
    assert world.api.objects[OUTPUT]["data"] == output
    assert await world.look_around(MINUTE) == []


@pytest.mark.parametrize("source", ["Secret", "ConfigMap"])
async def test_a_source_that_was_renewed_is_followed(source: str) -> None:
    ref = {"name": "source", "key": "tls.crt"}
    field = "secretKeyRef" if source == "Secret" else "configMapKeyRef"
    world = Certified(source=source, **{field: ref})
    put(world, source, supplied())
    await settled(world)
    assert await world.look_around(MINUTE) == []
    first = world.status["credential"]["thumbprint"]
    put(world, source, supplied(1))
    assert await world.look_around(MINUTE) == [KEY]
    await rest(world)
    assert world.status["credential"]["thumbprint"] != first


def put(world: Certified, source: str, made: MadeCertificate) -> None:
    if source == "Secret":
        put_source(world, made, key=True)
    else:
        path = f"/api/v1/namespaces/{OWNER.namespace}/configmaps/source"
        world.api.put(path, {"data": {"tls.crt": made.pem.decode()}})


async def test_a_source_that_is_gone_is_noticed_once() -> None:
    world = Certified(source="Secret", secretKeyRef={"name": "source", "key": "tls.crt"})
    put(world, "Secret", supplied())
    await settled(world)
    del world.api.objects[f"{SECRETS}/source"]
    assert await world.look_around(MINUTE) == [KEY]
    await world.look()
    assert "SourceNotFound" in {c["reason"] for c in world.conditions.values()}
    assert await world.look_around(5 * MINUTE) == [], "passes of its own look at it"


async def test_an_account_that_is_leaving_is_noticed_once() -> None:
    world = await settled(Federated())
    found = world.api.objects[ACCOUNT]
    leaving = {"deletionTimestamp": f"{NOW:%Y-%m-%dT%H:%M:%SZ}", "finalizers": ["theirs/x"]}
    world.api.put(ACCOUNT, {**found, "metadata": {**found["metadata"], **leaving}})
    assert await world.look_around(MINUTE) == [KEY]
    await world.look()
    assert world.ready["status"] == "False"
    assert await world.look_around(5 * MINUTE) == []


async def test_a_keystore_password_that_changed_is_noticed() -> None:
    ref = {"name": "password", "key": "password"}
    world = Certified(keystore={"pkcs12": {"passwordSecretKeyRef": ref}})
    world.api.put(f"{SECRETS}/password", {"data": {"password": "Zmlyc3QtcGFzc3dvcmQ="}})
    await settled(world)
    before = world.api.objects[TARGET]["data"]
    assert await world.look_around(MINUTE) == []
    world.api.put(f"{SECRETS}/password", {"data": {"password": "bmV4dC1wYXNzd29yZA=="}})
    assert await world.look_around(MINUTE) == [KEY]
    await rest(world)
    after = world.api.objects[TARGET]["data"]
    assert {k for k in after if after[k] != before[k]} == {"keystore.p12"}


async def test_a_secret_in_the_way_that_goes_is_noticed() -> None:
    world = World()
    world.api.put(TARGET, {"type": "Opaque", "data": {"theirs": "eA=="}})
    await world.look_at_tenant()
    await world.look()
    await world.look()
    assert world.conditions["Stalled"]["reason"] == "SecretConflict"
    del world.api.objects[TARGET]
    assert await world.look_around(MINUTE) == [KEY]
    await world.until(lambda: world.ready["status"] == "True")


# --- what it costs ----------------------------------------------------------------------------


async def test_a_round_costs_one_read_of_metadata_for_each_and_nothing_else() -> None:
    world = World()
    names = ("orders", "orders-2", "orders-3", "orders-4")
    owners = [Owner(OWNER.namespace, name) for name in names]
    await world.look_at_tenant()
    for owner in owners:
        world.put_resource(owner, secret={"name": f"{owner.name}-entra"})
    for _ in range(60):
        waits = [await world.reconciler.reconcile(owner, "") for owner in owners]
        soonest = min(again.when for again in waits if again is not None)
        if soonest - world.clock.now() > 15 * MINUTE:
            break
        world.clock.advance(max(soonest - world.clock.now(), SECOND))
    world.api.requests.clear()
    assert await world.look_around(21 * SECOND) == []
    assert sorted(r.path for r in world.api.requests) == sorted(
        f"{SECRETS}/{owner.name}-entra" for owner in owners
    )
    assert {(r.method, r.accept) for r in world.api.requests} == {("GET", METADATA_ONLY)}
    assert world.metrics.registry.get_sample_value(
        "appcredential_cluster_looks_total", {"outcome": "unchanged"}
    ) == len(owners)


async def test_a_round_is_no_longer_than_what_it_looked_at_takes() -> None:
    """A watch that comes back in a round takes most of the looks from it."""
    world, is_back = await settled(World()), False
    other = Owner("other", OWNER.name)
    path = TARGET.replace("/shop/", "/other/")
    world.api.objects[path] = world.api.objects[TARGET]
    for owner in (other, *(Owner("shop", f"app-{n}") for n in range(39))):
        world.states._states[owner] = copy(world.states.of(OWNER))
    world.looks._is_watched = lambda namespace, _held: is_back and namespace == "shop"
    world.looks._budget = LookBudget(per_second=1, ceiling=10 * MINUTE)
    await world.look_around(5 * SECOND)
    assert 0 < world.api.count("GET", TARGET) < 10
    is_back = True
    world.api.requests.clear()
    await world.look_around(37 * SECOND)
    assert world.api.count("GET", path) == 1, "at the end of a round that began after 20 seconds"
    assert world.api.count("GET", TARGET) == 0


async def test_a_standby_looks_at_nothing() -> None:
    world = await settled(World())
    world.gate.stopping = True
    assert await world.look_around(2 * MINUTE) == []
    assert world.api.requests == []


async def test_nothing_is_read_of_what_no_grant_allows() -> None:
    world = World()
    world.put_grant("shop-apps", namespaces=("elsewhere",))
    await world.look_at_tenant()
    await world.until(lambda: "Stalled" in world.conditions)
    assert world.conditions["Stalled"]["reason"] == "NotGranted"
    world.api.requests.clear()
    assert await world.look_around(5 * MINUTE) == []
    assert world.api.requests == []


async def test_nothing_is_read_any_more_once_the_tenant_is_gone() -> None:
    world = await settled(World())
    world.put_resource(OWNER, tenantRef={"name": "gone"})
    world.states.of(OWNER).resource.drop()
    await world.look()
    await world.look()
    world.api.requests.clear()
    assert await world.look_around(5 * MINUTE) == []
    assert world.api.requests == []


async def test_a_withdrawn_grant_leaves_the_looks_at_what_is_published() -> None:
    world = await settled(World())
    world.sync.on_event(GRANTS, "DELETED", world.api.objects.pop(path_of(GRANTS, "", "shop-apps")))
    await world.look()
    assert world.conditions["Stalled"]["reason"] == "GrantWithdrawn"
    delete_the_secret(world)
    assert await world.look_around(MINUTE) == [KEY]
    await world.look()
    assert world.ready["reason"] == "SecretMissing"


async def passed(world: World) -> list[str]:
    """Reconcile as after a watch event of the version that is held; return what was asked."""
    world.api.requests.clear()
    version = world.api.objects[RESOURCE]["metadata"]["resourceVersion"]
    assert await world.reconciler.reconcile(OWNER, version) is not None
    return [f"{r.method} {r.path}" for r in world.api.requests]


@pytest.mark.parametrize("kind", CredentialType)
async def test_a_pass_over_what_is_well_rests_on_events_and_looks(kind: CredentialType) -> None:
    world = await settled(of_type(kind))
    await world.look_around(10 * MINUTE)
    # What is not kept of what is well; of all else, events and looks tell.
    kept_in_part = [RESOURCE] if kind is CredentialType.FEDERATED_IDENTITY else [RESOURCE, TARGET]
    assert await passed(world) == [f"GET {path}" for path in kept_in_part]
    world.clock.advance(4 * HOUR)
    assert len(await passed(world)) > len(kept_in_part), "a full check reads everything"


async def test_a_person_s_change_has_everything_read_anew() -> None:
    world = await settled(World())
    await world.look_around(MINUTE)
    world.put_resource(OWNER, secret={"name": "orders-entra", "data": {"TEAM": {"value": "a"}}})
    assert f"GET {RESOURCE}" in await passed(world)
    assert "TEAM" in world.api.objects[TARGET]["data"]


async def test_nothing_is_done_on_what_was_read_long_ago() -> None:
    world = await settled(World())
    await world.look_around(MINUTE)
    annotate(world, **{Name.OWNER: "shop/another"})  # and no look sees it
    before = world.entra.calls.count("add")
    renewal = datetime.fromisoformat(world.status["renewalTime"])
    world.clock.advance(renewal - world.clock.now() + MINUTE)
    world.states.of(OWNER).target.read = world.clock.monotonic() - HOUR.seconds
    world.states.of(OWNER).resource.read = world.clock.monotonic() - HOUR.seconds
    assert f"GET {TARGET}" in await passed(world)
    assert world.entra.calls.count("add") == before
    assert world.conditions["Reconciling"]["reason"] == "SecretConflict"


async def test_after_a_time_as_a_standby_everything_is_read_anew() -> None:
    world = await settled(World())
    await world.look_around(MINUTE)
    world.gate.stopping = True
    await world.looks.run_once()
    world.gate.stopping = False
    assert f"GET {TARGET}" in await passed(world)


async def test_a_resource_that_went_while_nobody_watched_is_forgotten() -> None:
    world = await settled(World())
    del world.api.objects[RESOURCE]
    assert await world.reconciler.reconcile(OWNER, "") is None
    assert world.states.known(OWNER) is None


# --- what goes wrong while looking is no evidence ---------------------------------------------


@pytest.mark.parametrize("kind", CredentialType)
async def test_a_server_error_tells_nothing_and_is_said_once(
    kind: CredentialType, caplog: pytest.LogCaptureFixture
) -> None:
    world = await settled(of_type(kind))
    before, said = world.status, world.ready["reason"]
    refusal = world.api.refuse("GET", OWNER.namespace, "etcd is away", status=500, reason="x")
    with caplog.at_level(logging.WARNING):
        assert await world.look_around(5 * MINUTE) == []
        world.api.refusals.remove(refusal)
        assert await world.look_around(MINUTE) == []
    assert (world.status, world.ready["reason"]) == (before, said)
    told = [r.getMessage() for r in caplog.records if "looks" in r.getMessage()]
    assert told == ["looks at the cluster fail", "looks at the cluster succeed"]


async def test_a_right_that_is_lost_for_a_moment_changes_nothing() -> None:
    world = await settled(World())
    before = world.status
    refusal = world.api.refuse("GET", TARGET, "no role")
    assert await world.look_around(MINUTE) == [KEY]
    world.api.refusals.remove(refusal)
    await rest(world)
    assert world.status == before


async def test_a_right_that_stays_lost_is_told_by_the_pass() -> None:
    world = await settled(World())
    world.api.refuse("GET", TARGET, "no role")
    assert await world.look_around(MINUTE) == [KEY]
    await world.look()
    assert world.conditions["Stalled"]["reason"] == "SecretForbidden"
    assert world.ready["reason"] == "SecretForbidden", "whether it is there, nobody knows"
    assert await world.look_around(5 * MINUTE) == []


async def test_an_output_that_may_be_read_again_is_noticed() -> None:
    world = await settled(Federated())
    refusal = world.api.refuse("GET", OUTPUT, "no role")
    world.states.of(OWNER).output.drop()
    await world.look()
    assert await world.look_around(5 * MINUTE) == []
    world.api.refusals.remove(refusal)
    assert await world.look_around(MINUTE) == [KEY]


async def test_an_answer_that_never_comes_holds_up_one_look(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(looks, "_LOOK_SECONDS", 0.01)
    world = await settled(World())

    class Silent:
        async def version(self, kind: ObjectKind, namespace: str, name: str) -> str | None:
            await asyncio.Event().wait()
            return f"{kind} {namespace} {name}"

    monkeypatch.setattr(world.looks, "_versions", Silent())
    assert await world.look_around(MINUTE) == []
    counted = world.metrics.registry.get_sample_value(
        "appcredential_cluster_looks_total", {"outcome": "failed"}
    )
    assert counted is not None
    assert 1 <= counted <= 3


async def test_one_whose_looks_fail_leaves_the_others_where_they_were() -> None:
    world = World()
    other = Owner(OWNER.namespace, "other")
    world.put_resource(other, secret={"name": "other-entra"})
    await settled(world)
    for _ in range(40):
        again = await world.reconciler.reconcile(other, "")
        assert again is not None
        if again.when - world.clock.now() > 5 * MINUTE:
            break
        world.clock.advance(max(again.when - world.clock.now(), SECOND))
    world.api.refuse("GET", f"{SECRETS}/other-entra", "gone mad", status=500, reason="x")
    delete_the_secret(world)
    assert await world.look_around(MINUTE) == [KEY]


async def test_a_pass_that_comes_first_makes_the_look_old(monkeypatch: pytest.MonkeyPatch) -> None:
    world = await settled(World())
    edit_another_annotation(world)
    assert looked_at(world.states.of(OWNER))
    inner = world.looks._versions

    class Slow:
        async def version(self, kind: ObjectKind, namespace: str, name: str) -> str | None:
            found = await inner.version(kind, namespace, name)
            world.states.of(OWNER).drop()
            await rest(world)  # a person's change had it reconciled meanwhile
            return found

    monkeypatch.setattr(world.looks, "_versions", Slow())
    assert await world.look_around(21 * SECOND) == []


# --- what is the same for all federated credentials -------------------------------------------


async def test_another_issuer_of_the_cluster_has_all_trusts_looked_at() -> None:
    world = await settled(Federated())
    source = MemoryIssuer(Issuer(url=ISSUER, since=NOW - DAY))
    found = IssuerLooks(
        process=world.process,
        states=world.states,
        issuer=source,
        documents=NoDocuments(),
        wake=world.woken.append,
    )

    async def woken() -> list[Key]:
        world.taken(APP_CREDENTIALS)
        await found.run_once()
        return world.taken(APP_CREDENTIALS)

    assert await woken() == []
    assert await woken() == []
    source.issuer = DISCOVERY_UNREAD
    assert await woken() == [], "no answer is no news"
    source.issuer = ISSUERS_DIFFER
    assert await woken() == [KEY]
    source.issuer = Issuer(url="https://another.example", since=NOW)
    assert await woken() == [KEY]
    world.gate.stopping = True
    source.issuer = replace(source.issuer, since=NOW + HOUR)
    assert await woken() == []


async def test_a_suspended_resource_says_that_its_secret_is_missing() -> None:
    world = await settled(World())
    world.put_resource(OWNER, suspend=True)
    await passed(world)
    assert world.ready["status"] == "True"
    delete_the_secret(world)
    assert await world.look_around(MINUTE) == [KEY]
    await passed(world)
    assert (world.ready["status"], world.ready["reason"]) == ("False", "SecretMissing")
    assert TARGET not in world.api.objects
