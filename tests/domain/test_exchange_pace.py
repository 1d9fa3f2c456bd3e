"""Exchanges by a trust are far apart, whoever tries."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from appcredential.domain.exchange_pace import exchange_waits, quiet_ends
from appcredential.domain.lifecycle_settings import LifecycleSettings
from appcredential.domain.observed.memory import Memory
from appcredential.domain.proof import PROVEN, SignInResult, classify, record
from tests.support.builders import NOW, SECOND

SETTINGS = LifecycleSettings()
DISABLED = classify(400, (7000112,))
MISMATCH = classify(400, (700213,))


def memory(
    result: SignInResult | None = None, tried: int = 0, changed: int | None = None
) -> Memory:
    found = Memory()
    if changed is not None:
        found = found.wrote_federated("a", NOW - changed * SECOND, is_changed=True)
    if result is None:
        return found
    proof = record(None, "a", result, NOW - tried * SECOND)
    return Memory(pending_proof=proof, federated=found.federated)


def after(seconds: int) -> datetime:
    return NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (memory(), None),
        (memory(PROVEN, 1), None),
        (memory(DISABLED, 1), None),
        (memory(MISMATCH, 59), after(1)),
        (memory(MISMATCH, 60), None),
        (memory(changed=89), after(1)),
        (memory(changed=90), None),
        (memory(MISMATCH, 1, changed=80), after(59)),
        (memory(MISMATCH, 55, changed=80), after(10)),
        (memory(MISMATCH, 70, changed=80), after(10)),
    ],
)
def test_a_trust_is_left_alone_after_a_change_and_after_a_mismatch(
    given: Memory, expected: datetime | None
) -> None:
    assert exchange_waits(given, SETTINGS, NOW) == expected


def test_a_change_of_any_trust_counts() -> None:
    found = memory(changed=80).wrote_federated("b", NOW - 20 * SECOND, is_changed=True)
    found = found.wrote_federated("c", NOW, is_changed=False)
    assert quiet_ends(found, SETTINGS, NOW) == after(70)
    assert quiet_ends(found, SETTINGS, after(70)) is None
