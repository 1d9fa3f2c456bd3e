"""When a sign-in may show whether the published credential is gone, which reads lack."""

from __future__ import annotations

import pytest

from appcredential.domain.facts.published import confirming_time
from appcredential.domain.observed.memory import Memory
from appcredential.domain.proof import SLOW_RETRY
from tests.support.builders import (
    MINUTE,
    NOW,
    SECOND,
    application,
    facts,
    observation,
    proven,
    target,
)


@pytest.mark.parametrize("before", [-1, 1], ids=["after a read lacked it", "before"])
def test_a_success_from_before_the_first_read_that_lacks_it_says_nothing(before: int) -> None:
    published = target().published
    assert published is not None
    last = NOW - MINUTE - before * SECOND
    memory = Memory(
        published_proof=proven(published.attempt, last=last),
        absent_since={published.key_id: NOW - MINUTE},
    )
    seen = facts(observation(application=application(), memory=memory))
    assert confirming_time(seen) == (NOW if before > 0 else last + SLOW_RETRY)
