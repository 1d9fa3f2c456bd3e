"""`applications/delta`: rounds, pages, tokens, removed applications, lag.

Sources: microsoftgraph/microsoft-graph-docs-contrib, api-reference/v1.0/api/application-delta.md at
011426f, concepts/delta-query-overview.md at 1c6fb60 and delta-query-users.md; Microsoft's blog on
the "Duration of change tracking tokens for identity and education resources".
"""

from __future__ import annotations

import random
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from entra_emulator.directory import directory
from entra_emulator.directory.replication import ReadPoint
from tests.support.emulator import READ_ALL, Emulator, MadeApplication
from tests.support.graph_user import GraphUser
from tests.support.keys import MadeCertificate

PATH = "applications/delta"
WEEK = 7 * 86_400


class Mirror:
    """A client that keeps what delta queries tell, by object id."""

    def __init__(self, user: GraphUser, options: str = "") -> None:
        self.user = user
        self.link = f"{user.emulator.graph_root}/{PATH}{options and '?' + options}"
        self.known: dict[str, dict[str, Any]] = {}
        self.pages = 0

    def follow(self) -> list[dict[str, Any]]:
        """Read all pages of a round; return their rows."""
        rows: list[dict[str, Any]] = []
        for _ in range(50):
            answer = fetch(self.user, self.link)
            assert answer.status_code == 200, answer.text
            page = answer.json()
            assert ("@odata.nextLink" in page) != ("@odata.deltaLink" in page)
            rows += page["value"]
            self.pages += 1
            self.link = page.get("@odata.nextLink") or page["@odata.deltaLink"]
            if "@odata.deltaLink" in page:
                break
        for row in rows:
            if "@removed" in row:
                self.known.pop(row["id"], None)
            else:
                self.known[row["id"]] = row
        return rows


def fetch(user: GraphUser, url: str) -> httpx.Response:
    if not user.token:
        user.sign_in()
    return user.http.get(url, headers={"Authorization": f"Bearer {user.token}"})


def told(rows: list[dict[str, Any]]) -> list[str]:
    return [row["id"] for row in rows]


def error(answer: httpx.Response) -> tuple[int, str, str]:
    found = answer.json()["error"]
    return answer.status_code, found["code"], found["message"]


def test_first_round_tells_all_and_the_next_one_only_what_changed(
    user: GraphUser, app: MadeApplication, emulator: Emulator
) -> None:
    other = emulator.create_application(user.tenant)
    mirror = Mirror(user)
    assert {app.id, other.id} < set(told(mirror.follow()))
    assert mirror.follow() == []
    user.call("PATCH", f"applications/{app.id}", {"notes": "changed"})
    [row] = mirror.follow()
    assert (row["id"], row["notes"]) == (app.id, "changed")
    assert row["displayName"] == user.get(f"applications/{app.id}")["displayName"]
    assert mirror.follow() == []


def test_properties_that_were_never_set_are_left_out(user: GraphUser, app: MadeApplication) -> None:
    mirror = Mirror(user)
    [first] = [row for row in mirror.follow() if row["id"] == app.id]
    assert "notes" not in first
    for value in ("once", None):
        user.call("PATCH", f"applications/{app.id}", {"notes": value})
        [row] = mirror.follow()
        assert row["notes"] == value
        assert "description" not in row


def test_credentials_are_told_without_values(
    user: GraphUser, app: MadeApplication, made: MadeCertificate
) -> None:
    mirror = Mirror(user, "$select=passwordCredentials,keyCredentials")
    mirror.follow()
    password = user.add_password(app.id)
    [row] = mirror.follow()
    assert [one["secretText"] for one in row["passwordCredentials"]] == [None]
    key = {"type": "AsymmetricX509Cert", "usage": "Verify", "key": made.base64}
    user.call("PATCH", f"applications/{app.id}", {"keyCredentials": [key]})
    [row] = mirror.follow()
    assert [one["key"] for one in row["keyCredentials"]] == [None]
    user.remove_password(app.id, password["keyId"])
    user.call("PATCH", f"applications/{app.id}", {"keyCredentials": []})
    [row] = mirror.follow()
    assert (row["passwordCredentials"], row["keyCredentials"]) == ([], [])


def test_federated_credentials_and_owners_are_not_tracked(
    user: GraphUser, app: MadeApplication, emulator: Emulator
) -> None:
    """Navigation properties: concepts/delta-query-overview, limitations."""
    mirror = Mirror(user)
    mirror.follow()
    emulator.add_federated(app.id, name="f", issuer="https://i.example", subject="s")
    emulator.set_owners(app.id, user.client_id, app.app_id)
    emulator.remove_federated(app.id, "f")
    assert mirror.follow() == []


def test_only_selected_properties_are_told_and_tracked(
    user: GraphUser, app: MadeApplication
) -> None:
    mirror = Mirror(user, "$select=displayName,notes")
    rows = mirror.follow()
    assert all(set(row) <= {"id", "displayName", "notes"} for row in rows)
    user.call("PATCH", f"applications/{app.id}", {"description": "not selected"})
    assert mirror.follow() == []
    user.call("PATCH", f"applications/{app.id}", {"displayName": "selected"})
    assert mirror.follow() == [{"id": app.id, "displayName": "selected"}]


def test_properties_can_be_named_anew_with_the_link_of_a_round(
    user: GraphUser, app: MadeApplication
) -> None:
    mirror = Mirror(user, "$select=displayName")
    mirror.follow()
    mirror.link += "&$select=notes"
    mirror.follow()
    user.call("PATCH", f"applications/{app.id}", {"displayName": "other"})
    assert mirror.follow() == []
    user.call("PATCH", f"applications/{app.id}", {"notes": "n"})
    assert mirror.follow() == [{"id": app.id, "notes": "n"}]


def test_filter_names_object_ids(user: GraphUser, emulator: Emulator) -> None:
    one, two, three = (emulator.create_application(user.tenant) for _ in range(3))
    mirror = Mirror(user, f"$filter=id eq '{one.id}' or id eq '{three.id.upper()}'")
    assert told(mirror.follow()) == [one.id, three.id]
    for app in (two, three):
        emulator.change_application(app.id, notes="n")
    assert told(mirror.follow()) == [three.id]
    for app in (one, two):
        emulator.delete_application(app.id)
    assert told(mirror.follow()) == [one.id]


@pytest.mark.parametrize(
    "text",
    [
        "appId eq 'x'",
        "id in ('x','y')",
        "id eq 'x' and id eq 'y'",
        "id eq x",
        "",
        " or ".join(["id eq 'x'"] * 51),
    ],
    ids=["appId", "in", "and", "no quotes", "empty", "51 ids"],
)
def test_other_filters_are_refused(user: GraphUser, text: str) -> None:
    answer = user.call("GET", f"{PATH}?$filter={text}")
    assert error(answer)[:2] == (400, "Request_UnsupportedQuery")


def test_latest_begins_now(user: GraphUser, app: MadeApplication) -> None:
    mirror = Mirror(user, "$deltaToken=latest&$select=notes")
    assert mirror.follow() == []
    user.call("PATCH", f"applications/{app.id}", {"notes": "n"})
    assert mirror.follow() == [{"id": app.id, "notes": "n"}]


def test_deleted_can_be_restored_and_purged_cannot(
    user: GraphUser, app: MadeApplication, emulator: Emulator
) -> None:
    mirror = Mirror(user, "$select=displayName")
    mirror.follow()
    removed = {"id": app.id, "@removed": {"reason": "changed"}}
    user.call("DELETE", f"applications/{app.id}")
    assert mirror.follow() == [removed]
    assert app.id not in told(Mirror(user).follow())
    user.call("POST", f"directory/deletedItems/{app.id}/restore")
    [row] = mirror.follow()
    assert set(row) == {"id", "displayName"}
    user.call("DELETE", f"applications/{app.id}")
    assert mirror.follow() == [removed]
    user.call("DELETE", f"directory/deletedItems/{app.id}")
    assert mirror.follow() == [{"id": app.id, "@removed": {"reason": "deleted"}}]
    assert mirror.follow() == []


def test_pages_follow_each_other_and_may_be_empty(user: GraphUser, emulator: Emulator) -> None:
    """Also an empty page can have a next one: so a client must follow the link and not the rows."""
    apps = [emulator.create_application(user.tenant) for _ in range(6)]
    mirror = Mirror(user, "$top=2")
    assert sorted(told(mirror.follow())) == sorted(mirror.known)
    assert {one.id for one in apps} < set(mirror.known)
    for app in apps:
        emulator.change_application(app.id, notes="n")
    mirror.pages = 0
    assert told(mirror.follow()) == [one.id for one in apps]
    assert mirror.pages == 4, "the last page is empty"


def test_page_without_rows_has_a_next_link(user: GraphUser, emulator: Emulator) -> None:
    """Deleted applications take part in the pages of a first round."""
    gone = emulator.create_application(user.tenant, owner=user.client_id)
    after = emulator.create_application(user.tenant)
    user.call("DELETE", f"applications/{gone.id}")
    mirror = Mirror(user, "$top=1")
    rows = mirror.follow()
    assert gone.id not in told(rows)
    assert after.id in told(rows)
    assert mirror.pages == len(rows) + 2


def test_changes_between_two_pages_are_told_in_the_next_round(
    user: GraphUser, emulator: Emulator
) -> None:
    emulator.stop_clock()
    first, second = (emulator.create_application(user.tenant) for _ in range(2))
    mirror = Mirror(user, "$top=1")
    pages = fetch(user, mirror.link).json()
    mirror.link = pages["@odata.nextLink"]
    emulator.change_application(first.id, notes="n")
    emulator.change_application(second.id, notes="n")
    emulator.delete_application(first.id)
    mirror.follow()
    mirror.follow()
    assert first.id not in mirror.known
    assert mirror.known[second.id]["notes"] == "n"


@pytest.mark.parametrize("name", ["microsoft.graph.delta", "microsoft.graph.delta()", "delta()"])
def test_names_that_libraries_write(user: GraphUser, app: MadeApplication, name: str) -> None:
    rows = user.get(f"applications/{name}?$select=id")
    assert {"id": app.id} in rows["value"]
    assert rows["@odata.deltaLink"].startswith(f"{user.emulator.graph_root}/{PATH}?$deltatoken=")


def test_context_is_that_of_a_list(user: GraphUser) -> None:
    page = user.get(f"{PATH}?$select=id,notes")
    assert page["@odata.context"].endswith("/v1.0/$metadata#applications(id,notes)")


def test_beta_has_it_too(user: GraphUser, emulator: Emulator) -> None:
    answer = fetch(user, f"{emulator.url}/beta/{PATH}?$deltatoken=latest")
    assert answer.json()["@odata.deltaLink"].startswith(f"{emulator.url}/beta/{PATH}?")


@pytest.mark.parametrize(
    "token", ["invalid_token_123", "malformed!@", "x" * 1000, "QUJD", "abcdefghijklmnop"]
)
@pytest.mark.parametrize("name", ["$deltatoken", "$skiptoken"])
def test_text_that_is_no_token_is_badly_formed(user: GraphUser, name: str, token: str) -> None:
    """Seen from Graph by several clients, also for a changed token, without a `Location`."""
    answer = user.call("GET", f"{PATH}?{name}={token}")
    assert error(answer) == (400, "BadRequest", "Badly formed token.")
    assert "Location" not in answer.headers


def token_of(link: str) -> str:
    [(_, [token])] = parse_qs(urlsplit(link).query).items()
    return token


def test_token_of_a_page_is_none_of_a_round(user: GraphUser, app: MadeApplication) -> None:
    page = token_of(user.get(f"{PATH}?$top=1")["@odata.nextLink"])
    complete = token_of(user.get(PATH)["@odata.deltaLink"])
    for query in (f"$deltatoken={page}", f"$skiptoken={complete}", f"$deltatoken={complete}x"):
        assert error(user.call("GET", f"{PATH}?{query}"))[2] == "Badly formed token."


@pytest.mark.parametrize("option", ["$filter=id eq 'x'", "$top=5", "$select=id", "$deltatoken=x"])
def test_options_of_the_first_request_are_refused_later(
    user: GraphUser, app: MadeApplication, option: str
) -> None:
    link = user.get(f"{PATH}?$top=1")["@odata.nextLink"]
    assert error(fetch(user, f"{link}&{option}"))[:2] == (400, "BadRequest")


@pytest.mark.parametrize(
    "option", ["$orderby=id", "$expand=owners", "$count=true", "$search=x", "deltaToken=latest"]
)
def test_other_options_are_refused(user: GraphUser, option: str) -> None:
    assert user.call("GET", f"{PATH}?{option}").status_code == 400


@pytest.mark.parametrize(("age", "status"), [(WEEK, 200), (WEEK + 1, 400)])
def test_token_lives_seven_days(user: GraphUser, emulator: Emulator, age: int, status: int) -> None:
    emulator.stop_clock()
    mirror = Mirror(user)
    mirror.follow()
    emulator.move_clock(age)
    user.token = ""
    answer = fetch(user, mirror.link)
    assert answer.status_code == status
    if status == 400:
        assert error(answer)[1:] == (
            "syncStateNotFound",
            (
                "The sync state generation is not found. The delta token is expired and data must"
                " be synchronized again."
            ),
        )


def assert_reset(user: GraphUser, answer: httpx.Response) -> None:
    assert error(answer)[:2] == (410, "resyncRequired")
    assert answer.headers["Location"] == f"{user.emulator.graph_root}/{PATH}?$deltatoken="
    again = fetch(user, answer.headers["Location"])
    assert "@odata.deltaLink" in again.json()


def test_token_of_another_tenant_needs_a_new_beginning(user: GraphUser, emulator: Emulator) -> None:
    elsewhere = emulator.create_tenant()
    stranger = GraphUser(emulator, user.http, elsewhere, *emulator.create_operator(elsewhere))
    assert_reset(user, fetch(user, stranger.get(PATH)["@odata.deltaLink"]))


def test_token_from_before_a_restart_needs_a_new_beginning(
    user: GraphUser, emulator: Emulator
) -> None:
    link = user.get(PATH)["@odata.deltaLink"]
    emulator.do(lambda world: setattr(world.directory, "generation", "another"))
    assert_reset(user, fetch(user, link))


def test_token_older_than_the_kept_removals_needs_a_new_beginning(
    user: GraphUser, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So the list of removed applications has a bound, and no removal is missed."""
    monkeypatch.setattr(directory, "_PURGED_KEPT", 2)
    apps = [emulator.create_application(user.tenant) for _ in range(3)]
    link = user.get(PATH)["@odata.deltaLink"]
    for app in apps[:2]:
        emulator.delete_application(app.id)
    assert told(fetch(user, link).json()["value"]) == [apps[0].id, apps[1].id]
    emulator.delete_application(apps[2].id)
    assert_reset(user, fetch(user, link))


def test_reading_applications_is_enough_and_needed(user: GraphUser, emulator: Emulator) -> None:
    for permission, status in ((READ_ALL, 200), ("", 403), ("Directory.Read.All", 403)):
        made = emulator.create_operator(user.tenant, permission)
        caller = GraphUser(emulator, user.http, user.tenant, *made)
        assert caller.call("GET", PATH).status_code == status, permission


def test_it_is_throttled_and_logged_like_any_other_operation(
    user: GraphUser, emulator: Emulator
) -> None:
    user.sign_in()
    emulator.reset_log()
    emulator.add_rule("throttle", count=1, match={"operation": "application.delta"})
    assert [user.call("GET", PATH).status_code for _ in range(2)] == [429, 200]
    assert emulator.counts() == {"application.delta": 2}
    assert user.call("GET", PATH).headers["x-ms-resource-unit"] == "2"


def test_change_shows_when_the_replica_knows_it(
    user: GraphUser, app: MadeApplication, emulator: Emulator
) -> None:
    """F1: concepts/delta-query-overview, processing delays."""
    mirror = Mirror(user)
    mirror.follow()
    emulator.stop_clock()
    emulator.set_faults(lag={"replicas": 1, "list": {"update": [10, 10]}})
    user.call("PATCH", f"applications/{app.id}", {"notes": "n"})
    for seconds, rows in ((0, []), (9, []), (1, [app.id]), (30, [])):
        emulator.move_clock(seconds)
        assert told(mirror.follow()) == rows


def mirror_in_time(user: GraphUser, emulator: Emulator, seed: int) -> tuple[Any, Any]:
    """Change things while a client mirrors them; return what it knows in the end, and the truth."""
    user.sign_in()
    emulator.stop_clock()
    emulator.set_faults(profile="realistic", seed=seed)
    chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
    live = [emulator.create_application(user.tenant).id for _ in range(4)]
    mirror = Mirror(user, f"$select=notes,passwordCredentials&$top={chance.choice((2, 50))}")
    for step in range(25):
        emulator.move_clock(chance.choice((0, 1, 3, 9)))
        for _ in range(chance.randrange(3)):
            change(user, live, chance, f"n{step}")
        if chance.random() < 0.6:
            mirror.follow()
    for _ in range(2):
        emulator.move_clock(20)
        mirror.follow()
    rows = user.get("applications?$select=id,notes,passwordCredentials&$top=999")["value"]
    return mirror.known, {row["id"]: row for row in rows}


def change(user: GraphUser, live: list[str], chance: random.Random, text: str) -> None:
    emulator = user.emulator
    match chance.randrange(5):
        case 0:
            made = user.call("POST", "applications", {"displayName": text})
            live.append(made.json()["id"])
        case 1 if len(live) > 2:
            emulator.delete_application(live.pop(chance.randrange(len(live))))
        case 2:
            user.call("PATCH", f"applications/{chance.choice(live)}", {"notes": text})
        case _:
            user.call("POST", f"applications/{chance.choice(live)}/addPassword", {})


def agrees(known: dict[str, Any], truth: dict[str, Any]) -> bool:
    """Compare what a client knows with the truth; a missing property has no value."""
    return known.keys() == truth.keys() and all(
        row.get("notes") == truth[name]["notes"]
        and row["passwordCredentials"] == truth[name]["passwordCredentials"]
        for name, row in known.items()
    )


SEEDS = range(1, 9)


@pytest.fixture
def admin(user: GraphUser, emulator: Emulator) -> GraphUser:
    made = emulator.create_operator(user.tenant, "Application.ReadWrite.All")
    return GraphUser(emulator, user.http, user.tenant, *made)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_change_is_lost_whatever_the_lag(
    admin: GraphUser, emulator: Emulator, seed: int
) -> None:
    assert agrees(*mirror_in_time(admin, emulator, seed))


def test_a_token_that_forgets_the_lag_loses_changes(
    admin: GraphUser, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test above notices a token that takes all changes made before it for known."""

    def forgetful(self: ReadPoint, change: Any) -> bool:
        if self.at < emulator.world.clock.now():
            return bool(change.sequence <= self.sequence)
        return bool(
            change.sequence <= self.settled or change.shown(self.kind, self.replica, self.at)
        )

    monkeypatch.setattr(ReadPoint, "sees", forgetful)
    assert not all(agrees(*mirror_in_time(admin, emulator, seed)) for seed in SEEDS)
