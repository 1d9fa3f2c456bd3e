"""Two installations in one cluster, as processes with rights of their own."""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

import pytest

from tests.process.conftest import NewSite, at_once
from tests.process.installation import SETTINGS, Site
from tests.process.operators import Operator
from tests.process.waiting import pass_time, wait_for
from tests.process.workloads import Workload

pytestmark = [pytest.mark.cluster, pytest.mark.process]

_QUIET_SECONDS: Final = 6.0
"""Longer than a Lease lasts here: whoever could act would have begun."""


def _readyz(operator: Operator) -> str:
    """Return what `/readyz` answers; empty while nothing listens."""
    address = urlsplit(operator.health_url).netloc
    if not address:
        return ""
    connection = http.client.HTTPConnection(address, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().read().decode().strip()
    except OSError:
        return ""
    finally:
        connection.close()


def _refusal(operator: Operator) -> str:
    """Wait until an operator says why it may not work, and longer; return what it says."""
    wait_for(lambda: "appcredential-claim" in _readyz(operator), "the refusal", 30)
    pass_time(_QUIET_SECONDS)
    assert operator.effects() == []
    assert operator.is_alive()
    return _readyz(operator)


def _start(site: Site, name: str, settings: Mapping[str, str]) -> Operator:
    found = site._start(name, {**SETTINGS, **settings})
    site.operators.append(found)
    return found


def _a_second_installation_touches_nothing_until_it_is_to_follow(new_site: NewSite) -> None:
    first = new_site()
    second = Site(first.cluster, first.emulator, first.folder, claims=first.operator_namespace)
    with first.operator("first") as serving:
        wait_for(lambda: first.claim() != "", "the claim", 30)
        claim = first.claim()
        assert claim.startswith(f"{first.operator_namespace}/appcredential@")
        workload = Workload(second, "orders")
        workload.create()
        refused = _start(second, "refused", {})
        try:
            told = _refusal(refused)
            assert f"another installation, {first.operator_namespace}/appcredential" in told
            assert second.lease() == {}, "it took part in an election"
            assert second.claim() == claim
            made = workload.resource()
            assert "finalizers" not in made["metadata"]
            assert "conditions" not in made["status"]
        finally:
            refused.child.kill()
        following = _start(second, "following", {"APPCREDENTIAL_REPLACE_CLAIM": claim})
        try:
            following.wait_until_ready()
            workload.settle()
            assert second.claim().startswith(f"{second.operator_namespace}/appcredential@")
            told = _readyz(serving)
            assert f"another installation, {second.operator_namespace}/appcredential" in told
        finally:
            following.child.kill()


def _another_cluster_id_is_refused_and_the_recorded_one_works_on(new_site: NewSite) -> None:
    site = new_site()
    workload = Workload(site, "orders")
    with site.operator("before"):
        workload.issue()
        claim = site.claim()
    recorded = claim.partition("@")[2]
    renamed = _start(site, "renamed", {"APPCREDENTIAL_CLUSTER_ID": "blue"})
    try:
        assert f"set APPCREDENTIAL_CLUSTER_ID to {recorded}" in _refusal(renamed)
    finally:
        renamed.child.kill()
    # The id by default, written out.
    with site.operator("after", settings={**SETTINGS, "APPCREDENTIAL_CLUSTER_ID": recorded}):
        wait_for(lambda: site.lease().get("holderIdentity", "").startswith("after"), "a leader", 30)
        assert site.claim() == claim


test_a_second_installation_touches_nothing_until_it_is_to_follow = at_once(
    _a_second_installation_touches_nothing_until_it_is_to_follow
)
test_another_cluster_id_is_refused_and_the_recorded_one_works_on = at_once(
    _another_cluster_id_is_refused_and_the_recorded_one_works_on
)
