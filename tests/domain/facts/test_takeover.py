"""Whose a Secret is, and what it holds and records once it has been taken over."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Final

import pytest

from appcredential.domain import actions as act
from appcredential.domain.actions import Hold
from appcredential.domain.facts import handover
from appcredential.domain.facts.handover import former_owners, handed_over, still_handed_over
from appcredential.domain.facts.publication import publication
from appcredential.domain.facts.takeover import Claim, claim, other_owner
from appcredential.domain.lifecycle import decide
from appcredential.domain.marker import Owner
from appcredential.domain.observed.observation import Observation
from appcredential.domain.observed.target import FormerOwner, HandedOver, Target, TargetOwner
from appcredential.domain.rules.gates import _gate_times
from appcredential.domain.rules.gates_deletion import resource_is_being_deleted
from appcredential.domain.rules.gates_secret import secret_is_not_ours_to_write
from appcredential.domain.rules.next_look import next_look
from appcredential.domain.secret.content import render
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import (
    AppCredentialSpec,
    CredentialType,
    ObjectId,
    TenantId,
    VerificationMode,
)
from appcredential.domain.spec.presets import shadowed
from appcredential.domain.spec.secret import GenerateOnce
from tests.domain.worlds.test_scenarios import SPEC
from tests.support.builders import (
    DAY,
    HOUR,
    MINUTE,
    NEXT,
    NEXT_SECRET,
    NOW,
    OTHER_OWNER,
    OWNER,
    SECOND,
    application,
    facts,
    foreign_target,
    minted,
    observation,
    pending,
    problem,
    resource,
    spec,
    target,
)
from tests.support.keys import make_certificate

OTHER: Final = str(OTHER_OWNER)
THERE: Final = TargetOwner(OTHER, "other-uid", 7)
GONE: Final = TargetOwner(OTHER, absent_since=NOW - 2 * MINUTE)
ADOPT: Final = "appcredential.io/adopt"


def heir(name: str = OTHER_OWNER.name, base: AppCredentialSpec = SPEC) -> AppCredentialSpec:
    return replace(base, secret=replace(base.secret, take_over_from=name))


def taking(
    t: Target | None = None,
    owner: TargetOwner | None = THERE,
    *,
    wanted: AppCredentialSpec | None = None,
    generation: int = 1,
) -> Observation:
    """Return one in which the Secret is another's, whom the spec names."""
    return observation(
        resource=resource(wanted or heir(), generation=generation),
        target=t or foreign_target(),
        target_owner=owner,
        application=application(),
    )


def taken_from_us(uid: str = "resource-uid", generation: int = 1) -> Target:
    return replace(foreign_target(), taken_from=(FormerOwner(str(OWNER), uid, generation),))


def adoptable(to: str = str(OWNER), owner: str = "") -> Target:
    return replace(
        foreign_target(), owner=owner, published=None, value=None, annotations={ADOPT: to}
    )


# --- whose it is ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("o", "expected"),
    [
        (observation(), Claim.OURS),
        (observation(target=None), Claim.OURS),
        (taking(), Claim.TAKES),
        (taking(owner=None), Claim.TAKES),
        (taking(owner=GONE), Claim.TAKES),
        (taking(replace(foreign_target(), object_id=ObjectId("another"))), Claim.TAKES),
        (taking(replace(foreign_target(), owner="shop/third")), Claim.FOREIGN),
        (taking(replace(foreign_target(), owner="billing/invoices")), Claim.FOREIGN),
        (taking(replace(foreign_target(), immutable=True)), Claim.FOREIGN),
        (taking(replace(foreign_target(), type="kubernetes.io/tls")), Claim.FOREIGN),
        (taking(wanted=SPEC), Claim.FOREIGN),
        (taking(taken_from_us()), Claim.LOST),
        (taking(taken_from_us(), wanted=SPEC), Claim.LOST),
        (taking(taken_from_us(), generation=2), Claim.TAKES),
        (taking(taken_from_us(), generation=2, wanted=SPEC), Claim.LOST),
        (taking(taken_from_us("earlier-uid", 9)), Claim.TAKES),
        (replace(taking(taken_from_us()), resource=resource(problem())), Claim.LOST),
        (taking(adoptable(), None, wanted=SPEC), Claim.TAKES),
        (taking(adoptable("shop/third"), None, wanted=SPEC), Claim.FOREIGN),
        (taking(adoptable(owner=OTHER), THERE, wanted=SPEC), Claim.FOREIGN),
        (taking(adoptable(owner=OTHER), GONE, wanted=SPEC), Claim.TAKES),
        (taking(adoptable(owner="billing/x"), None, wanted=SPEC), Claim.TAKES),
        (taking(owner=GONE, wanted=SPEC), Claim.TAKES),
        (taking(taken_from_us(), GONE, wanted=SPEC), Claim.TAKES),
        (
            taking(owner=TargetOwner(OTHER, absent_since=NOW - MINUTE), wanted=SPEC),
            Claim.WAITS,
        ),
        (
            taking(replace(foreign_target(), object_id=ObjectId("x")), GONE, wanted=SPEC),
            Claim.FOREIGN,
        ),
        (
            taking(replace(foreign_target(), tenant_id=TenantId("x")), GONE, wanted=SPEC),
            Claim.FOREIGN,
        ),
        (replace(taking(owner=GONE, wanted=SPEC), application=None), Claim.UNREAD),
        (replace(taking(owner=GONE, wanted=SPEC), tenant=problem()), Claim.FOREIGN),
    ],
    ids=[
        "ours",
        "there is none",
        "the spec names its owner",
        "whose existence nobody has looked at",
        "or who exists no more",
        "also when it is of another application: the spec says so",
        "the spec names somebody else",
        "of the same name, but in another namespace",
        "it cannot be written",
        "it is of another type",
        "the spec names nobody",
        "it was taken from us, and the spec is as it was",
        "it was taken from us, and the spec names nobody",
        "it was taken from us, and the spec has changed since",
        "the spec has changed, but names nobody",
        "it was taken from an earlier resource of our name",
        "it was taken from us, and the spec cannot be read",
        "given to us",
        "given to somebody else",
        "given to us, but its owner exists",
        "given to us, and its owner exists no more",
        "given to us, and copied from another namespace",
        "its owner is gone",
        "its owner, who took it from us, is gone",
        "its owner is gone for a minute",
        "its owner is gone, and it is of another application",
        "of another tenant",
        "its owner is gone, and the application was not read",
        "its owner is gone, and the tenant is not known",
    ],
)
def test_whose_the_secret_is(o: Observation, expected: Claim) -> None:
    assert claim(o) is expected


@pytest.mark.parametrize(
    ("o", "reason", "stalled", "told"),
    [
        (taking(taken_from_us()), "SecretTakenOver", True, f"AppCredential {OTHER} has taken"),
        (taking(taken_from_us(), None), "SecretTakenOver", True, "another owner has taken"),
        (taking(wanted=SPEC), "SecretConflict", True, "spec.secret.takeOverFrom: invoices, or"),
        (
            taking(replace(foreign_target(), owner="shop/third"), TargetOwner("shop/third", "u")),
            "SecretConflict",
            True,
            "belongs to AppCredential shop/third",
        ),
        (
            taking(owner=replace(GONE, absent_since=NOW), wanted=SPEC),
            "SecretConflict",
            False,
            "if it stays away",
        ),
    ],
)
def test_what_is_said_of_another_s_secret(
    o: Observation, reason: str, stalled: bool, told: str
) -> None:
    found = secret_is_not_ours_to_write(o)
    assert isinstance(found, Hold)
    assert (str(found.problem.reason), found.problem.stalled) == (reason, stalled)
    assert told in found.problem.message


@pytest.mark.parametrize(
    "o",
    [
        taking(),
        replace(taking(owner=GONE, wanted=SPEC), application=None),
        replace(taking(), resource=resource(replace(heir(), type=CredentialType.CERTIFICATE))),
    ],
    ids=["to be taken", "the application is to be read first", "of another type"],
)
def test_5_is_open_for_what_may_be_taken(o: Observation) -> None:
    assert secret_is_not_ours_to_write(o) is None


def test_5_waits_for_a_secret_that_is_going_away() -> None:
    found = secret_is_not_ours_to_write(taking(replace(foreign_target(), deletion_time=NOW)))
    assert isinstance(found, Hold)
    assert found.problem.reason == "SecretTerminating"


def test_it_looks_again_when_the_owner_was_away_long_enough() -> None:
    o = taking(owner=replace(GONE, absent_since=NOW), wanted=SPEC)
    assert NOW + 2 * MINUTE in _gate_times(o)


def test_who_lost_its_secret_leaves_a_ticket_though_status_tells_nothing() -> None:
    told = {"observedGeneration": 1, "conditions": [{"type": "Ready"}]}
    gone = resource(SPEC, status=told, deletion_time=NOW - MINUTE)
    o = observation(resource=gone, target=taken_from_us(), crd_deleted=False)
    assert resource_is_being_deleted(o) == act.ScheduleRevocation()
    assert resource_is_being_deleted(replace(o, target=foreign_target())) == act.ReleaseFinalizer()


@pytest.mark.parametrize(
    ("t", "expected"),
    [
        (None, None),
        (target(), None),
        (foreign_target(), OTHER_OWNER),
        (replace(foreign_target(), owner=""), None),
        (replace(foreign_target(), owner="shop"), None),
        (replace(foreign_target(), owner="billing/orders"), None),
        (replace(foreign_target(), owner="shop/../../secrets/x"), None),
        (replace(foreign_target(), owner="shop/a?b"), None),
        (replace(foreign_target(), owner="shop/a\n"), None),
    ],
    ids=[
        "none",
        "ours",
        "a neighbour's",
        "nobody's",
        "no name",
        "of another namespace",
        "a path",
        "a query",
        "a line break",
    ],
)
def test_only_a_neighbour_is_looked_at(t: Target | None, expected: Owner | None) -> None:
    assert other_owner(OWNER, t) == expected


# --- until it is published, the Secret counts as missing -----------------------------------


def test_what_is_to_be_taken_counts_as_missing_but_in_use() -> None:
    f = facts(taking())
    assert (f.target, f.taken, f.live) == (None, foreign_target(), foreign_target())
    assert not f.has_valid_published
    assert f.proof_count == f.settings.next_proof_count
    assert f.proof_spacing > f.settings.first_proof_spacing


def test_an_unproven_one_settles_before_workloads_get_it() -> None:
    wanted = heir(base=spec(verification=VerificationMode.DISABLED))
    young = replace(taking(wanted=wanted), pending=pending(intent_time=NOW - 29 * SECOND))
    old = replace(young, pending=pending(intent_time=NOW - 30 * SECOND))
    assert not isinstance(decide(young).action, act.Publish)
    assert isinstance(decide(old).action, act.Publish)


# --- what T records of it ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("o", "expected"),
    [
        (observation(), ()),
        (observation(target=None), ()),
        (taking(), (FormerOwner(OTHER, "other-uid", 7),)),
        (taking(owner=None), (FormerOwner(OTHER),)),
        (taking(owner=GONE), (FormerOwner(OTHER),)),
        (
            taking(replace(foreign_target(), taken_from=(FormerOwner("shop/a", "u", 1),))),
            (FormerOwner("shop/a", "u", 1), FormerOwner(OTHER, "other-uid", 7)),
        ),
        (taking(taken_from_us(), generation=2), (FormerOwner(OTHER, "other-uid", 7),)),
        (taking(adoptable(), None), ()),
        (
            observation(resource=resource(heir()), target=None),
            (FormerOwner(OTHER),),
        ),
        (
            observation(
                resource=resource(heir()),
                target=replace(target(), taken_from=(FormerOwner(OTHER, "other-uid", 7),)),
            ),
            (FormerOwner(OTHER, "other-uid", 7),),
        ),
    ],
    ids=[
        "it always was ours",
        "it is new",
        "its owner, as it was",
        "its owner, whom nobody has looked at",
        "its owner, who is gone",
        "it had been taken before",
        "we take back what was ours",
        "it was nobody's",
        "it was gone before we came",
        "we publish again",
    ],
)
def test_t_records_from_whom_it_was_taken(
    o: Observation, expected: tuple[FormerOwner, ...]
) -> None:
    assert former_owners(facts(o)) == expected


def test_the_record_is_bounded() -> None:
    many = tuple(FormerOwner(f"shop/{n}", "u", 1) for n in range(handover.MAX_FORMER + 3))
    found = former_owners(facts(taking(replace(foreign_target(), taken_from=many))))
    assert len(found) == handover.MAX_FORMER
    assert found[-1].owner == OTHER


NEXT_MINTED: Final = minted(NEXT, value=NEXT_SECRET, not_before=NOW)
KEYS: Final = frozenset(
    {"AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_AUTHORITY_HOST", "AZURE_CLIENT_SECRET"}
)


@pytest.mark.parametrize(
    ("o", "until"),
    [
        (observation(), None),
        (observation(target=None), None),
        (taking(wanted=heir(base=spec())), NOW + 15 * DAY),
        (taking(wanted=heir()), NOW + HOUR),
        (
            taking(replace(foreign_target(), published=minted(expires=NOW + MINUTE))),
            NOW + MINUTE,
        ),
        (taking(replace(foreign_target(), value=None)), None),
        (taking(adoptable(), None), None),
        (taking(replace(foreign_target(), object_id=ObjectId("another"))), None),
        (taking(replace(foreign_target(), tenant_id=TenantId("another"))), None),
    ],
    ids=[
        "ours",
        "new",
        "half of a third of ninety days",
        "the spec's overlap",
        "no longer than the former credential lives",
        "its value was lost",
        "it was nobody's",
        "it was of another application",
        "of another tenant",
    ],
)
def test_keys_of_the_former_owner_stay_for_the_overlap(o: Observation, until: object) -> None:
    found = handed_over(facts(o), NEXT_MINTED, NOW)
    assert (found.until if found is not None else None) == until
    assert found is None or found.keys == KEYS


def test_what_was_handed_over_once_is_not_handed_on() -> None:
    t = replace(
        foreign_target(), handed_over=HandedOver(keys=frozenset({"AZURE_CLIENT_ID"}), until=NOW)
    )
    found = handed_over(facts(taking(t)), NEXT_MINTED, NOW)
    assert found is not None
    assert found.keys == KEYS - {"AZURE_CLIENT_ID"}


def test_they_go_when_their_time_is_over() -> None:
    held = HandedOver(keys=KEYS, until=NOW + MINUTE)
    t = replace(target(), handed_over=held)
    assert still_handed_over(t, NOW) == held
    assert still_handed_over(t, NOW + MINUTE) is None
    f = facts(observation(target=t))
    assert publication(f).handed_over == held
    assert next_look(f) == NOW + MINUTE


# --- what workloads find in it -------------------------------------------------------------

CERTIFICATE: Final = SecretValue(make_certificate().bundle.decode())


def certificate(base: AppCredentialSpec) -> AppCredentialSpec:
    return replace(base, type=CredentialType.CERTIFICATE)


def after(
    former: AppCredentialSpec,
    wanted: AppCredentialSpec,
    value: SecretValue,
    *,
    was: SecretValue | None = None,
) -> Target:
    """Return T after it went from one spec to the other, with a key of somebody else in it."""
    before = replace(target(spec=former, value=was or SecretValue("canary-old")), owner=OTHER)
    before = replace(before, data={**before.data, "theirs": SecretValue("x")})
    f = facts(taking(before, wanted=wanted))
    records = replace(
        publication(facts(observation())),
        taken_from=former_owners(f),
        handed_over=handed_over(f, NEXT_MINTED, NOW),
    )
    given = render(wanted, f.tenant, value, records, before, lambda n: SecretValue("g" * n))
    return replace(
        before,
        data=given.data,
        annotations=given.annotations,
        labels=given.labels,
        handed_over=records.handed_over,
    )


def with_preset(name: str, base: AppCredentialSpec) -> AppCredentialSpec:
    return replace(base, secret=replace(base.secret, preset=name))  # type: ignore[arg-type]


def test_a_client_secret_never_stays_beside_a_certificate_that_azure_identity_would_not_read() -> (
    None
):
    found = after(SPEC, certificate(heir()), CERTIFICATE)
    assert "AZURE_CLIENT_SECRET" not in found.data
    assert "canary-old" not in {v.reveal() for v in found.data.values()}
    assert {"client.pem", "tls.crt", "AZURE_CLIENT_CERTIFICATE_PATH", "theirs"} <= set(found.data)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ({"AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"}, set()),
        (
            {"AZURE_CLIENT_ID", "tls.crt"},  # also without the private key, which others hold
            {"AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PASSWORD"},
        ),
        ({"clientId", "tls.crt"}, set()),
        ({"ARM_CLIENT_ID", "tls.crt"}, {"ARM_CLIENT_SECRET"}),
        (
            {"ARM_CLIENT_ID", "ARM_CLIENT_SECRET"},
            {"ARM_CLIENT_CERTIFICATE", "ARM_CLIENT_CERTIFICATE_PASSWORD"},
        ),
    ],
)
def test_what_misleads_a_client_is_known(written: set[str], expected: set[str]) -> None:
    assert shadowed(written) == expected


def test_what_is_read_by_its_name_stays_for_the_overlap() -> None:
    former, wanted = with_preset("Raw", SPEC), certificate(with_preset("Raw", heir()))
    found = after(former, wanted, CERTIFICATE)
    assert found.data["clientSecret"].reveal() == "canary-old"
    assert found.handed_over is not None
    records = replace(publication(facts(observation())), taken_from=(), handed_over=None)
    later = render(wanted, facts(observation()).tenant, CERTIFICATE, records, found, None)
    assert "clientSecret" not in later.data
    assert {"clientCertificate", "theirs"} <= set(later.data)


def test_a_certificate_file_stays_for_those_who_were_told_its_path() -> None:
    found = after(certificate(SPEC), heir(), NEXT_SECRET, was=CERTIFICATE)
    assert {"AZURE_CLIENT_SECRET", "client.pem", "AZURE_CLIENT_CERTIFICATE_PATH"} <= set(found.data)


def test_a_value_made_once_is_carried_on_by_whoever_lists_it() -> None:
    cookie = {"cookie": GenerateOnce(16)}
    former = replace(SPEC, secret=replace(SPEC.secret, data=cookie))
    wanted = replace(heir(), secret=replace(heir().secret, data=cookie))
    assert after(former, wanted, NEXT_SECRET).data["cookie"].reveal() == "g" * 16


def test_its_records_can_be_read_by_a_person() -> None:
    found = after(SPEC, heir(), NEXT_SECRET).annotations
    assert json.loads(found["appcredential.io/taken-over-from"]) == [
        {"owner": OTHER, "uid": "other-uid", "generation": 7}
    ]
    assert json.loads(found["appcredential.io/handed-over"]) == {
        "keys": sorted(KEYS),
        "until": "2026-11-22T11:00:00Z",
    }


def test_no_annotation_that_gave_it_away_is_left() -> None:
    given = render(
        SPEC,
        facts(observation()).tenant,
        NEXT_SECRET,
        publication(facts(observation())),
        adoptable(),
        None,
    )
    assert ADOPT not in given.annotations
