"""What actions are called by the metrics, and which of them write a Secret or the application."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from appcredential.domain import actions as act
from appcredential.domain.observed.operation import Operation
from appcredential.domain.restart_actions import ReadWorkloads, RestartWorkload
from appcredential.domain.spec.model import CredentialType

# The metric `appcredential_effects_total` names actions by these labels since the first release.
_LABELS: Final[Mapping[type, str]] = MappingProxyType(
    {
        act.ScheduleRevocation: "WriteTicket",
        act.CancelRevocation: "CancelTicket",
        act.AnnotateServiceAccount: "WireServiceAccount",
    }
)
_SECRET_WRITES: Final[Mapping[type, Operation]] = MappingProxyType(
    {
        act.Mint: Operation.STORE_MINTED,
        act.Register: Operation.STORE_REGISTERED,
        act.Fence: Operation.FENCE,
        act.DeletePending: Operation.DELETE_PENDING,
        act.Publish: Operation.PUBLISH,
        act.WriteTarget: Operation.WRITE_TARGET,
    }
)
_APPLICATION_WRITES: Final = (
    act.Register,
    act.Remove,
    act.CreateFederated,
    act.PatchFederated,
    act.DeleteFederated,
)
_READS: Final = (
    act.ReadCrd,
    act.ReadApplication,
    act.ReadPods,
    ReadWorkloads,
    act.ReadFederated,
)
_TRACELESS: Final = (
    *_READS,
    act.Hold,
    act.Sleep,
    act.AddFinalizer,
    act.ReleaseFinalizer,
    act.ScheduleRevocation,
    act.RecordIssued,
    act.ApplyStatus,
    RestartWorkload,
)


def label(action: act.Action) -> str:
    """Return the name of an action as metrics show it."""
    return _LABELS.get(type(action), type(action).__name__)


def secret_write(action: act.Action) -> Operation | None:
    """Return which write of a Secret an action is; None when it writes none."""
    return _SECRET_WRITES.get(type(action))


def writes_application(action: act.Action, kind: CredentialType) -> bool:
    """Return whether an action writes to the application in Entra.

    A certificate is made in the cluster first, and registered by an action of its own.
    """
    if isinstance(action, act.Mint):
        return not kind.is_certificate
    return isinstance(action, _APPLICATION_WRITES)


def changes_nothing(action: act.Action) -> bool:
    """Return whether an action only reads, so that it may rest on what was read a while ago."""
    return isinstance(action, _READS)


def leaves_traces(action: act.Action) -> bool:
    """Return whether an action does something that a deletion of the resource has to undo.

    Cancelling a revocation counts, and taking a record over: the resource answers for what the
    former one left.
    """
    return not isinstance(action, _TRACELESS)
