"""Graph's answers over HTTP: errors, headers, ids, and requests that are refused unread."""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime

import httpx
import pytest

from tests.support.emulator import READ_ALL, Emulator
from tests.support.graph_user import GraphUser, is_guid

UNREADABLE = "Unable to read JSON request payload."


def test_error_body_has_code_message_and_inner_error(user: GraphUser) -> None:
    answer = user.call("GET", "applications/none", **{"client-request-id": "mine"})
    error = answer.json()["error"]
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert set(error) == {"code", "message", "innerError"}
    assert error["code"] == "Request_ResourceNotFound"
    assert error["message"] == (
        "Resource 'none' does not exist or one of its queried reference-property objects are"
        " not present."
    )
    inner = error["innerError"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", inner["date"])
    assert inner["client-request-id"] == "mine"
    assert is_guid(inner["request-id"])


def test_answers_carry_the_ids_and_costs_of_graph(user: GraphUser) -> None:
    answer = user.call("GET", "applications", **{"client-request-id": "mine"})
    assert is_guid(answer.headers["request-id"])
    assert answer.headers["client-request-id"] == "mine"
    assert "ServerInfo" in answer.headers["x-ms-ags-diagnostic"]
    assert answer.headers["x-ms-resource-unit"] == "2"


def test_client_request_id_defaults_to_the_request_id(user: GraphUser) -> None:
    answer = user.call("GET", "applications")
    assert answer.headers["client-request-id"] == answer.headers["request-id"]


def test_date_header_is_that_of_the_emulators_clock(user: GraphUser, emulator: Emulator) -> None:
    """F10: a client that compares clocks must see the emulator's."""
    emulator.stop_clock()
    emulator.move_clock(600)
    answer = user.call("GET", "applications")
    now = emulator.now().replace(microsecond=0)
    assert parsedate_to_datetime(answer.headers["Date"]) == now


@pytest.mark.parametrize(
    ("header", "text"),
    [
        (None, "Access token is empty."),
        ("", "Access token is empty."),
        ("Basic dXNlcjpwYXNz", "Access token is empty."),
        ("Bearer nonsense", "CompactToken parsing failed with error code: 80049217"),
        ("Bearer a.b.c", "CompactToken parsing failed with error code: 80049217"),
        ("Bearer é.é.é", "CompactToken parsing failed with error code: 80049217"),
        ("Bearer a.b", "CompactToken parsing failed with error code: 80049217"),
    ],
)
def test_missing_or_broken_token_is_401_with_a_challenge(
    emulator: Emulator, http: httpx.Client, header: str | None, text: str
) -> None:
    """F8."""
    headers = {} if header is None else {b"Authorization": header.encode()}
    answer = http.get(f"{emulator.graph_root}/applications", headers=headers)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "InvalidAuthenticationToken"
    assert answer.json()["error"]["message"] == text
    assert answer.headers["WWW-Authenticate"] == (
        'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/'
        'authorize", client_id="00000003-0000-0000-c000-000000000000"'
    )


def test_token_signed_by_another_key_is_401(
    user: GraphUser, emulator: Emulator, http: httpx.Client
) -> None:
    """The signature decides, even if the payload is right."""
    user.sign_in()
    head, payload, signature = user.token.split(".")
    flipped = ("A" if signature[0] != "A" else "B") + signature[1:]
    user.token = f"{head}.{payload}.{flipped}"
    assert user.call("GET", "applications").status_code == 401


def test_token_with_padded_segments_is_accepted(user: GraphUser) -> None:
    """T1."""
    user.sign_in()
    head, payload, signature = user.token.split(".")
    assert len(signature) % 4 != 0
    user.token = f"{head}.{payload}.{signature}{'=' * (-len(signature) % 4)}"
    assert user.call("GET", "applications").status_code == 200


def test_token_for_another_resource_is_refused_by_graph(
    user: GraphUser, emulator: Emulator
) -> None:
    uri = "api://other.example"
    emulator.create_application(user.tenant, identifierUris=[uri])
    answer = user.sign_in(scope=f"{uri}/.default")
    user.token = answer.json()["access_token"]
    refused = user.call("GET", "applications")
    assert refused.status_code == 401
    assert (
        refused.json()["error"]["message"] == "Access token validation failure. Invalid audience."
    )


def test_token_of_a_tenant_shows_nothing_of_another(user: GraphUser, emulator: Emulator) -> None:
    other = emulator.create_application(emulator.create_tenant())
    assert user.call("GET", f"applications/{other.id}").status_code == 404
    assert user.call("GET", f"applications(appId='{other.app_id}')").status_code == 404
    listed = {row["id"] for row in user.get("applications")["value"]}
    assert other.id not in listed


def test_token_of_a_deleted_tenant_finds_nothing(user: GraphUser, emulator: Emulator) -> None:
    user.sign_in()
    emulator.delete_tenant(user.tenant)
    assert user.call("GET", "applications").status_code == 401
    assert user.call("GET", "applications/x").status_code == 401


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "applications/x"),
        ("POST", "applications/x"),
        ("DELETE", "applications"),
        ("GET", "applications/x/addPassword"),
        ("PATCH", "applications/x/removePassword"),
    ],
)
def test_wrong_method_is_405(user: GraphUser, method: str, path: str) -> None:
    answer = user.call(method, path)
    assert answer.status_code == 405
    assert answer.json()["error"]["code"] == "Request_BadRequest"
    assert answer.json()["error"]["message"] == (
        "Specified HTTP method is not allowed for the request target."
    )


@pytest.mark.parametrize("path", ["users", "applications/x/passwords", "applications(x)"])
def test_unknown_segment_is_400(user: GraphUser, path: str) -> None:
    answer = user.call("GET", path)
    segment = path.rsplit("/", 1)[-1]
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "BadRequest"
    assert answer.json()["error"]["message"] == f"Resource not found for the segment '{segment}'."


def nested(levels: int) -> bytes:
    return b'{"displayName": "x", "addIns": [' + b'{"a":' * levels + b"1" + b"}" * levels + b"]}"


@pytest.mark.parametrize(
    "content",
    [b"{", b"[]", b'"text"', b"\xff", nested(100), nested(50_000), b"[" * 100_000],
    ids=["open", "list", "text", "no text", "deep", "very deep", "deep list"],
)
def test_body_that_is_no_json_object_is_400(
    user: GraphUser, emulator: Emulator, http: httpx.Client, content: bytes
) -> None:
    user.sign_in()
    headers = {"Authorization": f"Bearer {user.token}", "Content-Type": "application/json"}
    answer = http.post(f"{emulator.graph_root}/applications", content=content, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith(UNREADABLE)


def test_body_that_is_too_large_is_413(user: GraphUser) -> None:
    """Graph takes 4 MB; that it says so in its own form is only likely."""
    body = {"displayName": "x", "notes": "n" * 2_000_000}
    assert user.call("POST", "applications", body).status_code == 201
    body["notes"] *= 3
    answer = user.call("POST", "applications", body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "BadRequest")


def test_what_is_deep_and_accepted_can_be_shown(user: GraphUser) -> None:
    user.sign_in()
    headers = {"Authorization": f"Bearer {user.token}", "Content-Type": "application/json"}
    url = f"{user.emulator.graph_root}/applications"
    made = user.http.post(url, content=nested(98), headers=headers)
    assert made.status_code == 201
    assert len(user.get(f"applications/{made.json()['id']}")["addIns"]) == 1


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/octet-stream"])
def test_body_without_its_content_type_is_400(
    user: GraphUser, emulator: Emulator, http: httpx.Client, content_type: str
) -> None:
    user.sign_in()
    headers = {"Authorization": f"Bearer {user.token}"}
    if content_type:
        headers["Content-Type"] = content_type
    answer = http.post(
        f"{emulator.graph_root}/applications", content=b'{"displayName": "x"}', headers=headers
    )
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith(UNREADABLE)


def test_content_type_with_parameters_is_accepted(
    user: GraphUser, emulator: Emulator, http: httpx.Client
) -> None:
    user.sign_in()
    headers = {
        "Authorization": f"Bearer {user.token}",
        "Content-Type": "application/json; charset=utf-8; IEEE754Compatible=false",
    }
    answer = http.post(
        f"{emulator.graph_root}/applications", content=b'{"displayName": "x"}', headers=headers
    )
    assert answer.status_code == 201


def test_doubled_slashes_and_encoded_paths_are_read_as_graph_does(
    user: GraphUser, emulator: Emulator
) -> None:
    made = emulator.create_application(user.tenant)
    assert user.call("GET", f"/applications/{made.id}").status_code == 200
    assert user.call("GET", f"applications%28appId%3D%27{made.app_id}%27%29").status_code == 200


def test_caller_without_permission_is_403(
    user: GraphUser, emulator: Emulator, http: httpx.Client
) -> None:
    client_id, secret = emulator.create_operator(user.tenant, "")
    nobody = GraphUser(emulator, http, user.tenant, client_id, secret)
    answer = nobody.call("GET", "applications")
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "Authorization_RequestDenied"
    assert answer.json()["error"]["message"] == (
        "Insufficient privileges to complete the operation."
    )


def test_new_permission_shows_only_in_a_new_token(
    user: GraphUser, emulator: Emulator, http: httpx.Client
) -> None:
    """A token contains its roles."""
    client_id, secret = emulator.create_operator(user.tenant, "")
    caller = GraphUser(emulator, http, user.tenant, client_id, secret)
    assert caller.call("GET", "applications").status_code == 403
    emulator.set_permissions(user.tenant, client_id, READ_ALL)
    assert caller.call("GET", "applications").status_code == 403
    caller.sign_in()
    assert caller.call("GET", "applications").status_code == 200


def test_defect_of_the_emulator_looks_like_one(
    user: GraphUser, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A test must be able to tell it from an emulated 500."""
    user.sign_in()

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(emulator.world.replicas, "reader", fail)
    answer = user.call("GET", "applications")
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "Emulator_Defect"


CREATED = (
    "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;"
    "charset=utf-8"
)


def test_201_has_a_location_and_the_exact_time(user: GraphUser) -> None:
    """As recorded by azure-cli (role/tests/latest/recordings): reads have whole seconds."""
    answer = user.call("POST", "applications", {"displayName": "a"})
    made = answer.json()
    assert answer.headers["content-type"] == CREATED
    place = f"{user.emulator.url}/v2/{user.tenant}/directoryObjects"
    kind = "Microsoft.DirectoryServices"
    assert answer.headers["Location"] == f"{place}/{made['id']}/{kind}.Application"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z", made["createdDateTime"])
    read = user.get(f"applications/{made['id']}")
    assert read["createdDateTime"] == f"{made['createdDateTime'][:19]}Z"
    answer = user.call("POST", "servicePrincipals", {"appId": made["appId"]})
    principal = answer.json()
    assert answer.headers["content-type"] == CREATED
    assert answer.headers["Location"] == f"{place}/{principal['id']}/{kind}.ServicePrincipal"
    assert len(principal["createdDateTime"]) == len("2026-01-01T00:00:00Z")


def test_ids_are_found_without_regard_to_case(user: GraphUser) -> None:
    made = user.call("POST", "applications", {"displayName": "a"}).json()
    assert user.get(f"applications/{made['id'].upper()}")["id"] == made["id"]
    assert user.get(f"applications(appId='{made['appId'].upper()}')")["id"] == made["id"]


@pytest.mark.parametrize("option", ["filter=appId eq 'x'", "select=id", "top=1", "count=true"])
def test_option_without_its_prefix_is_400_never_ignored(user: GraphUser, option: str) -> None:
    assert user.call("GET", f"applications?{option}").status_code == 400


def beta(user: GraphUser, path: str, method: str = "GET") -> httpx.Response:
    if not user.token:
        user.sign_in()
    headers = {"Authorization": f"Bearer {user.token}"}
    return user.http.request(method, f"{user.emulator.url}/beta/{path}", headers=headers)


def test_beta_has_what_v1_has(user: GraphUser) -> None:
    """Graph, versioning: beta contains what is generally available in v1.0."""
    [row] = beta(user, "applications").json()["value"]
    one = beta(user, f"applications/{row['id']}").json()
    assert one["@odata.context"] == f"{user.emulator.url}/beta/$metadata#applications/$entity"
    assert one["id"] == row["id"]


def test_pages_of_beta_stay_in_beta(user: GraphUser) -> None:
    user.call("POST", "applications", {"displayName": "a"})
    link = beta(user, "applications?$top=1").json()["@odata.nextLink"]
    assert link.startswith(f"{user.emulator.url}/beta/applications?")


def test_beta_has_no_batches_and_nothing_unknown(user: GraphUser) -> None:
    for path, method in (("$batch", "POST"), ("unknown", "GET"), ("v1.0/applications", "GET")):
        answer = beta(user, path, method)
        assert answer.status_code == 400
        assert answer.json()["error"]["code"] == "BadRequest"


@pytest.mark.parametrize("path", ["v2.0/applications", "me", "v1.0x/applications/1"])
def test_unknown_version_answers_in_graphs_json(
    emulator: Emulator, http: httpx.Client, path: str
) -> None:
    answer = http.get(f"{emulator.url}/{path}")
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["code"] == "BadRequest"
    assert error["message"] == f"Invalid version: {path.split('/', maxsplit=1)[0]}"


def test_admin_api_and_token_endpoint_keep_their_own_answers(
    emulator: Emulator, http: httpx.Client
) -> None:
    assert http.get(f"{emulator.url}/emulator/none").status_code == 404
    assert "error_codes" in http.get(f"{emulator.url}/t/oauth2/v2.0/token").json()
