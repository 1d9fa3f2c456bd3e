"""What a sign-in answer means, and when the next try is due.

The classes follow Microsoft's list of AADSTS codes
(learn.microsoft.com/entra/identity-platform/reference-error-codes) and the known delays:
Entra refuses a new secret for seconds to minutes, also as "expired" (7000222) when the
application has an expired one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, assert_never

from appcredential.domain.conditions import Reason


class SignInClass(StrEnum):
    """What an answer proves.

    NOT_YET: Entra does not know the credential yet; after the proof budget it never will.
    BLOCKED: the credential is probably right, but a policy forbids the token.
    UNMATCHED: no federated credential matches the token yet; there is no value to give up.
    APPLICATION: the application is the obstacle; another credential would not help.
    OPERATOR: the operator or the scope is at fault; the answer says nothing of the credential.
    TRANSIENT: network, throttling or 5xx; a run of successes goes on.
    """

    PROVEN = "Proven"
    NOT_YET = "NotYet"
    UNMATCHED = "Unmatched"
    BLOCKED = "Blocked"
    APPLICATION = "Application"
    OPERATOR = "Operator"
    TRANSIENT = "Transient"
    UNCLASSIFIED = "Unclassified"

    @property
    def may_pass(self) -> bool:
        """The next try may succeed although nobody changes anything."""
        match self:
            case (
                SignInClass.TRANSIENT
                | SignInClass.NOT_YET
                | SignInClass.UNMATCHED
                | SignInClass.UNCLASSIFIED
            ):
                return True
            case (
                SignInClass.PROVEN
                | SignInClass.BLOCKED
                | SignInClass.APPLICATION
                | SignInClass.OPERATOR
            ):
                return False
            case _:
                assert_never(self)


@dataclass(frozen=True, slots=True)
class SignInResult:
    """One answer of the token endpoint.

    Attributes:
        code: the AADSTS number; 0 without one.
        retry_after: the pause that a throttled answer asks for.
    """

    kind: SignInClass
    reason: Reason
    code: int = 0
    retry_after: timedelta | None = None


PROVEN: Final = SignInResult(SignInClass.PROVEN, Reason.PROVEN)
UNREACHABLE: Final = SignInResult(SignInClass.TRANSIENT, Reason.TOKEN_ENDPOINT_UNAVAILABLE)
UNTRUSTED: Final = SignInResult(SignInClass.TRANSIENT, Reason.TLS_NOT_TRUSTED)
UNUSABLE: Final = SignInResult(SignInClass.NOT_YET, Reason.CERTIFICATE_REJECTED)
"""For a value that cannot sign anything."""

_CODES: Final[dict[int, tuple[SignInClass, Reason]]] = {
    **dict.fromkeys((7000215, 7000222, 700027), (SignInClass.NOT_YET, Reason.SIGN_IN_REJECTED)),
    **dict.fromkeys((50012, 50027, 700023), (SignInClass.NOT_YET, Reason.CERTIFICATE_REJECTED)),
    # Policies for service principals can only block (learn.microsoft.com/entra/identity/
    # conditional-access/workload-identity); 53000-53002, 53004, 53011 are about users and devices.
    **dict.fromkeys((53003, 530032), (SignInClass.BLOCKED, Reason.BLOCKED_BY_CONDITIONAL_ACCESS)),
    **dict.fromkeys((501051, 50105), (SignInClass.BLOCKED, Reason.NOT_ASSIGNED)),
    **dict.fromkeys(
        (70021, 70025, 700211, 700212, 700213, 7002131, 7002137, 7002138),
        (SignInClass.UNMATCHED, Reason.FEDERATION_MISMATCH),
    ),
    7000272: (SignInClass.UNMATCHED, Reason.ISSUER_KEYS),
    **dict.fromkeys((50166, 501661, 90061), (SignInClass.OPERATOR, Reason.ISSUER_UNREACHABLE)),
    7000229: (SignInClass.APPLICATION, Reason.NO_SERVICE_PRINCIPAL),
    **dict.fromkeys(
        (700016, 700011, 70001), (SignInClass.APPLICATION, Reason.APPLICATION_NOT_IN_TENANT)
    ),
    **dict.fromkeys((7000112, 1000031), (SignInClass.APPLICATION, Reason.APPLICATION_DISABLED)),
    700025: (SignInClass.APPLICATION, Reason.PUBLIC_CLIENT),
    **dict.fromkeys((700024, 50013, 500133), (SignInClass.OPERATOR, Reason.CLOCK_SKEW)),
    **dict.fromkeys(
        (500011, 500014, 50001, 70011, 28002, 90009, 650052, 650056, 650057),
        (SignInClass.OPERATOR, Reason.VERIFICATION_SCOPE),
    ),
    **dict.fromkeys(
        (90002, 900023, 90038, 900382, 900432, 50049),
        (SignInClass.OPERATOR, Reason.WRONG_TENANT_OR_CLOUD),
    ),
    **dict.fromkeys((5000224, 5000225), (SignInClass.OPERATOR, Reason.TENANT_BLOCKED)),
    **dict.fromkeys((500021, 500022), (SignInClass.OPERATOR, Reason.TENANT_RESTRICTIONS)),
    **dict.fromkeys((50196, 90055), (SignInClass.TRANSIENT, Reason.THROTTLED)),
    **dict.fromkeys(
        (50000, 50033, 90006, 90012, 90024, 90033, 90090),
        (SignInClass.TRANSIENT, Reason.TOKEN_ENDPOINT_UNAVAILABLE),
    ),
    **dict.fromkeys(
        (7000216, 7000218, 7000219, 900144, 90014, 70003, 9002313),
        (SignInClass.OPERATOR, Reason.INTERNAL_ERROR),
    ),
}


def classify(
    status: int, codes: tuple[int, ...], retry_after: timedelta | None = None
) -> SignInResult:
    """Return what an answer of the token endpoint means.

    Args:
        status: the HTTP status.
        codes: `error_codes` of the body, most specific first; empty when unreadable.
        retry_after: the value of the header, when sent.
    """
    if status == 200:
        return PROVEN
    if status == 429:
        return SignInResult(SignInClass.TRANSIENT, Reason.THROTTLED, 0, retry_after)
    for code in codes:
        if code in _CODES:
            kind, reason = _CODES[code]
            return SignInResult(kind, reason, code, retry_after)
    if status >= 500:
        return UNREACHABLE
    code = codes[0] if codes else 0
    return SignInResult(SignInClass.UNCLASSIFIED, Reason.UNCLASSIFIED, code)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """The run of sign-ins with one credential, kept in memory: a restart begins again.

    Attributes:
        attempt: the credential's, as its marker has it.
        successes: how many in a row.
        refusals: `NOT_YET` answers in a row. Transient failures between them do not count.
        refused_since: time of the first of them. Only these speak about the credential itself.
        tries_failed: failures of any kind in a row, which space the retries.
        failing_since: time of the first of them.
    """

    attempt: str
    successes: int = 0
    refusals: int = 0
    refused_since: datetime | None = None
    tries_failed: int = 0
    last_try: datetime
    last_success: datetime | None = None
    failing_since: datetime | None = None
    result: SignInResult = PROVEN

    @property
    def refused_for(self) -> timedelta:
        """How long the refusals in a row have lasted; zero when the last answer was no refusal."""
        if self.refused_since is None or self.result.kind is not SignInClass.NOT_YET:
            return timedelta(0)
        return self.last_try - self.refused_since

    def without_refusals(self) -> Proof | None:
        """Return the run without its refusals; None if one came last: it is tried anew at once."""
        if not self.refusals:
            return self
        if self.result.kind is SignInClass.NOT_YET:
            return None
        return replace(self, refusals=0, refused_since=None)  # a pause that Entra asks for stays

    def proves(self, now: datetime, *, count: int, max_age: timedelta) -> bool:
        """Return whether `count` sign-ins in a row succeeded, the last one within `max_age`."""
        return (
            self.successes >= count
            and self.last_success is not None
            and now - self.last_success <= max_age
        )


_MAX_RETRY = timedelta(seconds=60)
_THROTTLE_PAUSE = timedelta(minutes=5)
_SLOW_AFTER = timedelta(minutes=5)
SLOW_RETRY: Final = timedelta(minutes=5)


def record(proof: Proof | None, attempt: str, result: SignInResult, now: datetime) -> Proof:
    """Return the run with one more answer; the run of another attempt is dropped."""
    old = proof if proof is not None and proof.attempt == attempt else None
    base = old or Proof(attempt=attempt, last_try=now)
    failed = replace(
        base,
        tries_failed=base.tries_failed + 1,
        failing_since=base.failing_since or now,
        last_try=now,
        result=result,
    )
    match result.kind:
        case SignInClass.PROVEN:
            return Proof(
                attempt=attempt,
                successes=base.successes + 1,
                last_try=now,
                last_success=now,
                result=result,
            )
        case SignInClass.TRANSIENT:
            return failed
        case SignInClass.NOT_YET:
            since = base.refused_since or now
            return replace(failed, successes=0, refusals=base.refusals + 1, refused_since=since)
        case (
            SignInClass.UNMATCHED
            | SignInClass.BLOCKED
            | SignInClass.APPLICATION
            | SignInClass.OPERATOR
            | SignInClass.UNCLASSIFIED
        ):
            return replace(failed, successes=0, refusals=0, refused_since=None)
        case _:
            assert_never(result.kind)


def next_try(proof: Proof | None, attempt: str, now: datetime, spacing: timedelta) -> datetime:
    """Return when the next sign-in is due.

    Successes are `spacing` apart. A failure waits 1, 2, 4 … 60 s, and 5 minutes once
    failures have lasted for 5 minutes. Throttling waits for at least 5 minutes.
    """
    if proof is None or proof.attempt != attempt:
        return now
    if proof.tries_failed == 0:
        return proof.last_try + spacing
    if proof.result.reason is Reason.THROTTLED:
        return proof.last_try + max(proof.result.retry_after or _THROTTLE_PAUSE, _THROTTLE_PAUSE)
    if is_failing_long(proof, now):
        return proof.last_try + SLOW_RETRY
    return proof.last_try + min(timedelta(seconds=2 ** min(proof.tries_failed - 1, 6)), _MAX_RETRY)


def is_failing_long(proof: Proof, now: datetime) -> bool:
    """Return whether sign-ins have failed for 5 minutes without a success."""
    return proof.failing_since is not None and now - proof.failing_since >= _SLOW_AFTER
