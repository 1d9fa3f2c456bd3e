"""What the token endpoint's answers mean, and what a run of them proves."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appcredential.domain.conditions import Reason
from appcredential.domain.proof import (
    PROVEN,
    SLOW_RETRY,
    UNREACHABLE,
    Proof,
    SignInClass,
    SignInResult,
    classify,
    is_failing_long,
    next_try,
    record,
)
from tests.support.builders import ATTEMPT, MINUTE, NEXT_ATTEMPT, NOT_YET, NOW, SECOND, proof

SPACING = 15 * SECOND

# The table of the documented AADSTS numbers: HTTP status as Entra sends it, number, meaning.
ANSWERS = [
    (401, 7000215, "NotYet", "SignInRejected"),
    (401, 7000222, "NotYet", "SignInRejected"),
    (400, 53003, "Blocked", "BlockedByConditionalAccess"),
    (400, 530032, "Blocked", "BlockedByConditionalAccess"),
    # About users and their devices, so not for us to explain.
    (400, 53000, "Unclassified", "Unclassified"),
    (400, 53011, "Unclassified", "Unclassified"),
    (400, 501051, "Blocked", "NotAssigned"),
    (400, 50105, "Blocked", "NotAssigned"),
    (401, 7000229, "Application", "NoServicePrincipal"),
    (400, 700016, "Application", "ApplicationNotInTenant"),
    (400, 700011, "Application", "ApplicationNotInTenant"),
    (400, 70001, "Application", "ApplicationNotInTenant"),
    (401, 7000112, "Application", "ApplicationDisabled"),
    (400, 1000031, "Application", "ApplicationDisabled"),
    (401, 700025, "Application", "PublicClient"),
    (401, 700024, "Operator", "ClockSkew"),
    (400, 50013, "Operator", "ClockSkew"),
    (400, 500133, "Operator", "ClockSkew"),
    (400, 500011, "Operator", "VerificationScope"),
    (400, 500014, "Operator", "VerificationScope"),
    (400, 50001, "Operator", "VerificationScope"),
    (400, 70011, "Operator", "VerificationScope"),
    (400, 28002, "Operator", "VerificationScope"),
    (400, 90009, "Operator", "VerificationScope"),
    (400, 650052, "Operator", "VerificationScope"),
    (400, 650056, "Operator", "VerificationScope"),
    (400, 650057, "Operator", "VerificationScope"),
    (400, 90002, "Operator", "WrongTenantOrCloud"),
    (400, 900023, "Operator", "WrongTenantOrCloud"),
    (400, 90038, "Operator", "WrongTenantOrCloud"),
    (400, 900382, "Operator", "WrongTenantOrCloud"),
    (400, 900432, "Operator", "WrongTenantOrCloud"),
    (400, 50049, "Operator", "WrongTenantOrCloud"),
    (400, 5000224, "Operator", "TenantBlocked"),
    (400, 5000225, "Operator", "TenantBlocked"),
    (400, 500021, "Operator", "TenantRestrictions"),
    (400, 500022, "Operator", "TenantRestrictions"),
    (400, 50196, "Transient", "Throttled"),
    (400, 90055, "Transient", "Throttled"),
    (400, 50000, "Transient", "TokenEndpointUnavailable"),
    (400, 50033, "Transient", "TokenEndpointUnavailable"),
    (400, 90006, "Transient", "TokenEndpointUnavailable"),
    (400, 90012, "Transient", "TokenEndpointUnavailable"),
    (503, 90024, "Transient", "TokenEndpointUnavailable"),
    (503, 90033, "Transient", "TokenEndpointUnavailable"),
    (400, 90090, "Transient", "TokenEndpointUnavailable"),
    (401, 7000216, "Operator", "InternalError"),
    (401, 7000218, "Operator", "InternalError"),
    (401, 7000219, "Operator", "InternalError"),
    (400, 900144, "Operator", "InternalError"),
    (400, 90014, "Operator", "InternalError"),
    (400, 70003, "Operator", "InternalError"),
    (400, 9002313, "Operator", "InternalError"),
    (401, 700027, "NotYet", "SignInRejected"),
    (401, 50012, "NotYet", "CertificateRejected"),
    (401, 50027, "NotYet", "CertificateRejected"),
    (401, 700023, "NotYet", "CertificateRejected"),
    # Numbers about federation, which a client secret or a certificate cannot earn: not judged.
    (401, 700999, "Unclassified", "Unclassified"),
    (401, 700213, "Unmatched", "FederationMismatch"),
    (401, 70025, "Unmatched", "FederationMismatch"),
    (401, 7002131, "Unmatched", "FederationMismatch"),
    (401, 7002137, "Unmatched", "FederationMismatch"),
    (401, 7000272, "Unmatched", "IssuerKeys"),
    (400, 50166, "Operator", "IssuerUnreachable"),
    (400, 1, "Unclassified", "Unclassified"),
]


@pytest.mark.parametrize(("status", "code", "kind", "reason"), ANSWERS)
def test_an_answer_means_what_the_table_says(
    status: int, code: int, kind: str, reason: str
) -> None:
    assert classify(status, (code,)) == SignInResult(SignInClass(kind), Reason(reason), code)


@pytest.mark.parametrize(
    ("status", "codes", "expected"),
    [
        (200, (), PROVEN),
        (200, (7000215,), PROVEN),
        (429, (), SignInResult(SignInClass.TRANSIENT, Reason.THROTTLED)),
        (429, (7000215,), SignInResult(SignInClass.TRANSIENT, Reason.THROTTLED)),
        (500, (), UNREACHABLE),
        (502, (999,), UNREACHABLE),
        (504, (), UNREACHABLE),
        (400, (), SignInResult(SignInClass.UNCLASSIFIED, Reason.UNCLASSIFIED)),
        (401, (), SignInResult(SignInClass.UNCLASSIFIED, Reason.UNCLASSIFIED)),
        (302, (), SignInResult(SignInClass.UNCLASSIFIED, Reason.UNCLASSIFIED)),
        (400, (999, 998), SignInResult(SignInClass.UNCLASSIFIED, Reason.UNCLASSIFIED, 999)),
        (401, (7000215, 50000), NOT_YET),
        (401, (999, 7000215), NOT_YET),
    ],
    ids=[
        "a token",
        "a token, whatever else the body says",
        "throttled",
        "throttled is no word about the credential",
        "a server error",
        "a server error with an unknown number",
        "a gateway's error without a body",
        "a refusal without a number",
        "the same with 401",
        "a redirect, which is not followed",
        "an unknown number is kept for the log",
        "the first number counts",
        "but only one that is known",
    ],
)
def test_an_answer_is_judged_by_status_and_numbers(
    status: int, codes: tuple[int, ...], expected: SignInResult
) -> None:
    assert classify(status, codes) == expected


@pytest.mark.parametrize(("status", "codes"), [(429, ()), (400, (50196,)), (400, (90055,))])
def test_throttling_says_for_how_long(status: int, codes: tuple[int, ...]) -> None:
    assert classify(status, codes, 7 * MINUTE).retry_after == 7 * MINUTE


def test_only_a_few_numbers_can_cost_a_credential_its_life() -> None:
    costly = [code for status, code, _, _ in ANSWERS if is_refusal(classify(status, (code,)))]
    assert costly == [7000215, 7000222, 700027, 50012, 50027, 700023]


def is_refusal(result: SignInResult) -> bool:
    """Tell whether such answers, going on long enough, make a successor be given up."""
    run = proof(ATTEMPT, *[result] * 10, every=60)
    return run.refused_for > timedelta(0)


# --- the run -------------------------------------------------------------------------------

LETTERS = {
    "p": PROVEN,
    "r": NOT_YET,
    "t": UNREACHABLE,
    "q": SignInResult(SignInClass.TRANSIENT, Reason.THROTTLED),
    "o": SignInResult(SignInClass.OPERATOR, Reason.VERIFICATION_SCOPE),
    "b": SignInResult(SignInClass.BLOCKED, Reason.BLOCKED_BY_CONDITIONAL_ACCESS),
    "a": SignInResult(SignInClass.APPLICATION, Reason.APPLICATION_DISABLED),
    "u": SignInResult(SignInClass.UNCLASSIFIED, Reason.UNCLASSIFIED),
}


def run_of(letters: str, every: int = 10) -> Proof:
    """Return the run of these answers, ten seconds apart, the last one now."""
    return proof(ATTEMPT, *(LETTERS[letter] for letter in letters), every=every)


@pytest.mark.parametrize(
    ("letters", "successes", "refusals", "refused_for"),
    [
        ("p", 1, 0, 0),
        ("ppp", 3, 0, 0),
        ("ppr", 0, 1, 0),
        ("pprp", 1, 0, 0),
        ("ptp", 2, 0, 0),
        ("pttqp", 2, 0, 0),
        ("ppt", 2, 0, 0),
        ("ppo", 0, 0, 0),
        ("ppb", 0, 0, 0),
        ("ppa", 0, 0, 0),
        ("ppu", 0, 0, 0),
        ("r", 0, 1, 0),
        ("rrr", 0, 3, 20),
        ("rtr", 0, 2, 20),
        ("rrt", 0, 2, 0),
        ("rrpr", 0, 1, 0),
        ("rrorr", 0, 2, 10),
        ("rrbr", 0, 1, 0),
        ("rra", 0, 0, 0),
        ("ttttt", 0, 0, 0),
        ("uuuuu", 0, 0, 0),
    ],
)
def test_a_run_counts(letters: str, successes: int, refusals: int, refused_for: int) -> None:
    run = run_of(letters)
    assert (run.successes, run.refusals) == (successes, refusals)
    assert run.refused_for == refused_for * SECOND


@pytest.mark.parametrize(
    ("letters", "age", "expected"),
    [
        ("ppp", 0, True),
        ("ppp", 120, True),
        ("ppp", 121, False),
        ("pp", 0, False),
        ("pprp", 0, False),
        ("rppp", 0, True),
        ("pppr", 0, False),
        ("pptp", 0, True),
        ("pppttt", 0, True),
        ("pppttt", 100, False),
        ("", 0, False),
    ],
    ids=[
        "three in a row",
        "two minutes ago",
        "longer ago",
        "one is missing",
        "a refusal begins the count anew",
        "refusals before do not matter",
        "the last word counts",
        "the network failed between them",
        "the network failed after them",
        "and the last success is too old by now",
        "only a failure",
    ],
)
def test_three_in_a_row_within_two_minutes_prove(letters: str, age: int, expected: bool) -> None:
    run = run_of(letters or "t")
    assert run.proves(NOW + age * SECOND, count=3, max_age=2 * MINUTE) is expected


def test_another_attempt_begins_a_run_of_its_own() -> None:
    run = record(run_of("pp"), NEXT_ATTEMPT, PROVEN, NOW)
    assert (run.attempt, run.successes) == (NEXT_ATTEMPT, 1)


# --- when to try again ---------------------------------------------------------------------


def throttled(wait: timedelta | None) -> Proof:
    return proof(ATTEMPT, SignInResult(SignInClass.TRANSIENT, Reason.THROTTLED, 0, wait))


@pytest.mark.parametrize(
    ("run", "wait"),
    [
        (None, timedelta(0)),
        (proof(NEXT_ATTEMPT, NOT_YET), timedelta(0)),
        (run_of("p"), SPACING),
        (run_of("rrrp"), SPACING),
        (run_of("r", every=1), SECOND),
        (run_of("rr", every=1), 2 * SECOND),
        (run_of("rtu", every=1), 4 * SECOND),
        (run_of("rrrr", every=1), 8 * SECOND),
        (run_of("rrrrrr", every=1), 32 * SECOND),
        (run_of("rrrrrrr", every=1), 60 * SECOND),
        (run_of("r" * 30, every=1), 60 * SECOND),
        (run_of("ppr", every=1), SECOND),
        (run_of("r" * 31), 5 * MINUTE),
        (run_of("t" * 31), 5 * MINUTE),
        (run_of("b" * 31), 5 * MINUTE),
        (throttled(None), 5 * MINUTE),
        (throttled(10 * SECOND), 5 * MINUTE),
        (throttled(7 * MINUTE), 7 * MINUTE),
    ],
    ids=[
        "never tried",
        "another credential was tried",
        "a success waits for its spacing",
        "failures before it do not matter",
        "one failure",
        "two",
        "three of any kind",
        "four",
        "six",
        "seven",
        "very many",
        "a failure after successes",
        "refused for five minutes",
        "unreachable for five minutes",
        "blocked for five minutes",
        "throttled",
        "throttled, with a short wait",
        "throttled, with a long wait",
    ],
)
def test_the_next_try_waits(run: Proof | None, wait: timedelta) -> None:
    assert next_try(run, ATTEMPT, NOW, SPACING) == NOW + wait


@pytest.mark.parametrize(
    ("letters", "since", "expected"),
    [("p", 600, False), ("r", 299, False), ("r", 300, True), ("rp", 600, False), ("t", 300, True)],
)
def test_five_minutes_without_a_success_are_long(letters: str, since: int, expected: bool) -> None:
    assert is_failing_long(run_of(letters), NOW + since * SECOND) is expected


@settings(derandomize=True, max_examples=200)
@given(letters=st.text(alphabet="prtqobau", min_size=1, max_size=40))
def test_no_run_is_tried_in_a_tight_loop_or_given_up_on(letters: str) -> None:
    run = run_of(letters)
    wait = next_try(run, ATTEMPT, NOW, SPACING) - NOW
    assert SECOND <= wait <= SLOW_RETRY


@settings(derandomize=True, max_examples=200)
@given(letters=st.text(alphabet="prtqobau", min_size=1, max_size=40))
def test_successes_are_those_since_the_last_word_against_it(letters: str) -> None:
    words = letters.replace("t", "").replace("q", "")
    since = len(words) - len(words.rstrip("p"))
    assert run_of(letters).successes == since
