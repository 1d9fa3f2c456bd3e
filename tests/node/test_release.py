"""A release in pods: what real workloads sign in with, over a rotation, a takeover and its end."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from demo.seed import TENANT_ID
from tests.integration.installation import Team
from tests.integration.stories_federation import Federated
from tests.node import pods
from tests.node.pods import Workload
from tests.node.released import PodRelease, team_of, value_of

pytestmark = [pytest.mark.node, pytest.mark.image]


def with_secret(team: Team) -> Workload:
    """Start a workload that mounts the published Secret."""
    words, volumes = ["secret", "/etc/credential"], pods.mounted_secret("app")
    return Workload(team.i.cluster, team.namespace, "shop", words, volumes)


def with_token(team: Team, account: str) -> Workload:
    """Start a workload that presents its ServiceAccount's token."""
    words = ["token", team.client_id, TENANT_ID, team.i.emulator.url]
    volumes = pods.projected_token()
    cluster = team.i.cluster
    return Workload(cluster, team.namespace, account, words, volumes, account=account)


def test_both_replicas_run_and_one_leads(release: PodRelease, tell: Callable[[str], None]) -> None:
    replicas = release.replicas()
    assert pods.restarts(replicas) == 0
    names = {pod["metadata"]["name"] for pod in replicas}
    release.until(lambda: release.leader() in names, "one leads")
    for pod in replicas:
        seconds = pods.cold_start(pod)
        tell(f"cold start in a pod: Ready {seconds:.0f} s after the container started")


def test_a_mounted_secret_signs_in_and_follows_a_rotation(
    release: PodRelease, tell: Callable[[str], None]
) -> None:
    team = team_of(release, "mounted")
    team.apply()
    team.ready()
    workload = with_secret(team)
    before = value_of(team)
    assert workload.last() == pods.SignIn(before, "")
    team.rotated()
    after, begun = value_of(team), time.monotonic()
    assert after != before
    release.until(lambda: workload.sign_ins()[-1].sha256 == after, "the volume follows", 60)
    tell(f"the mounted Secret followed a rotation after {time.monotonic() - begun:.1f} s")
    workload.last()
    assert {attempt.refusal for attempt in workload.sign_ins()} == {""}
    assert team.values()["AZURE_CLIENT_SECRET"] not in release.operator.child.log.read_text()


def test_a_projected_token_signs_in_and_that_of_another_account_does_not(
    release: PodRelease,
) -> None:
    team = team_of(release, "projected")
    federated = Federated(team)
    for account in ("orders", "other"):
        federated.account(account)
    federated.apply(serviceAccount={"name": "orders"})
    federated.ready()
    ours, other = with_token(team, "orders"), with_token(team, "other")
    assert ours.last().refusal == ""
    assert "AADSTS700213" in other.last().refusal


def test_another_replica_takes_over_from_a_deleted_leader(
    release: PodRelease, tell: Callable[[str], None]
) -> None:
    team = team_of(release, "takeover")
    team.apply()
    team.ready()
    workload = with_secret(team)
    workload.last()
    (leader, *_), others = [release.leader()], {p["metadata"]["name"] for p in release.replicas()}
    begun = release.delete_pod(leader)
    release.until(lambda: release.leader() in others - {leader}, "the other one leads", 60)
    tell(f"the other replica led {time.monotonic() - begun:.1f} s after the leader was deleted")
    minted = team.minted()
    team.rotated()
    assert team.minted() == minted + 1
    release.operator.wait_until_ready()
    workload.last()
    assert {attempt.refusal for attempt in workload.sign_ins()} == {""}


def test_an_uninstall_leaves_workloads_signed_in(release: PodRelease) -> None:
    team = team_of(release, "uninstalled")
    team.apply()
    team.ready()
    federated = Federated(team)
    federated.account()
    federated.apply("trusted", serviceAccount={"name": "orders"})
    federated.ready("trusted")
    by_secret, by_token = with_secret(team), with_token(team, "orders")
    by_secret.last()
    release.uninstall()
    assert by_secret.last() == pods.SignIn(value_of(team), "")
    assert by_token.last().refusal == ""
    assert team.condition("Ready")["status"] == "True"
