"""Fleets, counters and tables of `make bench`: what it says must be what it saw."""

from __future__ import annotations

import json
import math
from typing import Final

import pytest

from appcredential.domain.spec.grant import NamedApplications
from appcredential.domain.spec.parse import parse_app_credential, parse_application_grant
from bench.counters import Requests
from bench.figures import Figure, document, growth, quantile, table
from bench.fleet import Fleet, Kind, resource

_SCRAPE: Final = {
    'appcredential_kubernetes_requests_total{code="200",method="GET",purpose="resource"}': 12.0,
    'appcredential_kubernetes_requests_total{code="200",method="GET",purpose="schema"}': 3.0,
    'appcredential_kubernetes_requests_total{code="409",method="PUT",purpose="resource"}': 2.0,
    'appcredential_kubernetes_requests_total{code="200",method="PUT",purpose="lease"}': 99.0,
    'appcredential_kubernetes_requests_total{code="201",method="POST",purpose="event"}': 4.0,
    'appcredential_directory_requests_total{code="200",operation="application.get"}': 5.0,
    'appcredential_directory_requests_total{code="429",operation="application.get"}': 1.0,
    'appcredential_directory_requests_total{code="200",operation="application.addPassword"}': 2.0,
    'appcredential_directory_requests_total{code="204",operation="application.update"}': 1.0,
    'appcredential_directory_requests_total{code="200",operation="token"}': 7.0,
    "appcredential_leader": 1.0,
}


def test_requests_are_told_apart() -> None:
    found = Requests.of(_SCRAPE)
    assert (found.reads, found.writes, found.events) == (15, 2, 4)
    assert (found.graph_reads, found.graph_writes, found.graph["token"]) == (6, 3, 7)
    assert found.answers["429"] == 1
    assert found.since(found) == Requests()


@pytest.mark.parametrize("kind", Kind)
def test_every_resource_is_one_that_its_grants_allow(kind: Kind) -> None:
    fleet = Fleet(kind, 450)
    grants = [parse_application_grant(grant) for grant in fleet.grants()]
    granted = {
        client_id
        for grant in grants
        if isinstance(grant.applications, NamedApplications)
        for client_id in grant.applications.client_ids
    }
    seeded = {
        (tenant["id"], application["appId"])
        for tenant in fleet.seed()["tenants"]
        for application in tenant["applications"]
    }
    for member in [*fleet.members(), *fleet.neighbours()]:
        spec = parse_app_credential(resource(member))
        assert (fleet.tenants[spec.tenant][0], spec.client_id) in seeded
        assert spec.client_id in granted
        assert member.namespace in fleet.namespaces
    for member in fleet.ungranted():
        assert parse_app_credential(resource(member)).client_id not in granted
    assert len({(m.namespace, m.name) for m in fleet.members()}) == 450


def test_what_was_not_seen_is_neither_zero_nor_good() -> None:
    lost = Figure("truth", "removal, s", math.nan, 60.0, "secret", 100)
    kept = Figure("truth", "reads", 30.0, 60.0, "secret", 100)
    assert (lost.is_missed, kept.is_missed) == (True, False)
    assert "not seen" in table([lost, kept])
    assert "0.50" in table([lost, kept])
    written = json.dumps(document([lost, kept], {"cores": 2}), allow_nan=False)
    assert '"value": null' in written


def test_growth_is_the_exponent_between_the_sizes() -> None:
    sizes = ((100, 2.0), (1000, 40.0), (10000, 200.0))
    rows = [Figure("all", "time", value, None, "secret", size) for size, value in sizes]
    (found,) = growth([*rows, Figure("all", "once", 1.0, None, "secret", 100)])
    assert found.value == pytest.approx(1.0)
    assert found.size == 10000


def test_quantiles_of_nothing_are_nothing() -> None:
    assert math.isnan(quantile([], 0.5))
    assert [quantile(list(range(100)), share) for share in (0.5, 0.99, 1.0)] == [50, 99, 99]
