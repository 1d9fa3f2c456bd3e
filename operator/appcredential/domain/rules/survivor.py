"""Whether the published credential signs in now: what acts on that tries it first."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from appcredential.domain import proof as signin
from appcredential.domain.facts.facts import Facts
from appcredential.domain.promised import required

_AT_ONCE: Final = timedelta(0)


def signs_in(facts: Facts, max_age: timedelta) -> bool:
    """Return whether the published credential signed in within the last `max_age`."""
    proof = facts.memory.published_proof
    is_its = proof is not None and proof.attempt == required(facts.published).attempt
    return is_its and required(proof).proves(facts.now, count=1, max_age=max_age)


def may_sign_in(facts: Facts) -> bool:
    """Return whether another sign-in with it may be tried."""
    proof, attempt = facts.memory.published_proof, required(facts.published).attempt
    return facts.now >= signin.next_try(proof, attempt, facts.now, _AT_ONCE)
