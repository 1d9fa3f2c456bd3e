"""A FederatedIdentity, reconciled on an API server and an Entra in memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest

from appcredential.domain.observed.federated import Issuer
from appcredential.domain.spec.grant import allow_tag
from appcredential.domain.spec.model import CredentialType
from appcredential.domain.spec.trusts import Trust
from appcredential.errors import (
    AppCredentialError,
    ConflictError,
    NotFoundError,
    OutcomeUnknownError,
    RejectedError,
    UnavailableError,
)
from appcredential.kube.custom_resources import GRANTS, path_of
from tests.support.builders import CLIENT_ID, DAY, HOUR, IDENTITY, MINUTE, NOW, OWNER, TENANT_ID
from tests.support.directory import Failure
from tests.support.federated import ISSUER, OUR_ANNOTATIONS, PRINCIPAL, SUBJECT, listed
from tests.support.heirs import MemoryIssuer
from tests.support.session import MemorySession
from tests.support.world import World

ACCOUNTS: Final = f"/api/v1/namespaces/{OWNER.namespace}/serviceaccounts"
OUTPUT: Final = f"/api/v1/namespaces/{OWNER.namespace}/configmaps/out"
OTHER_SUBJECT: Final = f"system:serviceaccount:{OWNER.namespace}:billing"
LOST: Final = OutcomeUnknownError("cut off")
PASSING: Final = (NotFoundError("404"), UnavailableError("503"), LOST)


class Federated(World):
    """The world with one FederatedIdentity, and a ServiceAccount that it trusts."""

    def __init__(self, **spec: Any) -> None:
        super().__init__(issuer=MemoryIssuer(Issuer(url=ISSUER, since=NOW - DAY)))
        self.entra = MemorySession(self.clock, types=CredentialType)
        self.api.put(f"{ACCOUNTS}/orders", {})
        self.ask(**spec)

    def ask(self, account: str = "orders", **spec: Any) -> None:
        """Write the resource."""
        source = {"serviceAccount": {"name": account}, "configMap": {"name": "out"}}
        self.put_resource(
            OWNER,
            type="FederatedIdentity",
            clientSecret=None,
            secret=None,
            **{"federatedIdentity": source, **spec},
        )

    async def settle(self) -> None:
        """Bring the resource to Ready."""
        await self.look_at_tenant()
        await self.until(lambda: self.ready["status"] == "True", 120)

    async def pass_(self, length: timedelta) -> None:
        """Let time pass and do what is due."""
        end = self.clock.now() + length
        while self.clock.now() < end:
            wait = await self.look() or timedelta(0)
            self.clock.advance(min(max(wait, timedelta(0)), end - self.clock.now()))

    @property
    def subjects(self) -> list[str]:
        """What Entra trusts."""
        return sorted(c.subject for c in self.entra.trusts.values())

    def annotations(self, account: str = "orders") -> dict[str, str]:
        return self.api.objects[f"{ACCOUNTS}/{account}"]["metadata"].get("annotations") or {}

    @property
    def reasons(self) -> list[str]:
        """The reasons of the Events so far."""
        return [e["reason"] for e in self.events]

    def reason(self, kind: str = "Stalled") -> str:
        return str(self.conditions.get(kind, {}).get("reason", ""))


async def test_what_is_asked_for_is_trusted_and_told() -> None:
    world = Federated()
    await world.settle()
    assert world.subjects == [SUBJECT]
    assert world.annotations() == OUR_ANNOTATIONS
    data = world.api.objects[OUTPUT]["data"]
    assert (data["AZURE_CLIENT_ID"], data["AZURE_TENANT_ID"]) == (CLIENT_ID, TENANT_ID)
    assert world.reasons == ["Issued", "Published"]
    assert world.entra.writes == [f"add {SUBJECT}"]


async def test_a_grant_that_goes_meanwhile_counts_at_once() -> None:
    world = Federated()
    await world.look_at_tenant()
    del world.api.objects[path_of(GRANTS, "", "shop-apps")]
    await world.pass_(10 * MINUTE)
    assert world.subjects == []
    assert world.entra.writes == []


@pytest.mark.parametrize("is_withdrawn", [False, True])
async def test_a_new_trust_rests_on_tags_that_were_read_just_now(*, is_withdrawn: bool) -> None:
    """Lists may lag, and what they say of an older read allows nobody to be trusted."""
    world = Federated()
    world.put_grant("shop-apps", applications={"tagged": True})
    tags = (allow_tag(IDENTITY.cluster_id, OWNER.namespace),)
    world.entra.tags = tags
    await world.settle()
    await world.pass_(20 * MINUTE)
    world.api.put(f"{ACCOUNTS}/billing", {})
    world.entra.tags = () if is_withdrawn else tags
    world.ask("billing")
    world.entra.calls.clear()
    await world.pass_(10 * MINUTE)
    assert (OTHER_SUBJECT in world.subjects) is not is_withdrawn
    assert world.entra.calls.count("read") == 1
    assert SUBJECT in world.subjects  # what is there stays


async def test_a_lost_answer_makes_no_second_one() -> None:
    world = Federated()
    world.entra.failures = [Failure("add", LOST, is_committed=True)]
    await world.settle()
    assert world.subjects == [SUBJECT]


async def test_our_own_twin_that_a_read_did_not_show_is_taken_for_ours() -> None:
    world = Federated()
    world.entra.put(listed("twin"))
    world.entra.hidden = {"twin"}
    await world.look_at_tenant()

    def show() -> None:
        world.entra.hidden.clear()

    world.entra.after_read = show
    world.entra.failures = [Failure("add", RejectedError("400", code="BadRequest"))]
    await world.until(lambda: world.ready["status"] == "True", 120)
    assert list(world.entra.trusts) == ["twin"]
    assert world.entra.writes == [f"add {SUBJECT}"]


async def test_a_twin_of_another_owner_is_a_conflict() -> None:
    world = Federated()
    world.entra.put(listed("twin", owner=None))
    world.entra.hidden = {"twin"}
    await world.look_at_tenant()

    def show() -> None:
        world.entra.hidden.clear()

    world.entra.after_read = show
    world.entra.failures = [Failure("add", ConflictError("409"))]
    await world.pass_(5 * MINUTE)
    assert world.reason() == "CredentialConflict"
    assert list(world.entra.trusts) == ["twin"]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (RejectedError("400", code="BadRequest"), "CredentialRefused"),
        (ConflictError("409"), "DirectoryUnavailable"),
        (UnavailableError("503"), "DirectoryUnavailable"),
    ],
)
async def test_a_refusal_without_a_twin_is_said(error: AppCredentialError, reason: str) -> None:
    world = Federated()
    await world.look_at_tenant()
    world.entra.failures = [Failure("add", error)] * 3
    await world.until(lambda: world.ready["reason"] == reason)
    assert world.subjects == []
    await world.pass_(HOUR)
    assert world.ready["status"] == "True"


async def of_git_hub(*repositories: str, **fields: Any) -> Federated:
    """Return a world whose resource asks for one branch of each repository."""
    git_hub = {
        "organization": "contoso",
        "subjectFormat": "Name",
        "repositories": [{"name": name} for name in repositories],
        "entities": [{"type": "Branch", "name": "main"}],
    }
    world = Federated(federatedIdentity={"gitHub": git_hub}, **fields)
    grant = world.api.objects[path_of(GRANTS, "", "shop-apps")]
    federation = {"gitHub": [{"organization": "contoso"}]}
    found = world.api.put(
        path_of(GRANTS, "", "shop-apps"),
        {**grant, "spec": {**grant["spec"], "federation": federation}},
    )
    world.sync.on_event(GRANTS, "MODIFIED", found)
    await world.look_at_tenant()
    return world


def branch(repository: str) -> str:
    return f"repo:contoso/{repository}:ref:refs/heads/main"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (RejectedError("400", code="BadRequest"), "CredentialRefused"),
        (ConflictError("409"), "DirectoryUnavailable"),
    ],
)
async def test_one_of_a_list_that_is_not_taken_is_told_and_holds_none_up(
    error: AppCredentialError, reason: str
) -> None:
    world = await of_git_hub("a", "b", "c")
    world.entra.failures = [Failure(f"add {branch('b')}", error)]
    await world.until(lambda: len(world.entra.trusts) == 2)
    assert world.subjects == [branch("a"), branch("c")]
    (told,) = world.status["federatedIdentityProblems"]
    assert (told["subject"], told["reason"]) == (branch("b"), reason)
    outcomes, mints = {"issued": 2, reason: 1}, "appcredential_mints_total"
    for outcome, count in outcomes.items():
        labels = {"type": "FederatedIdentity", "outcome": outcome}
        assert world.metrics.registry.get_sample_value(mints, labels) == count
    await world.pass_(HOUR)
    assert world.subjects == [branch("a"), branch("b"), branch("c")]
    assert "federatedIdentityProblems" not in world.status
    assert world.reasons.count("Issued") == 3


async def test_a_refusal_because_others_took_the_room_is_told_as_that() -> None:
    world = await of_git_hub("a", "b")
    others = [Trust("https://x", str(n), "a") for n in range(20)]
    refusal = RejectedError("403", code="Directory_QuotaExceeded")
    world.entra.failures = [Failure(f"add {branch('a')}", refusal)]

    def fill() -> None:
        world.entra.put(*(listed(f"t{n}", trust=t, owner=None) for n, t in enumerate(others)))

    world.entra.after_read = fill
    await world.pass_(5 * MINUTE)
    assert world.reason() == "QuotaExceeded"
    assert "federatedIdentityProblems" not in world.status
    assert world.entra.writes == [f"add {branch('a')}"]


async def test_a_refused_time_of_removal_is_tried_again_after_a_pause() -> None:
    world = Federated()
    await world.settle()
    world.api.put(f"{ACCOUNTS}/billing", {})
    world.ask("billing")
    refusals = [Failure("update", RejectedError("400", code="BadRequest")) for _ in range(2)]
    world.entra.failures = refusals
    await world.pass_(HOUR)
    updates = [w for w in world.entra.writes if w.startswith("update")]
    assert len(updates) == 3
    assert not world.entra.failures


async def test_a_client_id_in_place_of_a_principal_is_refused() -> None:
    identity = {"managedIdentity": {"principalId": PRINCIPAL}}
    world = Federated(federatedIdentity=identity)
    grant = world.api.objects[path_of(GRANTS, "", "shop-apps")]
    found = world.api.put(
        path_of(GRANTS, "", "shop-apps"),
        {**grant, "spec": {**grant["spec"], "federation": {"managedIdentities": [PRINCIPAL]}}},
    )
    world.sync.on_event(GRANTS, "MODIFIED", found)
    world.entra.clients = {PRINCIPAL}
    await world.look_at_tenant()
    await world.pass_(5 * MINUTE)
    assert world.reason() == "InvalidSpec"
    assert "principalId is a client id" in world.conditions["Stalled"]["message"]
    assert world.entra.writes == []


async def replaced() -> Federated:
    """Return a world whose resource trusts another ServiceAccount than before."""
    world = Federated()
    await world.settle()
    world.api.put(f"{ACCOUNTS}/billing", {})
    world.ask("billing")
    await world.pass_(HOUR)
    assert world.subjects == sorted([SUBJECT, OTHER_SUBJECT])
    return world


async def test_a_replaced_trust_goes_after_the_overlap_with_what_told_of_it() -> None:
    world = await replaced()
    assert world.annotations() == OUR_ANNOTATIONS
    await world.pass_(2 * DAY)
    assert world.subjects == [OTHER_SUBJECT]
    assert world.annotations() == {}
    assert world.annotations("billing") == OUR_ANNOTATIONS
    assert world.reasons[-1] == "Retired"
    assert "Changed" in world.reasons


async def test_without_the_right_to_annotate_the_trust_goes_all_the_same() -> None:
    world = await replaced()
    world.api.refuse("GET PATCH", "serviceaccounts/orders", "no role")
    await world.pass_(2 * DAY)
    assert world.subjects == [OTHER_SUBJECT]
    assert world.annotations() == OUR_ANNOTATIONS


@pytest.mark.parametrize("error", PASSING)
async def test_a_removal_is_tried_until_a_read_shows_that_it_is_gone(
    error: AppCredentialError,
) -> None:
    world = await replaced()
    world.entra.failures = [Failure("remove", error)]
    await world.pass_(2 * DAY)
    assert world.subjects == [OTHER_SUBJECT]
    assert [w.split()[0] for w in world.entra.writes].count("remove") == 2


async def test_an_edited_trust_is_put_right() -> None:
    world = Federated()
    await world.settle()
    (made,) = world.entra.trusts.values()
    world.entra.put(replace(made, subject="edited"))
    await world.pass_(HOUR)
    assert world.subjects == [SUBJECT]
    assert world.entra.writes[-1] == f"update {made.id}"


@pytest.mark.parametrize("error", PASSING)
async def test_a_change_is_tried_again(error: AppCredentialError) -> None:
    world = Federated()
    await world.settle()
    (made,) = world.entra.trusts.values()
    world.entra.put(replace(made, subject="edited"))
    world.entra.failures = [Failure("update", error)]
    await world.pass_(HOUR)
    assert world.subjects == [SUBJECT]


async def test_a_trust_is_proven_with_a_token_of_the_account() -> None:
    world = Federated(verification={"mode": "Required"})
    await world.settle()
    assert world.conditions["Verified"]["reason"] == "Proven"
    assert world.entra.exchanges >= 1
    assert world.api.count("POST", "/orders/token") == world.entra.exchanges


async def test_a_missing_right_to_ask_for_tokens_is_said_and_passes() -> None:
    world = Federated(verification={"mode": "Required"})
    refusal = world.api.refuse("POST", "/token", "no role")
    await world.look_at_tenant()
    await world.pass_(5 * MINUTE)
    assert world.conditions["Verified"]["reason"] == "TokenRequestForbidden"
    assert world.annotations() == {}
    world.api.refusals.remove(refusal)
    await world.pass_(HOUR)
    assert world.conditions["Verified"]["reason"] == "Proven"
    assert world.ready["status"] == "True"


async def test_a_missing_account_is_said_and_passes() -> None:
    world = Federated(verification={"mode": "Required"})
    del world.api.objects[f"{ACCOUNTS}/orders"]
    await world.look_at_tenant()
    await world.pass_(5 * MINUTE)
    assert world.reason("Verified") == "ServiceAccountNotFound"
    world.api.put(f"{ACCOUNTS}/orders", {})
    await world.pass_(10 * MINUTE)
    assert world.ready["status"] == "True"


@pytest.mark.parametrize(
    ("methods", "part", "reason"),
    [
        ("PATCH", "serviceaccounts/orders", "ServiceAccountForbidden"),
        ("GET", "serviceaccounts/orders", "ServiceAccountForbidden"),
        ("POST PUT", "/namespaces/shop/configmaps", "OutputForbidden"),
        ("GET", "configmaps/out", "OutputForbidden"),
    ],
)
async def test_a_missing_right_to_tell_workloads_is_said_and_passes(
    methods: str, part: str, reason: str
) -> None:
    world = Federated()
    refusal = world.api.refuse(methods, part, "no role")
    await world.look_at_tenant()
    await world.pass_(5 * MINUTE)
    assert world.reason() == reason
    assert world.subjects == [SUBJECT]
    world.api.refusals.remove(refusal)
    await world.pass_(HOUR)
    assert world.ready["status"] == "True"
    assert world.annotations() == OUR_ANNOTATIONS


async def test_a_refusal_is_no_refusal_of_another_spec() -> None:
    world = Federated()
    await world.look_at_tenant()
    world.entra.failures = [Failure("add", RejectedError("400", code="BadRequest"))]
    await world.until(lambda: world.reason() == "CredentialRefused")
    world.api.put(f"{ACCOUNTS}/billing", {})
    world.ask("billing")
    await world.pass_(5 * MINUTE)
    assert world.subjects == [OTHER_SUBJECT]
    assert world.ready["status"] == "True"
