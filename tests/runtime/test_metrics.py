"""The metrics: what a scrape shows of each resource, and labels that cannot grow without bound."""

from __future__ import annotations

import asyncio
import inspect
import re
import typing
from dataclasses import replace
from datetime import timedelta

import pytest
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from appcredential.domain import actions
from appcredential.entra import operations as observing
from appcredential.kube.purposes import purpose_of
from appcredential.runtime.metrics import Metrics
from appcredential.runtime.metrics_of_resources import SERIES, written
from appcredential.runtime.ready import Key
from appcredential.runtime.samples import (
    Counts,
    GrantSample,
    ResourceSample,
    SessionSample,
    TenantSample,
)
from appcredential.runtime.workqueue import Again, WorkQueue
from tests.support.clock import HandClock

COUNTED = Counts(owned=1, foreign=3, orphaned=0)
ORDERS = ResourceSample("shop", "orders", "True", 1_800_000_000.0, 1_700_000_000.0, COUNTED)
NEW = ResourceSample("shop", "new", "Unknown", None, None, None)
PURPOSES = {"lease", "event", "tenant", "grant", "schema", "ticket", "resource"}


def text_of(metrics: Metrics) -> str:
    return metrics.text().decode()


def test_a_scrape_shows_each_resource() -> None:
    text = text_of(Metrics(lambda: [ORDERS]))
    for line in (
        'appcredential_expiration_timestamp_seconds{name="orders",namespace="shop"} 1.8e+09',
        'appcredential_renewal_timestamp_seconds{name="orders",namespace="shop"} 1.7e+09',
        'appcredential_foreign_credentials{name="orders",namespace="shop"} 3.0',
        'appcredential_ready_status{condition="True",name="orders",namespace="shop"} 1.0',
        'appcredential_ready_status{condition="False",name="orders",namespace="shop"} 0.0',
        'appcredential_ready_status{condition="Unknown",name="orders",namespace="shop"} 0.0',
    ):
        assert line in text.splitlines()


def test_a_time_that_is_not_known_is_left_out_and_not_0() -> None:
    text = text_of(Metrics(lambda: [NEW]))
    assert 'timestamp_seconds{name="new"' not in text
    assert 'condition="Unknown",name="new",namespace="shop"} 1.0' in text


def test_what_a_person_must_act_on_is_shown_only_while_it_lasts() -> None:
    leaking = replace(ORDERS, stalled="RevocationBlocked")
    shown = 'appcredential_stalled{name="orders",namespace="shop",reason="RevocationBlocked"} 1.0'
    assert shown in text_of(Metrics(lambda: [leaking])).splitlines()
    assert "appcredential_stalled{" not in text_of(Metrics(lambda: [ORDERS]))


def test_a_scrape_shows_each_tenant() -> None:
    tenants = [TenantSample("default", "True"), TenantSample("old", "False", "IdentityRejected")]
    lines = text_of(Metrics(lambda: [*tenants, ORDERS])).splitlines()
    for line in (
        'appcredential_tenant_ready_status{condition="True",tenant="default"} 1.0',
        'appcredential_tenant_ready_status{condition="True",tenant="old"} 0.0',
        'appcredential_tenant_ready_status{condition="False",tenant="old"} 1.0',
        'appcredential_tenant_stalled{reason="IdentityRejected",tenant="old"} 1.0',
    ):
        assert line in lines
    assert len([line for line in lines if line.startswith("appcredential_tenant_stalled{")]) == 1


def test_a_scrape_shows_what_each_grant_is_used_for() -> None:
    grants = [GrantSample("shop", 3, missing=1), GrantSample("tagged", 0)]
    lines = text_of(Metrics(lambda: [*grants, ORDERS])).splitlines()
    assert [line for line in lines if line.startswith("appcredential_grant")] == [
        'appcredential_grant_used{grant="shop"} 3.0',
        'appcredential_grant_used{grant="tagged"} 0.0',
        'appcredential_grant_missing_applications{grant="shop"} 1.0',
    ]


def test_a_resource_that_is_gone_leaves_no_series() -> None:
    samples = [ORDERS, NEW]
    metrics = Metrics(lambda: samples)
    assert 'name="orders"' in text_of(metrics)
    samples.remove(ORDERS)
    assert 'name="orders"' not in text_of(metrics)
    assert 'name="new"' in text_of(metrics)


def counts_in(text: str) -> list[str]:
    return re.findall(r"^appcredential_(?:owned|orphaned|foreign)_.*\d$", text, re.MULTILINE)


def test_what_the_leader_has_read_counts_before_what_status_says() -> None:
    found = counts_in(written([ORDERS, NEW], {("shop", "orders"): Counts(2, 4, 1)}))
    assert found == [
        'appcredential_owned_credentials{name="orders",namespace="shop"} 2.0',
        'appcredential_orphaned_credentials{name="orders",namespace="shop"} 1.0',
        'appcredential_foreign_credentials{name="orders",namespace="shop"} 4.0',
    ]


def test_what_status_counts_holds_until_the_leader_has_looked() -> None:
    found = counts_in(written([ORDERS, NEW], {("shop", "other"): Counts(2, 4, 1)}))
    assert found == [
        'appcredential_owned_credentials{name="orders",namespace="shop"} 1.0',
        'appcredential_foreign_credentials{name="orders",namespace="shop"} 3.0',
    ]


def test_a_standby_shows_expiry_and_counts_nothing() -> None:
    text = written([ORDERS], None)
    assert counts_in(text) == []
    assert "appcredential_expiration_timestamp_seconds{" in text


def test_every_metric_says_what_it_is_and_has_our_prefix() -> None:
    families = {f.name: f.documentation for f in Metrics(list).registry.collect()}
    assert len(families) > 30
    for name, text in {**families, **{s.name: s.help for s in SERIES}}.items():
        # Those of the process have the names that every client library gives them.
        assert name.startswith(("appcredential_", "process_"))
        assert text.endswith("."), name


def test_the_writer_of_resources_writes_what_the_library_would() -> None:
    """Names, order of labels, escapes and numbers: the text format has one reader, Prometheus."""
    odd = replace(
        ORDERS,
        stalled='a "b" \\ \n c',
        tenant="default",
        type="ClientSecret",
        conditions=(("Ready", "True", "RotationFailing"),),
        verified=1_700_000_000.25,
        retiring=2,
        waiting=1,
        retire=1.7e9,
        publish=1.6e9,
        counts=Counts(owned=4, foreign=3, orphaned=1),
        is_suspended=True,
    )
    registry, labels = CollectorRegistry(), ["namespace", "name"]
    for series in SERIES:
        gauge = Gauge(series.name, series.help, [*labels, *series.labels], registry=registry)
        for sample in (odd, NEW):
            for values, number in series.points(sample):
                gauge.labels(sample.namespace, sample.name, *values).set(number)
    assert written([odd, NEW], {}) == generate_latest(registry).decode()
    assert written([], {}).count("# HELP") == len(SERIES)


def test_only_the_series_of_a_resource_carry_names() -> None:
    metrics = Metrics(list)
    metrics.observe_directory(observing.READ, 200, 0.1)
    metrics.observe_cluster("resource", "GET", 404, 0.1)
    metrics.reconcile.effects.labels("Mint", "done").inc()
    metrics.reconcile.passes.labels("appcredentials").inc()
    labels = {
        family.name: {label for sample in family.samples for label in sample.labels}
        for family in metrics.registry.collect()
    }
    assert {name: found for name, found in labels.items() if found} == {
        "appcredential_build_info": {"version", "python_version"},
        "appcredential_event_loop_lag_seconds": {"le"},
        "appcredential_effects": {"action", "result"},
        "appcredential_reconciles": {"kind"},
        "appcredential_directory_requests": {"operation", "code"},
        "appcredential_directory_request_duration_seconds": {"operation", "le"},
        "appcredential_kubernetes_requests": {"purpose", "method", "code"},
    }


def test_a_request_without_an_answer_counts_as_code_0() -> None:
    metrics = Metrics(list)
    metrics.observe_directory(observing.ADD, 0, 20.0)
    metrics.observe_cluster("lease", "PUT", 0, 20.0)
    text = text_of(metrics)
    assert 'directory_requests_total{code="0",operation="application.addPassword"} 1.0' in text
    assert 'kubernetes_requests_total{code="0",method="PUT",purpose="lease"} 1.0' in text


def test_actions_and_operations_are_few_and_named_in_the_code() -> None:
    done = set(typing.get_args(actions.Action)) - {actions.Hold}  # what a gate says is not done
    assert 5 < len(done) < 30
    operations = [
        value
        for name, value in inspect.getmembers(observing)
        if name.isupper() and isinstance(value, str) and value not in observing.OF_THE_TOOL
    ]
    assert 3 < len(operations) < 15


@pytest.mark.parametrize(
    ("path", "purpose"),
    [
        ("/apis/coordination.k8s.io/v1/namespaces/x/leases/appcredential", "lease"),
        ("/apis/events.k8s.io/v1/namespaces/shop/events", "event"),
        ("/apis/appcredential.io/v1alpha1/entratenants", "tenant"),
        ("/apis/appcredential.io/v1alpha1/entratenants/default/status", "tenant"),
        ("/apis/appcredential.io/v1alpha1/applicationgrants/shop/status", "grant"),
        ("/apis/appcredential.io/v1alpha1/applicationgrants", "resource"),
        ("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/x", "schema"),
        ("/api/v1/namespaces/x/configmaps/appcredential-ticket-1", "ticket"),
        ("/api/v1/namespaces/x/configmaps", "ticket"),
        ("/api/v1/namespaces/shop/secrets/orders", "resource"),
        ("/api/v1/namespaces/kube-system", "resource"),
        ("/apis/appcredential.io/v1alpha1/appcredentials", "resource"),
        ("/apis/appcredential.io/v1alpha1/namespaces/shop/appcredentials/orders", "resource"),
        # Names that people choose say nothing about what a request is for.
        ("/apis/appcredential.io/v1alpha1/namespaces/events/appcredentials/leases", "resource"),
        ("/api/v1/namespaces/leases/secrets/configmaps", "resource"),
        ("/api/v1/namespaces/entratenants/secrets/a", "resource"),
    ],
)
def test_a_request_s_purpose_comes_from_its_kind(path: str, purpose: str) -> None:
    assert purpose_of(path) == purpose
    assert purpose in PURPOSES


def test_only_what_is_overdue_now_is_shown() -> None:
    metrics = Metrics(list)
    metrics.show_overdue({"default": 600.0, "other": 5.0})
    shown = 'appcredential_ticket_overdue_seconds{tenant="default"} 600.0'
    assert shown in text_of(metrics).splitlines()
    metrics.show_overdue({})
    assert "appcredential_ticket_overdue_seconds{" not in text_of(metrics)


def test_a_scrape_shows_sessions_and_clocks() -> None:
    metrics = Metrics(list)
    assert "appcredential_clock_skew_seconds{" not in text_of(metrics)
    metrics.sessions.cluster_skew = lambda: timedelta(seconds=-2)
    metrics.sessions.sessions = lambda: [
        SessionSample("default", 61.0, 0.25, 0.5, 20.0, 3),
        SessionSample("new", None, 0.0, 0.0, 0.0, 0),
    ]
    lines = text_of(metrics).splitlines()
    for line in (
        'appcredential_clock_skew_seconds{server="kubernetes",tenant=""} -2.0',
        'appcredential_clock_skew_seconds{server="entra",tenant="default"} 61.0',
        'appcredential_directory_quota_used_ratio{quota="units",tenant="default"} 0.25',
        'appcredential_directory_quota_used_ratio{quota="writes",tenant="default"} 0.5',
        'appcredential_directory_retry_after_seconds{tenant="default"} 20.0',
        'appcredential_directory_pauses_total{tenant="default"} 3.0',
    ):
        assert line in lines
    assert not [line for line in lines if "skew" in line and 'tenant="new"' in line]


def test_a_scrape_shows_who_fails_and_when_the_operators_credential_ends() -> None:
    metrics = Metrics(lambda: [TenantSample("default", "True", expiration=1.8e9)])
    metrics.rotation.failing.failing = lambda: [("shop", "orders", 3)]
    lines = text_of(metrics).splitlines()
    failing = 'appcredential_rotation_failures_consecutive{name="orders",namespace="shop"} 3.0'
    assert failing in lines
    end = 'appcredential_tenant_identity_expiration_timestamp_seconds{tenant="default"} 1.8e+09'
    assert end in lines


def test_a_pass_is_counted_with_its_time_and_its_error() -> None:
    metrics = Metrics(list)
    times = iter((1.0, 3.0, 5.0, 5.5))
    with metrics.reconcile.counted("appcredentials", lambda: next(times)):
        pass
    with (
        pytest.raises(ValueError, match="broken"),
        metrics.reconcile.counted("appcredentials", lambda: next(times)),
    ):
        raise ValueError("broken")
    value = metrics.registry.get_sample_value
    kind = {"kind": "appcredentials"}
    assert value("appcredential_reconciles_total", kind) == 2
    assert value("appcredential_reconcile_errors_total", kind) == 1
    assert value("appcredential_reconcile_duration_seconds_sum", kind) == 2.5


async def test_the_queue_says_how_long_work_goes_on() -> None:
    clock, stop = HandClock(), asyncio.Event()
    queue, metrics = WorkQueue(clock), Metrics(list)
    begun = asyncio.Event()

    async def work(_: Key) -> Again | None:
        begun.set()
        clock.advance(timedelta(seconds=40))
        metrics.queue.show(queue)
        stop.set()
        return None

    queue.add(Key("appcredentials", "shop", "orders"))
    await queue.run(work, stop)
    assert begun.is_set()
    value = metrics.registry.get_sample_value
    assert value("appcredential_workqueue_longest_running_seconds") == 40
    assert value("appcredential_workqueue_stuck_seconds") == 40
    metrics.queue.show(queue)
    assert value("appcredential_workqueue_longest_running_seconds") == 0
    assert value("appcredential_workqueue_stuck_seconds") == 0
