"""What another cluster issued is used where a setting names that cluster."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import pytest

from appcredential.domain.facts.adoption import (
    adopted_left,
    is_adopted,
    is_adopted_trust,
    needs_own_credential,
)
from appcredential.domain.facts.removed_certificate import removed_certificate
from appcredential.domain.facts.source import source_offers
from appcredential.domain.facts.successor import needs_successor
from appcredential.domain.facts.windows import awaited_opening
from appcredential.domain.marker import attempt_id
from appcredential.domain.observed.entra import Credential
from appcredential.domain.observed.memory import Memory
from appcredential.domain.observed.observation import Observation
from appcredential.domain.observed.target import Target
from appcredential.domain.rules.next_look import next_look
from appcredential.domain.secret.annotations import Name
from appcredential.domain.spec.model import CredentialType, DeletionPolicy
from appcredential.domain.spec.trusts import build_description
from tests.domain.facts.test_removed_certificate import LOST, MOVED, after
from tests.domain.rules import test_sources as sources
from tests.domain.test_scheduled_revocations import revocation
from tests.domain.test_scheduled_revocations import seen as seen_revocation
from tests.support.builders import (
    ADOPTING,
    ATTEMPT,
    IDENTITY,
    KEY,
    NOW,
    OTHER_IDENTITY,
    OTHER_OWNER,
    OWNER,
    abandoned,
    application,
    credential,
    facts,
    minted,
    next_credential,
    observation,
    old_credential,
    pending,
    proven,
    resource,
    rotation,
    spec,
    target,
    window,
)
from tests.support.federated import TRUST, listed

THEIRS: Final = attempt_id(OTHER_IDENTITY, "their-pending-uid", 1)
LISTED: Final = credential(attempt=THEIRS, identity=OTHER_IDENTITY)
FOREIGN: Final = credential(attempt=THEIRS, display_name="made in the portal")


def theirs(found: Target) -> Target:
    """Return a target Secret as the other cluster wrote it."""
    return replace(found, annotations={**found.annotations, Name.CLUSTER: OTHER_IDENTITY.cluster})


RESTORED: Final = theirs(target(minted(attempt=THEIRS)))


def seen(*credentials: Credential, **changes: Any) -> Observation:
    """Return what is observed after the restore, with what Entra lists."""
    read = application(*(credentials or (LISTED,)))
    told: dict[str, Any] = {"identity": ADOPTING, "target": RESTORED, "application": read}
    return observation(**told | changes)


def test_it_is_used_until_its_renewal_is_due() -> None:
    found = facts(seen())
    assert is_adopted(found)
    assert found.is_from_another_cluster
    assert found.published is not None
    assert found.published.key_id == KEY
    assert not needs_own_credential(found)
    assert not needs_successor(found)
    assert found.schedule is not None
    later = replace(seen(), now=found.schedule.renewal_time)
    assert needs_successor(facts(later))


def test_without_the_setting_it_is_replaced_at_once() -> None:
    found = facts(seen(identity=IDENTITY))
    assert not is_adopted(found)
    assert needs_own_credential(found)
    assert needs_successor(found)


@pytest.mark.parametrize(
    "listed",
    [
        FOREIGN,
        credential(attempt=THEIRS, identity=OTHER_IDENTITY, owner=OTHER_OWNER),
        credential(attempt=ATTEMPT),
    ],
    ids=["without a marker", "another resource's", "by this cluster's marker"],
)
def test_what_entra_does_not_bear_out_is_replaced_at_once(listed: Credential) -> None:
    found = facts(seen(listed))
    assert not is_adopted(found)
    assert needs_successor(found)


def test_whether_an_unlisted_one_is_gone_is_found_out_as_always() -> None:
    """A replica may lag; refused sign-ins show that it is gone."""
    found = facts(seen(credential(OTHER_KEY, display_name="made in the portal")))
    assert is_adopted(found)
    assert not needs_successor(found)


OTHER_KEY: Final = old_credential().key_id


@pytest.mark.parametrize(
    ("beside", "changes", "expected"),
    [
        (old_credential(), {}, False),
        (next_credential(), {}, False),
        (next_credential(), {"pending": pending()}, True),
        (next_credential(), {"target": replace(RESTORED, abandoned=(abandoned(),))}, True),
    ],
    ids=["long issued", "just issued", "pending", "given up"],
)
def test_once_this_cluster_may_have_published_something_only_that_counts(
    beside: Credential, changes: dict[str, Any], expected: bool
) -> None:
    assert is_adopted(facts(seen(LISTED, beside, **changes))) is expected


def test_a_record_that_names_another_key_is_damaged() -> None:
    """Entra lists what its attempt made: else nobody could register a certificate beside it."""
    held = minted(OTHER_KEY, attempt=THEIRS)
    found = facts(seen(target=theirs(target(held))))
    assert found.published is None
    assert needs_successor(found)


@pytest.mark.parametrize(
    "held", [replace(RESTORED, published=None, value=None), None], ids=["damaged", "deleted"]
)
def test_without_its_value_there_is_nothing_to_use(held: Target | None) -> None:
    found = facts(seen(target=held))
    assert not is_adopted(found)
    assert needs_successor(found)


# --- what else depends on whose it is -------------------------------------------------------


def test_a_renewal_waits_for_a_window_as_any_does() -> None:
    daily = spec(rotation=rotation(windows=[window("22:00", "23:00")]))
    coming: dict[str, Any] = {
        "resource": resource(daily),
        "pending": pending(),
        "memory": Memory(pending_proof=proven()),
    }
    assert awaited_opening(facts(seen(LISTED, next_credential(), **coming))) is not None
    coming["identity"] = IDENTITY
    assert awaited_opening(facts(seen(LISTED, next_credential(), **coming))) is None


@pytest.mark.parametrize(
    ("o", "is_seldom"), [(seen(), True), (seen(FOREIGN), False)], ids=["adopted", "in doubt"]
)
def test_where_all_is_well_it_is_looked_at_seldom(o: Observation, is_seldom: bool) -> None:
    usual = next_look(facts(observation()))
    assert (next_look(facts(o)) == usual) is is_seldom
    assert next_look(facts(o)) > NOW


def test_a_supplied_certificate_is_not_registered_twice() -> None:
    moved = theirs(sources.holding())
    held = moved.published
    assert held is not None
    moved = replace(moved, published=replace(held, attempt=THEIRS))
    mark = credential(attempt=THEIRS, identity=OTHER_IDENTITY).display_name
    listed = application(replace(sources.key(), display_name=mark))
    o = replace(sources.seen(target=moved, application=listed), identity=ADOPTING)
    assert is_adopted(facts(o))
    assert not source_offers(facts(o))
    assert source_offers(facts(replace(o, identity=IDENTITY)))


def test_that_the_other_cluster_removed_it_is_nobodys_wish() -> None:
    """A person who removes one that is this cluster's own means that it stays away."""
    o = replace(after({}, target=MOVED, memory=LOST), identity=ADOPTING)
    o = replace(o, target=theirs(MOVED))
    assert removed_certificate(facts(o)) is None
    assert source_offers(facts(o))


# --- trusts, and what a deletion leaves -----------------------------------------------------


def test_a_trust_is_used_by_its_own_resource_alone() -> None:
    found = facts(seen())
    made = build_description(OTHER_IDENTITY, OWNER, TRUST.pair)
    others = build_description(OTHER_IDENTITY, OTHER_OWNER, TRUST.pair)
    assert is_adopted_trust(found, replace(listed(), description=made))
    for text in (others, "made by hand", listed().description):
        assert not is_adopted_trust(found, replace(listed(), description=text))


def test_what_a_deletion_leaves_is_named() -> None:
    certificate = replace(LISTED, key_id=OTHER_KEY, type=CredentialType.CERTIFICATE)
    read = application(LISTED, FOREIGN, credential(), certificate)
    o = replace(seen_revocation(revocation(), application=read), identity=ADOPTING)
    assert adopted_left(o) == [KEY]
    assert adopted_left(replace(o, application=None)) == []
    assert adopted_left(replace(o, application=application(replace(LISTED, end=NOW)))) == []
    trust = replace(LISTED, type=CredentialType.FEDERATED_IDENTITY, end=NOW)
    trusting = replace(revocation(), type=CredentialType.FEDERATED_IDENTITY)
    left = replace(o, revocation=trusting, application=application(trust))
    assert adopted_left(left) == [KEY], "a trust has no end"
    assert adopted_left(replace(o, identity=IDENTITY)) == []
    kept = revocation(policy=DeletionPolicy.RETAIN)
    assert adopted_left(replace(o, revocation=kept)) == []
