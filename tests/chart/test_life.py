"""Helm's whole life cycle on a real API server: no step of it takes a credential away."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from demo.stack import EmulatorProcess
from localcluster import Cluster
from tests.chart.helming import CHART, NAMESPACE, Helm
from tests.chart.living import CERTIFICATE, NONE, SECRET, TRUST, Mounted, OfEachType, tell_step
from tests.chart.released import FROZEN, QUICK, Release
from tests.chart.rights import (
    CLAIM_UPDATE,
    OF_LABELS,
    TICKET_UPDATE,
    WITHIN_OVERLAP,
    Right,
    compare,
)
from tests.integration.installation import CORE

pytestmark = [pytest.mark.cluster, pytest.mark.process]

UNUSED: Final = {
    **TICKET_UPDATE,
    **CLAIM_UPDATE,
    **dict.fromkeys((f"{verb} namespaces" for verb in ("get", "list", "watch")), OF_LABELS),
    "list pods": WITHIN_OVERLAP,
}
WITHOUT_A_CLAIM: Final = (
    "refused: get /apis/coordination.k8s.io/v1/namespaces/default/leases/appcredential-claim"
)
"""The released chart's roles know no claim on the cluster: the operator works without one there."""
"""Rights that this life has no use for, and why they are given. A new one is looked at first."""


def test_no_step_takes_a_credential_away(
    bare: Cluster,
    bare_helm: Helm,
    known_issuer: EmulatorProcess,
    tmp_path: Path,
    tell: Callable[[str], None],
) -> None:
    bare.install_crds(CHART / "crds")
    release = Release(bare_helm, bare, known_issuer, tmp_path, chart=FROZEN)
    try:
        release.operator.wait_until_ready()
        trio = OfEachType(release.team("life"))
        trio.apply()
        before, held, mounted = trio.unchanged(), trio.held(), trio.mounted()
        tell_step(tell, f"helm install {FROZEN.stem}", NONE, held, trio.sign_ins(mounted))
        installed = release.objects()

        def took_nothing(step: str) -> None:
            after, sign_ins = trio.unchanged(), trio.sign_ins(mounted)
            tell_step(tell, step, held, after["held"], sign_ins)
            assert after == before, step
            assert all(sign_ins.values()), step

        release.upgrade(replicas=3, settings=QUICK, rbac={"tokenRequests": True})
        _settle(release, trio)
        took_nothing("helm upgrade to this chart")

        release.roll_back(1)
        _settle(release, trio)
        took_nothing("helm rollback")
        assert release.objects() == installed

        release.uninstall()
        took_nothing("helm uninstall")
        assert release.objects() == {"EntraTenant /default"}
        records = {
            f"ConfigMap {r['metadata']['name']}" for r in release.records(trio.team.namespace)
        }
        assert len(records) == len(before["held"])
        left = _left_in_the_namespace(bare)
        assert left == {"Secret operator-identity", "Lease appcredential"} | records
        assert bare.kubectl("get", "crd", "appcredentials.appcredential.io").returncode == 0

        release.reinstall()
        _settle(release, trio)
        took_nothing("helm install again")

        trio.live_on()
        _prove(trio)
        held, mounted = trio.held(), trio.mounted()
        trio.end()
        sign_ins = trio.sign_ins(mounted)
        tell_step(tell, "rotated, then kubectl delete", held, trio.held(), sign_ins)
        assert not any(sign_ins.values())
        _check_rights(release, tell)
        _assert_no_value_is_audited(bare, mounted)
    finally:
        release.end()


def _settle(release: Release, trio: OfEachType) -> None:
    """Wait until the new process has led and looked at everything several times."""
    release.until(lambda: release.looked_at() >= 6, "it has looked at the resources")
    trio.ready()


def _prove(trio: OfEachType) -> None:
    """Have a trust proven, which takes the optional right to ask for a token."""
    federated = trio.federated
    federated.account("prover")
    account, asked = {"name": "prover"}, {"mode": "Required"}
    federated.apply("proven", serviceAccount=account, verification=asked, deletionGracePeriod="0s")
    federated.ready("proven")
    assert trio.team.has("Verified", "True", "Proven", "proven")
    trio.team.delete("proven")
    trio.team.until(lambda: len(trio.held()[TRUST]) == 1, "it is taken back", "proven")


def _check_rights(release: Release, tell: Callable[[str], None]) -> None:
    """Everything that is granted was used or has its reason; nothing else was asked for."""
    rights, requests = release.granted(), release.asked()
    found = compare(rights, requests)
    tell("rights of the operator in all namespaces")
    for line in found.table(UNUSED):
        tell(line)
    assert found.faults(UNUSED) == [WITHOUT_A_CLAIM]
    # What these are worth: one right more, and one less.
    extra = Right("", "", "secrets", "list")
    assert compare([*rights, extra], requests).faults(UNUSED) == [
        "nothing needs: list secrets",
        WITHOUT_A_CLAIM,
    ]
    without = [r for r in rights if (r.resource, r.verb) != ("secrets", "update")]
    assert "not of these roles" in "".join(compare(without, requests).faults(UNUSED))


def _assert_no_value_is_audited(cluster: Cluster, mounted: Mounted) -> None:
    log = cluster.audit_log.read_text()
    secrets = {
        SECRET: mounted[SECRET]["AZURE_CLIENT_SECRET"],
        CERTIFICATE: mounted[CERTIFICATE]["client.pem"].splitlines()[1],
    }
    encoded = {name: base64.b64encode(value.encode()).decode() for name, value in secrets.items()}
    assert [name for name in secrets if secrets[name] in log or encoded[name] in log] == []


def _left_in_the_namespace(cluster: Cluster) -> set[str]:
    """Return everything in the release's namespace but what every namespace has, and Events."""
    paths = {
        f"{CORE}/namespaces/{NAMESPACE}/secrets": "Secret",
        f"{CORE}/namespaces/{NAMESPACE}/configmaps": "ConfigMap",
        f"{CORE}/namespaces/{NAMESPACE}/serviceaccounts": "ServiceAccount",
        f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases": "Lease",
    }
    found = {
        f"{kind} {item['metadata']['name']}"
        for path, kind in paths.items()
        for item in cluster.api.call("GET", path)["items"]
    }
    return found - {"ConfigMap kube-root-ca.crt", "ServiceAccount default"}
