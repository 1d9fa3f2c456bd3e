"""Which annotations are taken away from a ServiceAccount that nothing of ours names any more."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from appcredential.domain.facts.annotations import (
    CLIENT_ID_ANNOTATION,
    TENANT_ID_ANNOTATION,
    WIRED_BY_ANNOTATION,
    annotation_removals,
)
from tests.support.builders import CLIENT_ID, OWNER
from tests.support.federated import OUR_ANNOTATIONS, account

ALL = {CLIENT_ID_ANNOTATION: None, TENANT_ID_ANNOTATION: None, WIRED_BY_ANNOTATION: None}


@pytest.mark.parametrize(
    ("held", "removals"),
    [
        (OUR_ANNOTATIONS, ALL),
        ({**OUR_ANNOTATIONS, "theirs": "x"}, ALL),
        ({**OUR_ANNOTATIONS, CLIENT_ID_ANNOTATION: "edited"}, {WIRED_BY_ANNOTATION: None}),
        ({**OUR_ANNOTATIONS, WIRED_BY_ANNOTATION: f"another/{CLIENT_ID}"}, {}),
        ({**OUR_ANNOTATIONS, WIRED_BY_ANNOTATION: f"{OWNER.name}/another"}, {}),
        ({CLIENT_ID_ANNOTATION: CLIENT_ID}, {}),
        ({}, {}),
    ],
    ids=["ours", "others stay", "edited", "another's", "another application's", "by hand", "none"],
)
def test_only_what_we_wrote_for_the_application_goes(
    held: Mapping[str, str], removals: Mapping[str, None]
) -> None:
    assert annotation_removals(account(held), OWNER.name, CLIENT_ID) == removals


def test_a_missing_account_has_nothing_to_take_away() -> None:
    assert annotation_removals(None, OWNER.name, CLIENT_ID) == {}
