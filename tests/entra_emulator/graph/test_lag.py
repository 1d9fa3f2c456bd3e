"""Replica lag: when each kind of read shows a change; flapping; the token endpoint's lag."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from entra_emulator.directory.replication import Change, ChangeKind, ReadKind, Replicas
from entra_emulator.faults.documents import Faults, Lag, ReadLag, faults_from
from tests.support.emulator import Emulator, MadeApplication
from tests.support.graph_user import GraphUser

START = datetime(2026, 1, 1, tzinfo=UTC)
TEN = (10.0, 10.0)
ROW = ReadLag(create=TEN, add=TEN, update=TEN, remove=TEN)


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def lag_of(emulator: Emulator, replicas: int = 1, **reads: Any) -> None:
    """Stop the clock and set a lag; tests get their tokens before."""
    emulator.stop_clock()
    emulator.set_faults(lag={"replicas": replicas, **reads})


def count(user: GraphUser, app: MadeApplication) -> int:
    return len(user.get(f"applications/{app.id}")["passwordCredentials"])


def sign_in(user: GraphUser, app: MadeApplication, secret: str) -> int:
    """Return 200 or the AADSTS number."""
    caller = GraphUser(user.emulator, user.http, app.tenant_id, app.app_id, secret)
    answer = caller.sign_in()
    return 200 if answer.status_code == 200 else int(answer.json()["error_codes"][0])


def test_lag_of_the_field_is_4_to_18_seconds_but_for_the_exchange_of_tokens() -> None:
    """F1: new and changed federated credentials need minutes to work."""
    lag = Faults(profile="realistic").effective_lag()
    windows = {
        (read, change): lag.window(read, change) for read in ReadKind for change in ChangeKind
    }
    slow = {pair for pair, window in windows.items() if window == (15.0, 150.0)}
    assert slow == {
        (ReadKind.TOKEN, ChangeKind.ADD_FEDERATED),
        (ReadKind.TOKEN, ChangeKind.UPDATE_FEDERATED),
        (ReadKind.TOKEN, ChangeKind.REMOVE_FEDERATED),
    }
    assert {windows[pair] for pair in windows.keys() - slow} == {(4.0, 18.0)}
    assert lag.replicas == 3


def test_without_a_profile_everything_shows_at_once() -> None:
    change = Replicas().change(ChangeKind.ADD, START)
    assert change.settled_at() == START


def test_own_lag_overrides_the_profile() -> None:
    faults = faults_from({"profile": "realistic", "lag": {"replicas": 2}})
    assert faults.effective_lag() == Lag(replicas=2)


@pytest.mark.parametrize("window", [[0, 301], [-1, 5], [1], 5])
def test_window_beyond_300_seconds_is_refused(window: Any) -> None:
    """F1."""
    with pytest.raises(ValueError, match="token"):
        faults_from({"lag": {"token": {"add": window}}})


def test_each_kind_of_read_and_change_has_its_own_window() -> None:
    """F1."""
    lag = Lag(replicas=1, token=ReadLag(add=TEN), list=ReadLag(remove=(5.0, 5.0)))
    replicas = Replicas(lag)
    added = replicas.change(ChangeKind.ADD, START)
    removed = replicas.change(ChangeKind.REMOVE, START)
    assert added.delays == {ReadKind.APPLICATION: (), ReadKind.LIST: (), ReadKind.TOKEN: (10.0,)}
    assert removed.delays == {ReadKind.APPLICATION: (), ReadKind.LIST: (5.0,), ReadKind.TOKEN: ()}


def test_change_shows_from_its_delay_on_and_never_before() -> None:
    change = Change(sequence=1, at=START, delays={ReadKind.LIST: (3.0, 7.0)})
    shown = [change.shown(ReadKind.LIST, replica, after(5)) for replica in (0, 1)]
    assert shown == [True, False]
    assert not change.shown(ReadKind.LIST, 0, after(2.999))
    assert change.shown(ReadKind.LIST, 0, after(3))
    assert change.shown(ReadKind.TOKEN, 0, START)
    assert change.settled_at() == after(7)


def test_same_seed_gives_the_same_delays_and_replicas() -> None:
    """F1: and the number of reads never changes the delays of writes."""
    row = ReadLag(add=(0.0, 300.0))
    lag = Lag(replicas=3, application=row, list=row, token=row)
    first, second, other = Replicas(lag, 7), Replicas(lag, 7), Replicas(lag, 8)
    for _ in range(5):
        second.reader(ReadKind.LIST, START)
    drawn = [one.change(ChangeKind.ADD, START).delays for one in (first, second, other)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_settling_shows_all_that_was_committed_and_nothing_later() -> None:
    replicas = Replicas(Lag(replicas=1, list=ROW))
    before = replicas.change(ChangeKind.ADD, START)
    replicas.settle()
    later = replicas.change(ChangeKind.ADD, START)
    sees = replicas.reader(ReadKind.LIST, START)
    assert (sees(before), sees(later)) == (True, False)


def test_created_application_is_404_until_a_replica_knows_it(
    user: GraphUser, emulator: Emulator
) -> None:
    """F1: also for the addPassword that scripts send next."""
    user.sign_in()
    lag_of(emulator, application={"create": TEN})
    made = user.call("POST", "applications", {"displayName": "new"}).json()
    path = f"applications/{made['id']}"
    for method, target in (("GET", path), ("POST", f"{path}/addPassword"), ("PATCH", path)):
        answer = user.call(method, target, None if method == "GET" else {})
        assert answer.status_code == 404
        assert answer.json()["error"]["code"] == "Request_ResourceNotFound"
    emulator.move_clock(10)
    assert user.call("POST", f"{path}/addPassword", {}).status_code == 200


def test_service_principal_comes_too_early_for_its_application(
    user: GraphUser, emulator: Emulator
) -> None:
    """F1: NoBackingApplicationObject."""
    user.sign_in()
    lag_of(emulator, application={"create": TEN})
    made = user.call("POST", "applications", {"displayName": "new"}).json()
    early = user.call("POST", "servicePrincipals", {"appId": made["appId"]})
    assert early.status_code == 400
    assert early.json()["error"]["details"][0]["code"] == "NoBackingApplicationObject"
    emulator.move_clock(10)
    assert user.call("POST", "servicePrincipals", {"appId": made["appId"]}).status_code == 201
    assert user.call("GET", f"servicePrincipals(appId='{made['appId']}')").status_code == 404
    emulator.move_clock(10)
    assert user.call("GET", f"servicePrincipals(appId='{made['appId']}')").status_code == 200


def test_added_password_is_missing_from_one_kind_of_read_only(
    user: GraphUser, emulator: Emulator, app: MadeApplication
) -> None:
    """F1."""
    user.sign_in()
    lag_of(emulator, list={"add": TEN})
    user.add_password(app.id)
    path = f"applications?$filter=appId eq '{app.app_id}'"
    assert count(user, app) == 1
    assert user.get(path)["value"][0]["passwordCredentials"] == []
    emulator.move_clock(10)
    assert len(user.get(path)["value"][0]["passwordCredentials"]) == 1


def test_removing_a_password_that_the_replica_does_not_know_yet_is_400(
    user: GraphUser, emulator: Emulator, app: MadeApplication
) -> None:
    """F1: the same error as for a secret that is gone already."""
    user.sign_in()
    lag_of(emulator, application={"add": TEN})
    made = user.add_password(app.id)
    early = user.remove_password(app.id, made["keyId"])
    assert early.status_code == 400
    assert early.json()["error"]["message"].startswith("No password credential found with keyId")
    emulator.move_clock(10)
    assert user.remove_password(app.id, made["keyId"]).status_code == 204


def test_removed_password_still_shows_and_cannot_be_removed_twice(
    user: GraphUser, emulator: Emulator, app: MadeApplication
) -> None:
    """F1."""
    made = user.add_password(app.id)
    lag_of(emulator, application={"remove": TEN})
    assert user.remove_password(app.id, made["keyId"]).status_code == 204
    assert count(user, app) == 1
    assert user.remove_password(app.id, made["keyId"]).status_code == 400
    emulator.move_clock(10)
    assert count(user, app) == 0


def test_deleted_application_still_shows_but_takes_no_write(
    user: GraphUser, emulator: Emulator, app: MadeApplication
) -> None:
    """F1."""
    user.sign_in()
    lag_of(emulator, application={"remove": TEN}, list={"remove": TEN})
    user.call("DELETE", f"applications/{app.id}")
    assert user.call("GET", f"applications/{app.id}").status_code == 200
    assert user.call("POST", f"applications/{app.id}/addPassword", {}).status_code == 404
    assert user.call("GET", f"directory/deletedItems/{app.id}").status_code == 404
    assert user.get("directory/deletedItems/graph.application")["value"] == []
    emulator.move_clock(10)
    assert user.call("GET", f"applications/{app.id}").status_code == 404
    assert user.call("GET", f"directory/deletedItems/{app.id}").status_code == 200


def test_patched_property_keeps_its_old_value_for_a_while(
    user: GraphUser, emulator: Emulator, app: MadeApplication
) -> None:
    """F1: two changes appear one after the other, each after its own delay."""
    user.sign_in()
    lag_of(emulator, application={"update": TEN})
    path = f"applications/{app.id}?$select=notes,tags"
    user.call("PATCH", f"applications/{app.id}", {"notes": "first"})
    emulator.move_clock(5)
    user.call("PATCH", f"applications/{app.id}", {"tags": ["second"]})
    assert user.get(path)["notes"] is None
    emulator.move_clock(5)
    assert (user.get(path)["notes"], user.get(path)["tags"]) == ("first", [])
    emulator.move_clock(5)
    assert (user.get(path)["notes"], user.get(path)["tags"]) == ("first", ["second"])


def test_reads_go_backwards_between_replicas(
    user: GraphUser, emulator: Emulator, app: MadeApplication
) -> None:
    """F1: some of the three replicas show the new password, and some do not."""
    user.sign_in()
    lag_of(emulator, replicas=3, application={"add": [0, 300]})
    user.add_password(app.id)
    emulator.move_clock(150)
    seen = [count(user, app) for _ in range(40)]
    drops = sum(later < earlier for earlier, later in pairwise(seen))
    assert set(seen) == {0, 1}
    assert drops > 0
    emulator.move_clock(150)
    assert {count(user, app) for _ in range(20)} == {1}


def test_same_seed_repeats_the_same_flapping(user: GraphUser, emulator: Emulator) -> None:
    """F1."""

    def run() -> list[int]:
        app = emulator.create_application(user.tenant, owner=user.client_id)
        emulator.set_faults(seed=5, lag={"replicas": 3, "application": {"add": [0, 300]}})
        # The seeded draws start here: first the add, then the reads.
        user.add_password(app.id)
        emulator.move_clock(150)
        return [count(user, app) for _ in range(30)]

    user.sign_in()
    emulator.stop_clock()
    assert run() == run()


def test_fresh_secret_is_refused_as_wrong_until_the_token_endpoint_knows_it(
    user: GraphUser, emulator: Emulator, app: MadeApplication
) -> None:
    """F1: the object shows the secret, and the token endpoint still answers 7000215."""
    user.sign_in()
    lag_of(emulator, token={"add": TEN})
    secret = user.add_password(app.id)["secretText"]
    assert count(user, app) == 1
    assert sign_in(user, app, secret) == 7000215
    emulator.move_clock(10)
    assert sign_in(user, app, secret) == 200


def test_fresh_secret_is_called_expired_when_the_application_has_an_expired_one(
    user: GraphUser, emulator: Emulator
) -> None:
    """F1: so 7000222 proves nothing about a fresh secret."""
    old = {"startInDays": -9, "endInDays": -1}
    app = emulator.create_application(user.tenant, owner=user.client_id, passwords=[old])
    user.sign_in()
    lag_of(emulator, token={"add": TEN})
    secret = user.add_password(app.id)["secretText"]
    assert sign_in(user, app, secret) == 7000222
    assert sign_in(user, app, "wrong") == 7000215
    emulator.move_clock(10)
    assert sign_in(user, app, secret) == 200


def test_fresh_secret_flaps_at_the_token_endpoint(
    user: GraphUser, emulator: Emulator, app: MadeApplication
) -> None:
    """F1: a failure can follow a success."""
    user.sign_in()
    lag_of(emulator, replicas=3, token={"add": [0, 300]})
    secret = user.add_password(app.id)["secretText"]
    emulator.move_clock(150)
    assert {sign_in(user, app, secret) for _ in range(40)} == {200, 7000215}


def test_removed_secret_signs_in_for_a_while(
    user: GraphUser, emulator: Emulator, app: MadeApplication
) -> None:
    """F11."""
    secret = user.add_password(app.id)
    lag_of(emulator, token={"remove": TEN})
    user.remove_password(app.id, secret["keyId"])
    assert count(user, app) == 0
    assert sign_in(user, app, secret["secretText"]) == 200
    emulator.move_clock(10)
    assert sign_in(user, app, secret["secretText"]) == 7000215


def test_what_the_admin_api_does_shows_at_once(
    user: GraphUser, emulator: Emulator, app: MadeApplication
) -> None:
    user.sign_in()
    lag_of(emulator, application={"add": TEN}, token={"add": TEN})
    made = emulator.add_password(app.id, displayName="by hand")
    assert made.secret is not None
    assert count(user, app) == 1
    assert sign_in(user, app, made.secret) == 200


def test_clearing_faults_settles_every_replica(
    user: GraphUser, emulator: Emulator, app: MadeApplication
) -> None:
    user.sign_in()
    lag_of(emulator, replicas=3, application={"add": [100, 300]})
    user.add_password(app.id)
    assert count(user, app) == 0
    emulator.clear_faults()
    assert {count(user, app) for _ in range(10)} == {1}
