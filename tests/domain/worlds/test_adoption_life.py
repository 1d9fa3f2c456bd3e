"""After a restore into a new cluster: what a lost one issued serves, is replaced, and stays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Final

import pytest

from appcredential.domain import actions as act
from appcredential.domain.conditions import Reason
from appcredential.domain.facts import assessment
from appcredential.domain.facts.adoption import is_adopted
from appcredential.domain.marker import ClusterIdentity, parse_marker
from appcredential.domain.observed.entra import Credential
from appcredential.domain.observed.federated import FederatedCredential
from appcredential.domain.observed.observation import Observation
from appcredential.domain.secret.annotations import Name
from appcredential.domain.spec.model import AppCredentialSpec, KeyId, RetireWhen
from appcredential.domain.spec.trusts import Trust, build_description
from tests.domain.facts.test_adoption import THEIRS, theirs
from tests.domain.worlds.driver import World
from tests.domain.worlds.federated_world import FederatedWorld
from tests.domain.worlds.loop import BrokenPromiseError, Loop
from tests.support.builders import (
    ADOPTING,
    DAY,
    HOUR,
    IDENTITY,
    KEY,
    MINUTE,
    NOT_YET,
    NOW,
    OTHER_IDENTITY,
    OWNER,
    credential,
    facts,
    grant,
    minted,
    problem,
    rotation,
    spec,
    target,
)
from tests.support.federated import AUDIENCE, OTHER, TRUST, federated_spec, listed

LIFE: Final = 6 * HOUR
SPEC: Final = spec(lifetime=LIFE, rotation=rotation(renew_before=2 * HOUR, overlap=HOUR))
START: Final = NOW - HOUR
"""When the other cluster issued and published it."""
NOTE: Final = "Another cluster issued it"


def restored(wanted: AppCredentialSpec = SPEC, identity: ClusterIdentity = ADOPTING) -> World:
    """Return a new cluster with the other one's Secret, whose credential Entra still has."""
    world = World(spec=wanted, identity=identity, key_prefix="own")
    put_back(world)
    return world


def put_back(world: World) -> None:
    """Restore the other cluster's Secret."""
    end = START + LIFE
    held = minted(attempt=THEIRS, not_before=START, expires=end)
    found = target(held, spec=world.current_spec, published_time=START, creation_time=world.now)
    world.target = replace(theirs(found), uid="restored")
    world.entra[KEY] = credential(attempt=THEIRS, identity=OTHER_IDENTITY, start=START, end=end)


def message(world: Loop, kind: str) -> str:
    """Return what a condition says, as last written."""
    told = {c["type"]: str(c["message"]) for c in world.resource.status["conditions"]}
    return told[kind]


def test_nothing_is_issued_before_its_renewal_and_then_it_stays_in_entra() -> None:
    world = restored()
    world.run(HOUR)
    assert world.published == KEY
    assert world.count(act.Mint) == 0
    assert world.condition("Ready") == ("True", "Published")
    assert NOTE in message(world, "Ready")
    assert world.resource.status["inventory"] == {"managed": 1, "foreign": 0, "expired": 0}
    world.run(3 * HOUR)
    assert world.published == KeyId("own-1")
    assert NOTE not in message(world, "Ready")
    assert world.target is not None
    assert world.target.annotations[Name.CLUSTER] == IDENTITY.cluster
    assert "retiring" not in world.resource.status, "it never goes by this cluster's doing"
    world.run(LIFE)
    assert KEY in world.entra
    assert world.count(act.Mint) == 2


def test_without_the_setting_it_is_replaced_at_once() -> None:
    world = restored(identity=IDENTITY)
    world.run(HOUR)
    assert world.published == KeyId("own-1")
    assert KEY in world.entra


def test_a_restart_and_a_stale_read_issue_nothing() -> None:
    world = restored()
    world.run(HOUR)
    world.restart()
    world.hidden.add(KEY)
    world.run(HOUR)
    world.hidden.clear()
    world.run(HOUR / 2)
    assert world.published == KEY
    assert world.count(act.Mint) == 0


def test_if_the_old_cluster_removes_it_after_all_a_new_one_is_issued() -> None:
    world = restored()
    world.run(HOUR)
    del world.entra[KEY]
    world.run(2 * HOUR)
    assert world.published == KeyId("own-1")
    assert world.condition("Ready") == ("True", "Published")


def test_if_entra_refuses_it_that_is_said() -> None:
    world = restored()
    world.run(HOUR)
    world.hidden.add(KEY)
    world.answer = lambda key: NOT_YET if key == KEY else None
    world.run(10 * MINUTE)
    world.answer = lambda _: None
    world.run(HOUR)
    assert world.published == KeyId("own-1"), "it was refused while reads lacked it"


def test_a_rotation_that_is_asked_for_leaves_it_in_entra() -> None:
    world = restored()
    world.run(HOUR)
    world.change(replace(SPEC, rotation=replace(SPEC.rotation, rotate_issued_before=world.now)))
    world.run(HOUR)
    assert world.published == KeyId("own-1")
    assert world.condition("Stalled") is None
    world.run(2 * LIFE)
    assert KEY in world.entra


def test_a_leak_that_only_others_can_end_is_told_until_it_has_ended() -> None:
    world = restored()
    world.run(HOUR)
    world.change(replace(SPEC, rotation=replace(SPEC.rotation, revoke_issued_before=world.now)))
    world.run(HOUR)
    assert world.published == KeyId("own-1")
    assert KEY in world.entra
    assert world.condition("Ready") == ("True", "Published")
    assert world.condition("Stalled") == ("True", "RevocationBlocked")
    assert KEY in message(world, "Stalled")
    assert "Remove it from the application in Entra" in message(world, "Stalled")
    del world.entra[KEY]
    world.run(2 * HOUR)
    assert world.condition("Stalled") is None


def test_what_hinders_a_due_renewal_is_told_before_such_a_leak() -> None:
    """Nobody would know why the published credential runs out; what passes hides no leak."""
    world = restored(replace(SPEC, rotation=replace(SPEC.rotation, revoke_issued_before=NOW)))
    world.run(HOUR)
    assert world.published == KeyId("own-1")
    world.entra[KEY] = replace(world.entra[KEY], end=NOW + 2 * DAY)
    world.grant = problem(Reason.NOT_GRANTED)
    world.run(HOUR)
    assert world.condition("Stalled") == ("True", "RevocationBlocked"), "nothing is due"
    world.run(3 * HOUR)
    assert world.condition("Stalled") == ("True", "GrantWithdrawn")
    world.grant, world.read_answer = grant(), "fails"
    world.run(10 * MINUTE)
    assert world.condition("Stalled") == ("True", "RevocationBlocked"), "an outage may pass"
    world.calm_down()
    world.run(HOUR)
    assert world.published == KeyId("own-2")
    assert world.condition("Stalled") == ("True", "RevocationBlocked")


def test_what_has_expired_is_no_leak() -> None:
    world = restored()
    world.run(HOUR)
    world.change(replace(SPEC, rotation=replace(SPEC.rotation, revoke_issued_before=world.now)))
    world.run(3 * HOUR)
    assert world.condition("Stalled") == ("True", "RevocationBlocked")
    world.run(2 * HOUR)
    assert world.condition("Stalled") is None


def test_once_this_cluster_has_issued_a_restored_secret_is_replaced_at_once() -> None:
    """A backup over what was published here: what this cluster issued is what counts."""
    world = World(spec=SPEC, identity=ADOPTING, key_prefix="own")
    world.run(HOUR)
    assert world.published == KeyId("own-1")
    put_back(world)
    world.run(HOUR)
    assert world.published == KeyId("own-2")
    assert {KEY, KeyId("own-1")} <= world.entra.keys()
    assert world.target is not None
    assert [r.key_id for r in world.target.retiring] == ["own-1"]


@pytest.mark.parametrize("when", RetireWhen)
def test_nothing_of_this_cluster_is_retired_while_an_adopted_one_is_published(
    when: RetireWhen,
) -> None:
    """The other cluster may remove that one: it is no survivor."""
    world = restored(replace(SPEC, rotation=replace(SPEC.rotation, retire_when=when)))
    world.run(HOUR)
    found = facts(world.observe())
    assert is_adopted(found)
    assert world.count(act.Remove) == 0


# --- trusts --------------------------------------------------------------------------------


def their_trust(audience: str = AUDIENCE, retire: datetime | None = None) -> FederatedCredential:
    made = build_description(OTHER_IDENTITY, OWNER, TRUST.pair, retire)
    return replace(listed("theirs"), description=made, audiences=(audience,))


def trusting(trust: FederatedCredential) -> FederatedWorld:
    """Return a new cluster with a resource whose trust the other one made."""
    world = FederatedWorld(identity=ADOPTING)
    world.put(trust)
    world.run(HOUR)
    return world


def test_a_trust_that_fits_is_used_as_it_is() -> None:
    world = trusting(their_trust())
    assert world.condition("Ready") == ("True", "Trusted")
    assert "Another cluster made" in message(world, "Ready")
    assert [entry["id"] for entry in world.resource.status["federatedIdentities"]] == ["theirs"]
    world.change(federated_spec(OTHER))
    world.run(3 * DAY)
    assert world.entra["theirs"] == their_trust(), "it is neither changed nor removed"
    assert "Another cluster" not in message(world, "Ready")
    assert not {"PatchFederated", "DeleteFederated"} & set(world.names())


def test_without_the_setting_it_is_in_the_way() -> None:
    world = FederatedWorld()
    world.put(their_trust())
    world.run(HOUR)
    assert world.condition("Stalled") == ("True", "CredentialConflict")


@pytest.mark.parametrize(
    "trust",
    [their_trust(audience="api://other"), their_trust(retire=NOW + DAY)],
    ids=["for another audience", "about to be removed"],
)
def test_a_trust_that_does_not_fit_is_in_the_way_and_stays(trust: FederatedCredential) -> None:
    world = trusting(trust)
    assert world.condition("Ready") == ("False", "CredentialConflict")
    assert "make its description begin with: appcred1." in message(world, "Stalled")
    assert world.entra == {"theirs": trust}


def test_when_the_setting_goes_a_trust_is_handed_over_without_a_gap() -> None:
    """It is in use: that to remove it would help is said of none that is as the spec asks."""
    world = trusting(their_trust())
    world.identity = IDENTITY
    world.run(HOUR)
    assert world.condition("Stalled") == ("True", "CredentialConflict")
    told, _, text = message(world, "Stalled").partition("make its description begin with: ")
    assert told.index("Hand it over") < told.index("to remove it interrupts sign-ins")
    assert "Remove it" not in told
    assert world.entra == {"theirs": their_trust()}, "workloads go on signing in"
    world.put(replace(their_trust(), description=text))
    world.run(HOUR)
    assert world.condition("Ready") == ("True", "Trusted")
    assert list(world.entra) == ["theirs"]
    assert not {"CreateFederated", "PatchFederated", "DeleteFederated"} & set(world.names())


def test_what_it_used_goes_missing_and_is_made_here() -> None:
    world = trusting(their_trust())
    del world.entra["theirs"]
    world.run(3 * HOUR)
    assert world.pairs == {TRUST.pair}
    assert world.condition("Ready") == ("True", "Trusted")
    assert "Another cluster" not in message(world, "Ready")
    made = Trust(*TRUST.pair, AUDIENCE)
    assert {c.description for c in world.entra.values()} == {
        build_description(IDENTITY, OWNER, made.pair)
    }


# --- broken on purpose ---------------------------------------------------------------------


def _removable(observation: Observation, c: Credential) -> bool:
    """Take what may be used for what may be removed."""
    marker, owner = parse_marker(c.display_name), observation.resource.owner
    identity = observation.identity
    return marker is not None and (
        marker.is_removable_by(identity, owner) or marker.is_adopted_by(identity, owner)
    )


def _renewed() -> None:
    restored().run(2 * LIFE)


def _leaked() -> None:
    world = restored()
    world.run(HOUR)
    world.change(replace(SPEC, rotation=replace(SPEC.rotation, revoke_issued_before=world.now)))
    world.run(HOUR)


@pytest.mark.parametrize("story", [_renewed, _leaked])
def test_one_that_removes_what_it_adopted_is_caught(
    monkeypatch: pytest.MonkeyPatch, story: Callable[[], None]
) -> None:
    story()
    monkeypatch.setattr(assessment, "_is_ours", _removable)
    with pytest.raises(BrokenPromiseError, match="nothing that is not ours is removed"):
        story()
