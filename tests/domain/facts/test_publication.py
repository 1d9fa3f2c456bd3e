"""What the target Secret records once a successor is published."""

from __future__ import annotations

from dataclasses import replace

import pytest

from appcredential.domain.facts.publication import next_publication
from appcredential.domain.marker import Attempt
from appcredential.domain.observed.memory import Memory
from appcredential.domain.observed.observation import Observation
from appcredential.domain.observed.target import (
    FormerOwner,
    PendingState,
    RetireCause,
    Retiring,
    Target,
)
from appcredential.domain.secret.records import Publication
from appcredential.domain.spec.model import KeyId, VerificationMode
from tests.support.builders import (
    IDENTITY,
    KEY,
    MINUTE,
    NEXT,
    NOW,
    OBJECT_ID,
    OLD,
    OTHER_OWNER,
    OWNER,
    SECOND,
    TENANT_ID,
    abandoned,
    facts,
    foreign_target,
    minted,
    observation,
    pending,
    proven,
    resource,
    retiring,
    spec,
    target,
)

LATER = NOW + MINUTE
REPLACED = Retiring(key_id=KEY, end=minted().expires, since=LATER, cause=RetireCause.REPLACED)


def published(given: Observation) -> Publication:
    held = given.pending
    assert held is not None
    return next_publication(facts(given), held, LATER)


def test_it_records_whose_and_what_it_is() -> None:
    held = pending()
    found = published(observation(pending=held, memory=Memory(pending_proof=proven(last=NOW))))
    assert found == Publication(
        owner=str(OWNER),
        cluster=IDENTITY.cluster,
        tenant_id=TENANT_ID,
        object_id=OBJECT_ID,
        credential=held.credential or minted(),
        verified_time=NOW,
        published_time=LATER,
        retiring=(REPLACED,),
        abandoned=(),
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (target(), (REPLACED,)),
        (target(retiring=(retiring(OLD),)), (retiring(OLD), REPLACED)),
        (target(retiring=(retiring(NEXT),)), (REPLACED,)),
        (target(retiring=(retiring(KEY),)), (retiring(KEY),)),
        (target(minted(NEXT), retiring=(retiring(OLD),)), (retiring(OLD),)),
        (None, ()),
        (foreign_target(), ()),
    ],
    ids=[
        "the former one retires",
        "what retires goes on to",
        "the successor itself does not",
        "what retires already keeps its time",
        "published already",
        "nothing before",
        "another's",
    ],
)
def test_what_was_published_before_retires(
    before: Target | None, after: tuple[Retiring, ...]
) -> None:
    given = observation(
        resource=resource(spec(take_over_from=OTHER_OWNER.name)), target=before, pending=pending()
    )
    assert published(given).retiring == after


@pytest.mark.parametrize(
    ("mode", "memory", "is_verified"),
    [
        (VerificationMode.REQUIRED, Memory(pending_proof=proven(last=NOW)), True),
        (VerificationMode.REQUIRED, Memory(), False),
        (VerificationMode.DISABLED, Memory(pending_proof=proven(last=NOW)), False),
    ],
    ids=["proven", "never tried", "no proof is asked for"],
)
def test_only_a_proof_that_is_required_counts(
    mode: VerificationMode, memory: Memory, is_verified: bool
) -> None:
    given = observation(
        resource=resource(spec(verification=mode)), pending=pending(), memory=memory
    )
    assert published(given).verified_time == (NOW if is_verified else None)


def test_the_last_five_abandoned_attempts_are_kept() -> None:
    times = [NOW - n * SECOND for n in range(7)]
    entries = [abandoned(Attempt(f"attempt-{n}"), time=t) for n, t in enumerate(times)]
    given = observation(
        target=target(abandoned=tuple(entries[:4])), pending=pending(abandoned=tuple(entries[4:]))
    )
    assert published(given).abandoned == tuple(entries[2:])
    alone = replace(given, target=None)
    assert published(alone).abandoned == tuple(entries[4:])


def test_a_secret_that_is_taken_over_says_whose_it_was() -> None:
    given = observation(
        resource=resource(spec(take_over_from=OTHER_OWNER.name)),
        target=foreign_target(),
        pending=pending(),
    )
    found = published(given)
    assert found.taken_from == (FormerOwner(str(OTHER_OWNER)),)
    assert found.handed_over is not None


def test_a_pending_secret_without_a_credential_is_never_published() -> None:
    given = observation(pending=pending(PendingState.INTENT, minted_as=None))
    with pytest.raises(AssertionError):
        published(given)


def test_a_key_is_never_its_own_predecessor() -> None:
    found = published(observation(target=target(minted(NEXT)), pending=pending()))
    assert KeyId(NEXT) not in {r.key_id for r in found.retiring}
