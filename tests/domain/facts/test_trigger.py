"""Why a new credential is issued, as the metrics say it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from appcredential.domain.facts.trigger import Trigger, trigger
from appcredential.domain.observed.observation import Observation
from appcredential.domain.spec.certificate import CertificateSource
from appcredential.domain.spec.model import CredentialType
from tests.support.builders import (
    DAY,
    ISSUED,
    NOW,
    SECOND,
    application,
    facts,
    minted,
    observation,
    resource,
    rotation,
    spec,
    target,
)


def asked(
    *,
    rotate: datetime | None = None,
    revoke: datetime | None = None,
    expires: datetime | None = None,
) -> Observation:
    wanted = spec(rotation=rotation(rotate_issued_before=rotate, revoke_issued_before=revoke))
    published = minted() if expires is None else minted(expires=expires)
    return observation(resource=resource(wanted), target=target(published))


@pytest.mark.parametrize(
    ("o", "expected"),
    [
        (observation(target=None, application=application()), Trigger.INITIAL),
        (replace(observation(), now=ISSUED + 60 * DAY), Trigger.RENEWAL),
        (asked(rotate=ISSUED + SECOND), Trigger.REQUESTED),
        (asked(rotate=ISSUED), Trigger.LOST),
        (asked(rotate=NOW + SECOND), Trigger.LOST),
        (asked(revoke=ISSUED + SECOND), Trigger.REVOKED),
        (asked(revoke=ISSUED + SECOND, rotate=NOW), Trigger.REVOKED),
        (asked(expires=NOW), Trigger.LOST),
        (observation(target=target(damaged=True)), Trigger.LOST),
    ],
    ids=[
        "nothing is published",
        "the renewal is due",
        "a rotation is asked for",
        "of what was issued earlier",
        "later",
        "a revocation is asked for",
        "both are",
        "it has expired",
        "its value is damaged",
    ],
)
def test_a_trigger_is_named(o: Observation, expected: Trigger) -> None:
    assert trigger(facts(o)) is expected


def test_who_supplies_a_certificate_renews_it() -> None:
    found = facts(replace(observation(), now=ISSUED + 60 * DAY))
    of_others = replace(spec().certificate, source=CertificateSource.SECRET)
    wanted = replace(spec(), type=CredentialType.CERTIFICATE, certificate=of_others)
    assert trigger(replace(found, spec=wanted)) is Trigger.SOURCE
