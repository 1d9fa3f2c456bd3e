"""Whatever is wrong is said, loses nothing, costs little, and passes when it is mended."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from demo.stack import OperatorProcess
from tests.integration.at_once import all_at_once
from tests.integration.bad_inputs import CASES, NEVER_ASKED, UNTOUCHED, Case, Mend
from tests.integration.installation import Installation, Team, condition_of

pytestmark = [pytest.mark.cluster, pytest.mark.process]

_QUIET_SECONDS = 6.0


@dataclass(slots=True)
class Broken:
    """A case that was brought about, and the Secrets as they stood then."""

    case: Case
    team: Team
    mend: Mend
    before: dict[str, Any] | None


@pytest.fixture(scope="module")
def broken(installation: Installation, request: pytest.FixtureRequest) -> dict[Case, Broken]:
    """All selected cases, made at the same time."""
    specs = [getattr(item, "callspec", None) for item in request.session.items]
    asked = [spec.params.get("case") for spec in specs if spec is not None]
    wanted = [case for case in CASES if case in asked]

    def make(case: Case) -> Broken:
        team, mend = case.make(installation)
        return Broken(case, team, mend, team.secret(UNTOUCHED.get(case.name, "app")))

    made = all_at_once(partial(make, case) for case in wanted)
    return {b.case: b for b in made}


@pytest.fixture(scope="module")
def mended(broken: dict[Case, Broken]) -> dict[Case, Broken]:
    """The same after all causes were mended at the same time."""
    all_at_once(b.mend for b in broken.values())
    return broken


def _warnings(installation: Installation, tenant: str) -> set[str]:
    events = installation.events("", tenant, "EntraTenant")
    return {reason for kind, reason, _ in events if kind == "Warning"}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_it_is_said(case: Case, broken: dict[Case, Broken], installation: Installation) -> None:
    b = broken[case]
    team = b.team
    team.until(
        lambda: team.has("Stalled", "True", case.reason), f"Stalled {case.reason}", seconds=70
    )
    message = team.condition("Stalled")["message"]
    assert all(word in message for word in case.remedy), message
    expected = case.ready if case.published else ("False", case.reason)
    ready = team.condition("Ready")
    assert (ready["status"], ready["reason"]) == expected
    assert not team.condition("Reconciling")
    status = team.status()
    assert status["observedGeneration"] == team.resource()["metadata"]["generation"]
    if case.tenant_reason:
        tenant = installation.tenant(team.tenant)
        assert condition_of(tenant, "Ready")["status"] == "False"
        for kind in ("Ready", "Stalled"):
            assert condition_of(tenant, kind)["reason"] == case.tenant_reason
        # An Event follows the status that it is about.
        installation.until(
            lambda: _warnings(installation, team.tenant) == {case.tenant_reason}, "an Event says so"
        )


@pytest.mark.parametrize("case", [c for c in CASES if c.tenant_reason], ids=str)
def test_a_tenant_s_fault_is_announced_at_the_tenant_alone(
    case: Case, broken: dict[Case, Broken], installation: Installation
) -> None:
    team = broken[case].team

    def told() -> list[str]:
        events = installation.events("", team.tenant, "EntraTenant")
        return [f"{reason}: {note}" for kind, reason, note in events if kind == "Warning"]

    team.until(told, "a Warning at the tenant")
    assert [note.partition(":")[0] for note in told()] == [case.tenant_reason], told()
    assert team.warnings() == set()


@pytest.mark.parametrize("case", [c for c in CASES if not c.tenant_reason], ids=str)
def test_it_is_announced_once(case: Case, broken: dict[Case, Broken]) -> None:
    team = broken[case].team
    team.until(lambda: case.reason in team.warnings(), f"a Warning {case.reason}", seconds=70)
    warnings = [(r, note) for kind, r, note in team.events() if kind == "Warning"]
    assert [r for r, _ in warnings] == [case.reason], warnings
    assert all(word in warnings[0][1] for word in case.remedy)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_nothing_is_lost(case: Case, broken: dict[Case, Broken]) -> None:
    b = broken[case]
    now = b.team.secret(UNTOUCHED.get(case.name, "app"))
    if b.before is None:
        assert now is None
        return
    assert now is not None
    assert now["data"] == b.before["data"]
    if case.name in UNTOUCHED:
        assert now["metadata"]["resourceVersion"] == b.before["metadata"]["resourceVersion"]


@pytest.mark.parametrize("case", [c for c in CASES if c.name in NEVER_ASKED], ids=str)
def test_nothing_is_asked_without_a_grant(
    case: Case, broken: dict[Case, Broken], installation: Installation
) -> None:
    b = broken[case]
    asked = installation.requests(b.team.client_id)
    if case.reason == "OperatorIdentity":
        # It signs in as that application, and that is all.
        asked = [r for r in asked if r["operation"] != "token"]
    assert asked == []


def test_waiting_costs_little(broken: dict[Case, Broken], installation: Installation) -> None:
    """At most two requests a second for each fault, whoever is asked."""
    before = installation.operator.metrics()
    time.sleep(_QUIET_SECONDS)
    after = installation.operator.metrics()
    spent = {k: v - before.get(k, 0.0) for k, v in after.items() if v != before.get(k, 0.0)}
    bound = 2 * len(broken) * _QUIET_SECONDS
    for family in ("kubernetes_requests", "directory_requests", "reconciles"):
        name = f"appcredential_{family}_total"
        assert any(k.startswith(name) for k in after), f"nothing counts {family}"
        assert sum(v for k, v in spent.items() if k.startswith(name)) <= bound, spent


@pytest.mark.parametrize("case", CASES, ids=str)
def test_it_recovers_by_itself(case: Case, mended: dict[Case, Broken]) -> None:
    team = mended[case].team
    team.ready(seconds=case.patience)
    assert not team.condition("Stalled")
    assert not team.condition("Reconciling")
    name = team.status()["secretRef"]["name"]
    assert team.signs_in(name)


def test_unusable_settings_are_all_named(installation: Installation) -> None:
    wrong = {
        "APPCREDENTIAL_SETTLE": "soon",
        "APPCREDENTIAL_WORKERS": "many",
        "APPCREDENTIAL_SETTEL": "30s",
    }
    folder = installation.folder / "unusable"
    operator = OperatorProcess(installation.cluster, installation.emulator, folder, wrong)
    installation.until(lambda: operator.child.exit_status() is not None, "it ends", 20)
    assert operator.child.exit_status() == 2
    said = operator.child.tail()
    assert all(name in said for name in wrong)
    assert "such as 90d" in said
