"""Any bytes at all, and documents that are nearly right, for each parser of what servers send.

A parser returns a value or raises the one error that means "nothing was learned".
"""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, timedelta
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appcredential.domain.clock_skew import Skew, http_date
from appcredential.domain.operator_credential import OperatorCredential, client_of, token_fault
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.checks import is_guid
from appcredential.domain.times import format_time
from appcredential.entra import federated, issuer_documents, signin, token_transport
from appcredential.entra.answers import UnreadableAnswerError, decoded
from appcredential.entra.policies import decode_policy
from appcredential.entra.translate import retry_after
from appcredential.entra.wire import (
    decode_application,
    decode_keys,
    decode_new_password,
    decode_own_end,
)
from tests.support.graph import CLIENT, KEY, OBJECT, START, password

bounded = settings(derandomize=True, max_examples=150, deadline=None)

OWN: Final = OperatorCredential(value=SecretValue("abc8Q~the-rest-of-the-secret"))
CERTIFICATE: Final = {**password(), "key": "AAAA", "usage": "Verify", "hint": None}
APPLICATION: Final[dict[str, Any]] = {
    "id": OBJECT,
    "appId": CLIENT,
    "displayName": "Orders",
    "createdDateTime": "2026-01-21T12:00:00Z",
    "passwordCredentials": [password()],
    "keyCredentials": [CERTIFICATE],
}
TRUST: Final = {"id": KEY, "name": "n", "issuer": "i", "subject": "s", "audiences": ["a"]}
POLICY: Final[dict[str, Any]] = {
    "isEnabled": True,
    "applicationRestrictions": {
        "passwordCredentials": [
            {"restrictionType": "passwordLifetime", "state": "enabled", "maxLifetime": "P90D"}
        ],
        "keyCredentials": [
            {
                "restrictionType": "asymmetricKeyLifetime",
                "state": "enabled",
                "maxLifetime": "P1DT2H",
                "restrictForAppsCreatedAfterDateTime": "2026-01-21T12:00:00Z",
            }
        ],
    },
}
PARSERS: Final[dict[str, tuple[Callable[[bytes], object], dict[str, Any]]]] = {
    "application": (lambda body: decode_application(body, CLIENT, START), APPLICATION),
    "keys": (decode_keys, {"keyCredentials": [CERTIFICATE]}),
    "new password": (decode_new_password, password(value="made-up")),
    "own end": (lambda body: decode_own_end(body, OWN), {"value": [APPLICATION]}),
    "policy": (decode_policy, POLICY),
    "trusts": (lambda body: decoded(federated._LIST, body, "a list"), {"value": [TRUST]}),
    "principal": (lambda body: decoded(federated._PRINCIPAL, body, "one"), {"appId": KEY}),
    "token": (
        lambda body: decoded(token_transport._TOKEN, body, "a token"),
        {"access_token": "t", "expires_in": 3599, "expires_on": "1"},
    ),
}

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats()
    | st.text(max_size=30)
    | st.sampled_from(
        [
            *("", "\ud800", "\u202e", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+23:59"),
            *("2026-02-30T00:00:00Z", "P999999999D", "P1Y", KEY.upper(), f"{KEY}\n", "../.."),
        ]
    )
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


@st.composite
def nearly(draw: st.DrawFn, document: dict[str, Any]) -> bytes:
    """A document with some members replaced or gone, as bytes, some of them cut or changed."""
    found = copy.deepcopy(document)
    for _ in range(draw(st.integers(1, 3))):
        place: Any = found
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if isinstance(place[key], (dict, list)) and draw(st.booleans()):
                place = place[key]
                continue
            if isinstance(place, dict) and draw(st.booleans()):
                del place[key]
            else:
                place[key] = draw(values)
            break
    body = json.dumps(found, ensure_ascii=draw(st.booleans())).encode(errors="surrogatepass")
    if draw(st.integers(0, 4)) == 0:
        at = draw(st.integers(0, len(body)))
        body = body[:at] + draw(st.binary(max_size=3)) + body[at + 1 :]
    return body


def check(parse: Callable[[bytes], object], body: bytes) -> None:
    with suppress(UnreadableAnswerError):
        repr(parse(body)).encode()  # what is read can be written into a log or a status


@pytest.mark.parametrize("name", PARSERS)
@bounded
@given(data=st.data())
def test_documents_that_are_nearly_right(name: str, data: st.DataObject) -> None:
    parse, document = PARSERS[name]
    check(parse, data.draw(nearly(document)))


@pytest.mark.parametrize("name", PARSERS)
@bounded
@given(body=st.binary(max_size=200) | values.map(lambda v: json.dumps(v).encode()))
def test_any_bytes(name: str, body: bytes) -> None:
    check(PARSERS[name][0], body)


@pytest.mark.parametrize("name", PARSERS)
def test_the_documents_that_are_changed_are_right_before(name: str) -> None:
    parse, document = PARSERS[name]
    assert parse(json.dumps(document).encode()) is not None


@bounded
@given(body=nearly({"error": "x", "error_codes": [7000215], "access_token": "t"}))
def test_answers_to_a_sign_in(body: bytes) -> None:
    assert all(isinstance(code, int) for code in signin._codes(body))
    assert signin._has_token(body) in {True, False}


@bounded
@given(data=st.data())
def test_ids_are_ids_when_they_are_read(data: st.DataObject) -> None:
    """They become parts of addresses."""
    with suppress(UnreadableAnswerError):
        found = decode_application(data.draw(nearly(APPLICATION)), CLIENT, START)
        assert is_guid(found.object_id.lower())
        assert all(is_guid(one.key_id) for one in found.credentials)
        for one in found.credentials:
            assert format_time(one.start)
            assert one.end - one.start + timedelta(days=3650)


dates = st.text(max_size=40) | st.builds(
    "{} {} {} {} {}:{}:{} {}".format,
    st.sampled_from(["Sun,", "", "x,"]),
    st.integers(-1, 10**6),
    st.sampled_from(["Nov", "Jan", "13", ""]),
    st.integers(-1, 10**12),
    st.integers(-1, 99),
    st.integers(-1, 99),
    st.integers(-1, 99) | st.text(max_size=3),
    st.sampled_from(["GMT", "+0000", "-9999", "+2359", "+99999999999", ""]),
)


@bounded
@given(text=dates)
def test_dates_of_answers(text: str) -> None:
    found = http_date(text)
    if found is not None:
        assert found.tzinfo is not None
        limit = timedelta(minutes=5)
        Skew().seen(found, START, 1.0, limit).seen(found, START, 2.0, limit).ahead(START, 1.0)
        with suppress(OverflowError):
            found.astimezone(UTC)


@bounded
@given(text=dates | st.integers().map(str) | st.just("9" * 5000) | st.just("²"))
def test_pauses_that_a_server_asks_for(text: str) -> None:
    wait = retry_after({"Retry-After": text}, START)
    assert wait is None or timedelta(seconds=1) <= wait <= timedelta(hours=1)


@bounded
@given(claims=nearly({"aud": ["a"], "appid": CLIENT, "azp": CLIENT}))
def test_claims_of_tokens(claims: bytes) -> None:
    token = f"x.{base64.urlsafe_b64encode(claims).decode().rstrip('=')}.y"
    found = client_of(token)
    assert found is None or is_guid(found)
    assert isinstance(token_fault(token, "audience"), str)


DEEP: Final = b"[" * 100_000 + b"]" * 100_000


@pytest.mark.parametrize("name", PARSERS)
def test_lists_in_lists(name: str) -> None:
    parse, document = PARSERS[name]
    for member in document:
        body = json.dumps({**document, member: "HERE"}).encode().replace(b'"HERE"', DEEP)
        with pytest.raises(UnreadableAnswerError):
            parse(body)


@pytest.mark.parametrize("member", ["aud", "of others"])
def test_lists_in_lists_in_a_token(member: str) -> None:
    claims = b'{"' + member.encode() + b'": ' + DEEP + b"}"
    token = base64.urlsafe_b64encode(claims).decode().rstrip("=")
    assert client_of(f"x.{token}.y") is None


@bounded
@given(body=nearly({"issuer": "https://issuer.example"}) | st.binary(max_size=200))
def test_documents_of_issuers(body: bytes) -> None:
    assert isinstance(issuer_documents._issuer_of(body), str)


@pytest.mark.parametrize("body", [DEEP, b'{"issuer": ' + DEEP + b"}", b'{"x": ' + DEEP + b"}"])
def test_lists_in_lists_in_an_issuers_document(body: bytes) -> None:
    assert issuer_documents._issuer_of(body) == ""
