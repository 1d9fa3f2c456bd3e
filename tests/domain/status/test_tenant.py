"""The whole status of an EntraTenant."""

from __future__ import annotations

from typing import Any

from appcredential.domain.observed.app_policy import UNREAD
from appcredential.domain.status.cluster_kinds import ProbeOutcome, tenant_conditions
from appcredential.domain.status.tenant import tenant_status
from tests.support.builders import NOW

DOCUMENT: dict[str, Any] = {"metadata": {"generation": 3}}
CONDITIONS = tenant_conditions(ProbeOutcome())


def test_it_has_what_is_known() -> None:
    told = tenant_status(DOCUMENT, CONDITIONS, {"clientId": "a"}, UNREAD, now=NOW, trial=False)
    assert told["observedGeneration"] == 3
    assert [c["type"] for c in told["conditions"]] == ["Ready"]
    assert told["identity"] == {"clientId": "a"}
    assert told["appManagementPolicy"] == UNREAD.summary()


def test_what_is_unknown_is_left_out() -> None:
    told = tenant_status(DOCUMENT, CONDITIONS, {}, None, now=NOW, trial=False)
    assert told.keys() == {"observedGeneration", "conditions"}
