"""What exchanges have shown of a trust is forgotten once it is changed."""

from __future__ import annotations

import pytest

from appcredential.domain.judgement import judged
from appcredential.domain.observed.memory import Memory
from appcredential.domain.proof import PROVEN, classify, record
from tests.support.builders import NOW

MISMATCH = classify(400, (700213,))


@pytest.mark.parametrize(
    ("attempt", "is_changed", "is_kept"),
    [("a", True, False), ("a", False, True), ("b", True, True)],
)
def test_a_change_begins_anew(attempt: str, *, is_changed: bool, is_kept: bool) -> None:
    before = Memory(
        pending_proof=record(None, "a", PROVEN, NOW),
        published_proof=record(None, "a", MISMATCH, NOW),
        refused=judged(None, "a", MISMATCH, NOW),
    )
    after = before.wrote_federated(attempt, NOW, is_changed=is_changed)
    expected = before if is_kept else Memory()
    assert after.pending_proof == expected.pending_proof
    assert after.published_proof == expected.published_proof
    assert after.refused == expected.refused


def test_without_any_nothing_is_forgotten() -> None:
    after = Memory().wrote_federated("a", NOW, is_changed=True)
    assert (after.pending_proof, after.published_proof, after.refused) == (None, None, None)
