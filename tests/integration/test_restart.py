"""A restart is no news: nothing is written, nothing is announced, nothing is called missing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import pytest

from tests.integration.installation import Installation

pytestmark = [pytest.mark.cluster, pytest.mark.process]

_COUNT: Final = 15
_LOOKED_AT: Final = timedelta(seconds=6)


def test_a_restart_says_nothing_new(installation: Installation) -> None:
    i = installation
    teams = [i.team("steady") for _ in range(_COUNT)]
    for team in teams:
        team.apply()
    for team in teams:
        team.ready()
    i.until(lambda: _is_quiet(i), "all is written")
    before = [(team.live(), team.events()) for team in teams]
    # It gives its Lease up, so the next one leads before it has read the tenant.
    assert i.operator.child.stop() == 0
    i.operator.restart()
    i.operator.wait_until_ready()
    i.until(lambda: i.operator.metrics()["appcredential_leader"] == 1.0, "it leads")
    i.pass_time(i.now() + _LOOKED_AT)
    assert [(team.live(), team.events()) for team in teams] == before


def _is_quiet(i: Installation) -> bool:
    def written() -> dict[str, Any]:
        samples = i.operator.metrics()
        return {k: v for k, v in samples.items() if "requests" in k and 'method="PATCH"' in k}

    before = written()
    i.pass_time(i.now() + timedelta(seconds=1))
    return before == written()
