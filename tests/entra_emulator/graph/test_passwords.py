"""Client secrets in Graph: shapes, dates, limits, and where the value shows."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from entra_emulator.directory.entities import PasswordCredential
from tests.support.emulator import Emulator, MadeApplication
from tests.support.graph_user import GraphUser, is_guid


def passwords(user: GraphUser, app: MadeApplication) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = user.get(f"applications/{app.id}")["passwordCredentials"]
    return found


def add(user: GraphUser, app: MadeApplication, **password: Any) -> Any:
    """Send an addPassword that may fail."""
    body = {"passwordCredential": password}
    return user.call("POST", f"applications/{app.id}/addPassword", body)


def iso(emulator: Emulator, **shift: float) -> str:
    return (emulator.now() + timedelta(**shift)).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_add_password_answers_every_field_of_a_credential(
    user: GraphUser, app: MadeApplication, emulator: Emulator
) -> None:
    """S1, R7: the server chooses key id, value and hint."""
    end = iso(emulator, days=90)
    made = user.add_password(app.id, displayName="shop/orders", endDateTime=end)
    assert set(made) == {
        "@odata.context",
        "customKeyIdentifier",
        "displayName",
        "endDateTime",
        "hint",
        "keyId",
        "secretText",
        "startDateTime",
    }
    assert made["@odata.context"] == (
        f"{emulator.graph_root}/$metadata#microsoft.graph.passwordCredential"
    )
    assert made["customKeyIdentifier"] is None
    assert made["displayName"] == "shop/orders"
    assert made["endDateTime"] == end
    assert is_guid(made["keyId"])
    assert re.fullmatch(r"[A-Za-z]{3}\dQ~[A-Za-z0-9_.~-]{34}", made["secretText"])
    assert made["hint"] == made["secretText"][:3]


def test_value_is_in_the_answer_of_add_password_and_nowhere_else(
    user: GraphUser, app: MadeApplication, emulator: Emulator
) -> None:
    """S1, S2: all other places have null, a hint or a digest."""
    made = user.add_password(app.id)
    value = made["secretText"]
    reads = [
        user.get(f"applications/{app.id}"),
        user.get(f"applications/{app.id}?$select=passwordCredentials"),
        user.get("applications"),
        emulator.application(app.id),
        emulator.requests(),
    ]
    assert all(value not in str(read) for read in reads)
    assert passwords(user, app)[0]["secretText"] is None
    assert passwords(user, app)[0]["hint"] == value[:3]


def test_stored_credential_holds_a_salted_digest_only(
    user: GraphUser, app: MadeApplication, emulator: Emulator
) -> None:
    """S2."""
    value = user.add_password(app.id)["secretText"]

    def stored(world: Any) -> PasswordCredential:
        record = world.directory.application_of(app.app_id)
        found: PasswordCredential = record.truth().passwords[0]
        return found

    password = emulator.do(stored)
    assert value.encode() not in password.digest.digest
    assert value not in repr(password)
    assert "digest=b" not in repr(password)


def test_read_shows_the_same_key_id_and_dates_as_the_answer(
    user: GraphUser, app: MadeApplication
) -> None:
    made = user.add_password(app.id, displayName="x")
    [read] = passwords(user, app)
    for name in ("keyId", "displayName", "startDateTime", "endDateTime", "hint"):
        assert read[name] == made[name]


@pytest.mark.parametrize("body", [None, {}, {"passwordCredential": None}])
def test_everything_may_be_left_out_and_means_two_years(
    user: GraphUser, app: MadeApplication, body: Any
) -> None:
    answer = user.call("POST", f"applications/{app.id}/addPassword", body)
    assert answer.status_code == 200
    start, end = (answer.json()[f"{name}DateTime"] for name in ("start", "end"))
    assert answer.json()["displayName"] is None
    assert int(end[:4]) == int(start[:4]) + 2
    assert end[4:] == start[4:]


def test_time_filled_in_by_the_server_has_seven_digits(
    user: GraphUser, app: MadeApplication
) -> None:
    made = user.add_password(app.id)
    assert re.fullmatch(r"[-0-9]{10}T[:0-9]{8}\.\d{6}[1-9]Z", made["startDateTime"])


def test_default_end_counts_from_the_given_start(
    user: GraphUser, app: MadeApplication, emulator: Emulator
) -> None:
    start = iso(emulator, days=3)
    made = user.add_password(app.id, startDateTime=start)
    assert made["startDateTime"] == start
    assert made["endDateTime"][4:] == start[4:]


def test_offset_datetimes_are_accepted_and_answered_in_utc(
    user: GraphUser, app: MadeApplication, emulator: Emulator
) -> None:
    """T3."""
    end = (emulator.now() + timedelta(days=9)).replace(microsecond=0)
    made = user.add_password(app.id, endDateTime=f"{end:%Y-%m-%dT%H:%M:%S}+00:00")
    assert made["endDateTime"] == f"{end:%Y-%m-%dT%H:%M:%SZ}"
    other = user.add_password(app.id, endDateTime=f"{end:%Y-%m-%dT%H:%M:%S}+02:00")
    assert other["endDateTime"] == f"{end - timedelta(hours=2):%Y-%m-%dT%H:%M:%SZ}"


def test_lifetime_of_centuries_is_accepted_without_a_policy(
    user: GraphUser, app: MadeApplication
) -> None:
    made = user.add_password(app.id, endDateTime="2299-12-31T00:00:00Z")
    assert made["endDateTime"] == "2299-12-31T00:00:00Z"


@pytest.mark.parametrize(
    ("start", "end", "code"),
    [
        (None, -1.0, "KeyCredentialsInvalidEndDate"),
        (2.0, 1.0, "KeyCredentialsInvalidEndDate"),
        (1.0, 1.0, "KeyCredentialsInvalidEndDate"),
        (-30.0, 30.0, "KeyCredentialsInvalidStartDate"),
    ],
)
def test_bad_dates_have_the_codes_of_keys(
    user: GraphUser,
    app: MadeApplication,
    emulator: Emulator,
    start: float | None,
    end: float,
    code: str,
) -> None:
    wanted = {"endDateTime": iso(emulator, days=end)}
    if start is not None:
        wanted["startDateTime"] = iso(emulator, days=start)
    answer = add(user, app, **wanted)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == code
    assert passwords(user, app) == []


@pytest.mark.parametrize(
    "value",
    [
        "tomorrow",
        "2027-01-01",
        "2027-01-01T00:00:00",
        "2027-13-01T00:00:00Z",
        "2027-01-01T00:00:00+25:00",
        "9999-12-31T23:59:59-12:00",
        7,
        {},
    ],
)
def test_value_that_is_no_instant_is_refused(
    user: GraphUser, app: MadeApplication, value: Any
) -> None:
    """So are values without an offset, and values outside of the calendar."""
    answer = add(user, app, endDateTime=value)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "Request_BadRequest"
    assert passwords(user, app) == []


def test_start_whose_default_end_leaves_the_calendar_is_refused(
    user: GraphUser, app: MadeApplication
) -> None:
    answer = add(user, app, startDateTime="9998-06-01T00:00:00Z")
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "KeyCredentialsInvalidStartDate"


def test_values_chosen_by_the_client_are_ignored(user: GraphUser, app: MadeApplication) -> None:
    """S1."""
    own = {"keyId": str(uuid4()), "secretText": "mine", "hint": "min"}
    made = user.add_password(app.id, **own)
    assert all(made[name] != value for name, value in own.items())


@pytest.mark.parametrize(
    "body",
    [
        {"passwordCredential": {"lifetime": "P90D"}},
        {"passwordCredentials": {}},
        {"displayName": "outside of passwordCredential"},
    ],
)
def test_unknown_property_is_refused(user: GraphUser, app: MadeApplication, body: Any) -> None:
    answer = user.call("POST", f"applications/{app.id}/addPassword", body)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "Request_BadRequest"


@pytest.mark.parametrize("value", [1, 0, [], "", False])
def test_credential_that_is_no_object_is_refused(
    user: GraphUser, app: MadeApplication, value: Any
) -> None:
    body = {"passwordCredential": value}
    answer = user.call("POST", f"applications/{app.id}/addPassword", body)
    assert answer.status_code == 400


def test_name_that_is_no_text_is_refused(user: GraphUser, app: MadeApplication) -> None:
    assert add(user, app, displayName=5).status_code == 400


def test_odata_type_is_tolerated(user: GraphUser, app: MadeApplication) -> None:
    """T4."""
    made = user.add_password(app.id, **{"@odata.type": "#microsoft.graph.passwordCredential"})
    assert made["secretText"]


def test_names_may_repeat_and_every_call_makes_another_secret(
    user: GraphUser, app: MadeApplication
) -> None:
    """AddPassword is not idempotent, and Graph has no idempotency key."""
    first, second = (user.add_password(app.id, displayName="same") for _ in range(2))
    assert first["keyId"] != second["keyId"]
    assert first["secretText"] != second["secretText"]
    assert len(passwords(user, app)) == 2


@pytest.mark.parametrize("audience", ["AzureADMyOrg", "AzureADMultipleOrgs"])
def test_organisations_have_no_limit_of_two(
    user: GraphUser, emulator: Emulator, audience: str
) -> None:
    app = emulator.create_application(user.tenant, owner=user.client_id, signInAudience=audience)
    for _ in range(5):
        user.add_password(app.id)


@pytest.mark.parametrize(
    "audience", ["AzureADandPersonalMicrosoftAccount", "PersonalMicrosoftAccount"]
)
def test_personal_audience_has_at_most_two_secrets(
    user: GraphUser, emulator: Emulator, audience: str
) -> None:
    """S10."""
    app = emulator.create_application(user.tenant, owner=user.client_id, signInAudience=audience)
    first = user.add_password(app.id)
    user.add_password(app.id)
    assert add(user, app).status_code == 400
    assert user.remove_password(app.id, first["keyId"]).status_code == 204
    assert add(user, app).status_code == 200


def test_object_with_600_credentials_takes_no_more(user: GraphUser, emulator: Emulator) -> None:
    rows = [{"displayName": str(number), "value": "s"} for number in range(600)]
    app = emulator.create_application(user.tenant, owner=user.client_id, passwords=rows)
    answer = add(user, app)
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "Directory_ResourceSizeExceeded"


def test_remove_password_is_204_without_a_body(user: GraphUser, app: MadeApplication) -> None:
    """R7."""
    kept, gone = user.add_password(app.id), user.add_password(app.id)
    answer = user.remove_password(app.id, gone["keyId"])
    assert answer.status_code == 204
    assert answer.content == b""
    assert [one["keyId"] for one in passwords(user, app)] == [kept["keyId"]]


def test_remove_password_takes_an_upper_case_key_id(user: GraphUser, app: MadeApplication) -> None:
    made = user.add_password(app.id)
    assert user.remove_password(app.id, made["keyId"].upper()).status_code == 204


def test_removing_an_unknown_or_removed_key_is_400(user: GraphUser, app: MadeApplication) -> None:
    made = user.add_password(app.id)
    user.remove_password(app.id, made["keyId"])
    for key_id in (made["keyId"], str(uuid4())):
        answer = user.remove_password(app.id, key_id)
        assert answer.status_code == 400
        assert answer.json()["error"]["code"] == "Request_BadRequest"
        assert answer.json()["error"]["message"].startswith(
            f"No password credential found with keyId '{key_id}'"
        )


@pytest.mark.parametrize("body", [{}, {"keyId": "x"}, {"keyId": None}, {"keyId": 5}, {"id": "x"}])
def test_remove_password_needs_a_guid(user: GraphUser, app: MadeApplication, body: Any) -> None:
    answer = user.call("POST", f"applications/{app.id}/removePassword", body)
    assert answer.status_code == 400
    assert "No password credential" not in answer.json()["error"]["message"]


def test_key_of_another_application_is_unknown(
    user: GraphUser, app: MadeApplication, emulator: Emulator
) -> None:
    other = emulator.create_application(
        user.tenant, owner=user.client_id, passwords=[{"displayName": "x"}]
    )
    assert user.remove_password(app.id, other.passwords[0].key_id).status_code == 400
    assert len(passwords(user, other)) == 1


@pytest.mark.parametrize("action", ["addPassword", "removePassword"])
def test_actions_of_an_unknown_application_are_404(user: GraphUser, action: str) -> None:
    answer = user.call("POST", f"applications/{uuid4()}/{action}", {})
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "Request_ResourceNotFound"


def test_actions_work_by_the_alternate_key(user: GraphUser, app: MadeApplication) -> None:
    """R7."""
    path = f"applications(appId='{app.app_id}')"
    added = user.call("POST", f"{path}/addPassword", {})
    removed = user.call("POST", f"{path}/removePassword", {"keyId": added.json()["keyId"]})
    assert (added.status_code, removed.status_code) == (200, 204)


def test_expired_secret_stays_on_the_object(
    user: GraphUser, app: MadeApplication, emulator: Emulator
) -> None:
    user.add_password(app.id, endDateTime=iso(emulator, hours=1))
    emulator.move_clock(86_400)
    user.sign_in()
    [row] = passwords(user, app)
    assert datetime.fromisoformat(row["endDateTime"]) < emulator.now()


def test_an_update_writes_no_password_credentials(user: GraphUser, app: MadeApplication) -> None:
    """Only a POST generates one, as Terraform's `password` block needs it."""
    body = {"displayName": "x", "passwordCredentials": [{"displayName": "x"}]}
    answer = user.call("PATCH", f"applications/{app.id}", body)
    assert answer.status_code == 400
    assert "service actions" in json.dumps(answer.json())
