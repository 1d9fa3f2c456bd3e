"""What counts of a workload: whether it is asked for, when it was restarted, how far it is."""

from __future__ import annotations

from typing import Any

import pytest

from appcredential.domain.observed.workloads import Progress, Workload, WorkloadKind
from appcredential.domain.workloads import RESTARTED_AT, listed
from tests.support.builders import NOW
from tests.support.workloads import done, failed, rolling, workload

KINDS = list(WorkloadKind)
PLAIN: dict[str, Any] = {"containers": [{"name": "app"}]}


def read(kind: WorkloadKind, document: dict[str, Any]) -> Workload:
    found = listed(kind, document)
    assert found is not None
    return found[0]


def progress(kind: WorkloadKind, **fields: Any) -> Progress:
    return read(kind, workload(kind, **fields)).progress


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_read_with_the_secrets_that_its_pods_use(kind: WorkloadKind) -> None:
    found = read(kind, workload(kind))
    assert str(found) == f"{kind}/orders"
    assert (found.uid, found.resource_version) == ("uid-orders", "1")
    assert (found.stamps, found.pods, found.is_paused) == ((), 1, False)
    assert listed(kind, workload(kind)) == (found, frozenset({"orders-entra"}))
    assert listed(kind, workload(kind, pod_spec=PLAIN)) == (found, frozenset())


def test_what_has_no_template_or_is_being_deleted_is_left_out() -> None:
    bare = workload("Rollout", template=None)
    assert listed(WorkloadKind.ROLLOUT, bare) is None
    leaving = workload()
    leaving["metadata"]["deletionTimestamp"] = "2026-11-22T10:00:00Z"
    assert listed(WorkloadKind.DEPLOYMENT, leaving) is None


@pytest.mark.parametrize(
    "document", [{}, {"metadata": {}}, {"metadata": [], "spec": 7}, {**workload(), "spec": {}}]
)
def test_what_is_no_workload_is_no_answer(document: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="is none"):
        listed(WorkloadKind.DEPLOYMENT, document)


def test_both_annotations_tell_of_a_restart() -> None:
    stamps = {RESTARTED_AT: "2026-11-22T10:00:00Z", "kubectl.kubernetes.io/restartedAt": "soon"}
    found = read(WorkloadKind.DEPLOYMENT, workload(stamps=stamps))
    assert found.stamps == (NOW,)
    stamps = {"kubectl.kubernetes.io/restartedAt": "2026-11-22T11:00:00+01:00"}
    found = read(WorkloadKind.DEPLOYMENT, workload(stamps=stamps))
    assert found.stamps == (NOW,)


@pytest.mark.parametrize("kind", KINDS)
def test_how_far_a_rollout_is(kind: WorkloadKind) -> None:
    assert progress(kind) is Progress.COMPLETE
    assert progress(kind, generation=2, status=done(kind)) is Progress.UNDER_WAY
    assert progress(kind, status={}) is Progress.UNDER_WAY
    assert progress(kind, status=rolling(kind, 1)) is Progress.UNDER_WAY


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        (WorkloadKind.DEPLOYMENT, Progress.FAILED),
        (WorkloadKind.ROLLOUT, Progress.FAILED),
        (WorkloadKind.STATEFUL_SET, Progress.UNDER_WAY),
        (WorkloadKind.DAEMON_SET, Progress.UNDER_WAY),
    ],
)
def test_who_tells_of_a_failure(kind: WorkloadKind, wanted: Progress) -> None:
    assert progress(kind, status=failed(kind, 1)) is wanted


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (WorkloadKind.DEPLOYMENT, {"replicas": 2}),
        (WorkloadKind.DEPLOYMENT, {"availableReplicas": 0}),
        (WorkloadKind.DEPLOYMENT, {"availableReplicas": "1"}),
        (WorkloadKind.DAEMON_SET, {"numberAvailable": 0}),
        (WorkloadKind.STATEFUL_SET, {"readyReplicas": 0}),
        (WorkloadKind.ROLLOUT, {"phase": "Paused"}),
    ],
)
def test_pods_of_before_or_that_do_not_run_are_no_end(
    kind: WorkloadKind, status: dict[str, Any]
) -> None:
    assert progress(kind, status={**done(kind), **status}) is Progress.UNDER_WAY


def test_a_stateful_set_with_all_pods_of_the_new_revision_is_done() -> None:
    kind = WorkloadKind.STATEFUL_SET
    counted = {**rolling(kind, 1), "updatedReplicas": 1}
    assert progress(kind, status=counted) is Progress.COMPLETE


def test_without_pods_nothing_is_to_come() -> None:
    status = {"observedGeneration": 1}
    assert progress(WorkloadKind.DEPLOYMENT, status=status, replicas=0) is Progress.COMPLETE


@pytest.mark.parametrize(
    "strategy",
    [{"type": "OnDelete"}, {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}],
)
def test_what_leaves_pods_to_a_person_is_held(strategy: dict[str, Any]) -> None:
    kind = WorkloadKind.STATEFUL_SET
    status = rolling(kind, 1)
    assert progress(kind, status=status, updateStrategy=strategy) is Progress.HELD
    assert progress(kind, updateStrategy=strategy) is Progress.COMPLETE


def test_what_is_above_a_partition_is_waited_for() -> None:
    def held(updated: int, ready: int, partition: int = 2) -> Progress:
        return progress(
            WorkloadKind.STATEFUL_SET,
            status={**rolling(WorkloadKind.STATEFUL_SET, 1), **counts(updated, ready)},
            updateStrategy={"rollingUpdate": {"partition": partition}},
            replicas=5,
        )

    def counts(updated: int, ready: int) -> dict[str, int]:
        return {"updatedReplicas": updated, "readyReplicas": ready}

    assert held(updated=0, ready=5) is Progress.UNDER_WAY
    assert held(updated=2, ready=5) is Progress.UNDER_WAY
    assert held(updated=3, ready=4) is Progress.UNDER_WAY
    assert held(updated=3, ready=5) is Progress.HELD
    assert held(updated=0, ready=3, partition=5) is Progress.HELD


def test_a_paused_one_says_so() -> None:
    found = read(WorkloadKind.DEPLOYMENT, workload(paused=True))
    assert found.is_paused
