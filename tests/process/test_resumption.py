"""A restart, with all settings default: hardly a request, and what changed meanwhile is noticed."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

import pytest

from tests.integration.installation import CORE
from tests.process.installation import SETTINGS, Site
from tests.process.metrics import graph_calls, is_leading, requests, scrape, writes
from tests.process.operators import Operator
from tests.process.waiting import wait_for
from tests.process.workloads import Certified, Workload

pytestmark = [pytest.mark.cluster, pytest.mark.process]

WITHIN: Final = 60.0
DEFAULTS: Final = {
    "APPCREDENTIAL_ALLOW_PRIVATE_ISSUERS": SETTINGS["APPCREDENTIAL_ALLOW_PRIVATE_ISSUERS"]
}
"""And the issuer of a local cluster, which only the emulator can reach."""
CHECK: Final = "appcredential.io/check"
RESUMED: Final = "appcredential_resumed_resources"
EDITED: Final = base64.b64encode(b"edited").decode()


class Trusting(Workload):
    """A workload whose ServiceAccount Entra trusts; it has a Secret of no kind."""

    def create(self, **spec: Any) -> None:
        accounts = f"{CORE}/namespaces/{self.site.namespace}/serviceaccounts"
        self.site.kube.create(accounts, {"metadata": {"name": self.name}})
        wanted = {
            **dict.fromkeys(("clientSecret", "lifetime", "rotation")),
            "type": "FederatedIdentity",
            "federatedIdentity": {"serviceAccount": {"name": self.name}},
            "verification": {"mode": "Disabled"},
        }
        super().create(**wanted, **spec)

    @property
    def account(self) -> str:
        """The ServiceAccount's API path."""
        return f"{CORE}/namespaces/{self.site.namespace}/serviceaccounts/{self.name}"

    def is_settled(self) -> bool:
        return self.is_ready() and not (self.condition("Reconciling") or self.condition("Stalled"))

    def trusts(self) -> list[str]:
        """Return the ids of what Entra trusts."""
        found = self.site.emulator.call("GET", f"/applications/{self.client_id}")
        return [one["id"] for one in found["federatedIdentityCredentials"]]

    def is_wired(self) -> bool:
        """Tell whether the ServiceAccount has the operator's annotations."""
        found = self.site.kube.get(self.account) or {}
        held = found["metadata"].get("annotations") or {}
        return held.get("azure.workload.identity/client-id") == self.client_id


def settled(site: Site, *kinds: type[Workload]) -> Iterator[Workload]:
    """Yield settled workloads that an operator has left, one of each kind."""
    with site.operator("first") as operator:
        workloads = [kind(site, f"workload-{n}") for n, kind in enumerate(kinds)]
        for workload in workloads:
            workload.create()
        for workload in workloads:
            workload.settle(120)
        wait_for(lambda: operator.is_quiet(4), "quiet", 60, operator.child.tail)
        assert operator.child.stop() == 0
    yield from workloads


def resumed(operator: Operator) -> int:
    """Return of how many resources the leader knows only what their status says."""
    lines = scrape(operator).splitlines()
    return sum(int(float(line.split()[1])) for line in lines if line.startswith(f"{RESUMED} "))


def test_a_restart_costs_lists_and_one_read_of_each_secret(
    site: Site, record_property: Callable[[str, object], None]
) -> None:
    kinds = (*(Workload,) * 5, *(Certified,) * 3, *(Trusting,) * 3)
    workloads = list(settled(site, *kinds))
    before = [workload.resource()["metadata"]["resourceVersion"] for workload in workloads]
    with site.operator("second", settings=DEFAULTS) as operator:
        wait_for(lambda: is_leading(operator), "leading", 90, operator.child.tail)
        wait_for(lambda: resumed(operator) == len(workloads), "all known", 20, operator.child.tail)
        spent = requests(operator)
        record_property("until all are known", dict(spent))
        lists = 4  # of the three kinds, and of AppCredentials once more
        assert spent["GET resource"] <= lists + len(workloads) / 2  # the first looks may begin
        assert not spent["application.get"]
        wait_for(lambda: resumed(operator) == 0, "all looked at", WITHIN, operator.child.tail)
        spent = requests(operator)
        record_property("until all were looked at", dict(spent))
        assert len(workloads) <= spent["GET resource"] <= lists + 2 * len(workloads)
        assert not writes(spent)
        assert graph_calls(spent).keys() <= {
            *("token", "application.list", "batch", "policy.default.get", "organization.get")
        }
    after = [workload.resource()["metadata"]["resourceVersion"] for workload in workloads]
    assert after == before


def test_a_standby_takes_over_without_reading_all(
    site: Site, record_property: Callable[[str, object], None]
) -> None:
    with site.replicas("one", "two") as replicas:
        workloads = [Workload(site, f"workload-{number}") for number in range(6)]
        for workload in workloads:
            workload.create()
        for workload in workloads:
            workload.settle(120)
        (leader,), (standby,) = (
            [one for one in replicas if is_leading(one) is leads] for leads in (True, False)
        )
        wait_for(lambda: leader.is_quiet(4), "quiet", 60, leader.child.tail)
        before = requests(standby)
        versions = [workload.resource()["metadata"]["resourceVersion"] for workload in workloads]
        leader.child.kill()
        wait_for(lambda: is_leading(standby), "leading", 30, standby.child.tail)
        wait_for(lambda: resumed(standby) > 0, "known", 20, standby.child.tail)
        wait_for(lambda: resumed(standby) == 0, "all looked at", WITHIN, standby.child.tail)
        spent = requests(standby) - before
        record_property("takeover", dict(spent))
        assert not spent["application.get"]
        # A target Secret each, and the metadata of some; one more list, or two.
        assert spent["GET resource"] <= 3 * len(workloads)
        assert not writes(spent)
        after = [workload.resource()["metadata"]["resourceVersion"] for workload in workloads]
        assert after == versions


def test_what_changed_while_no_operator_ran_is_noticed_within_a_minute(
    site: Site, record_property: Callable[[str, object], None]
) -> None:
    secrets = (Workload,) * 8
    found = list(settled(site, *secrets, Certified, Certified, Trusting, Trusting, Workload))
    removed, gone, deleted, edited, ungranted, changed, asked, unwanted, *others, left = found
    unlisted, lost, untrusted, unwired = others
    assert isinstance(unlisted, Certified)
    assert isinstance(untrusted, Trusting)
    assert isinstance(unwired, Trusting)
    version, kube, emulator = (
        left.resource()["metadata"]["resourceVersion"],
        site.kube,
        site.emulator,
    )
    secret_of = f"{CORE}/namespaces/{site.namespace}/secrets/{{}}".format

    key = removed.annotations()["key-id"]
    emulator.call("DELETE", f"/applications/{removed.client_id}/passwords/{key}")
    (certificate,) = unlisted.certificates()
    emulator.call("DELETE", f"/applications/{unlisted.client_id}/keys/{certificate}")
    emulator.call("DELETE", f"/applications/{gone.client_id}")
    kube.delete(secret_of(deleted.name))
    kube.delete(secret_of(lost.name))
    kube.edit(secret_of(edited.name), lambda s: s.update(data={"AZURE_CLIENT_SECRET": EDITED}))
    kube.delete(ungranted.grant_path)
    kube.edit(changed.path, lambda d: d["spec"].update(suspend=True))
    kube.edit(
        asked.path, lambda d: d["metadata"].setdefault("annotations", {}).update({CHECK: "1"})
    )
    kube.delete(unwanted.path)
    (trust,) = untrusted.trusts()
    path = f"/applications/{untrusted.client_id}/federatedIdentityCredentials/{trust}"
    emulator.call("DELETE", path)
    kube.edit(unwired.account, lambda d: d["metadata"].pop("annotations"))

    def says(workload: Workload, kind: str, reason: str) -> bool:
        return workload.condition(kind).get("reason") == reason

    told: dict[str, Callable[[], object]] = {
        "secret removed in the portal": partial(says, removed, "Ready", "CredentialMissing"),
        "certificate removed in the portal": partial(says, unlisted, "Ready", "CredentialMissing"),
        "application deleted": partial(says, gone, "Ready", "ApplicationNotFound"),
        "Secret deleted": partial(says, deleted, "Ready", "SecretMissing"),
        "Secret of a certificate deleted": partial(says, lost, "Ready", "SecretMissing"),
        "Secret edited": partial(says, edited, "Ready", "SecretEdited"),
        "grant withdrawn": partial(says, ungranted, "Stalled", "GrantWithdrawn"),
        "spec edited": partial(says, changed, "Ready", "Suspended"),
        "resource deleted": lambda: not unwanted.resource(),
        "trust removed": lambda: untrusted.trusts() not in ([], [trust]),
        "annotations of the ServiceAccount removed": unwired.is_wired,
    }
    with site.operator("second", settings=DEFAULTS) as operator:
        wait_for(lambda: is_leading(operator), "leading", 90, operator.child.tail)

        def is_all_told() -> bool:
            for what in [what for what, holds in told.items() if holds()]:
                del told[what]
            return not told

        wait_for(is_all_told, "all told", WITHIN, lambda: f"{list(told)}\n{operator.child.tail()}")
        reads = site.emulator.call("GET", "/requests?operation=application.get")
        record_property("direct reads", len(reads))
        assert any(one.get("appId") in {asked.client_id, asked.object_id} for one in reads)
    assert left.resource()["metadata"]["resourceVersion"] == version
    assert left.has_foreign()
