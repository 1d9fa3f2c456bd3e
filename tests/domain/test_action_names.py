"""What actions are called by the metrics, and which of them write a Secret or the application."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, get_args

import pytest

from appcredential.domain import actions as act
from appcredential.domain.action_names import (
    changes_nothing,
    label,
    leaves_traces,
    secret_write,
    writes_application,
)
from appcredential.domain.observed.operation import Operation
from appcredential.domain.restart_actions import ReadWorkloads
from appcredential.domain.spec.model import CredentialType
from tests.support.builders import DAY

RENAMED = {
    "ScheduleRevocation": "WriteTicket",
    "CancelRevocation": "CancelTicket",
    "AnnotateServiceAccount": "WireServiceAccount",
}
WRITES: list[tuple[act.Action, Operation]] = [
    (act.Mint(1, (), DAY), Operation.STORE_MINTED),
    (act.Register(), Operation.STORE_REGISTERED),
    (act.Fence("interrupted"), Operation.FENCE),
    (act.DeletePending("done"), Operation.DELETE_PENDING),
    (act.Publish(), Operation.PUBLISH),
    (act.WriteTarget("rendered", (), ()), Operation.WRITE_TARGET),
]


def kinds() -> Iterable[type[Any]]:
    """Return the classes of all actions."""
    found: tuple[type[Any], ...] = get_args(act.Action)
    return found


@pytest.mark.parametrize("kind", kinds())
def test_metrics_keep_the_names_of_the_first_release(kind: type[Any]) -> None:
    action = object.__new__(kind)  # its name does not depend on its values
    assert label(action) == RENAMED.get(kind.__name__, kind.__name__)


@pytest.mark.parametrize(("action", "operation"), WRITES)
def test_each_write_of_a_secret_has_its_own_failure(
    action: act.Action, operation: Operation
) -> None:
    assert secret_write(action) is operation


@pytest.mark.parametrize(
    "kind", [k for k in kinds() if k not in {type(action) for action, _ in WRITES}]
)
def test_other_actions_write_no_secret(kind: type[Any]) -> None:
    assert secret_write(object.__new__(kind)) is None


def test_what_writes_to_the_application_takes_a_turn() -> None:
    mint = act.Mint(1, (), DAY)
    assert writes_application(mint, CredentialType.CLIENT_SECRET)
    # The pending Secret holds a certificate first; its registration is another action.
    assert not writes_application(mint, CredentialType.CERTIFICATE)
    writes = {k.__name__ for k in kinds() if k is not act.Mint and _takes_turn(k)}
    assert writes == {"Register", "Remove", "CreateFederated", "PatchFederated", "DeleteFederated"}


def _takes_turn(kind: type[Any]) -> bool:
    return writes_application(object.__new__(kind), CredentialType.FEDERATED_IDENTITY)


def test_only_looking_and_telling_leave_nothing_to_undo() -> None:
    assert {k.__name__ for k in kinds() if not leaves_traces(object.__new__(k))} == {
        "Hold",
        "Sleep",
        "AddFinalizer",
        "ReleaseFinalizer",
        "ScheduleRevocation",
        "RecordIssued",
        "ReadCrd",
        "ReadApplication",
        "ReadWorkloads",
        "RestartWorkload",
        "ReadPods",
        "ReadFederated",
        "ApplyStatus",
    }


def test_reads_change_nothing_and_all_else_may() -> None:
    reads = {kind for kind in kinds() if changes_nothing(object.__new__(kind))}
    assert reads == {
        act.ReadCrd,
        act.ReadApplication,
        act.ReadPods,
        ReadWorkloads,
        act.ReadFederated,
    }
