"""The life of a federated credential: made, wired, changed, mended, superseded and removed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from appcredential.domain import actions as act
from appcredential.domain import lifecycle
from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.facts.annotations import (
    CLIENT_ID_ANNOTATION,
    TENANT_ID_ANNOTATION,
    WIRED_BY_ANNOTATION,
)
from appcredential.domain.facts.federated import FederatedFacts
from appcredential.domain.facts.trust_room import extra
from appcredential.domain.judgement import Judgement
from appcredential.domain.lifecycle_settings import LifecycleSettings
from appcredential.domain.marker import ClusterIdentity
from appcredential.domain.observed.federated import (
    FederatedCredential,
    Issuer,
    IssuerDocument,
    OutputMap,
    ServiceAccount,
)
from appcredential.domain.observed.memory import Memory
from appcredential.domain.observed.operation import Operation
from appcredential.domain.proof import PROVEN, UNREACHABLE, classify, record
from appcredential.domain.spec.azure_dev_ops import connection_subject, own_issuer
from appcredential.domain.spec.federated import ServiceAccountSource, Source
from appcredential.domain.spec.git_hub import github_subjects
from appcredential.domain.spec.git_hub_source import EntityType, GitHubServer, SubjectFormat
from appcredential.domain.spec.model import (
    CredentialType,
    DeletionPolicy,
    Limits,
    Mode,
    VerificationMode,
)
from appcredential.domain.spec.trusts import (
    Trust,
    build_description,
    credential_name,
    marker_of,
    retire_time_of,
    trust_attempt,
)
from appcredential.domain.status.issuer_document import document_warning
from appcredential.domain.status.projection import project
from tests.domain.worlds.federated_world import FederatedWorld
from tests.domain.worlds.loop import BrokenPromiseError
from tests.support.builders import (
    CLIENT_ID,
    DAY,
    HOUR,
    IDENTITY,
    MINUTE,
    NOW,
    OTHER_IDENTITY,
    OTHER_OWNER,
    OWNER,
    SECOND,
    TENANT_ID,
    grant,
    problem,
    tenant,
)
from tests.support.federated import (
    ACCOUNT,
    AUDIENCE,
    CONNECTION,
    GITHUB,
    GITHUB_SUBJECT,
    ISSUER,
    KEY_SOURCE,
    MANAGED,
    NEXT_ISSUER,
    OTHER,
    OUR_ANNOTATIONS,
    PROJECT,
    SUBJECT,
    TRUST,
    account,
    entity,
    federated_spec,
    listed,
    output_map,
)

QUIET = LifecycleSettings().federated_quiet
ENTRA = f"https://login.microsoftonline.com/{TENANT_ID}/v2.0"


def established(**fields: object) -> FederatedWorld:
    """Return a world whose credential was made and wired."""
    world = FederatedWorld(**fields)  # type: ignore[arg-type]
    world.run(5 * MINUTE)
    assert world.condition("Ready") == ("True", "Trusted")
    world.log.clear()
    return world


def test_it_is_made_and_told_only_after_the_quiet_time() -> None:
    world = FederatedWorld()
    world.run(MINUTE)
    assert world.pairs == {TRUST.pair}
    assert world.annotations() == {}
    assert world.condition("Ready") == ("False", "Progressing")
    assert world.condition("Reconciling") == ("True", "Progressing")
    world.run(MINUTE)
    assert world.annotations() == OUR_ANNOTATIONS
    assert world.condition("Ready") == ("True", "Trusted")
    assert world.condition("Stalled") is None
    assert world.names() == ["AddFinalizer", "CreateFederated", "AnnotateServiceAccount"]
    assert world.resource.status["federatedIdentities"] == [
        {
            "id": "new-1",
            "name": credential_name("shop-orders", TRUST),
            "issuer": ISSUER,
            "subject": SUBJECT,
            "audience": AUDIENCE,
        }
    ]
    assert world.resource.status["inventory"]["federated"] == 1
    assert world.resource.status["observedGeneration"] == 1
    world.log.clear()
    world.run(DAY)
    assert world.names() == []
    assert world.count(act.ApplyStatus) == 0


@pytest.mark.parametrize(
    ("source", "pairs"),
    [
        (
            GITHUB,
            {
                ("https://token.actions.githubusercontent.com", s)
                for s in (
                    "repo:contoso@1/shop@22:ref:refs/heads/main",
                    "repo:contoso/shop:ref:refs/heads/main",
                )
            },
        ),
        (MANAGED, {(ENTRA, MANAGED.principal_id)}),
        (CONNECTION, {(ENTRA, connection_subject(CONNECTION, TENANT_ID))}),
        (PROJECT, {(own_issuer(PROJECT), "sc://contoso/shop/azure")}),
        (OTHER, {(OTHER.issuer, OTHER.subject)}),
        (ServiceAccountSource(name="orders", is_annotated=False), {TRUST.pair}),
    ],
)
def test_every_source_comes_to_be_trusted(source: Source, pairs: set[tuple[str, str]]) -> None:
    world = established(spec=federated_spec(source), accounts={})
    assert world.pairs == pairs


def test_a_customers_key_is_echoed_where_customers_look_for_it() -> None:
    world = established(
        spec=federated_spec(KEY_SOURCE, config_map="out"), sign_in_audience="AzureADMultipleOrgs"
    )
    told = {"federatedClientId": CLIENT_ID, "resourceId": KEY_SOURCE.resource_id}
    assert world.resource.status["customerManagedKey"] == told
    assert world.resource.status["configMapRef"] == {"name": "out"}
    written = world.outputs["out"]
    assert isinstance(written, OutputMap)
    assert told.items() <= written.data.items()
    assert written.data["AZURE_CLIENT_ID"] == CLIENT_ID


def test_a_customers_key_needs_an_application_for_several_tenants() -> None:
    world = FederatedWorld(spec=federated_spec(KEY_SOURCE))
    world.run(5 * MINUTE)
    assert world.condition("Stalled") == ("True", "NotMultiTenant")
    assert world.pairs == set()
    world.sign_in_audience = "AzureADMultipleOrgs"
    world.run(8 * MINUTE)
    assert world.condition("Ready") == ("True", "Trusted")


def test_a_changed_subject_is_made_before_the_old_one_goes() -> None:
    world = established(accounts={"orders": account(), "next": account(name="next")})
    world.change(federated_spec(ServiceAccountSource(name="next")))
    world.run(5 * MINUTE)
    both = {TRUST.pair, (ISSUER, "system:serviceaccount:shop:next")}
    assert world.pairs == both
    assert world.annotations("next") == OUR_ANNOTATIONS
    (old,) = (c for c in world.entra.values() if c.pair == TRUST.pair)
    retire = retire_time_of(old.description)
    assert retire is not None
    assert world.resource.status["retiring"] == [
        {"keyId": old.id, "retireTime": f"{retire:%Y-%m-%dT%H:%M:%SZ}"}
    ]
    world.run(23 * HOUR)
    assert world.pairs == both
    world.run(2 * HOUR)
    assert world.pairs == both - {TRUST.pair}
    (removal,) = (a for _, a in world.log if isinstance(a, act.DeleteFederated))
    assert removal.service_account == "orders"
    assert "retiring" not in world.resource.status


def test_a_change_that_is_taken_back_keeps_what_was_there() -> None:
    world = established(accounts={"orders": account(), "next": account(name="next")})
    world.change(federated_spec(ServiceAccountSource(name="next")))
    world.run(HOUR)
    world.change(federated_spec())
    world.run(2 * DAY)
    assert world.pairs == {TRUST.pair}
    assert world.entra["new-1"].pair == TRUST.pair
    assert world.condition("Ready") == ("True", "Trusted")


def test_another_audience_is_changed_in_place_because_the_pair_is_unique() -> None:
    world = established()
    world.change(federated_spec(audience="api://other"))
    world.run(5 * MINUTE)
    assert world.names() == ["PatchFederated"]
    assert world.entra["new-1"].audiences == ("api://other",)
    assert world.condition("Ready") == ("True", "Trusted")


@pytest.mark.parametrize(
    "edit",
    [
        lambda c: replace(c, audiences=("api://wrong",)),
        lambda c: replace(c, audiences=()),
        lambda c: replace(c, issuer="https://wrong.example"),
        lambda c: replace(c, subject="wrong"),
    ],
)
def test_an_edit_is_mended(edit: Callable[[FederatedCredential], FederatedCredential]) -> None:
    world = established()
    before = world.entra["new-1"]
    world.put(edit(before))
    world.run(2 * HOUR)
    assert world.entra == {"new-1": before}
    assert world.names() == ["PatchFederated"]


def test_one_that_was_removed_is_made_again() -> None:
    world = established()
    world.entra.clear()
    world.run(2 * HOUR)
    assert world.names() == ["CreateFederated"]
    assert world.condition("Ready") == ("True", "Trusted")


def test_a_stale_read_makes_no_second_one() -> None:
    world = established()
    world.hidden = {"new-1"}
    world.seen = None
    world.run(MINUTE)
    assert world.names() == ["CreateFederated"] * world.count(act.CreateFederated)
    world.hidden = set()
    world.run(5 * MINUTE)
    assert list(world.entra) == ["new-1"]
    assert world.condition("Ready") == ("True", "Trusted")


def test_a_restart_changes_nothing() -> None:
    world = established()
    world.restart()
    world.run(HOUR)
    assert world.names() == []
    assert world.condition("Ready") == ("True", "Trusted")
    assert world.count(act.ApplyStatus) == 0


def test_after_a_restart_the_quiet_time_of_what_nobody_told_of_begins_anew() -> None:
    world = FederatedWorld()
    world.run(MINUTE)
    world.restart()
    world.run(SECOND)
    world.run(QUIET - MINUTE)
    assert world.annotations() == {}
    world.run(2 * MINUTE)
    assert world.annotations() == OUR_ANNOTATIONS


# --- what is in the way --------------------------------------------------------------------


def test_somebody_elses_trust_is_left_alone_and_named() -> None:
    world = FederatedWorld()
    world.put(listed("theirs", owner=None, name="by-hand"))
    world.run(HOUR)
    assert world.condition("Stalled") == ("True", "CredentialConflict")
    assert world.names() == ["AddFinalizer"]
    (stalled,) = (c for c in world.resource.status["conditions"] if c["type"] == "Stalled")
    assert "by-hand" in stalled["message"]
    # The remedy works: with the text it names the credential is handed over.
    text = stalled["message"].rsplit(": ", 1)[1]
    world.put(replace(world.entra["theirs"], description=text))
    world.run(5 * MINUTE)
    assert world.condition("Ready") == ("True", "Trusted")
    assert list(world.entra) == ["theirs"]


def test_somebody_elses_name_is_left_alone_too() -> None:
    world = FederatedWorld()
    name = credential_name("shop-orders", TRUST).upper()
    world.put(listed("theirs", trust=Trust("https://x", "y", "z"), owner=None, name=name))
    world.run(HOUR)
    assert world.condition("Stalled") == ("True", "CredentialConflict")
    assert list(world.entra) == ["theirs"]


def test_one_conflict_does_not_keep_the_other_trust_away() -> None:
    world = FederatedWorld(spec=federated_spec(GITHUB))
    first = Trust("https://token.actions.githubusercontent.com", github_subjects(GITHUB)[0], "a")
    world.put(listed("theirs", trust=first, owner=None))
    world.run(HOUR)
    assert len(world.entra) == 2
    assert world.condition("Ready") == ("False", "CredentialConflict")


def test_the_twenty_first_is_refused_without_a_call() -> None:
    world = FederatedWorld()
    many = [listed(f"t{n}", trust=Trust("https://x", str(n), "a"), owner=None) for n in range(20)]
    world.put(*many)
    world.run(HOUR)
    assert world.condition("Stalled") == ("True", "QuotaExceeded")
    assert world.count(act.CreateFederated) == 0
    del world.entra["t3"]
    world.run(5 * MINUTE)
    assert world.condition("Ready") == ("True", "Trusted")


def test_a_full_application_keeps_what_it_has() -> None:
    world = established()
    many = [listed(f"t{n}", trust=Trust("https://x", str(n), "a"), owner=None) for n in range(19)]
    world.put(*many)
    world.change(federated_spec(OTHER))
    world.run(HOUR + 5 * MINUTE)
    assert world.condition("Stalled") == ("True", "QuotaExceeded")
    assert TRUST.pair in world.pairs


def test_a_clone_of_this_cluster_is_no_owner() -> None:
    """The same configured id, another kube-system: it may be used, and is never changed."""
    clone = ClusterIdentity(cluster=IDENTITY.cluster, system=OTHER_IDENTITY.system)
    mark = build_description(clone, OWNER, TRUST.pair)
    world = FederatedWorld()
    world.put(replace(listed("restored"), description=mark))
    world.run(HOUR)
    assert world.condition("Ready") == ("True", "Trusted")
    world.change(federated_spec(OTHER))
    world.run(3 * DAY)
    assert "restored" in world.entra
    world.change(federated_spec(audience="api://other"))
    world.run(HOUR)
    assert world.entra["restored"].audiences == (AUDIENCE,)


# --- grants --------------------------------------------------------------------------------


def test_nothing_is_made_without_a_grant() -> None:
    world = FederatedWorld(grant=problem())
    world.run(HOUR)
    assert world.entra == {}
    assert world.condition("Stalled") == ("True", "NotGranted")


def test_while_nobody_knows_the_grant_a_trust_stays_and_nothing_is_claimed() -> None:
    world = established()
    before = dict(world.entra)
    world.grant = problem(Reason.GRANT_UNKNOWN, stalled=False)
    world.run(HOUR)
    assert world.entra == before
    assert world.condition("Ready") == ("True", "Trusted")
    assert world.condition("Stalled") is None
    world.put(replace(world.entra["new-1"], subject="edited"))
    world.run(HOUR)
    assert world.entra["new-1"].subject == "edited"
    assert world.condition("Ready") == ("False", "GrantUnknown")
    world.grant = grant()
    world.run(HOUR)
    assert world.condition("Ready") == ("True", "Trusted")


def test_lowered_limits_leave_a_trust_and_say_why_nothing_new_comes() -> None:
    world = established()
    world.tenant = tenant(limits=Limits(types=frozenset({CredentialType.CERTIFICATE})))
    world.run(HOUR)
    assert "new-1" in world.entra
    assert world.condition("Ready") == ("True", "Trusted")
    assert world.condition("Stalled") == ("True", "TypeNotAllowed")


def test_a_withdrawn_grant_stops_new_trust_and_says_so() -> None:
    world = established()
    world.grant = problem()
    world.run(HOUR)
    assert world.condition("Ready") == ("True", "Trusted")
    assert world.condition("Stalled") == ("True", "GrantWithdrawn")
    world.put(replace(world.entra["new-1"], subject="edited"))
    world.run(2 * HOUR)
    assert world.entra["new-1"].subject == "edited"
    assert world.condition("Ready") == ("False", "NotGranted")


# --- issuers -------------------------------------------------------------------------------


def test_an_issuer_counts_as_changed_only_after_all_reads_agreed_for_a_while() -> None:
    world = established()
    world.issuer = Issuer(url=NEXT_ISSUER, since=world.now)
    world.run(9 * MINUTE)
    assert world.pairs == {TRUST.pair}
    assert world.condition("Ready") == ("True", "Trusted")
    world.run(10 * MINUTE)
    assert world.pairs == {TRUST.pair, (NEXT_ISSUER, SUBJECT)}
    assert world.condition("Ready") == ("True", "Trusted")
    world.run(2 * DAY)
    assert world.pairs == {(NEXT_ISSUER, SUBJECT)}
    (removal,) = (a for _, a in world.log if isinstance(a, act.DeleteFederated))
    assert removal.service_account == "", "its annotations are still in use"


def test_an_issuer_that_flickers_changes_nothing() -> None:
    world = established()
    for _ in range(5):
        world.issuer = Issuer(url=NEXT_ISSUER, since=world.now)
        world.run(9 * MINUTE)
        world.issuer = Issuer(url=ISSUER, since=world.now)
        world.run(9 * MINUTE)
    assert world.names() == []
    world.issuer = problem(Reason.ISSUER_UNKNOWN)
    world.run(HOUR)
    assert world.names() == []
    assert world.condition("Ready") == ("True", "Trusted")


def test_an_unknown_issuer_is_waited_for() -> None:
    world = FederatedWorld(issuer=problem(Reason.ISSUER_UNKNOWN))
    world.run(HOUR)
    assert world.condition("Ready") == ("False", "IssuerUnknown")
    assert world.entra == {}
    world.issuer = Issuer(url=ISSUER, since=world.now)
    world.run(5 * MINUTE)
    assert world.condition("Ready") == ("True", "Trusted")


@pytest.mark.parametrize(
    "url",
    [
        "https://kubernetes.default.svc.cluster.local",
        "https://kubernetes.default.svc",
        "https://10.0.0.1:6443",
        "https://127.0.0.1",
        "http://issuer.example",
        "https://localhost",
        "https://[::1]:6443",
        "https://issuer.internal/x",
    ],
)
def test_an_issuer_that_entra_cannot_reach_is_refused_unless_a_setting_says_otherwise(
    url: str,
) -> None:
    world = FederatedWorld(issuer=Issuer(url=url, since=NOW))
    world.run(HOUR)
    assert world.condition("Stalled") == ("True", "IssuerUnreachable")
    assert world.entra == {}
    world.settings = LifecycleSettings(allow_private_issuers=True)
    world.run(5 * MINUTE)
    assert world.condition("Ready") == ("True", "Trusted")


def test_another_issuer_is_held_to_the_same() -> None:
    source = replace(OTHER, issuer="https://10.1.2.3")
    world = FederatedWorld(spec=federated_spec(source))
    world.run(HOUR)
    assert world.condition("Stalled") == ("True", "IssuerUnreachable")


def test_what_the_operator_read_of_an_issuer_is_said_beside_ready() -> None:
    world = established(spec=federated_spec(OTHER), accounts={})
    assert world.condition("Verified") == ("Unknown", "NotVerifiable")
    told = {
        IssuerDocument(status=200, issuer=OTHER.issuer): ("Unknown", "NotVerifiable"),
        IssuerDocument(status=403): ("Unknown", "IssuerDocumentUnread"),
        IssuerDocument(status=200): ("Unknown", "IssuerDocumentUnread"),
        IssuerDocument(status=200, issuer="https://evil.example"): (
            "False",
            "IssuerDocumentDiffers",
        ),
        IssuerDocument(status=200, issuer=f"{OTHER.issuer}/"): ("False", "IssuerDocumentDiffers"),
    }
    for document, said in told.items():
        world.documents = {OTHER.issuer: document}
        world.run(15 * MINUTE)
        assert world.condition("Verified") == said
        assert world.condition("Ready") == ("True", "Trusted")
        assert world.condition("Stalled") is None
        assert "evil" not in str(world.resource.status)


def test_the_case_of_an_environment_is_the_teams_to_compare() -> None:
    environment = replace(GITHUB, entities=entity(EntityType.ENVIRONMENT, "Production"))
    hint = "Upper and lower case of an environment's name count"
    for source, is_told in ((environment, True), (GITHUB, False)):
        world = established(spec=federated_spec(source), accounts={})
        (verified,) = [c for c in world.resource.status["conditions"] if c["type"] == "Verified"]
        assert (hint in verified["message"]) is is_told


def test_a_near_miss_and_an_answer_are_named() -> None:
    near = document_warning(
        "https://a.example", IssuerDocument(status=200, issuer="https://A.example/")
    )
    far = document_warning(
        "https://a.example", IssuerDocument(status=200, issuer="https://b.example")
    )
    refused = document_warning("https://a.example", IssuerDocument(status=403))
    assert near is not None
    assert far is not None
    assert refused is not None
    assert "slash at its end" in near.message
    assert "iss in a token" in far.message
    assert "HTTP 403" in refused.message


def test_an_exchange_that_worked_outweighs_what_was_read() -> None:
    spec = federated_spec(verification=VerificationMode.REQUIRED)
    world = FederatedWorld(spec=spec, documents={ISSUER: IssuerDocument(status=403)})
    world.run(HOUR)
    assert world.condition("Verified") == ("True", "Proven")


@pytest.mark.parametrize("host", ["git.internal", "10.1.2.3"])
def test_a_github_server_that_entra_cannot_reach_is_refused(host: str) -> None:
    server = GitHubServer(host=host)
    named = replace(GITHUB, server=server, subject_format=SubjectFormat.NAME)
    for source in (named, replace(GITHUB_SUBJECT, server=server)):
        world = FederatedWorld(spec=federated_spec(source))
        world.run(HOUR)
        assert world.condition("Stalled") == ("True", "IssuerUnreachable")


@pytest.mark.parametrize("near", [ISSUER, ISSUER.rstrip("/"), ISSUER.upper().lower() + "/"])
def test_this_clusters_own_issuer_has_a_member_of_its_own(near: str) -> None:
    world = FederatedWorld(spec=federated_spec(replace(OTHER, issuer=near)))
    world.run(HOUR)
    assert world.condition("Stalled") == ("True", "InvalidSpec")
    assert world.entra == {}


def test_the_tenants_own_issuer_has_members_of_its_own() -> None:
    custom = replace(tenant(), authority_host="https://entra.example:8443")
    source = replace(OTHER, issuer=f"https://entra.example:8443/{TENANT_ID}/v2.0")
    world = FederatedWorld(spec=federated_spec(source), tenant=custom)
    world.run(HOUR)
    assert world.condition("Stalled") == ("True", "InvalidSpec")


def test_whose_account_it_is_must_be_known_before_another_cluster_is_trusted() -> None:
    source = replace(OTHER, subject=SUBJECT)
    world = FederatedWorld(spec=federated_spec(source), issuer=problem(Reason.ISSUER_UNKNOWN))
    world.run(HOUR)
    assert world.entra == {}
    world.issuer = Issuer(url=ISSUER, since=NOW)
    world.run(5 * MINUTE)
    assert world.condition("Ready") == ("True", "Trusted")


# --- ServiceAccounts and outputs -----------------------------------------------------------


def test_a_service_account_may_appear_later() -> None:
    world = FederatedWorld(accounts={})
    world.run(MINUTE)
    assert world.condition("Reconciling") == ("True", "ServiceAccountNotFound")
    world.run(3 * MINUTE)
    assert world.condition("Stalled") == ("True", "ServiceAccountNotFound")
    assert world.pairs == {TRUST.pair}
    world.accounts["orders"] = account()
    world.run(MINUTE)
    assert world.condition("Ready") == ("True", "Trusted")


@pytest.mark.parametrize(
    "held",
    [
        {CLIENT_ID_ANNOTATION: "another"},
        {TENANT_ID_ANNOTATION: OUR_ANNOTATIONS[TENANT_ID_ANNOTATION]},
        {CLIENT_ID_ANNOTATION: CLIENT_ID, TENANT_ID_ANNOTATION: "another"},
        {**OUR_ANNOTATIONS, TENANT_ID_ANNOTATION: "another", WIRED_BY_ANNOTATION: "x"},
        {**OUR_ANNOTATIONS, CLIENT_ID_ANNOTATION: "edited"},
    ],
)
def test_another_value_is_never_overwritten(held: dict[str, str]) -> None:
    world = FederatedWorld(accounts={"orders": account(held)})
    world.run(HOUR)
    assert world.annotations() == held
    assert world.condition("Stalled") == ("True", "AnnotationConflict")
    assert world.condition("Ready") == ("False", "AnnotationConflict")
    world.accounts["orders"] = account()
    world.run(HOUR)
    assert world.condition("Ready") == ("True", "Trusted")


def test_what_we_wrote_for_an_earlier_application_is_replaced() -> None:
    held = {CLIENT_ID_ANNOTATION: "before", WIRED_BY_ANNOTATION: f"{OWNER.name}/before"}
    world = established(accounts={"orders": account(held)})
    assert world.annotations() == OUR_ANNOTATIONS


@pytest.mark.parametrize(
    "held",
    [
        {k: v for k, v in OUR_ANNOTATIONS.items() if k != WIRED_BY_ANNOTATION},
        {CLIENT_ID_ANNOTATION: CLIENT_ID},
        {CLIENT_ID_ANNOTATION: CLIENT_ID, WIRED_BY_ANNOTATION: f"{OWNER.name}/before"},
    ],
    ids=["both", "the application alone", "edited since"],
)
def test_what_a_person_wrote_just_the_same_stays_theirs(held: dict[str, str]) -> None:
    world = established(accounts={"orders": account(held)})
    assert world.annotations() == held


def test_a_lost_annotation_is_written_again() -> None:
    world = established()
    world.accounts["orders"] = account(
        {k: v for k, v in OUR_ANNOTATIONS.items() if "tenant" not in k}
    )
    world.run(HOUR)
    assert world.annotations() == OUR_ANNOTATIONS


def test_what_may_not_be_read_is_told() -> None:
    world = FederatedWorld(
        spec=federated_spec(config_map="out"),
        accounts={"orders": problem(Reason.SERVICE_ACCOUNT_FORBIDDEN)},
    )
    world.run(HOUR)
    assert world.condition("Stalled") == ("True", "ServiceAccountForbidden")
    world.accounts["orders"] = account()
    world.outputs["out"] = problem(Reason.OUTPUT_FORBIDDEN)
    world.run(HOUR)
    assert world.condition("Stalled") == ("True", "OutputForbidden")


@pytest.mark.parametrize(
    "there",
    [output_map("out", owner="shop/invoices"), output_map("out", immutable=True)],
)
def test_a_config_map_that_is_not_ours_is_never_written(there: object) -> None:
    world = FederatedWorld(spec=federated_spec(config_map="out"), outputs={"out": there})  # type: ignore[dict-item]
    world.run(HOUR)
    assert world.condition("Stalled") == ("True", "OutputConflict")
    assert world.outputs["out"] == there


@pytest.mark.parametrize(
    ("owner", "told"),
    [
        ("shop/invoices", "belongs to AppCredential shop/invoices."),
        ("bank/invoices", "belongs to no AppCredential here."),
        ("shop/In valid", "belongs to no AppCredential here."),
        ("", "belongs to no AppCredential here."),
    ],
)
def test_whose_the_config_map_is_is_told(owner: str, told: str) -> None:
    there = output_map("out", owner=owner)
    world = FederatedWorld(spec=federated_spec(config_map="out"), outputs={"out": there})
    world.run(HOUR)
    assert told in message(world, "Stalled")


def test_an_immutable_output_that_is_as_wanted_is_in_nobody_s_way() -> None:
    world = established(spec=federated_spec(config_map="out"))
    held = world.outputs["out"]
    assert isinstance(held, OutputMap)
    world.outputs["out"] = replace(held, immutable=True)
    world.run(HOUR)
    assert world.condition("Ready") == ("True", "Trusted")
    assert world.condition("Stalled") is None
    world.outputs["out"] = replace(held, immutable=True, data={"AZURE_CLIENT_ID": "wrong"})
    world.run(HOUR)
    assert world.condition("Ready") == ("False", "OutputConflict")
    assert "kubectl get configmap out -n shop -o yaml | sed" in message(world, "Stalled")


def message(world: FederatedWorld, kind: str) -> str:
    found = (c["message"] for c in world.resource.status["conditions"] if c["type"] == kind)
    return str(next(found))


def test_the_output_goes_with_the_trust_that_a_deleted_resource_leaves() -> None:
    """A resource that is renamed keeps what workloads read."""
    left = output_map("out", owner=str(OTHER_OWNER), data={"AZURE_CLIENT_ID": CLIENT_ID})
    world = FederatedWorld(spec=federated_spec(config_map="out"), outputs={"out": left})
    world.put(listed("first", owner=OTHER_OWNER))
    world.leaving = frozenset({OTHER_OWNER.hash})
    world.run(HOUR)
    assert world.condition("Ready") == ("True", "Trusted")
    taken = world.outputs["out"]
    assert isinstance(taken, OutputMap)
    assert taken.owner == str(OWNER)
    world.leaving = frozenset()
    world.run(HOUR)
    assert world.condition("Ready") == ("True", "Trusted")
    assert world.count(act.WriteOutput) == 1


def test_a_left_output_that_is_immutable_stays() -> None:
    left = output_map("out", owner=str(OTHER_OWNER), immutable=True)
    world = FederatedWorld(spec=federated_spec(config_map="out"), outputs={"out": left})
    world.leaving = frozenset({OTHER_OWNER.hash})
    world.run(HOUR)
    assert world.condition("Stalled") == ("True", "OutputConflict")
    assert world.outputs["out"] == left


def test_an_edited_output_is_mended() -> None:
    world = established(spec=federated_spec(config_map="out"))
    before = world.outputs["out"]
    world.outputs["out"] = output_map("out", data={"AZURE_CLIENT_ID": "wrong"})
    world.run(HOUR)
    assert world.outputs["out"] == before


# --- failures, pauses and ends -------------------------------------------------------------


def test_a_failing_graph_is_told_and_tried_again() -> None:
    world = FederatedWorld(refuses=True)
    world.run(MINUTE)
    assert world.condition("Ready") == ("False", "DirectoryUnavailable")
    world.refuses = False
    world.run(5 * MINUTE)
    assert world.condition("Ready") == ("True", "Trusted")


def test_nothing_is_read_while_graph_asks_to_stay_away() -> None:
    world = FederatedWorld()
    world.memory = replace(
        world.memory,
        directory_problem=problem(Reason.THROTTLED, stalled=False),
        retry_time=NOW + MINUTE,
    )
    world.application = None
    world.run(30 * SECOND)
    assert world.names() == ["AddFinalizer"]
    world.run(SECOND)
    world.run(5 * MINUTE)
    assert world.condition("Ready") == ("True", "Trusted")


def test_a_list_that_was_never_read_is_no_empty_one() -> None:
    world = FederatedWorld()
    world.run(SECOND)
    world.seen = None
    world.memory = replace(
        world.memory,
        directory_problem=problem(Reason.THROTTLED, stalled=False),
        retry_time=world.now + MINUTE,
    )
    world.run(SECOND)
    assert world.condition("Ready") == ("False", "Throttled")
    assert world.count(act.CreateFederated) == 1


@pytest.mark.parametrize("mode", ["suspend", "observe"])
def test_a_pause_does_nothing_and_keeps_the_truth(mode: str) -> None:
    world = established()
    paused = federated_spec(suspend=True)
    if mode == "observe":
        paused = federated_spec(mode=Mode.OBSERVE)
    world.change(paused)
    world.entra["new-1"] = replace(world.entra["new-1"], audiences=("api://wrong",))
    world.run(10 * MINUTE)
    expected = {"suspend": "Suspended", "observe": "Observing"}[mode]
    assert world.condition("Ready") == ("True", expected)
    assert world.condition("Stalled") is None
    assert world.condition("Reconciling") is None
    assert world.resource.status["observedGeneration"] == 2
    world.run(3 * HOUR)
    assert world.names() == []
    assert world.condition("Ready") == ("False", expected)


def test_who_observes_tells_what_is_in_the_way() -> None:
    world = FederatedWorld(spec=federated_spec(mode=Mode.OBSERVE))
    world.put(listed("theirs", owner=None))
    world.run(HOUR)
    assert world.names() == []
    assert world.condition("Stalled") == ("True", "CredentialConflict")
    world.resource = replace(world.resource, deletion_time=world.now, has_finalizer=True)
    world.run(MINUTE)
    assert world.names() == ["ReleaseFinalizer"]


def test_a_pause_of_another_spec_is_not_ready() -> None:
    world = established()
    world.change(federated_spec(OTHER, suspend=True))
    world.run(HOUR)
    assert world.condition("Ready") == ("False", "Suspended")
    world.tenant = problem(Reason.TENANT_NOT_READY, stalled=False)
    world.run(HOUR)
    assert world.condition("Ready") == ("False", "Suspended")


def test_a_tenant_that_is_away_changes_nothing() -> None:
    world = established()
    world.tenant = problem(Reason.TENANT_NOT_READY, stalled=False)
    world.run(HOUR)
    assert world.condition("Ready") == ("True", "Trusted")
    assert world.resource.status["federatedIdentities"]


def test_what_cannot_be_met_is_not_ready_whatever_was_told() -> None:
    world = established()
    world.issuer = Issuer(url="https://10.0.0.1", since=NOW - DAY)
    world.run(HOUR)
    assert world.condition("Ready") == ("False", "IssuerUnreachable")
    assert world.pairs == {TRUST.pair}


def test_a_deletion_writes_a_ticket() -> None:
    world = established()
    world.resource = replace(world.resource, deletion_time=world.now)
    world.run(MINUTE)
    assert world.names() == ["ScheduleRevocation", "ReleaseFinalizer"]
    assert world.pairs == {TRUST.pair}


def test_a_deletion_right_after_the_creation_is_revoked_all_the_same() -> None:
    """Nobody told of the trust yet, and whoever made it is dead."""
    world = FederatedWorld(grant=problem())
    world.run(5 * MINUTE)
    assert "application" not in world.resource.status
    world.grant = grant()
    while not world.entra:
        world.perform(world.decide())
        world.now += SECOND
    world.restart()
    world.resource = replace(world.resource, deletion_time=world.now)
    world.run(MINUTE)
    assert world.names()[-2:] == ["ScheduleRevocation", "ReleaseFinalizer"]


def test_another_resource_takes_over_without_a_gap() -> None:
    world = FederatedWorld(accounts={"orders": account(OUR_ANNOTATIONS)})
    held = {**OUR_ANNOTATIONS, WIRED_BY_ANNOTATION: f"{OTHER_OWNER.name}/{CLIENT_ID}"}
    world.accounts["orders"] = account(held)
    world.put(listed("first", owner=OTHER_OWNER))
    world.run(HOUR)
    assert world.condition("Stalled") == ("True", "CredentialConflict")
    world.leaving = frozenset({OTHER_OWNER.hash})
    world.seen = None
    world.run(SECOND)
    assert world.condition("Ready") == ("True", "Trusted"), "nothing changed for who signs in"
    assert list(world.entra) == ["first"]
    mark = marker_of(world.entra["first"].description)
    assert mark is not None
    assert mark.is_removable_by(IDENTITY, OWNER)
    assert world.annotations() == OUR_ANNOTATIONS


def past(of: FederatedCredential) -> FederatedCredential:
    """Return one that its owner does not ask for any more."""
    return replace(of, description=build_description(IDENTITY, OTHER_OWNER, TRUST.pair, NOW + DAY))


def test_what_a_living_one_does_not_ask_for_any_more_moves_without_a_gap() -> None:
    """Its subject was changed in the same commit that gave this one to another resource."""
    world = FederatedWorld(accounts={"orders": account(OUR_ANNOTATIONS)})
    world.put(past(listed("first", owner=OTHER_OWNER)))
    world.run(HOUR)
    assert world.condition("Stalled") == ("True", "CredentialConflict"), "who knows whose it is"
    world.neighbours = frozenset({OTHER_OWNER.hash})
    world.seen = None
    world.run(SECOND)
    assert list(world.entra) == ["first"]
    assert world.is_ours(world.entra["first"])
    assert retire_time_of(world.entra["first"].description) is None
    assert world.condition("Ready") == ("True", "Trusted")


def test_what_a_living_one_asks_for_stays_its_own() -> None:
    world = FederatedWorld(neighbours=frozenset({OTHER_OWNER.hash}))
    world.put(listed("first", owner=OTHER_OWNER))
    world.run(HOUR)
    assert world.condition("Stalled") == ("True", "CredentialConflict")
    assert not world.is_ours(world.entra["first"])


def test_an_open_ticket_outlives_a_return_that_may_do_nothing() -> None:
    """Deleted, applied again without a grant, deleted again: the trust is still to be revoked."""
    world = FederatedWorld(grant=problem())
    world.schedule_revocation("earlier-uid")
    world.run(5 * MINUTE)
    assert "CancelRevocation" not in world.names()
    world.resource = replace(world.resource, deletion_time=world.now)
    world.run(MINUTE)
    assert world.names()[-2:] == ["ScheduleRevocation", "ReleaseFinalizer"]


def test_who_observes_cancels_no_revocation() -> None:
    world = FederatedWorld(spec=federated_spec(mode=Mode.OBSERVE))
    world.schedule_revocation("earlier-uid")
    world.run(5 * MINUTE)
    assert "CancelRevocation" not in world.names()


def test_an_application_that_is_gone_trusts_nobody() -> None:
    observation = established().observe()
    missing = Problem(reason=Reason.APPLICATION_NOT_FOUND, message="Entra does not know it.")
    told = {c["type"]: c["status"] for c in project(observation, None, missing)["conditions"]}
    assert told["Ready"] == "False"
    passing = replace(missing, stalled=False)
    told = {c["type"]: c["status"] for c in project(observation, None, passing)["conditions"]}
    assert told["Ready"] == "True"


def test_a_pause_of_another_audience_is_not_ready() -> None:
    world = established()
    world.change(federated_spec(audience="api://another", suspend=True))
    world.run(HOUR)
    assert world.condition("Ready") == ("False", "Suspended")


def test_a_change_while_nobody_can_say_what_it_asks_for_is_not_ready() -> None:
    world = established()
    world.tenant = problem(Reason.TENANT_NOT_READY, stalled=False)
    world.change(federated_spec(OTHER))
    world.run(HOUR)
    assert world.condition("Ready") == ("False", "TenantNotReady")


def test_nothing_of_another_cluster_is_taken_over() -> None:
    world = FederatedWorld(leaving=frozenset({OTHER_OWNER.hash}))
    theirs = listed("first", owner=OTHER_OWNER)
    text = build_description(OTHER_IDENTITY, OTHER_OWNER, TRUST.pair)
    world.put(replace(theirs, description=text))
    world.run(HOUR)
    assert world.condition("Stalled") == ("True", "CredentialConflict")


def test_retained_ones_are_for_who_asks_for_them_still() -> None:
    world = established(spec=federated_spec(deletion_policy=DeletionPolicy.RETAIN))
    world.resource = replace(world.resource, deletion_time=world.now)
    world.run(MINUTE)
    assert world.names() == ["ScheduleRevocation", "ReleaseFinalizer"]


# --- proof ---------------------------------------------------------------------------------

PROVING = federated_spec(verification=VerificationMode.REQUIRED)
MISMATCH = classify(401, (700213,))


def test_what_is_to_be_proven_is_told_only_after_it_signed_in() -> None:
    world = established(spec=PROVING)
    assert world.condition("Verified") == ("True", "Proven")
    assert world.annotations() == OUR_ANNOTATIONS
    world.restart()
    world.run(DAY)
    assert world.count(act.ProveFederated) == 0, "a proof is never repeated"
    assert world.condition("Verified") == ("True", "Proven")
    world.tenant = problem(Reason.TENANT_NOT_READY, stalled=False)
    world.run(HOUR)
    assert world.condition("Verified") == ("True", "Proven")


def test_an_edit_is_proven_anew() -> None:
    world = established(spec=PROVING)
    world.put(replace(world.entra["new-1"], audiences=("api://wrong",)))
    world.run(2 * HOUR)
    assert world.names() == ["PatchFederated", "ProveFederated"], world.condition("Verified")


@pytest.mark.parametrize("code", [7000272, 700213])
def test_new_keys_of_the_issuer_are_waited_for_and_what_does_not_match_is_not(code: int) -> None:
    answer = classify(401, (code,))
    world = FederatedWorld(spec=PROVING, answer=lambda: answer)
    world.run(20 * MINUTE)
    is_awaited = answer.reason is Reason.ISSUER_KEYS
    assert world.condition("Ready") == ("False", str(answer.reason))
    assert (world.condition("Stalled") is None) is is_awaited
    assert (world.condition("Reconciling") is None) is not is_awaited
    world.run(20 * MINUTE)
    assert world.condition("Stalled") == ("True", str(answer.reason))


def test_tries_are_far_apart_and_a_refusal_is_told() -> None:
    world = FederatedWorld(spec=PROVING, answer=lambda: MISMATCH)
    world.run(4 * MINUTE)
    assert world.condition("Verified") == ("Unknown", "FederationMismatch")
    assert world.condition("Ready") == ("False", "FederationMismatch")
    assert world.condition("Stalled") is None
    world.run(10 * MINUTE)
    assert world.condition("Verified") == ("False", "FederationMismatch")
    assert world.condition("Stalled") == ("True", "FederationMismatch")
    assert world.annotations() == {}
    world.answer = lambda: PROVEN
    world.run(10 * MINUTE)
    assert world.condition("Verified") == ("True", "Proven")
    assert world.condition("Ready") == ("True", "Trusted")


def test_an_endpoint_that_is_away_judges_nothing() -> None:
    world = FederatedWorld(spec=PROVING, answer=lambda: UNREACHABLE)
    world.run(HOUR)
    assert world.condition("Verified") == ("Unknown", "TokenEndpointUnavailable")
    assert world.condition("Stalled") is None


def test_a_proof_of_something_else_proves_nothing() -> None:
    world = FederatedWorld(spec=PROVING)
    world.memory = replace(world.memory, pending_proof=record(None, "other", PROVEN, NOW))
    world.run(MINUTE)
    assert world.condition("Verified") == ("Unknown", "NotVerified")


def test_a_token_that_may_not_be_asked_for_is_why_nothing_is_verified() -> None:
    world = FederatedWorld(spec=PROVING)
    world.run(MINUTE)
    assert world.condition("Verified") == ("Unknown", "NotVerified")
    world.memory = replace(
        world.memory,
        directory_problem=problem(Reason.TOKEN_REQUEST_FORBIDDEN),
        problem_operation=Operation.PROVE,
        retry_time=NOW + HOUR,
    )
    world.run(MINUTE)
    assert world.condition("Verified") == ("Unknown", "TokenRequestForbidden")
    assert world.annotations() == {}
    world.run(2 * HOUR)
    assert world.condition("Verified") == ("True", "Proven")


def test_what_nobody_can_prove_is_openly_so() -> None:
    world = established(spec=federated_spec(OTHER, verification=VerificationMode.REQUIRED))
    assert world.condition("Verified") == ("Unknown", "NotVerifiable")
    assert established().condition("Verified") == ("Unknown", "NotVerifiable")


def test_nothing_is_proven_without_a_grant() -> None:
    world = FederatedWorld(spec=PROVING, answer=lambda: MISMATCH)
    world.run(5 * MINUTE)
    tried = world.count(act.ProveFederated)
    world.grant = problem()
    world.run(HOUR)
    assert world.count(act.ProveFederated) == tried


# --- broken on purpose ---------------------------------------------------------------------

Rule = Callable[[FederatedFacts], act.Action | None]


def change_subject(world: FederatedWorld) -> None:
    world.accounts["next"] = account(name="next")
    world.change(federated_spec(ServiceAccountSource(name="next")))
    world.run(3 * DAY)


def with_rule(m: pytest.MonkeyPatch, name: str, broken: Rule) -> None:
    assert name in {r.__name__ for r in lifecycle.FEDERATED_RULES}
    rules = tuple(broken if r.__name__ == name else r for r in lifecycle.FEDERATED_RULES)
    m.setattr(lifecycle, "FEDERATED_RULES", rules)


def hasty_removal(facts: FederatedFacts) -> act.Action | None:
    found = extra(facts)
    return act.DeleteFederated(found[0].id, "") if found else None


def any_removal(facts: FederatedFacts) -> act.Action | None:
    wanted = {t.pair for t in facts.trusts}
    found = [c for c in facts.credentials if c.pair not in wanted and not facts.is_ours(c)]
    return act.DeleteFederated(found[0].id, "") if found and facts.is_settled else None


def hasty_wiring(facts: FederatedFacts) -> act.Action | None:
    if facts.annotations.are_done:
        return None
    return act.AnnotateServiceAccount(facts.annotations.wanted)


def blind_creation(facts: FederatedFacts) -> act.Action | None:
    if any(facts.exists(t) is None for t in facts.trusts):
        return act.CreateFederated("name", facts.trusts[0], listed().description)
    return None


def blind_patch(facts: FederatedFacts) -> act.Action | None:
    c = facts.holder(facts.trusts[0])
    if c is None or facts.exists(facts.trusts[0]) is not None:
        return None
    return act.PatchFederated(c.id, facts.trusts[0], listed().description, "x")


def hasty_proof(facts: FederatedFacts) -> act.Action | None:
    return None if facts.is_proven else act.ProveFederated(facts.trusts[0], "orders")


def to_prove() -> FederatedWorld:
    return FederatedWorld(spec=PROVING, answer=lambda: MISMATCH)


def impatient() -> FederatedWorld:
    return FederatedWorld(
        spec=PROVING,
        answer=lambda: MISMATCH,
        settings=LifecycleSettings(federated_quiet=timedelta(0)),
    )


def with_theirs() -> FederatedWorld:
    world = FederatedWorld()
    world.put(listed("theirs", owner=None))
    return world


def annotated_by_others() -> FederatedWorld:
    others: dict[str, ServiceAccount | Problem] = {
        "orders": account({CLIENT_ID_ANNOTATION: "another"})
    }
    return FederatedWorld(accounts=others, settings=LifecycleSettings(federated_quiet=timedelta(0)))


def careless_wiring(facts: FederatedFacts) -> act.Action | None:
    return hasty_wiring(facts) if facts.is_trusted else None


def beside_others() -> FederatedWorld:
    world = established()
    world.put(listed("theirs", trust=Trust("https://x", "y", "z"), owner=None))
    return world


@pytest.mark.parametrize(
    ("name", "broken", "world", "what"),
    [
        (
            "federated_credential_is_superseded",
            hasty_removal,
            established,
            "nothing goes before what replaces it",
        ),
        (
            "superseded_credential_is_due",
            any_removal,
            beside_others,
            "what is not ours is never removed",
        ),
        (
            "service_account_is_not_annotated",
            hasty_wiring,
            FederatedWorld,
            "nothing is told before it is usable",
        ),
        (
            "service_account_is_not_annotated",
            careless_wiring,
            annotated_by_others,
            "is never overwritten",
        ),
        ("exchange_is_due", hasty_proof, to_prove, "nothing is tried before the quiet time"),
        ("exchange_is_due", hasty_proof, impatient, "tries are far apart"),
        (
            "federated_credential_is_missing",
            blind_creation,
            with_theirs,
            "a twin that was seen is not created",
        ),
        (
            "federated_credential_was_edited",
            blind_patch,
            with_theirs,
            "what is not ours is never changed",
        ),
    ],
)
def test_a_broken_rule_is_caught(
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    broken: Rule,
    world: Callable[[], FederatedWorld],
    what: str,
) -> None:
    made = world()
    with_rule(monkeypatch, name, broken)
    if made.entra and made.resource.status.get("federatedIdentities"):
        made.change(federated_spec(OTHER))
    with pytest.raises(BrokenPromiseError, match=what):
        made.run(3 * DAY)


@pytest.mark.parametrize("attribute", ["is_settled", "is_trusted"])
def test_impatience_is_caught(monkeypatch: pytest.MonkeyPatch, attribute: str) -> None:
    world = established(settings=LifecycleSettings(federated_overlap=timedelta(0)))
    monkeypatch.setattr(FederatedFacts, attribute, property(lambda _: True))
    with pytest.raises(BrokenPromiseError):
        change_subject(world)


def test_formats_of_a_repository_are_two_trusts() -> None:
    only = replace(GITHUB, subject_format=SubjectFormat.IMMUTABLE)
    assert github_subjects(only) == github_subjects(GITHUB)[:1]
    assert ACCOUNT.is_annotated


def test_a_batch_that_agrees_puts_the_next_direct_read_off() -> None:
    world = established()
    assert world.seen is not None
    read_time = world.seen.read_time
    for _ in range(5):
        world.seen = replace(world.seen, confirmed=world.now)
        world.run(HOUR - MINUTE)
    assert world.seen.read_time == read_time
    world.run(2 * MINUTE)
    assert world.seen.read_time > read_time


def test_a_batch_that_shows_something_else_is_followed_by_a_direct_read() -> None:
    world = established()
    assert world.seen is not None
    world.now += MINUTE
    world.seen = replace(world.seen, doubted=world.now - SECOND)
    assert world.decide().action == act.ReadFederated(SECOND)
    world.run(SECOND)
    assert not world.seen.is_doubted
    assert world.names() == []


def test_what_a_batch_confirms_is_read_as_soon_while_somebody_elses_is_in_the_way() -> None:
    world = FederatedWorld()
    world.put(listed("theirs", owner=None, name="by-hand"))
    world.run(5 * MINUTE)
    assert world.condition("Stalled") == ("True", "CredentialConflict")
    assert world.seen is not None
    read_time = world.seen.read_time
    world.seen = replace(world.seen, confirmed=world.now)
    world.run(3 * MINUTE)
    assert world.seen.read_time > read_time


def test_a_trust_of_an_application_that_two_reads_do_not_find_is_not_ready() -> None:
    world = established()
    world.application = None
    for reads, status in ((1, "True"), (2, "False")):
        missing = tuple(world.now for _ in range(reads))
        pause = world.now + MINUTE
        world.memory = replace(world.memory, application_missing=missing, retry_time=pause)
        ready = next(c for c in world.decide().status["conditions"] if c["type"] == "Ready")
        assert ready["status"] == status


def exchanging() -> FederatedWorld:
    """Return a world with a trust that is proven by exchanges."""
    world = FederatedWorld(spec=federated_spec(verification=VerificationMode.REQUIRED))
    world.run(HOUR)
    assert world.condition("Verified") == ("True", "Proven")
    return world


def refused(world: FederatedWorld, code: int) -> Memory:
    """Return the memory in which the last sign-ins were refused with a code."""
    attempt, since = str(trust_attempt(IDENTITY, TRUST.pair)), world.now - HOUR
    judgement = Judgement(attempt, classify(400, (code,)), 3, since, world.now)
    return replace(world.memory, refused=judgement)


BLOCKED = ("Unknown", "BlockedByConditionalAccess")
DISABLED = ("False", "ApplicationDisabled")


def test_exchanges_that_conditional_access_refuses_leave_it_ready_also_after_a_restart() -> None:
    world = exchanging()
    world.memory = refused(world, 53003)
    world.run(MINUTE)
    assert world.condition("Verified") == BLOCKED
    assert world.condition("Ready") == ("True", "Trusted")
    world.memory = Memory()
    world.answer = lambda: UNREACHABLE
    world.run(HOUR)
    assert world.condition("Verified") == BLOCKED
    assert world.condition("Ready") == ("True", "Trusted")
    attempt = str(trust_attempt(IDENTITY, TRUST.pair))
    world.memory = replace(world.memory, published_proof=record(None, attempt, PROVEN, world.now))
    world.run(MINUTE)
    assert world.condition("Verified") == ("True", "Proven")


def test_exchanges_of_a_disabled_application_are_told_until_one_succeeds() -> None:
    world = exchanging()
    world.memory = refused(world, 7000112)
    world.run(MINUTE)
    for condition in ("Verified", "Ready"):
        assert world.condition(condition) == DISABLED
    assert world.condition("Stalled") == ("True", "ApplicationDisabled")
    attempt = str(trust_attempt(IDENTITY, TRUST.pair))
    world.run(MINUTE)
    again = record(world.memory.pending_proof, attempt, PROVEN, world.now + SECOND)
    world.memory = replace(world.memory, pending_proof=again)
    world.run(MINUTE)
    assert world.condition("Verified") == ("True", "Proven")
    assert world.condition("Ready") == ("True", "Trusted")


def test_what_was_refused_before_a_restart_stands_until_an_exchange_succeeds() -> None:
    world = exchanging()
    world.memory = refused(world, 7000112)
    world.run(MINUTE)
    tries = world.count(act.ProveFederated)
    world.memory = Memory()
    world.run(HOUR)
    for condition in ("Verified", "Ready"):
        assert world.condition(condition) == DISABLED
    assert world.condition("Stalled") == ("True", "ApplicationDisabled")
    assert world.count(act.ProveFederated) == tries, "it is no new trust"
    attempt = str(trust_attempt(IDENTITY, TRUST.pair))
    world.memory = replace(world.memory, published_proof=record(None, attempt, PROVEN, world.now))
    world.run(MINUTE)
    assert world.condition("Ready") == ("True", "Trusted")
    assert world.condition("Verified") == ("True", "Proven")


def test_an_edit_of_a_refused_trust_is_proven_anew() -> None:
    world = exchanging()
    world.memory = refused(world, 7000112)
    world.run(MINUTE)
    world.memory, tries = Memory(), world.count(act.ProveFederated)
    world.put(replace(world.entra["new-1"], audiences=("api://wrong",)))
    world.run(2 * HOUR)
    assert world.count(act.ProveFederated) == tries + 1
    assert world.condition("Verified") == ("True", "Proven")


def test_of_a_trust_that_nobody_asked_to_prove_no_refusal_is_said() -> None:
    world = established(spec=federated_spec())
    world.memory = refused(world, 7000112)
    world.run(MINUTE)
    assert world.condition("Ready") == ("True", "Trusted")


def test_behind_a_gate_a_refusal_stands() -> None:
    world = exchanging()
    world.memory = refused(world, 53003)
    world.run(MINUTE)
    world.tenant = problem(Reason.TENANT_NOT_READY)
    world.run(HOUR)
    assert world.condition("Verified") == BLOCKED
