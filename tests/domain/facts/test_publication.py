"""What the target Secret records once a successor is published."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from appcredential.domain.facts.publication import next_publication
from appcredential.domain.observed.memory import Memory
from appcredential.domain.observed.observation import Observation
from appcredential.domain.observed.target import (
    FormerOwner,
    PendingState,
    Retiring,
    Target,
)
from appcredential.domain.secret.records import Publication
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import KeyId, VerificationMode
from tests.support.builders import (
    ATTEMPT,
    IDENTITY,
    KEY,
    MINUTE,
    NEXT,
    NEXT_ATTEMPT,
    NOW,
    OBJECT_ID,
    OLD,
    OLD_ATTEMPT,
    OTHER_OWNER,
    OWNER,
    SECOND,
    TENANT_ID,
    abandoned,
    attempt,
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
from tests.support.keys import make_certificate

LATER = NOW + MINUTE
REPLACED = retiring(KEY, end=minted().expires, since=LATER)


def published(given: Observation) -> Publication:
    return next_publication(facts(given), LATER)


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
        (target(retiring=(retiring(KEY),)), (REPLACED,)),
        (
            target(retiring=(retiring(KEY), retiring(OLD)), damaged=True),
            (retiring(OLD), replace(REPLACED, secret="")),
        ),
        (
            replace(target(retiring=(retiring(KEY),)), published=None, value=None),
            (replace(retiring(KEY), since=LATER),),
        ),
        (target(minted(NEXT, attempt=NEXT_ATTEMPT), retiring=(retiring(OLD),)), (retiring(OLD),)),
        (None, ()),
        (foreign_target(), ()),
    ],
    ids=[
        "the former one retires",
        "what retires goes on to",
        "the successor itself does not",
        "a record that it retires already is not believed",
        "neither is one beside a damaged value",
        "beside damaged records all times begin anew",
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
    ("api", "entra", "ahead"),
    [
        (3 * MINUTE, MINUTE, 2 * MINUTE),
        (-MINUTE, MINUTE, timedelta(0)),
        (None, MINUTE, None),
        (MINUTE, None, None),
    ],
)
@pytest.mark.parametrize("is_damaged", [True, False])
def test_it_notes_how_far_the_api_server_is_ahead(
    api: timedelta | None, entra: timedelta | None, ahead: timedelta | None, *, is_damaged: bool
) -> None:
    before = target(retiring=(retiring(OLD),))
    if is_damaged:
        before = replace(before, published=None, value=None)
    given = observation(target=before, pending=pending(), cluster_skew=api, directory_skew=entra)
    assert published(given).retiring[-1].ahead == ahead


@pytest.mark.parametrize("has_key", [True, False])
def test_a_certificate_may_have_been_found_elsewhere_too(*, has_key: bool) -> None:
    made = make_certificate()
    held = replace(target(), value=SecretValue((made.bundle if has_key else made.pem).decode()))
    (entry,) = published(observation(target=held, pending=pending())).retiring
    assert entry == replace(REPLACED, secret="")


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
    entries = [abandoned(attempt(number=n + 1), time=t) for n, t in enumerate(times)]
    given = observation(
        target=target(abandoned=tuple(entries[:4])),
        pending=pending(number=8, abandoned=tuple(entries[4:])),
    )
    assert published(given).abandoned == tuple(entries[2:])
    for former in (None, replace(target(), published=None, value=None)):
        alone = replace(given, target=former)
        assert published(alone).abandoned == tuple(entries[4:])


def test_what_the_secret_has_held_is_not_recorded_as_given_up() -> None:
    forged = (abandoned(ATTEMPT), abandoned(NEXT_ATTEMPT), abandoned(OLD_ATTEMPT))
    given = observation(target=target(abandoned=forged), pending=pending())
    assert published(given).abandoned == (abandoned(OLD_ATTEMPT),)


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
    found = published(
        observation(target=target(minted(NEXT, attempt=NEXT_ATTEMPT)), pending=pending())
    )
    assert KeyId(NEXT) not in {r.key_id for r in found.retiring}
