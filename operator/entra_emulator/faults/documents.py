"""The faults as they stand in a file or an admin request: types and defaults only.

Unknown fields and unknown fault names are refused, so that a typing error in a
test never silently means "no fault".
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

Window = tuple[
    Annotated[float, msgspec.Meta(ge=0, le=300)], Annotated[float, msgspec.Meta(ge=0, le=300)]
]
"""At least and at most, in seconds."""

_Seconds = Annotated[float, msgspec.Meta(ge=0, le=300)]
_UpToADay = Annotated[float, msgspec.Meta(ge=0, le=86_400)]
_NO_LAG = (0.0, 0.0)
_FIELD_LAG = (4.0, 18.0)
# Microsoft speaks of several minutes, in which sign-ins may succeed and fail again.
_FEDERATED_LAG = (15.0, 150.0)


class _Strict(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """Base of all: camel case on the wire, nothing unknown accepted."""


class ReadLag(_Strict, frozen=True):
    """How long one kind of read needs to show each kind of change.

    Certificates and federated credentials lag as client secrets do, unless the windows
    with their names say otherwise.
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
    """Replica lag: reads of one application, lists and the token endpoint each by themselves.

    `negativeCache` is for how many seconds the token endpoint remembers that no federated
    credential matched; `keyCache`, for how many it uses the keys of an issuer once fetched.
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
    """The published quotas; S, M and L are the sizes of a tenant that Microsoft names."""

    enabled: bool = False
    tenant_size: Literal["S", "M", "L"] = "L"


class Match(_Strict, frozen=True):
    """What a rule applies to; what is not given matches everything.

    `operation` may hold `*`, as in `application.*`. `app` is an appId or an object id.
    """

    tenant: str | None = None
    app: str | None = None
    operation: str | None = None


class Rule(_Strict, frozen=True, tag_field="fault"):
    """What every fault has: how often at most, how likely, and where."""

    id: str = ""
    count: Annotated[int, msgspec.Meta(ge=1)] | None = None
    probability: Annotated[float, msgspec.Meta(gt=0, le=1)] = 1.0
    match: Match = Match()


class Latency(Rule, frozen=True, tag="latency"):
    """Answer later, in real time; adds up with other faults."""

    seconds: Window = (0.05, 0.05)


class Conflict(Rule, frozen=True, tag="conflict"):
    """409 for a write within so many seconds after the last write to the same application."""

    seconds: _Seconds = 10.0


class RemoveAfterAdd(Rule, frozen=True, tag="remove-after-add"):
    """500 for a removePassword within so many seconds after an addPassword."""

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
    """503 with an HTML body, as a gateway sends it."""

    retry_after: int | None = None


class TimeoutAfterCommit(Rule, frozen=True, tag="timeout-after-commit"):
    """504 although the write was done. Applies to writes."""


class Hang(Rule, frozen=True, tag="hang"):
    """Say nothing for so many real seconds, then close the connection."""

    seconds: _Seconds = 30.0
    commit: bool = False


class ExpiredToken(Rule, frozen=True, tag="expired-token"):
    """401: the access token counts as expired."""


class ClaimsChallenge(Rule, frozen=True, tag="claims-challenge"):
    """401 with a claims challenge until a token comes that was asked for with the claims."""


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
    """An error of the token endpoint by its AADSTS number."""

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
    """Everything that is wrong with the emulated service.

    `profile` is `none` (every change shows at once) or `realistic` (4 to 18
    seconds, which is what was reported from the field); `lag` overrides it.
    """

    seed: int = 1
    profile: Literal["none", "realistic"] = "none"
    lag: Lag | None = None
    quotas: Quotas = Quotas()
    rules: tuple[AnyRule, ...] = ()

    def effective_lag(self) -> Lag:
        """Return the lag that is to be used."""
        if self.lag is not None:
            return self.lag
        return _realistic_lag() if self.profile == "realistic" else Lag()


def faults_from(document: Any) -> Faults:
    """Read faults from parsed JSON.

    Raises:
        msgspec.ValidationError: names the field that is wrong.
    """
    return msgspec.convert(document, Faults)


def rule_from(document: Any) -> AnyRule:
    """Read one rule from parsed JSON."""
    rule: AnyRule = msgspec.convert(document, AnyRule)
    return rule
