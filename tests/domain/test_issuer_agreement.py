"""Since when the reads of an issuer agree."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from appcredential.domain.issuer_agreement import agreed_issuer
from appcredential.domain.observed.federated import Issuer

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ONE, TWO = "https://one.example", "https://two.example"
BEFORE = Issuer(url=ONE, since=NOW - timedelta(hours=1))


@pytest.mark.parametrize(
    ("before", "own", "discovered", "agreed"),
    [
        (None, ONE, ONE, Issuer(url=ONE, since=NOW)),
        (BEFORE, ONE, ONE, BEFORE),
        (BEFORE, TWO, TWO, Issuer(url=TWO, since=NOW)),
        (BEFORE, TWO, ONE, None),
        (BEFORE, ONE, TWO, None),
        (BEFORE, ONE, None, None),
    ],
)
def test_the_time_begins_when_both_sources_name_it(
    before: Issuer | None, own: str, discovered: object, agreed: Issuer | None
) -> None:
    assert agreed_issuer(before, own, discovered, NOW) == agreed
