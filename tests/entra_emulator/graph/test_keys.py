"""Certificates in Graph: a PATCH replaces the whole list and removes what it does not name."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.emulator import Emulator, MadeApplication
from tests.support.graph_user import GraphUser, is_guid
from tests.support.keys import MadeCertificate, make_certificate

HOUR = timedelta(hours=1)


def moment(instant: Any) -> str:
    return str(instant.strftime("%Y-%m-%dT%H:%M:%SZ"))


def entry(made: MadeCertificate, **fields: Any) -> dict[str, Any]:
    """Return a new keyCredential with the fields that careful clients send."""
    wanted = {
        "type": "AsymmetricX509Cert",
        "usage": "Verify",
        "key": made.base64,
        "startDateTime": moment(made.certificate.not_valid_before_utc),
        "endDateTime": moment(made.certificate.not_valid_after_utc),
        **fields,
    }
    return {name: value for name, value in wanted.items() if value is not None}


def put(user: GraphUser, app: MadeApplication, *keys: Any) -> httpx.Response:
    return user.call("PATCH", f"applications/{app.id}", {"keyCredentials": list(keys)})


def keys(user: GraphUser, app: MadeApplication, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = user.get(f"applications/{app.id}{query}")["keyCredentials"]
    return found


def refused(answer: httpx.Response, code: str, text: str = "") -> dict[str, Any]:
    assert answer.status_code == 400, answer.text
    error: dict[str, Any] = answer.json()["error"]
    assert error["code"] == code
    assert text in error["message"]
    return error


def test_a_certificate_is_added_and_read_without_its_bytes(
    user: GraphUser, app: MadeApplication, made: MadeCertificate
) -> None:
    """R6, S3, S4: whole seconds, the thumbprint in upper-case digits, `key` null."""
    assert put(user, app, entry(made, displayName="orders")).status_code == 204
    [key] = keys(user, app)
    assert is_guid(key.pop("keyId"))
    assert key == {
        "customKeyIdentifier": made.thumbprint,
        "displayName": "orders",
        "endDateTime": moment(made.certificate.not_valid_after_utc),
        "key": None,
        "startDateTime": moment(made.certificate.not_valid_before_utc),
        "type": "AsymmetricX509Cert",
        "usage": "Verify",
    }


def test_bytes_show_only_where_one_application_is_asked_for_them(
    user: GraphUser, app: MadeApplication, made: MadeCertificate
) -> None:
    """S3."""
    put(user, app, entry(made))
    assert keys(user, app, "?$select=id,keyCredentials")[0]["key"] == made.base64
    listed = user.get("applications?$select=keyCredentials,appId")["value"]
    [row] = [row for row in listed if row["appId"] == app.app_id]
    assert row["keyCredentials"][0]["key"] is None


def test_the_client_chooses_the_key_id(
    user: GraphUser, app: MadeApplication, made: MadeCertificate
) -> None:
    key_id = str(uuid4())
    put(user, app, entry(made, keyId=key_id))
    assert [key["keyId"] for key in keys(user, app)] == [key_id]


@pytest.mark.parametrize("absent", [True, False])
def test_entries_that_are_sent_back_stay_and_others_go(
    user: GraphUser, app: MadeApplication, absent: bool
) -> None:
    """S6: `key` may be null or missing in entries that stay."""
    first, second, third = (make_certificate(name) for name in ("one", "two", "three"))
    put(user, app, entry(first), entry(second))
    kept = next(key for key in keys(user, app) if key["customKeyIdentifier"] == first.thumbprint)
    if absent:
        del kept["key"]
    assert put(user, app, kept, entry(third)).status_code == 204
    found = {key["customKeyIdentifier"] for key in keys(user, app)}
    assert found == {first.thumbprint, third.thumbprint}
    assert put(user, app).status_code == 204
    assert keys(user, app) == []


def test_an_entry_is_also_known_by_identifier_and_bytes(
    user: GraphUser, app: MadeApplication, made: MadeCertificate
) -> None:
    put(user, app, entry(made))
    [before] = keys(user, app)
    again = entry(made, customKeyIdentifier=made.thumbprint)
    assert put(user, app, again).status_code == 204
    assert keys(user, app) == [before]


@pytest.mark.parametrize(
    "change",
    [
        {"displayName": "another"},
        {"startDateTime": "2026-01-21T12:00:00Z"},
        {"endDateTime": "2036-01-21T12:00:00Z"},
        {"usage": "Sign"},
        {"customKeyIdentifier": "AAAA"},
        {"key": make_certificate("another").base64},
    ],
    ids=lambda change: next(iter(change)),
)
def test_an_entry_cannot_be_changed(
    user: GraphUser, app: MadeApplication, made: MadeCertificate, change: dict[str, Any]
) -> None:
    """S6: KeyNotUpdatable."""
    put(user, app, entry(made))
    [before] = keys(user, app)
    error = refused(put(user, app, {**before, **change}), "Request_BadRequest", before["keyId"])
    assert error["message"].endswith("is not allowed.")
    assert error["details"][0]["code"] == "KeyNotUpdatable"
    assert keys(user, app) == [before]


def test_dates_echoed_with_less_precision_are_a_change(
    user: GraphUser, app: MadeApplication, made: MadeCertificate, emulator: Emulator
) -> None:
    start = (emulator.now() - HOUR / 2).strftime("%Y-%m-%dT%H:%M:%S.1234567Z")
    assert put(user, app, entry(made, startDateTime=start)).status_code == 204
    [before] = keys(user, app)
    assert before["startDateTime"] == start
    cut = {**before, "startDateTime": start.replace("4567Z", "456Z")}
    refused(put(user, app, cut), "Request_BadRequest", "is not allowed")
    assert put(user, app, before).status_code == 204


@pytest.mark.parametrize("name", ["startDateTime", "endDateTime"])
def test_a_key_must_lie_within_its_certificate(
    user: GraphUser, app: MadeApplication, made: MadeCertificate, name: str
) -> None:
    """S7: both error codes."""
    before = made.certificate.not_valid_before_utc - timedelta(seconds=1)
    after = made.certificate.not_valid_after_utc + timedelta(seconds=1)
    outside = {"startDateTime": moment(before), "endDateTime": moment(after)}
    code = {
        "startDateTime": "KeyCredentialsInvalidStartDate",
        "endDateTime": "KeyCredentialsInvalidEndDate",
    }
    refused(put(user, app, entry(made, **{name: outside[name]})), code[name])


def test_without_dates_a_key_starts_now_for_a_year_or_as_long_as_its_certificate(
    user: GraphUser, app: MadeApplication
) -> None:
    """As azurerator sends it: type, usage, key and name, and no dates."""
    short = make_certificate("short")
    end = short.certificate.not_valid_after_utc + timedelta(days=900)
    for one in (short, make_certificate("long", end=end)):
        body = {
            "keyId": None,
            "type": "AsymmetricX509Cert",
            "usage": "Verify",
            "key": one.base64,
            "displayName": "azurerator",
        }
        assert put(user, app, body).status_code == 204
        (added,) = keys(user, app)
        started = datetime.fromisoformat(added["startDateTime"])
        ended = datetime.fromisoformat(added["endDateTime"])
        year = started.replace(year=started.year + 1)
        expected = min(year, one.certificate.not_valid_after_utc)
        assert abs(ended - expected) < timedelta(seconds=1)


def test_without_dates_a_key_starts_with_a_certificate_that_is_not_valid_yet(
    user: GraphUser, app: MadeApplication
) -> None:
    now = make_certificate().certificate.not_valid_before_utc
    later = make_certificate("later", start=now + 3 * HOUR)
    wanted = entry(later, startDateTime=None, endDateTime=None)
    assert put(user, app, wanted).status_code == 204
    (added,) = keys(user, app)
    assert added["startDateTime"] == moment(later.certificate.not_valid_before_utc)
    assert added["endDateTime"] == moment(later.certificate.not_valid_after_utc)


def test_an_expired_certificate_is_not_added(user: GraphUser, app: MadeApplication) -> None:
    now = make_certificate().certificate.not_valid_before_utc
    old = make_certificate("old", start=now - 3 * HOUR, end=now - HOUR)
    refused(put(user, app, entry(old)), "KeyCredentialsInvalidEndDate")


def test_pem_within_base64_is_taken(
    user: GraphUser, app: MadeApplication, made: MadeCertificate
) -> None:
    wrapped = base64.b64encode(made.pem).decode()
    assert put(user, app, entry(made, key=wrapped)).status_code == 204
    assert keys(user, app, "?$select=keyCredentials")[0]["key"] == made.base64


def test_base64_may_contain_white_space(
    user: GraphUser, app: MadeApplication, made: MadeCertificate
) -> None:
    """As `az ad app create --create-cert` sends it: 64 characters a line."""
    lines = [made.base64[at : at + 64] for at in range(0, len(made.base64), 64)]
    for end in ("\n", "\r\n", " ", "\t", " \r\n\t"):
        assert put(user, app, entry(made, key=end.join(lines) + end)).status_code == 204
        assert keys(user, app, "?$select=keyCredentials")[0]["key"] == made.base64


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("_-8=", "Edm.Binary"),
        ("AAAA\vAAAA", "Edm.Binary"),
        ("AAAA\u00a0AAAA", "Edm.Binary"),
        ("no base64 at all", "Edm.Binary"),
        (7, "Edm.Binary"),
        (base64.b64encode(b"no certificate").decode(), "not a valid certificate"),
        (None, "'key'"),
    ],
)
def test_what_is_no_certificate_is_refused(
    user: GraphUser, app: MadeApplication, made: MadeCertificate, key: Any, text: str
) -> None:
    refused(put(user, app, entry(made, key=key)), "Request_BadRequest", text)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"usage": "Encrypt"}, "Acceptable values are Sign, Verify."),
        ({"usage": None}, "Acceptable values are Sign, Verify."),
        ({"type": "X509CertAndPassword", "usage": "Sign"}, "type"),
        ({"type": "Symmetric"}, "type"),
        ({"keyId": "no-guid"}, "Edm.Guid"),
        ({"thumbprint": "x"}, "does not exist on type"),
        ({"customKeyIdentifier": "*"}, "Edm.Binary"),
        ({"customKeyIdentifier": base64.b64encode(b"x" * 33).decode()}, "32 bytes"),
    ],
)
def test_a_wrong_entry_is_refused(
    user: GraphUser, app: MadeApplication, made: MadeCertificate, fields: Any, text: str
) -> None:
    refused(put(user, app, entry(made, **fields)), "Request_BadRequest", text)


def test_the_list_must_be_one_with_each_key_once(
    user: GraphUser, app: MadeApplication, made: MadeCertificate
) -> None:
    key_id = str(uuid4())
    twice = entry(made, keyId=key_id)
    refused(put(user, app, twice, twice), "Request_BadRequest", "same keyId")
    answer = user.call("PATCH", f"applications/{app.id}", {"keyCredentials": {}})
    refused(answer, "Request_BadRequest", "collection")
    refused(put(user, app, "text"), "Request_BadRequest", "object")


def test_names_are_cut_at_90_characters_and_default_to_the_subject(
    user: GraphUser, app: MadeApplication, made: MadeCertificate
) -> None:
    """S5."""
    put(user, app, entry(made, displayName="x" * 91))
    assert keys(user, app)[0]["displayName"] == "x" * 90
    put(user, app, entry(made))
    assert keys(user, app)[0]["displayName"] == "CN=orders"


def test_a_list_made_from_an_old_read_loses_what_was_added_since(
    user: GraphUser, app: MadeApplication, emulator: Emulator
) -> None:
    """There is no compare-and-swap."""
    before = keys(user, app)
    emulator.add_key(app.id, certificate=make_certificate("of another team").pem.decode())
    put(user, app, *before, entry(make_certificate("mine")))
    assert [key["displayName"] for key in keys(user, app)] == ["CN=mine"]


def test_an_echo_of_a_key_that_is_gone_is_refused_whole(
    user: GraphUser, app: MadeApplication, made: MadeCertificate, emulator: Emulator
) -> None:
    put(user, app, entry(made))
    [echo] = keys(user, app)
    emulator.remove_key(app.id, echo["keyId"])
    refused(put(user, app, echo), "Request_BadRequest", "'key'")


def test_certificates_and_secrets_share_the_size_of_the_object(
    user: GraphUser, app: MadeApplication, made: MadeCertificate, emulator: Emulator
) -> None:
    for _ in range(600):
        emulator.add_password(app.id)
    answer = put(user, app, entry(made))
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "Directory_ResourceSizeExceeded"


def test_only_an_owner_writes(
    user: GraphUser, emulator: Emulator, tenant: str, made: MadeCertificate
) -> None:
    """S11."""
    foreign = emulator.create_application(tenant)
    assert put(user, foreign, entry(made)).status_code == 403


def test_reads_of_bytes_have_a_limit_of_their_own(user: GraphUser, app: MadeApplication) -> None:
    """F5: 150 requests a minute for the whole tenant."""
    user.sign_in()
    user.emulator.stop_clock()
    user.emulator.set_faults(quotas={"enabled": True})
    path = f"applications/{app.id}?$select=keyCredentials"
    answers = [user.call("GET", path).status_code for _ in range(151)]
    assert answers == [200] * 150 + [429]
    assert user.call("GET", f"applications/{app.id}").status_code == 200


def test_certificates_lag_by_a_measure_of_their_own(
    user: GraphUser, app: MadeApplication, made: MadeCertificate
) -> None:
    """F1."""
    user.sign_in()
    user.emulator.stop_clock()
    row = {"add": [1, 1], "addKey": [60, 60], "removeKey": [90, 90]}
    user.emulator.set_faults(lag={"replicas": 1, "application": row})
    put(user, app, entry(made))
    user.emulator.move_clock(59)
    assert keys(user, app) == []
    user.emulator.move_clock(1)
    assert len(keys(user, app)) == 1
    put(user, app)
    user.emulator.move_clock(89)
    assert len(keys(user, app)) == 1
    user.emulator.move_clock(1)
    assert keys(user, app) == []


def test_an_application_is_created_with_certificates(
    user: GraphUser, made: MadeCertificate
) -> None:
    """R5."""
    body = {"displayName": "new", "keyCredentials": [entry(made)]}
    answer = user.call("POST", "applications", body)
    assert answer.status_code == 201
    assert answer.json()["keyCredentials"][0]["customKeyIdentifier"] == made.thumbprint
