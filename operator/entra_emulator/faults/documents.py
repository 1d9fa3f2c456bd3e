"""The documents of faults, in a file or an admin request: types and defaults.

Unknown fields and unknown fault names are refused, so that a typing error in a test never means
"no fault".
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

Window = tuple[
    Annotated[float, msgspec.Meta(ge=0, le=300)], Annotated[float, msgspec.Meta(ge=0, le=300)]
]
"""The shortest and the longest delay, in seconds."""

_Seconds = Annotated[float, msgspec.Meta(ge=0, le=300)]
_UpToADay = Annotated[float, msgspec.Meta(ge=0, le=86_400)]
_NO_LAG = (0.0, 0.0)
_FIELD_LAG = (4.0, 18.0)
# Microsoft documents several minutes, during which sign-ins may succeed and fail again.
_FEDERATED_LAG = (15.0, 150.0)


class _Strict(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """Base of all documents: camel case in JSON, unknown fields refused."""


class ReadLag(_Strict, frozen=True):
    """The delays after which one kind of read shows each kind of change.

    Certificates and federated credentials lag like client secrets, unless they have windows of
    their own.
    """

    create: Window = _NO_LAG
    add: Window = _NO_LAG
    update: Window = _NO_LAG
    remove: Window = _NO_LAG
    add_key: Window | None = None
    remove_key: Window | None = None
    add_federated: Window | None = None
    update_federated: Window | None = None
    remove_federated: Window | None = None


class Lag(_Strict, frozen=True):
    """Replica lag, separately for reads of one application, lists and the token endpoint.

    For `negativeCache` seconds the token endpoint remembers that no federated credential matched;
    for `keyCache` seconds it uses the fetched keys of an issuer.
    """

    replicas: Annotated[int, msgspec.Meta(ge=1, le=16)] = 3
    application: ReadLag = ReadLag()
    list: ReadLag = ReadLag()
    token: ReadLag = ReadLag()
    negative_cache: _UpToADay = 0.0
    key_cache: _UpToADay = 0.0

    def window(self, read: str, change: str) -> Window:
        """Return the window of a kind of read and a kind of change."""
        row: ReadLag = getattr(self, read)
        window: Window = getattr(row, change)
        if window is None:
            # `add_key` without a window of its own follows `add`, and so on.
            window = getattr(row, change.partition("_")[0])
        return window


class Quotas(_Strict, frozen=True):
    """Graph's published quotas; S, M and L are Microsoft's sizes of a tenant."""

    enabled: bool = False
    tenant_size: Literal["S", "M", "L"] = "L"


class Match(_Strict, frozen=True):
    """The requests that a rule applies to; a missing field matches everything.

    `operation` may contain `*`, as in `application.*`. `app` is an appId or an object id.
    """

    tenant: str | None = None
    app: str | None = None
    operation: str | None = None


class Rule(_Strict, frozen=True, tag_field="fault"):
    """The common fields of all faults: maximum count, probability, and matching requests."""

    id: str = ""
    count: Annotated[int, msgspec.Meta(ge=1)] | None = None
    probability: Annotated[float, msgspec.Meta(gt=0, le=1)] = 1.0
    match: Match = Match()


class Latency(Rule, frozen=True, tag="latency"):
    """Delay the answer by real seconds; adds up with other faults."""

    seconds: Window = (0.05, 0.05)


class Conflict(Rule, frozen=True, tag="conflict"):
    """409 for a write within `seconds` after the last write to the same application."""

    seconds: _Seconds = 10.0


class RemoveAfterAdd(Rule, frozen=True, tag="remove-after-add"):
    """500 for a removePassword within `seconds` after an addPassword."""

    seconds: _Seconds = 10.0


class Throttle(Rule, frozen=True, tag="throttle"):
    """429; `retryAfter: null` leaves the header out."""

    retry_after: int | None = 10
    information: Literal["CPULimitExceeded", "WriteLimitExceeded", "ResourceUnitLimitExceeded"] = (
        "ResourceUnitLimitExceeded"
    )


class ServerError(Rule, frozen=True, tag="server-error"):
    """500 with a body in Graph's form."""


class Unavailable(Rule, frozen=True, tag="unavailable"):
    """503 with the HTML body of a gateway."""

    retry_after: int | None = None


class TimeoutAfterCommit(Rule, frozen=True, tag="timeout-after-commit"):
    """504 after the write was done. Applies to writes only."""


class Hang(Rule, frozen=True, tag="hang"):
    """Send nothing for real seconds, then close the connection."""

    seconds: _Seconds = 30.0
    commit: bool = False


class ExpiredToken(Rule, frozen=True, tag="expired-token"):
    """401: the access token counts as expired."""


class ClaimsChallenge(Rule, frozen=True, tag="claims-challenge"):
    """401 with a claims challenge, until the client sends a token requested with the claims."""


class Forbidden(Rule, frozen=True, tag="forbidden"):
    """403 Authorization_RequestDenied."""


class NotFound(Rule, frozen=True, tag="not-found"):
    """404 Request_ResourceNotFound."""


class GraphErrorFault(Rule, frozen=True, kw_only=True, tag="graph-error"):
    """Any other error of Graph."""

    status: Annotated[int, msgspec.Meta(ge=400, le=599)]
    code: str
    message: str = "An error made by the emulator."


class TokenErrorFault(Rule, frozen=True, kw_only=True, tag="token-error"):
    """An error of the token endpoint, by its AADSTS number."""

    code: int


AnyRule = (
    Latency
    | Conflict
    | RemoveAfterAdd
    | Throttle
    | ServerError
    | Unavailable
    | TimeoutAfterCommit
    | Hang
    | ExpiredToken
    | ClaimsChallenge
    | Forbidden
    | NotFound
    | GraphErrorFault
    | TokenErrorFault
)


def _realistic_lag() -> Lag:
    row = ReadLag(create=_FIELD_LAG, add=_FIELD_LAG, update=_FIELD_LAG, remove=_FIELD_LAG)
    slow = msgspec.structs.replace(
        row,
        add_federated=_FEDERATED_LAG,
        update_federated=_FEDERATED_LAG,
        remove_federated=_FEDERATED_LAG,
    )
    return Lag(
        replicas=3, application=row, list=row, token=slow, negative_cache=60.0, key_cache=1800.0
    )


class Faults(_Strict, frozen=True):
    """All faults of the emulated service.

    `profile` is `none` (every change shows at once) or `realistic` (after 4 to 18 seconds, as
    reported for Entra); `lag` overrides it.
    """

    seed: int = 1
    profile: Literal["none", "realistic"] = "none"
    lag: Lag | None = None
    quotas: Quotas = Quotas()
    rules: tuple[AnyRule, ...] = ()

    def effective_lag(self) -> Lag:
        """Return `lag`, or else the lag of the profile."""
        if self.lag is not None:
            return self.lag
        return _realistic_lag() if self.profile == "realistic" else Lag()


def faults_from(document: Any) -> Faults:
    """Read faults from parsed JSON.

    Raises:
        msgspec.ValidationError: a field is wrong; the message names it.
    """
    return msgspec.convert(document, Faults)


def rule_from(document: Any) -> AnyRule:
    """Read one rule from parsed JSON; raises as `faults_from` does."""
    rule: AnyRule = msgspec.convert(document, AnyRule)
    return rule
