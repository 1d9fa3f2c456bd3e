"""Whether a successor is held back by its window alone."""

from __future__ import annotations

from appcredential.domain.facts.content import content_problem
from appcredential.domain.facts.facts import Facts
from appcredential.domain.facts.windows import awaited_opening
from appcredential.domain.status.successor import sign_in_problem
from appcredential.domain.windows import Opening


def held_until(facts: Facts | None) -> Opening | None:
    """Return the window in which a successor will be published, as far as is known; else None.

    It need not be proven yet: after a restart it seldom is. But nothing may be known to keep it
    from being published once the window opens.
    """
    if facts is None or facts.observes or facts.conflict is not None or not facts.is_granted:
        return None
    if content_problem(facts) is not None or sign_in_problem(facts) is not None:
        return None
    return awaited_opening(facts)
