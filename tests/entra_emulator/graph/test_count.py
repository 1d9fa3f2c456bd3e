"""`$count`: the number of rows beside a page, and alone as a text.

Graph, "Advanced query capabilities on Microsoft Entra ID objects" (error handling) and "Paging
Microsoft Graph data in your app": microsoftgraph/microsoft-graph-docs-contrib,
concepts/aad-advanced-queries.md at 01a9057 and concepts/paging.md at 00e146a.
"""

from __future__ import annotations

import httpx
import pytest

from tests.support.emulator import Emulator, MadeApplication
from tests.support.graph_user import GraphUser

EVENTUAL = {"ConsistencyLevel": "eventual"}
SPECIAL = "directory/deletedItems/microsoft.graph.application"


@pytest.fixture
def three(user: GraphUser, emulator: Emulator) -> list[MadeApplication]:
    names = ("orders", "orders-test", "stock")
    return [emulator.create_application(user.tenant, displayName=name) for name in names]


def counted(user: GraphUser, path: str) -> httpx.Response:
    return user.call("GET", path, **EVENTUAL)


@pytest.mark.parametrize(
    ("options", "count", "rows"),
    [
        ("$count=true", 4, 4),
        ("$count=true&$top=1", 4, 1),
        ("$count=true&$filter=startswith(displayName,'orders')", 2, 2),
        ("$count=true&$filter=appId eq 'none'&$select=id", 0, 0),
        ("$count=false", None, 4),
    ],
)
def test_page_tells_the_number_of_all_rows(
    user: GraphUser, three: list[MadeApplication], options: str, count: int | None, rows: int
) -> None:
    page = counted(user, f"applications?{options}").json()
    assert page.get("@odata.count") == count
    assert len(page["value"]) == rows


def test_without_the_header_it_is_ignored(user: GraphUser, three: list[MadeApplication]) -> None:
    for headers in ({}, {"ConsistencyLevel": "session"}):
        answer = user.call("GET", "applications?$count=true", **headers)
        assert answer.status_code == 200
        assert "@odata.count" not in answer.json()


def test_only_the_first_page_tells_it(user: GraphUser, three: list[MadeApplication]) -> None:
    first = counted(user, "applications?$count=true&$top=3").json()
    assert "$count=true" in first["@odata.nextLink"]
    headers = {"Authorization": f"Bearer {user.token}", **EVENTUAL}
    rest = user.http.get(first["@odata.nextLink"], headers=headers).json()
    assert "@odata.count" not in rest
    assert len(rest["value"]) == 1


@pytest.mark.parametrize("value", ["", "1", "TRUE", "yes"])
def test_value_is_true_or_false(user: GraphUser, value: str) -> None:
    assert counted(user, f"applications?$count={value}").status_code == 400


def test_number_alone_is_a_text(user: GraphUser, three: list[MadeApplication]) -> None:
    answer = counted(user, "applications/$count")
    assert (answer.status_code, answer.text) == (200, "4")
    assert answer.headers["content-type"] == "text/plain"
    some = counted(user, "applications/$count?$filter=startswith(displayName,'orders')")
    assert some.text == "2"


def test_number_alone_needs_the_header(user: GraphUser) -> None:
    answer = user.call("GET", "applications/$count")
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["code"] == "Request_BadRequest"
    assert error["message"] == "$count is not currently supported."


@pytest.mark.parametrize("option", ["$top=1", "$select=id", "$count=true", "$skiptoken=x"])
def test_number_alone_has_no_pages(user: GraphUser, option: str) -> None:
    assert counted(user, f"applications/$count?{option}").status_code == 400


def test_every_list_of_the_directory_counts(
    user: GraphUser, three: list[MadeApplication], app: MadeApplication
) -> None:
    for path in ("servicePrincipals", f"applications/{app.id}/owners", SPECIAL):
        rows = user.get(path)["value"]
        assert counted(user, f"{path}?$count=true").json()["@odata.count"] == len(rows)
        assert counted(user, f"{path}/$count").text == str(len(rows))


def test_other_lists_do_not(user: GraphUser, app: MadeApplication) -> None:
    path = f"applications/{app.id}/federatedIdentityCredentials"
    for end in ("?$count=true", "/$count"):
        assert counted(user, f"{path}{end}").status_code >= 400


def test_in_a_batch_the_header_is_that_of_the_request(
    user: GraphUser, three: list[MadeApplication]
) -> None:
    """Advanced queries, note on batches."""
    requests = [
        {"id": "1", "method": "GET", "url": "/applications?$count=true", "headers": EVENTUAL},
        {"id": "2", "method": "GET", "url": "/applications/$count", "headers": EVENTUAL},
        {"id": "3", "method": "GET", "url": "/applications/$count"},
    ]
    answer = user.call("POST", "$batch", {"requests": requests}, **EVENTUAL).json()
    page, number, refused = sorted(answer["responses"], key=lambda row: str(row["id"]))
    assert page["body"]["@odata.count"] == 4
    assert (number["headers"]["Content-Type"], number["body"]) == ("text/plain", "4")
    assert refused["status"] == 400
