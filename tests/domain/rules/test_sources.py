"""Certificates that others make: when they are registered, and what is said of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from appcredential.domain.actions import (
    ApplyStatus,
    Fence,
    Mint,
    Publish,
    ReadApplication,
    Register,
    Remove,
    SignInPending,
    SignInPublished,
    Sleep,
)
from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.facts.facts import Facts
from appcredential.domain.facts.publication import publication
from appcredential.domain.facts.published import gone_keys, is_gone, is_lost, known_keys
from appcredential.domain.facts.source import source_end
from appcredential.domain.facts.successor import needs_successor
from appcredential.domain.facts.windows import override
from appcredential.domain.lifecycle import decide
from appcredential.domain.observed.certificate import (
    CertificateInputs,
    Derived,
    SuppliedCertificate,
)
from appcredential.domain.observed.entra import Credential
from appcredential.domain.observed.memory import Memory
from appcredential.domain.observed.observation import Observation
from appcredential.domain.observed.target import Pending, PendingState, Target
from appcredential.domain.promised import required
from appcredential.domain.proof import PROVEN
from appcredential.domain.rules.issuing import (
    published_credential_seems_gone,
    successor_is_needed,
    successor_is_publishable,
    successor_sign_in_is_due,
)
from appcredential.domain.rules.next_look import next_look
from appcredential.domain.rules.pending import intent_was_interrupted
from appcredential.domain.rules.removal import retirement_is_due
from appcredential.domain.rules.target import target_rendering_differs
from appcredential.domain.secret import pem
from appcredential.domain.secret.annotations import Name
from appcredential.domain.secret.content import derived_names, render
from appcredential.domain.secret.value import can_sign_in, leaf_of, type_of
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.certificate import CertificateSource, CertificateSpec, KeyRef
from appcredential.domain.spec.model import (
    AppCredentialSpec,
    CredentialType,
    KeyId,
    VerificationMode,
)
from appcredential.domain.spec.secret import Preset, Template
from appcredential.domain.status.projection import project
from appcredential.domain.status.source import source_problem
from appcredential.domain.times import format_time
from tests.support.builders import (
    ATTEMPT,
    DAY,
    HOUR,
    KEY,
    MINUTE,
    NEXT,
    NEXT_ATTEMPT,
    NOT_YET,
    NOW,
    OLD,
    OLD_ATTEMPT,
    SECOND,
    application,
    credential,
    facts,
    minted,
    named,
    observation,
    pending,
    proof,
    resource,
    retiring,
    rotation,
    spec,
    target,
    window,
)
from tests.support.keys import make_certificate

OURS = make_certificate("published")
RENEWED = make_certificate("renewed")
PAIR, NEW_PAIR = (SecretValue(made.bundle.decode()) for made in (OURS, RENEWED))
PUBLIC, NEW_PUBLIC = (SecretValue(made.pem.decode()) for made in (OURS, RENEWED))
SOURCE = CertificateSpec(source=CertificateSource.SECRET, ref=KeyRef(name="tls", key="tls.crt"))
FAR = NOW + 365 * DAY


def brought_spec(lifetime: timedelta | None = None, **words: Any) -> AppCredentialSpec:
    wanted = replace(spec(lifetime=lifetime), type=CredentialType.CERTIFICATE, certificate=SOURCE)
    return replace(wanted, **words)


def supplied(
    value: SecretValue = PAIR, start: datetime = NOW - 10 * DAY, end: datetime = FAR
) -> SuppliedCertificate:
    return SuppliedCertificate(value=value, start=start, end=end)


def holding(value: SecretValue = PAIR, **words: Any) -> Target:
    made = minted(value=value, **words)
    return target(made, value=value, spec=brought_spec())


def key(key_id: Any = KEY, attempt: Any = ATTEMPT, end: datetime = NOW + 80 * DAY) -> Credential:
    found = credential(key_id, attempt=attempt, end=end)
    return replace(found, type=CredentialType.CERTIFICATE)


def seen(
    certificate_inputs: CertificateInputs | SuppliedCertificate | None = None, **words: Any
) -> Observation:
    """Return a published brought certificate, whose source still holds it."""
    wanted = words.pop("spec", brought_spec())
    words.setdefault("target", holding())
    words.setdefault("application", application(key()))
    o = observation(resource=resource(wanted), **words)
    found = supplied() if certificate_inputs is None else certificate_inputs
    return replace(
        o,
        certificate_inputs=CertificateInputs(supplied=found)
        if isinstance(found, SuppliedCertificate)
        else found,
    )


NO_PASSWORD = Problem(reason=Reason.KEYSTORE_PASSWORD, message="x")
WITH_JWK = brought_spec(secret=replace(spec().secret, data={"a": Template("$(jwk)")}))


def needed(o: Observation) -> bool:
    return needs_successor(facts(o))


# --- several in one file -------------------------------------------------------------------


def appended(first: SuppliedCertificate, *others: SuppliedCertificate) -> SuppliedCertificate:
    return replace(first, others=others)


def test_a_certificate_that_was_appended_is_registered_and_the_choice_is_said() -> None:
    o = seen(appended(supplied(end=FAR - DAY), supplied(NEW_PAIR)))
    assert needed(o)
    assert leaf_of(required(facts(o).supplied).value) == RENEWED.der
    assert project(o, facts(o), None)["sourceCertificate"] == {
        "thumbprintSHA256": pem.sha256_thumbprint(RENEWED.der),
        "expirationTime": format_time(FAR),
        "candidates": 2,
    }


def test_one_certificate_needs_no_choice() -> None:
    o = seen()
    assert "sourceCertificate" not in project(o, facts(o), None)


def test_an_expired_one_beside_the_published_one_asks_for_nothing() -> None:
    o = seen(appended(supplied(NEW_PAIR, end=NOW - DAY), supplied()))
    assert not needed(o)
    assert source_problem(facts(o)) is None


def test_the_choice_stays_in_status_behind_a_closed_gate() -> None:
    told = {"sourceCertificate": {"candidates": 2}}
    o = seen()
    o = replace(o, resource=replace(o.resource, status=told))
    assert project(o, None, None)["sourceCertificate"] == {"candidates": 2}


def test_the_next_look_is_when_another_one_becomes_valid() -> None:
    soon = NOW + MINUTE
    o = seen(appended(supplied(), supplied(NEW_PAIR, start=soon, end=FAR + DAY)))
    assert next_look(facts(o)) == soon
    assert needed(replace(o, now=soon, directory_skew=None))


# --- when a successor is needed ------------------------------------------------------------


@pytest.mark.parametrize(
    ("o", "expected"),
    [
        (seen(), False),
        (seen(supplied(NEW_PAIR)), True),
        (seen(target=None), True),
        (seen(target=target(damaged=True)), True),
        (seen(CertificateInputs(), target=None), False),
        (seen(CertificateInputs(supplied=supplied(NEW_PAIR), problem=NO_PASSWORD)), False),
        (seen(supplied(NEW_PAIR, start=NOW + SECOND)), False),
        (seen(supplied(NEW_PAIR, end=NOW + 59 * MINUTE)), False),
        (seen(supplied(NEW_PUBLIC), spec=WITH_JWK), False),
        (seen(now=NOW + 60 * DAY), True),
        (seen(supplied(end=NOW + 80 * DAY + SECOND), now=NOW + 60 * DAY), False),
        (seen(now=NOW + 81 * DAY), True),
    ],
    ids=[
        "the source holds what is published",
        "the source was renewed",
        "nothing is published",
        "what was published is damaged",
        "nothing at the source",
        "something is wrong with it",
        "it is not valid yet",
        "it ends before it is of use",
        "the private key that is asked for is elsewhere",
        "the entry ends before the certificate, and is due",
        "the certificate ends as the entry does",
        "the entry has expired before the certificate",
    ],
)
def test_when_a_successor_is_needed(o: Observation, expected: bool) -> None:
    assert needed(o) is expected
    assert isinstance(successor_is_needed(facts(named(o))), Mint | ReadApplication) is expected


def test_what_another_cluster_registered_is_registered_here() -> None:
    t = holding()
    moved = replace(t, annotations={**t.annotations, "appcredential.io/cluster": "other"})
    assert needed(seen(target=moved))


def test_what_was_removed_from_the_application_is_not_registered_again() -> None:
    """It may have leaked: only another certificate, or a deleted Secret, helps."""
    refused = proof(ATTEMPT, *(NOT_YET,) * 3, every=20)
    o = seen(application=application(), memory=Memory(published_proof=refused), now=NOW + 85 * DAY)
    assert is_gone(facts(o))
    assert not needed(o)
    status = project(o, facts(o), None)
    told = {c["type"]: (c["status"], c["reason"]) for c in status["conditions"]}
    assert told["Stalled"] == ("True", "CertificateRemoved")
    assert told["Ready"][0] == "False"
    assert needed(replace(o, certificate_inputs=CertificateInputs(supplied=supplied(NEW_PAIR))))


def test_a_certificate_made_here_replaces_one_whose_key_is_elsewhere() -> None:
    made_here = replace(spec(), type=CredentialType.CERTIFICATE)
    assert needed(seen(CertificateInputs(), spec=made_here, target=holding(PUBLIC)))
    assert not needed(seen(CertificateInputs(), spec=made_here, target=holding()))


@pytest.mark.parametrize(
    ("lifetime", "end", "expected"),
    [
        (None, FAR, FAR - SECOND),
        (90 * DAY, FAR, NOW + 90 * DAY),
        (90 * DAY, NOW + 30 * DAY, NOW + 30 * DAY - SECOND),
    ],
)
def test_it_is_registered_for_as_long_as_it_may(
    lifetime: timedelta | None, end: datetime, expected: datetime
) -> None:
    f = facts(seen(spec=brought_spec(lifetime)))
    assert source_end(f, supplied(end=end)) == expected


# --- a successor on its way ----------------------------------------------------------------


def coming(value: SecretValue) -> Pending:
    made = minted(NEXT, attempt=NEXT_ATTEMPT, value=value, not_before=NOW)
    return pending(minted_as=made, value=value)


def test_a_pair_is_proven_before_it_is_published() -> None:
    o = seen(supplied(NEW_PAIR), pending=coming(NEW_PAIR))
    assert successor_sign_in_is_due(facts(o)) == SignInPending()
    assert successor_is_publishable(facts(o)) is None
    proven = proof(NEXT_ATTEMPT, *(PROVEN,) * 5, every=1)
    assert (
        successor_is_publishable(facts(replace(o, memory=Memory(pending_proof=proven))))
        == Publish()
    )


def test_without_its_key_it_is_published_when_it_has_settled() -> None:
    o = seen(supplied(NEW_PUBLIC), pending=coming(NEW_PUBLIC), target=holding(PUBLIC))
    assert successor_sign_in_is_due(facts(o)) is None
    assert successor_is_publishable(facts(o)) is None
    later = replace(o, now=NOW + MINUTE)
    assert successor_is_publishable(facts(later)) == ReadApplication(timedelta(seconds=2.5))
    fresh = replace(later, application=application(key(), read_time=later.now))
    assert successor_is_publishable(facts(fresh)) is None
    assert next_look(facts(fresh)) == later.now + 5 * SECOND
    seen_thrice = Memory(consecutive_reads={NEXT: (NOW, NOW + 50 * SECOND, later.now)})
    assert successor_is_publishable(facts(replace(fresh, memory=seen_thrice))) == Publish()
    seen_once = Memory(consecutive_reads={NEXT: (later.now,)})
    assert successor_is_publishable(facts(replace(fresh, memory=seen_once))) is None
    unused = replace(fresh, memory=seen_once, target=None)
    assert successor_is_publishable(facts(unused)) == Publish()


def test_what_workloads_sign_in_with_never_loses_its_key() -> None:
    """A source that lost tls.key, or one that never had it, is not usable here."""
    o = seen(supplied(NEW_PUBLIC))
    assert not needed(o)
    found = source_problem(facts(o))
    assert found is not None
    assert "delete the target Secret" in found.message
    here = replace(spec(), type=CredentialType.CERTIFICATE)
    back = seen(CertificateInputs(), spec=here, pending=coming(NEW_PUBLIC))
    assert decide(back).action == Fence("its private key is elsewhere")


def test_a_private_key_that_comes_later_is_taken() -> None:
    assert needed(seen(supplied(PAIR), target=holding(PUBLIC)))


def test_a_shorter_lifetime_registers_the_same_certificate_anew() -> None:
    assert not needed(seen(spec=brought_spec(30 * DAY)))
    assert needed(seen(spec=brought_spec(30 * DAY), now=NOW + 11 * DAY))


def test_one_that_the_source_does_not_hold_any_more_is_given_up() -> None:
    listed = application(key(), key(NEXT, NEXT_ATTEMPT))
    o = seen(supplied(PAIR), pending=coming(NEW_PAIR), application=listed)
    assert decide(o).action == Fence("its source holds another one now")
    unreadable = replace(o, certificate_inputs=CertificateInputs(problem=_missing()))
    assert decide(unreadable).action == SignInPending(), "an error proves nothing"


def _missing() -> Problem:
    return Problem(reason=Reason.SOURCE_NOT_FOUND, message="Secret tls does not exist.")


def test_without_the_keystores_password_nothing_is_made_or_published() -> None:
    lost = CertificateInputs(keystore_problem=Problem(reason=Reason.KEYSTORE_PASSWORD, message="x"))
    here = replace(spec(), type=CredentialType.CERTIFICATE)
    proven = Memory(pending_proof=proof(NEXT_ATTEMPT, *(PROVEN,) * 5, every=1))
    o = seen(lost, spec=here, pending=coming(NEW_PAIR), memory=proven)
    assert successor_is_publishable(facts(o)) is None
    assert successor_sign_in_is_due(facts(replace(o, memory=Memory()))) is None
    o = seen(lost, spec=here, target=None)
    assert successor_is_needed(facts(o)) is None
    assert project(o, facts(o), None)["conditions"][0]["reason"] == "KeystorePassword"


# --- one whose private key is elsewhere ----------------------------------------------------


def keyless(**words: Any) -> Observation:
    return seen(supplied(PUBLIC), target=holding(PUBLIC, **words.pop("made", {})), **words)


def test_it_is_gone_when_three_reads_lack_it() -> None:
    o = keyless(application=application(read_time=NOW))
    assert published_credential_seems_gone(facts(o)) is None
    later = replace(o, now=NOW + 5 * SECOND)
    assert published_credential_seems_gone(facts(later)) == ReadApplication(timedelta(seconds=2.5))
    assert next_look(facts(o)) == NOW + 5 * SECOND
    for count, since, gone in ((2, MINUTE, False), (3, 29 * SECOND, False), (3, MINUTE / 2, True)):
        counted = replace(o, memory=lacking(count, since))
        assert is_gone(facts(counted)) is gone
        assert known_keys(facts(counted)) == {KEY}, "a list without it may still be stale"
        assert gone_keys(facts(counted)) == set(), "no read proves that no list can show it"
    assert known_keys(facts(replace(o, memory=lacking(3, LONG)))) == set()


def test_it_is_missing_when_two_reads_lack_it() -> None:
    o = keyless(application=application(read_time=NOW))
    said = []
    for count in (1, 2, 3):
        counted = replace(o, memory=lacking(count, SECOND))
        ready = project(counted, facts(counted), None)["conditions"][0]
        said.append((ready["status"], ready["reason"]))
    missing = ("False", "CredentialMissing")
    assert said == [("True", "CredentialMissing"), missing, missing]


def lacking(reads: int, since: timedelta, **words: Any) -> Memory:
    """Return what is remembered after so many reads, over such a time, without the key."""
    return Memory(absences={KEY: reads}, absent_since={KEY: NOW - since}, **words)


LONG = 15 * MINUTE + SECOND


def test_one_made_here_that_signs_in_is_never_lost_to_reads_that_lag() -> None:
    made_here = replace(spec(), type=CredentialType.CERTIFICATE)
    memory = lacking(99, DAY, published_proof=proof(ATTEMPT, PROVEN, PROVEN))
    o = seen(CertificateInputs(), spec=made_here, application=application(), memory=memory)
    assert not is_lost(facts(o))
    assert known_keys(facts(o)) == {KEY}
    assert gone_keys(facts(o)) == set()


@pytest.mark.parametrize(
    ("reads", "since", "expected"),
    [(3, 15 * MINUTE, None), (2, LONG, None), (3, LONG, Register())],
)
def test_a_renewal_does_not_wait_for_an_entry_that_is_lost(
    reads: int, since: timedelta, expected: Register | None
) -> None:
    """Another entry of the same certificate lets its value sign in, so no refusal confirms it.

    Nothing else tells a loss from a replica that lags, so the reads outlast every lag.
    """
    coming = pending(
        PendingState.INTENT,
        minted_as=minted(NEXT, attempt=NEXT_ATTEMPT, value=NEW_PAIR, not_before=NOW),
        value=NEW_PAIR,
    )
    memory = lacking(reads, since, published_proof=proof(ATTEMPT, PROVEN))
    theirs = replace(key(KeyId("theirs")), display_name="put there by a person")
    o = seen(supplied(NEW_PAIR), pending=coming, application=application(theirs), memory=memory)
    assert not is_gone(facts(o))
    assert intent_was_interrupted(facts(o)) == expected
    assert gone_keys(facts(o)) == set(), "a change still demands what a read showed of late"


def test_its_predecessor_goes_when_three_reads_list_it() -> None:
    leaving = retiring(OLD, end=NOW + 10 * DAY, since=NOW - 20 * DAY)
    t = replace(holding(PUBLIC), retiring=(leaving,), creation_time=NOW - 30 * DAY)
    listed = application(key(), key(OLD, OLD_ATTEMPT, NOW + 10 * DAY), read_time=NOW)
    o = keyless(application=listed)
    o = replace(o, target=t)
    assert retirement_is_due(facts(o)) is None
    assert next_look(facts(o)) == NOW + 5 * SECOND
    later = replace(o, now=NOW + 5 * SECOND)
    assert retirement_is_due(facts(later)) == ReadApplication(timedelta(seconds=2.5))
    sighted = replace(
        o,
        memory=Memory(consecutive_reads={KEY: (NOW - 20 * SECOND, NOW - 9 * SECOND, NOW)}),
    )
    found = retirement_is_due(facts(sighted))
    assert isinstance(found, Remove)
    assert found.key_id == OLD
    with_key = replace(sighted, target=replace(t, value=PAIR))
    assert retirement_is_due(facts(with_key)) == SignInPublished()


def test_status_says_that_nothing_can_be_proven() -> None:
    t = replace(holding(PUBLIC), verified_time=None)
    o = replace(keyless(), target=t)
    told = conditions(o)
    assert told["Verified"] == ("Unknown", "NotVerifiable")
    assert told["Ready"] == ("True", "Published")
    assert "Reconciling" not in told


def test_the_gap_after_a_renewal_is_said() -> None:
    o = seen(supplied(NEW_PUBLIC), target=holding(PUBLIC))
    assert conditions(o)["Reconciling"] == ("True", "SourceRace")
    on_its_way = replace(o, pending=coming(NEW_PUBLIC))
    assert conditions(on_its_way)["Reconciling"] == ("True", "SourceRace")


def test_a_renewal_at_the_source_is_under_way_until_it_is_published() -> None:
    o = seen(supplied(NEW_PAIR))
    assert conditions(o)["Reconciling"] == ("True", "Progressing")
    assert conditions(o)["Ready"] == ("True", "Published")
    on_its_way = replace(o, pending=coming(NEW_PAIR))
    assert conditions(on_its_way)["Reconciling"] == ("True", "Progressing")
    assert "Reconciling" not in conditions(seen())


CLOSED = rotation(windows=[window("22:00", "04:00")])


def test_a_renewal_at_the_source_waits_for_a_window() -> None:
    """Workloads have its private key only from the target Secret."""
    o = seen(supplied(NEW_PAIR), pending=coming(NEW_PAIR), spec=brought_spec(rotation=CLOSED))
    assert "Reconciling" not in conditions(o)
    o = replace(o, memory=Memory(pending_proof=proof(NEXT_ATTEMPT, *(PROVEN,) * 5, every=1)))
    assert successor_is_publishable(facts(o)) is None


def test_a_private_key_that_the_secret_lacks_waits_for_no_window() -> None:
    """Nobody signs in with what is published."""
    o = seen(supplied(PAIR), target=holding(PUBLIC), spec=brought_spec(rotation=CLOSED))
    o = replace(o, pending=coming(PAIR))
    o = replace(o, memory=Memory(pending_proof=proof(NEXT_ATTEMPT, *(PROVEN,) * 5, every=1)))
    assert successor_is_publishable(facts(o)) == Publish()
    assert override(facts(o)) is None


def test_one_without_its_key_waits_for_no_window() -> None:
    """Workloads have it already, from its source."""
    o = seen(supplied(NEW_PUBLIC), target=holding(PUBLIC), spec=brought_spec(rotation=CLOSED))
    o = replace(o, pending=coming(NEW_PUBLIC), now=NOW + MINUTE)
    assert conditions(o)["Reconciling"] == ("True", "SourceRace")
    assert successor_is_publishable(facts(o)) == ReadApplication(timedelta(seconds=2.5))
    assert override(facts(o)) is None


@pytest.mark.parametrize(
    ("lifetime", "valid", "shown"),
    [
        (None, 10 * DAY, None),
        (90 * DAY, 10 * DAY, None),
        (90 * DAY, 90 * DAY, None),
        (30 * DAY, 90 * DAY, "30d"),
    ],
    ids=["its own", "shorter than the spec's", "the same", "longer than the spec's"],
)
def test_a_lifetime_is_told_only_if_it_shortens_the_certificate_s_own(
    lifetime: timedelta | None, valid: timedelta, shown: str | None
) -> None:
    found = supplied(start=NOW - DAY, end=NOW - DAY + valid)
    o = seen(found, spec=brought_spec(lifetime=lifetime))
    assert project(o, facts(o), None).get("requestedLifetime") == shown


def test_without_its_source_no_lifetime_is_told() -> None:
    o = seen(CertificateInputs(problem=_missing()))
    assert "requestedLifetime" not in project(o, facts(o), None)


def conditions(o: Observation) -> dict[str, tuple[str, str]]:
    found = project(o, facts(o), None)["conditions"]
    return {c["type"]: (c["status"], c["reason"]) for c in found}


# --- what is wrong -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("o", "reason", "words"),
    [
        (seen(), None, ""),
        (seen(supplied(NEW_PAIR)), None, ""),
        (seen(CertificateInputs(problem=_missing())), Reason.SOURCE_NOT_FOUND, "does not exist"),
        (seen(supplied(end=NOW)), Reason.SOURCE_UNUSABLE, "has expired"),
        (seen(supplied(NEW_PAIR, start=NOW + SECOND)), Reason.SOURCE_UNUSABLE, "not valid yet"),
        (
            seen(supplied(NEW_PAIR, end=NOW + HOUR)),
            Reason.SOURCE_UNUSABLE,
            "less than this operator's minimum lifetime",
        ),
        (
            seen(
                supplied(PUBLIC),
                spec=brought_spec(
                    certificate=replace(SOURCE, keystore_password=KeyRef(name="p", key="k"))
                ),
            ),
            Reason.SOURCE_UNUSABLE,
            "has no private key beside it",
        ),
        (seen(supplied(end=NOW + 80 * DAY), now=NOW + 55 * DAY), None, ""),
        (
            seen(supplied(end=NOW + 80 * DAY), now=NOW + 65 * DAY),
            Reason.SOURCE_NOT_RENEWED,
            "still holds the same one",
        ),
    ],
    ids=[
        "nothing",
        "nothing: it was renewed",
        "its object is missing",
        "expired",
        "not valid yet",
        "too little is left",
        "without the key that is asked for",
        "due, but there is time",
        "not renewed in time",
    ],
)
def test_what_is_wrong_is_named(o: Observation, reason: Reason | None, words: str) -> None:
    f = facts(o)
    found = source_problem(f)
    assert (found.reason if found else None) == reason
    assert words in (found.message if found else "")
    ready = conditions(o)["Ready"]
    assert ready == ("True", "Published" if reason is None else "RotationFailing")


def test_a_source_may_come_later_than_the_resource() -> None:
    o = seen(CertificateInputs(problem=_missing()), target=None)
    fresh = replace(
        o,
        resource=replace(o.resource, creation_time=NOW, last_applied_time=NOW),
    )
    assert "Stalled" not in conditions(fresh)
    assert conditions(fresh)["Reconciling"] == ("True", "SourceNotFound")
    late = replace(fresh, now=NOW + 2 * MINUTE)
    assert conditions(late)["Stalled"] == ("True", "SourceNotFound")
    assert next_look(facts(late)) <= late.now + 30 * SECOND


def test_one_that_is_not_valid_yet_is_looked_at_when_it_is() -> None:
    o = seen(supplied(NEW_PAIR, start=NOW + MINUTE), target=None)
    assert next_look(facts(o)) == NOW + MINUTE


# --- values --------------------------------------------------------------------------------


def test_values_are_told_apart_by_what_they_hold() -> None:
    assert type_of(PUBLIC) is type_of(PAIR) is CredentialType.CERTIFICATE
    assert leaf_of(PUBLIC) == leaf_of(PAIR) == OURS.der
    assert leaf_of(SecretValue("a client secret")) is None
    assert can_sign_in(PAIR)
    assert can_sign_in(SecretValue("a client secret"))
    assert not can_sign_in(PUBLIC)


def test_what_needs_cryptography_is_worked_out_only_where_it_is_used() -> None:
    assert derived_names(spec()) == set()
    assert derived_names(brought_spec()) == set()
    keystore = replace(SOURCE, keystore_password=KeyRef(name="p", key="k"))
    assert derived_names(brought_spec(certificate=keystore)) == {"pkcs12"}
    terraform = replace(spec().secret, preset=Preset.TERRAFORM)
    wanted = derived_names(brought_spec(certificate=keystore, secret=terraform))
    assert wanted == {"pkcs12"}


def test_what_cannot_be_derived_now_stays_as_it_is_in_the_secret() -> None:
    keystore = replace(SOURCE, keystore_password=KeyRef(name="p", key="k"))
    wanted = brought_spec(certificate=keystore)
    o = seen(CertificateInputs(keystore_problem=NO_PASSWORD), spec=wanted)
    assert target_rendering_differs(facts(o)) is None
    packed = CertificateInputs(
        supplied=supplied(), derived=Derived(values={"pkcs12": SecretValue("packed")})
    )
    repaired = target_rendering_differs(facts(replace(o, certificate_inputs=packed)))
    assert repaired is not None


@pytest.mark.parametrize(
    ("asked", "digest", "recorded"),
    [(True, "new", "new"), (True, "", "old"), (False, "", "")],
    ids=["packed", "without the password", "no keystore any more"],
)
def test_the_record_of_a_keystore_stays_with_its_file(
    asked: bool, digest: str, recorded: str
) -> None:
    password = KeyRef(name="p", key="k") if asked else None
    wanted = brought_spec(certificate=replace(SOURCE, keystore_password=password))
    t = holding()
    t = replace(t, annotations={**t.annotations, Name.KEYSTORE_DIGEST: "old"})
    f = facts(seen(spec=wanted, target=t))
    found = render(
        wanted, f.tenant, PAIR, publication(f), t, None, derived=Derived(keystore_digest=digest)
    )
    assert found.annotations.get(Name.KEYSTORE_DIGEST, "") == recorded


def test_records_are_written_without_the_password() -> None:
    """Else nothing could be noted, and nothing revoked, while a Secret of a user is gone."""
    keystore = replace(SOURCE, keystore_password=KeyRef(name="p", key="k"))
    wanted = brought_spec(certificate=keystore)
    t = holding()
    packed = {**t.data, "keystore.p12": SecretValue("packed")}
    o = seen(
        CertificateInputs(keystore_problem=NO_PASSWORD), spec=wanted, target=replace(t, data=packed)
    )
    f = facts(o)
    kept = render(wanted, f.tenant, PAIR, publication(f), o.target, None)
    assert kept.data["keystore.p12"] == SecretValue("packed")
    fresh = render(wanted, f.tenant, PAIR, publication(f), t, None)
    assert "keystore.p12" not in fresh.data


def test_nothing_is_done_while_all_is_well() -> None:
    o = seen()
    decision = decide(o)
    assert decision.action == ApplyStatus()
    told = replace(o, resource=replace(o.resource, status=decision.status))
    assert decide(told).action == Sleep()


def test_a_mode_without_proof_is_kept() -> None:
    disabled = replace(
        brought_spec(), verification=replace(spec().verification, mode=VerificationMode.DISABLED)
    )
    f: Facts = facts(seen(spec=disabled, pending=coming(NEW_PAIR)))
    assert not f.requires_proof
