"""Renewal, overlap, retirement; whose credentials are touched; what a pause means."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from tests.integration.installation import Installation, Team, parse, stamp
from tests.integration.stories_issue import OWN_CONDITIONS, conditions
from tests.support.kstatus import kstatus

# A successor is due after 50 s of 92 and proven within a few: old and new are valid for a while,
# and what it replaced is gone long before the next one is due, also on a busy machine.
# The overlap is longer than the time between two reads of the application: it alone decides.
_OVERLAP: Final = timedelta(seconds=12)
_SHORT: Final[dict[str, Any]] = {
    "lifetime": "92s",
    "rotation": {"renewBefore": "41s", "overlap": "12s", "retireWhen": "OverlapElapsed"},
}
_LONG: Final[dict[str, Any]] = {
    "rotation": {"renewBefore": "30m", "overlap": "5s", "retireWhen": "OverlapElapsed"}
}


def a_due_renewal_overlaps(i: Installation) -> None:
    """It comes by itself; both sign in during the overlap; then the old one goes."""
    team = i.team("renewed")
    team.apply(**_SHORT)
    status = team.ready()
    first, old, due = team.key(), team.values(), parse(status["renewalTime"])
    seen: set[str] = set()

    def is_renewed() -> bool:
        seen.update(f"{k}={s}" for k, (s, _) in conditions(team).items())
        return team.key() not in {"", first}

    team.until(is_renewed, "a successor is published", seconds=100)
    assert seen == {"Ready=True", "Verified=True", "Expiring=False"}
    published, new, second = team.time("publishedTime"), team.values(), team.key()
    assert team.time("startTime") >= due
    both = team.sign_in(old), team.sign_in(new)
    assert both == (True, True), "old and new do not both sign in"
    assert [r["keyId"] for r in team.status()["retiring"]] == [first]
    team.until(lambda: first not in team.key_ids(), "the old one is removed", seconds=60)
    assert i.now() - published >= _OVERLAP, "removed before the overlap was over"
    assert not team.sign_in(old)
    assert team.sign_in(new)
    team.until(lambda: len(_reasons(team)) >= 5, "the retirement is announced")
    told = _reasons(team)
    assert told[:5] == ["Issued", "Published", "Issued", "Published", "Retired"], told
    assert second in team.key_ids()


def _reasons(team: Team) -> list[str]:
    return [reason for _, reason, _ in team.events()]


def an_expiring_one_is_left_to_expire(i: Installation) -> None:
    """With retireWhen Expired nothing is removed while it is valid."""
    team = i.team("expires")
    rotation = {"renewBefore": "41s", "overlap": "1s", "retireWhen": "Expired"}
    team.apply(lifetime="62s", rotation=rotation)
    team.ready()
    first, old, end = team.key(), team.values(), team.time("expirationTime")
    team.until(lambda: team.key() not in {"", first}, "a successor is published", seconds=60)
    i.pass_time(end - timedelta(seconds=4))
    assert first in team.key_ids(), "removed before its expiry"
    assert team.sign_in(old), "removed before its expiry"
    team.until(lambda: first not in team.key_ids(), "the expired one is removed", seconds=60)
    assert i.now() >= end, "removed before its expiry"
    assert team.signs_in()
    assert conditions(team) == OWN_CONDITIONS


def rotation_by_a_time_is_stateless(i: Installation) -> None:
    """`rotateIssuedBefore` renews once; the same again does nothing; a future time waits."""
    team = i.team("rotated")
    team.apply(**_LONG)
    team.ready()
    first, old = team.key(), team.values()
    team.rotated()
    assert team.sign_in(old)
    assert team.signs_in()
    team.until(lambda: first not in team.key_ids(), "the old one is retired")
    second = team.key()
    rotation = team.live()["spec"]["rotation"]
    later = i.now() + timedelta(seconds=9)
    team.change(rotation={k: v for k, v in rotation.items() if k != "rotateIssuedBefore"})
    team.ready()
    team.change(rotation=rotation)
    team.ready()
    team.change(rotation={**rotation, "rotateIssuedBefore": stamp(later)})
    team.ready()
    i.pass_time(later - timedelta(seconds=2))
    assert (team.key(), team.minted()) == (second, 2)
    team.until(lambda: team.key() not in {"", second}, "the time has come")
    assert team.time("startTime") >= later.replace(microsecond=0)
    assert team.minted() == 3


def a_leak_is_closed_once_its_successor_works(i: Installation) -> None:
    """`revokeIssuedBefore` keeps the leaked one until what replaces it signs in, and no longer."""
    team = i.team("leaked")
    team.apply(rotation={"renewBefore": "30m", "overlap": "20m"})
    team.ready()
    first, old = team.key(), team.values()
    rule = i.add_rule(fault="token-error", code=53003, match={"app": team.client_id})
    i.pass_time(team.time("startTime") + timedelta(seconds=2))
    rotation = team.live()["spec"]["rotation"]
    team.change(rotation={**rotation, "revokeIssuedBefore": stamp(i.now())})
    team.until(lambda: team.has("Stalled", "True", "RevocationBlocked"), "it is said", seconds=60)
    assert first in team.key_ids(), "revoked without a successor"
    assert team.key() == first
    i.drop_rule(rule)
    assert team.sign_in(old), "revoked without a successor"
    team.until(lambda: first not in team.key_ids(), "it is revoked", seconds=90)
    team.until(lambda: team.key() not in {"", first}, "status follows")
    assert team.signs_in()
    assert not team.sign_in(old)
    team.ready()
    assert "Revoked" in _reasons(team)
    assert team.minted() == 2


def what_others_made_is_untouched(i: Installation) -> None:
    """Foreign credentials are counted, and stay through rotation, retirement and deletion."""
    foreign = [
        {"displayName": "made by hand", "endInDays": 200},
        {"displayName": "last year's", "startInDays": -30, "endInDays": -1},
        {"displayName": "appcred1.aaaaaaaa.aaaaaaaaaaaaaaaaaaaa.aaaaaaaaaaaaaa of another cluster"},
    ]
    team = i.team("foreign", passwords=foreign)
    others = set(team.key_ids())
    team.apply(**_LONG, deletionGracePeriod="0s")
    team.ready()
    first = team.key()
    assert team.status()["inventory"] == {"managed": 1, "foreign": 3, "expired": 1}
    second = team.rotated()
    team.until(lambda: first not in team.key_ids(), "the old one is retired")
    assert set(team.key_ids()) == others | {second}, "a foreign credential is gone"
    team.delete()
    team.until(lambda: second not in team.key_ids(), "ours is revoked")
    i.until(lambda: i.tickets(team.namespace) == [], "the deletion is finished")
    assert set(team.key_ids()) == others, "a foreign credential is gone"


def two_resources_of_one_application_keep_apart(i: Installation) -> None:
    """Each counts the other's as foreign, and touches its own alone."""
    team = i.team("shared")
    other = Team(i, i.make_namespace("shared"), team.client_id)
    other.grant()
    for one in (team, other):
        one.apply(**_LONG, deletionGracePeriod="0s")
    for one in (team, other):
        one.ready()
    first, theirs, before = team.key(), other.key(), other.secret()
    team.rotated()
    team.until(lambda: first not in team.key_ids(), "the old one is retired")
    assert team.status()["inventory"]["foreign"] == 1
    team.delete()
    i.until(lambda: i.tickets(team.namespace) == [], "the deletion is finished")
    assert team.key_ids() == [theirs]
    assert other.secret() == before
    assert other.signs_in()


def a_suspended_resource_is_left_alone(i: Installation) -> None:
    """`suspend` stops all writes and says so; what is published goes on working."""
    team = i.team("paused")
    team.apply(**_LONG)
    team.ready()
    first = team.key()
    team.change(suspend=True)
    team.until(lambda: _is_observed(team), "it is seen")
    team.rotate()
    i.kube.edit(team.secret_path(), lambda found: found["data"].pop("AZURE_TENANT_ID"))
    before = team.secret()
    # As long as a rotation takes, and twice as long as a repair is waited for.
    i.pass_time(i.now() + timedelta(seconds=12))
    assert team.minted() == 1, "written while suspended"
    assert team.secret() == before, "written while suspended"
    assert conditions(team) == {**OWN_CONDITIONS, "Ready": ("True", "Suspended")}
    assert _is_observed(team)
    assert kstatus(team.live()) == "Current"
    team.change(suspend=False)
    team.until(lambda: team.key() not in {"", first}, "work goes on")
    team.ready()
    assert team.signs_in()


def _is_observed(team: Team) -> bool:
    resource = team.live()
    generation: int = resource["metadata"]["generation"]
    return bool(resource["status"]["observedGeneration"] == generation)
