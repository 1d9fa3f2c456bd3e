from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from appcredential.domain.facts.overdue import overdue_for, overdue_note
from appcredential.domain.observed.revocation import RevocationObservation
from appcredential.domain.spec.model import KeyId, TenantId
from tests.domain.test_scheduled_revocations import revocation, seen
from tests.support.builders import HOUR, MINUTE, NOW, TENANT_ID

GONE = seen(revocation(), tenant_id=None, is_tenant_missing=True)


@pytest.mark.parametrize(
    ("late", "expected"),
    [(-HOUR, timedelta(0)), (10 * MINUTE, timedelta(0)), (HOUR, 50 * MINUTE)],
)
def test_one_is_overdue_when_its_owner_may_have_been_absent_long_enough(
    late: timedelta, expected: timedelta
) -> None:
    assert overdue_for(NOW - late, NOW, 10 * MINUTE) == expected


@pytest.mark.parametrize(
    ("observation", "words"),
    [
        (GONE, f"There is no EntraTenant default: create it again with tenantId {TENANT_ID}."),
        (
            seen(revocation(), tenant_id=None),
            "The EntraTenant default cannot be used: its conditions say why.",
        ),
        (
            seen(revocation(), tenant_id=TenantId("elsewhere")),
            f"and create it again with tenantId {TENANT_ID}.",
        ),
        (replace(seen(revocation()), inherited=frozenset({KeyId("k")})), "ask for the same trust"),
        (seen(revocation()), "The operator's log says why, at `revocation waits`."),
    ],
)
def test_it_is_told_what_keeps_it(observation: RevocationObservation, words: str) -> None:
    told = overdue_note(observation)
    assert "should have been revoked at 2026-" in told
    assert words in told


def test_a_directory_that_nobody_recorded_is_not_named() -> None:
    unknown = replace(revocation(), tenant_id=TenantId(""))
    told = overdue_note(replace(GONE, revocation=unknown))
    assert told.endswith("There is no EntraTenant default: create it again.")
