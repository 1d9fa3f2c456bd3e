"""Entra at its worst: nothing is lost, nothing is made twice for long, nobody is hammered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Final

import pytest

from demo.stack import EmulatorProcess
from tests.integration.installation import seed
from tests.process.conftest import NewSite, at_once
from tests.process.installation import READING, SETTINGS, Site
from tests.process.metrics import requests
from tests.process.waiting import wait_for
from tests.process.watching import Watcher
from tests.process.workloads import Workload

pytestmark = [pytest.mark.cluster, pytest.mark.process]

ADD: Final = "application.addPassword"
REMOVE: Final = "application.removePassword"
RETRY_AFTER: Final = timedelta(seconds=4)
# For replicas that learn a change after 1 to 3 s.
LAGGING: Final[Mapping[str, str]] = {**SETTINGS, "APPCREDENTIAL_SETTLE": "6s"}
_LAG: Final = {"create": (1, 3), "add": (1, 3), "update": (1, 3), "remove": (1, 3)}


def _a_lost_answer_leaves_nothing_behind(new_site: NewSite) -> None:
    site = new_site()
    with site.operator(settings=READING):
        workload = Workload(site, "orders")
        workload.rule("timeout-after-commit", ADD, count=1)
        workload.issue()
        counts = _sound(workload)
        assert counts[ADD] == 2
        assert counts[REMOVE] == 1
        assert counts.total() <= 15, counts


def _quick_writes_meet_conflicts(new_site: NewSite) -> None:
    site = new_site()
    with site.operator():
        workload = Workload(site, "orders")
        workload.rule("conflict", "application.*", seconds=8)
        workload.issue()
        with Watcher(workload) as watcher:
            workload.rotate()
            workload.settle(90)
        counts = _sound(workload)
        assert not watcher.clashes
        assert 409 in _statuses(workload, ADD) + _statuses(workload, REMOVE)
        assert _statuses(workload, ADD).count(200) == 2
        assert counts[ADD] <= 4, counts
        assert counts[REMOVE] <= 8, counts


def _retry_after_is_waited_for(new_site: NewSite) -> None:
    site = new_site()
    with site.operator():
        workload = Workload(site, "orders")
        workload.rule("throttle", ADD, count=1, retryAfter=int(RETRY_AFTER.total_seconds()))
        workload.issue()
        assert _sound(workload)[ADD] == 2
        asked = _asked(workload)
        throttled = next(_time(one) for one in asked if one["status"] == 429)
        later = [_time(one) for one in asked if _time(one) > throttled]
        assert min(later) >= throttled + RETRY_AFTER


def _a_gateway_that_answers_in_html_is_waited_out(new_site: NewSite) -> None:
    site = new_site()
    with site.operator() as operator:
        workload = Workload(site, "orders")
        workload.rule("unavailable", "application.*", count=2)
        workload.create()
        wait_for(
            lambda: workload.condition("Ready").get("reason") == "DirectoryUnavailable",
            "a status that says so",
            20,
            workload.describe,
        )
        workload.settle()
        counts = _sound(workload)
        assert counts[ADD] == 1
        assert counts.total() <= 15, counts
        assert "<html" not in operator.child.log.read_text().lower()


def _what_is_published_outlasts_the_token_endpoint(new_site: NewSite) -> None:
    with _own_entra(new_site) as site, site.operator() as operator:
        workload = Workload(site, "orders")
        workload.issue()
        published, value = workload.published_key(), workload.value()
        rule = site.emulator.call(
            "POST", "/faults/rules", {"fault": "unavailable", "match": {"operation": "token"}}
        )["id"]
        before = requests(operator)
        workload.rotate()
        wait_for(lambda: _refused_tokens(workload) >= 4, "sign-ins", 30, workload.describe)
        status = workload.resource()["status"]
        assert workload.condition("Ready")["status"] == "True"
        # The endpoint is named as the reason once it has been away for five minutes.
        assert workload.condition("Reconciling")["reason"] == "Progressing"
        assert status["pending"]["keyId"] in workload.ours()
        assert status["credential"]["keyId"] == published
        assert (workload.published_key(), workload.value()) == (published, value)
        workload.drop(rule)
        workload.settle(60)
        _sound(workload)
        assert workload.asked_for() == 2
        assert (requests(operator) - before)["token"] <= 20


def _replicas_that_disagree_are_believed_in_time(new_site: NewSite) -> None:
    with _own_entra(new_site, lag=True) as site, site.operator(settings=LAGGING):
        workload = Workload(site, "orders")
        workload.issue()
        with Watcher(workload) as watcher:
            workload.rotate()
            workload.settle(90)
        assert not watcher.clashes
        assert watcher.tries > 20
        counts = _sound(workload)
        assert counts[ADD] == 2
        assert counts[REMOVE] <= 3, counts


def _an_expired_token_is_renewed_once(new_site: NewSite) -> None:
    site = new_site()
    with site.operator():
        workload = Workload(site, "orders")
        workload.rule("expired-token", "application.get", count=1)
        workload.rule("expired-token", ADD, count=1)
        workload.issue()
        counts = _sound(workload)
        assert _statuses(workload, ADD) == [401, 200]
        assert counts.total() <= 15, counts


test_a_lost_answer_leaves_nothing_behind = at_once(_a_lost_answer_leaves_nothing_behind)
test_quick_writes_meet_conflicts = at_once(_quick_writes_meet_conflicts)
test_retry_after_is_waited_for = at_once(_retry_after_is_waited_for)
test_a_gateway_that_answers_in_html_is_waited_out = at_once(
    _a_gateway_that_answers_in_html_is_waited_out
)
test_what_is_published_outlasts_the_token_endpoint = at_once(
    _what_is_published_outlasts_the_token_endpoint
)
test_replicas_that_disagree_are_believed_in_time = at_once(
    _replicas_that_disagree_are_believed_in_time
)
test_an_expired_token_is_renewed_once = at_once(_an_expired_token_is_renewed_once)


@contextmanager
def _own_entra(new_site: NewSite, *, lag: bool = False) -> Iterator[Site]:
    """Make a site with an emulator of its own, for faults that concern everybody."""
    shared = new_site()
    emulator = EmulatorProcess(shared.folder / "entra", seed())
    try:
        if lag:
            rows = {"application": _LAG, "list": _LAG, "token": _LAG}
            emulator.call("PUT", "/faults", {"lag": {"replicas": 3, **rows}})
        yield Site(shared.cluster, emulator, shared.folder)
    finally:
        emulator.child.stop()


def _sound(workload: Workload) -> Counter[str]:
    """Check the end; return how often Graph was asked for what about the application."""
    assert workload.has_foreign()
    assert workload.ours() == {workload.published_key()}
    with workload.sign_ins() as sign_ins:
        assert sign_ins.refusal(workload.value()) == ""
    return Counter(one["operation"] for one in _asked(workload))


def _asked(workload: Workload) -> list[dict[str, Any]]:
    """Return the requests to Graph about the application, oldest first."""
    ids = {workload.client_id, workload.object_id}
    found = workload.site.emulator.call("GET", "/requests")
    return [one for one in found if one.get("appId") in ids and one["operation"] != "token"]


def _statuses(workload: Workload, operation: str) -> list[int]:
    return [one["status"] for one in workload.requests(operation)]


def _refused_tokens(workload: Workload) -> int:
    return [one["status"] for one in workload.requests("token")].count(503)


def _time(request: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(request["time"])
