"""Lists: `$filter`, `$select`, `$top`, nextLink, and unsupported options."""

from __future__ import annotations

from typing import Any

import pytest

from entra_emulator.errors.graph import GraphError
from entra_emulator.graph.odata_filter import Filterable, parse_filter, wanted_values
from entra_emulator.graph.odata_query import page_size
from tests.support.emulator import Emulator, MadeApplication
from tests.support.graph_user import GraphUser

ROW = {
    "appId": "a-1",
    "displayName": "O'Neil and sons",
    "isDisabled": None,
    "tags": ["Blue", "it's"],
    "notes": "n",
}
KNOWN = Filterable(
    type_name="application",
    fields=frozenset(ROW),
    single={"appId", "displayName", "isDisabled"},
    collections={"tags"},
)


@pytest.fixture
def three(user: GraphUser, emulator: Emulator) -> list[MadeApplication]:
    names = ("orders", "orders-test", "stock")
    return [emulator.create_application(user.tenant, displayName=name) for name in names]


def listed(user: GraphUser, options: str) -> list[str]:
    return [row["displayName"] for row in user.get(f"applications?{options}")["value"]]


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("appId eq 'a-1'", True),
        ("appId eq 'A-1'", True),
        ("appId eq 'a'", False),
        ("displayName eq 'o''neil and sons'", True),
        ("startswith(displayName,'O''Neil and')", True),
        ("startswith( displayName , 'neil' )", False),
        ("appId in ('x', 'a-1')", True),
        ("appId in ('x','y')", False),
        ("isDisabled eq null", True),
        ("isDisabled eq true", False),
        ("appId eq 'a-1' and isDisabled eq false", False),
        ("appId eq 'x' or startswith(displayName,'o')", True),
        ("displayName eq 'x and y' or appId eq 'a-1'", True),
        ("(appId eq 'a-1')", True),
        ("appId eq 'x' and (appId eq 'a-1' or displayName eq 'y')", False),
        ("(appId eq 'x' and appId eq 'y') or ( isDisabled eq null )", True),
        ("((appId eq 'x') or (appId eq 'a-1'))", True),
        ("displayName eq '(x' or appId eq 'a-1'", True),
        ("tags/any(t:t eq 'blue')", True),
        ("tags/any(x: x eq 'it''s')", True),
        ("tags/any(t:startswith(t,'bl'))", True),
        ("tags/any(t:t eq 'bl') or tags/any(t:t eq 'red')", False),
    ],
)
def test_filter_forms(text: str, matches: bool) -> None:
    """R5."""
    assert parse_filter(text, KNOWN)(ROW) is matches


@pytest.mark.parametrize(
    "text",
    [
        "",
        "appId",
        "appId eq a-1",
        'appId eq "a-1"',
        "appId ne 'a-1'",
        "not(appId eq 'a-1')",
        "contains(displayName,'o')",
        "endswith(displayName,'o')",
        "secret eq 'x'",
        "appId eq 'a' and appId eq 'b' or appId eq 'c'",
        "(appId eq 'a'",
        "appId eq 'a')",
        "()",
        "(" * 4000,
        "appId eq 'a' and appId in ('b') or tags/any(t:t eq 'c')",
        "tags eq 'blue'",
        "tags/any(t:u eq 'blue')",
        "tags/all(t:t eq 'blue')",
        "tags/any()",
        "appId/any(x:x eq 'a-1')",
        "appId eq 'a' or",
        "isDisabled eq nullx",
        "appId eq 'a'; drop",
    ],
)
def test_filter_that_is_not_understood_is_refused_never_ignored(text: str) -> None:
    """R5."""
    with pytest.raises(GraphError) as caught:
        parse_filter(text, KNOWN)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("text", "name"), [("notes eq 'n'", "notes"), ("contains(displayName,'o')", "displayName")]
)
def test_refusal_names_the_property(user: GraphUser, text: str, name: str) -> None:
    """With the words that Graph has for `notes`."""
    answer = user.call("GET", f"applications?$filter={text}")
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["code"] == "Request_UnsupportedQuery"
    assert error["message"] == (
        f"Unsupported or invalid query filter clause specified for property '{name}' of"
        " resource 'Application'."
    )


def test_filter_by_a_property_that_does_not_exist_is_400(user: GraphUser) -> None:
    error = user.call("GET", "applications?$filter=colour eq 'red'").json()["error"]
    assert error["code"] == "BadRequest"
    assert "'colour'" in error["message"]


def test_alternatives_in_groups_count_together(user: GraphUser) -> None:
    ten = ",".join(f"'{number}'" for number in range(10))
    text = f"(appId in ({ten})) or (id in ({ten}))"
    answer = user.call("GET", f"applications?$filter={text}")
    assert "operators: 20." in answer.json()["error"]["message"]
    both = text.replace(" or ", " and ")
    assert user.get(f"applications?$filter={both}")["value"] == []


def test_service_principals_by_name(user: GraphUser, emulator: Emulator) -> None:
    """Each `az ad sp` call begins with this (azure-cli, role/custom.py)."""
    uri = "api://orders.example"
    made = emulator.create_application(user.tenant, identifierUris=[uri])
    for name in (made.app_id, made.app_id.upper(), uri):
        path = f"servicePrincipals?$filter=servicePrincipalNames/any(c:c eq '{name}')"
        [row] = user.get(path)["value"]
        assert row["id"] == made.service_principal_id
        assert row["servicePrincipalNames"] == [made.app_id, uri]
    path = "servicePrincipals?$filter=servicePrincipalNames/any(c:c eq 'api://other')"
    assert user.get(path)["value"] == []


def test_applications_by_uri_and_tag(user: GraphUser, emulator: Emulator) -> None:
    """`az ad app show --id api://…` looks by URI (azure-cli, role/custom.py)."""
    emulator.create_application(
        user.tenant, displayName="a", identifierUris=["api://a.example"], tags=["t"]
    )
    for text in ("identifierUris/any(s:s eq 'api://a.example')", "tags/any(t:t eq 't')"):
        assert listed(user, f"$filter={text}") == ["a"]


def test_owners_by_id(user: GraphUser, app: MadeApplication) -> None:
    [owner] = user.get(f"applications/{app.id}/owners")["value"]
    path = f"applications/{app.id}/owners?$filter=id eq"
    assert [row["id"] for row in user.get(f"{path} '{owner['id']}'")["value"]] == [owner["id"]]
    assert user.get(f"{path} '{app.id}'")["value"] == []


def test_only_a_single_equality_can_use_the_index() -> None:
    assert wanted_values("appId eq 'o''x'", "appId") == ("o'x",)
    assert wanted_values("appId in ('a', 'o''x')", "appId") == ("a", "o'x")
    assert wanted_values("appId eq 'a' or appId eq 'b'", "appId") is None
    assert wanted_values("displayName eq 'a'", "appId") is None
    assert wanted_values("displayName in ('a')", "appId") is None


@pytest.mark.parametrize("joint", [" or ", ","])
def test_a_filter_has_at_most_15_alternatives(user: GraphUser, joint: str) -> None:
    """6.2."""

    def text(count: int) -> str:
        values = [f"'{number}'" for number in range(count)]
        if joint == ",":
            return f"appId in ({joint.join(values)})"
        return joint.join(f"appId eq {value}" for value in values)

    assert user.get(f"applications?$filter={text(15)}")["value"] == []
    answer = user.call("GET", f"applications?$filter={text(16)}")
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "Request_UnsupportedQuery"
    assert "Max allowed: 15" in answer.json()["error"]["message"]


def test_in_finds_several_in_the_order_of_the_list(
    user: GraphUser, three: list[MadeApplication]
) -> None:
    wanted = ",".join(f"'{app.app_id}'" for app in reversed(three[:2]))
    assert listed(user, f"$filter=appId in ({wanted})") == ["orders", "orders-test"]
    assert listed(user, f"$filter=appId in ({wanted})&$top=1") == ["orders"]


def test_list_by_app_id(user: GraphUser, three: list[MadeApplication]) -> None:
    """R5: also in upper case, and without a result."""
    wanted = three[1].app_id
    assert listed(user, f"$filter=appId eq '{wanted}'") == ["orders-test"]
    assert listed(user, f"$filter=appId eq '{wanted.upper()}'") == ["orders-test"]
    assert listed(user, f"$filter=appId eq '{three[1].id}'") == []


def test_list_by_name_and_prefix(user: GraphUser, three: list[MadeApplication]) -> None:
    """R5."""
    assert listed(user, "$filter=displayName eq 'Orders'") == ["orders"]
    assert listed(user, "$filter=startswith(displayName,'order')") == ["orders", "orders-test"]


def test_select_gives_what_was_asked_for(user: GraphUser, three: list[MadeApplication]) -> None:
    """R5, R6."""
    page = user.get("applications?$select=id,displayName")
    assert {frozenset(row) for row in page["value"]} == {frozenset({"id", "displayName"})}
    assert page["@odata.context"].endswith("/$metadata#applications(id,displayName)")
    one = user.get(f"applications/{three[0].id}?$select=appId")
    assert set(one) == {"@odata.context", "appId"}
    assert one["@odata.context"].endswith("/$metadata#applications(appId)/$entity")


@pytest.mark.parametrize("path", ["applications", "applications/{id}", "servicePrincipals"])
def test_select_of_an_unknown_property_is_400(
    user: GraphUser, three: list[MadeApplication], path: str
) -> None:
    answer = user.call("GET", f"{path.format(id=three[0].id)}?$select=id,colour")
    assert answer.status_code == 400
    assert "'colour'" in answer.json()["error"]["message"]


def test_pages_are_joined_by_next_links(user: GraphUser, three: list[MadeApplication]) -> None:
    """R5: the link keeps the other options, and the last page has none."""
    path = "applications?$select=displayName&$top=2&$filter=startswith(displayName,'o')"
    sizes, names, link = [], [], f"{user.emulator.graph_root}/{path}"
    while link:
        page = user.http.get(link, headers={"Authorization": f"Bearer {signed_in(user)}"}).json()
        sizes.append(len(page["value"]))
        names += [row["displayName"] for row in page["value"]]
        assert all(set(row) == {"displayName"} for row in page["value"])
        link = page.get("@odata.nextLink", "")
    assert sizes == [2, 1]
    assert names == ["operator", "orders", "orders-test"]


def signed_in(user: GraphUser) -> str:
    if not user.token:
        user.sign_in()
    return user.token


def test_full_last_page_has_no_next_link(user: GraphUser, three: list[MadeApplication]) -> None:
    assert "@odata.nextLink" not in user.get("applications?$top=4")
    assert "@odata.nextLink" in user.get("applications?$top=3")


def test_page_holds_100_rows_unless_asked(user: GraphUser, emulator: Emulator) -> None:
    """R5: and at most 999."""
    for number in range(100):
        emulator.create_application(user.tenant, displayName=f"a{number}")
    page = user.get("applications")
    assert len(page["value"]) == 100
    assert "@odata.nextLink" in page
    assert len(user.get("applications?$top=999")["value"]) == 101


def test_rows_removed_between_pages_shift_nothing(
    user: GraphUser, emulator: Emulator, three: list[MadeApplication]
) -> None:
    first = user.get("applications?$top=2&$select=displayName")
    emulator.delete_application(three[0].id)
    rest = user.http.get(
        first["@odata.nextLink"], headers={"Authorization": f"Bearer {user.token}"}
    ).json()
    assert [row["displayName"] for row in rest["value"]] == ["orders-test", "stock"]


@pytest.mark.parametrize("top", ["0", "-1", "1000", "x", "", "1.5", "\u00b2", "\u0661", "9" * 5000])
def test_page_size_outside_of_1_to_999_is_400(top: str) -> None:
    with pytest.raises(GraphError) as caught:
        page_size({"$top": top})
    assert caught.value.status == 400


@pytest.mark.parametrize("path", ["applications", "servicePrincipals", "applications/delta"])
@pytest.mark.parametrize("top", ["%C2%B2", "%D9%A1", "9" * 5000], ids=["two", "one", "huge"])
def test_page_size_that_only_looks_like_a_number_is_400(
    user: GraphUser, path: str, top: str
) -> None:
    """It is refused where its cost is told, too, and is no defect."""
    answer = user.call("GET", f"{path}?$top={top}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "Request_BadRequest")


@pytest.mark.parametrize("options", ["$top=1&$top=2", "$select=id&$top=1&%24select=appId"])
def test_option_that_is_there_twice_is_400_never_ignored(user: GraphUser, options: str) -> None:
    """OData 4.01, part 2, section 5.1; in a batch only the request that has it fails."""
    name = options.partition("=")[0]
    told = f"Query option '{name}' was specified more than once, but it must be specified at"
    answer = user.call("GET", f"applications?{options}")
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == f"{told} most once."
    requests = [
        {"id": "1", "method": "GET", "url": f"/applications?{options}"},
        {"id": "2", "method": "GET", "url": "/applications?$top=1"},
    ]
    rows = user.call("POST", "$batch", {"requests": requests}).json()["responses"]
    assert {row["id"]: row["status"] for row in rows} == {"1": 400, "2": 200}


# The last two decode to a bare number, and to a place before the first row.
@pytest.mark.parametrize("token", ["x", "!!!", "YWZ0ZXI6eA", "NQ", "YWZ0ZXI6LTE"])
def test_bad_page_token_is_400(user: GraphUser, token: str) -> None:
    answer = user.call("GET", f"applications?$skiptoken={token}")
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "Directory_ExpiredPageToken"


@pytest.mark.parametrize("option", ["$expand=owners", "$orderby=id", "$skip=1", "$search=x"])
def test_option_that_is_not_emulated_is_400(
    user: GraphUser, three: list[MadeApplication], option: str
) -> None:
    """To ignore an option would be to answer another question."""
    for path in ("applications", f"applications/{three[0].id}", "servicePrincipals"):
        assert user.call("GET", f"{path}?{option}").status_code == 400


def test_filter_of_one_object_is_400(user: GraphUser, three: list[MadeApplication]) -> None:
    answer = user.call("GET", f"applications/{three[0].id}?$filter=appId eq 'x'")
    assert answer.status_code == 400


def test_list_of_service_principals_by_app_id(
    user: GraphUser, three: list[MadeApplication]
) -> None:
    """R13."""
    page = user.get(f"servicePrincipals?$filter=appId eq '{three[0].app_id}'&$select=id")
    assert page["value"] == [{"id": three[0].service_principal_id}]


@pytest.mark.parametrize(
    ("path", "units"),
    [
        ("applications", "2"),
        ("applications?$select=id", "1"),
        ("applications?$top=19", "1"),
        ("applications?$top=20", "2"),
        ("applications?$select=id&$top=1", "1"),
        ("applications/{id}", "1"),
        ("applications/{id}?$select=id", "1"),
        ("servicePrincipals", "1"),
    ],
)
def test_cost_of_a_read(
    user: GraphUser, three: list[MadeApplication], path: str, units: str
) -> None:
    """F5: a list costs two units, `$select` and a small `$top` save one each, but one remains."""
    answer: Any = user.call("GET", path.format(id=three[0].id))
    assert answer.headers["x-ms-resource-unit"] == units
