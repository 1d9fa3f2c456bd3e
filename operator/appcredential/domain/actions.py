"""What `decide` can ask for: one effect, or none. Values only; `effects/` performs them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

from appcredential.domain.conditions import Problem
from appcredential.domain.marker import Attempt
from appcredential.domain.observed.target import Abandoned, RetireCause, Retiring
from appcredential.domain.restart_actions import RestartAction
from appcredential.domain.spec.model import KeyId
from appcredential.domain.spec.trusts import Trust


@dataclass(frozen=True, slots=True)
class Hold:
    """A gate is closed: write nothing but status."""

    problem: Problem


@dataclass(frozen=True, slots=True)
class ScheduleRevocation:
    """Schedule the revocation for a resource that is being deleted."""


@dataclass(frozen=True, slots=True)
class ReleaseFinalizer:
    """Let the API server delete the resource."""


@dataclass(frozen=True, slots=True)
class AddFinalizer:
    """Make deletion wait for us."""


@dataclass(frozen=True, slots=True)
class RecordIssued:
    """Write the record of what is issued for the resource, or bring it up to date."""


@dataclass(frozen=True, slots=True)
class TakeOverRecord:
    """Do the same in place of the record that a former resource left: this one answers for it."""


@dataclass(frozen=True, slots=True)
class CancelRevocation:
    """Drop the scheduled revocation: its owner is back."""


@dataclass(frozen=True, slots=True)
class ReadCrd:
    """Read the CRD, which may be on its way out with all its resources."""


@dataclass(frozen=True, slots=True)
class ReadApplication:
    """Read the application directly; a read of others within `max_age` will do."""

    max_age: timedelta


@dataclass(frozen=True, slots=True)
class ReadPods:
    """List the namespace's pods that use one of these Secrets."""

    secrets: frozenset[str]


@dataclass(frozen=True, slots=True)
class DeletePending:
    """Delete the pending Secret, which proves nothing or has done its work."""

    reason: str


@dataclass(frozen=True, slots=True)
class WriteTarget:
    """Write the target Secret with the same credential and other records or rendering."""

    reason: str
    retiring: tuple[Retiring, ...]
    abandoned: tuple[Abandoned, ...]
    is_restarted: bool = False


@dataclass(frozen=True, slots=True)
class Remove:
    """Remove one credential of ours from the application.

    Attributes:
        cause: why it retires; None for an attempt that was never published.
        is_revocation: whether revokeIssuedBefore asks for it, ahead of time.
    """

    key_id: KeyId
    attempt: Attempt
    cause: RetireCause | None
    is_revocation: bool = False


@dataclass(frozen=True, slots=True)
class Fence:
    """Set the pending Secret to Abandoned: its attempt will never be published."""

    reason: str


@dataclass(frozen=True, slots=True)
class SignInPending:
    """Sign in once with the value in the pending Secret."""


@dataclass(frozen=True, slots=True)
class SignInPublished:
    """Sign in once with the value in the target Secret."""


@dataclass(frozen=True, slots=True)
class Publish:
    """Write the pending Secret's value into the target Secret."""


@dataclass(frozen=True, slots=True)
class Mint:
    """Write the intent, add the credential, and keep its value in the pending Secret.

    The intent of a certificate holds the value already, and `Register` adds it to Entra.

    Attributes:
        attempt_number: number of the next try, from 1.
        abandoned: the attempts to record when an Abandoned pending Secret is taken up again.
        lifetime: how long the credential shall be valid.
    """

    attempt_number: int
    abandoned: tuple[Abandoned, ...]
    lifetime: timedelta


@dataclass(frozen=True, slots=True)
class Register:
    """Add the pending Secret's certificate to the application; a repetition changes nothing."""


@dataclass(frozen=True, slots=True)
class ReadFederated:
    """Read the application's federated credentials; a read of others within `max_age` will do."""

    max_age: timedelta


@dataclass(frozen=True, slots=True)
class CreateFederated:
    """Create a federated credential that does not exist yet."""

    name: str
    trust: Trust
    description: str


@dataclass(frozen=True, slots=True)
class PatchFederated:
    """Change a federated credential that is ours, or that its owner has left behind."""

    id: str
    trust: Trust
    description: str
    reason: str


@dataclass(frozen=True, slots=True)
class DeleteFederated:
    """Delete a federated credential of ours.

    Attributes:
        service_account: the one in this namespace that loses our annotations; empty for none.
    """

    id: str
    service_account: str


@dataclass(frozen=True, slots=True)
class ProveFederated:
    """Exchange a token of the ServiceAccount for one of Entra once, as its pods will."""

    trust: Trust
    service_account: str


@dataclass(frozen=True, slots=True)
class AnnotateServiceAccount:
    """Annotate the ServiceAccount for the azure-workload-identity webhook."""

    annotations: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class WriteOutput:
    """Write the output ConfigMap."""

    data: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ApplyStatus:
    """Write the status."""


@dataclass(frozen=True, slots=True)
class Sleep:
    """Nothing is due."""


Action: TypeAlias = (
    Hold
    | ScheduleRevocation
    | ReleaseFinalizer
    | AddFinalizer
    | RecordIssued
    | TakeOverRecord
    | CancelRevocation
    | ReadCrd
    | ReadApplication
    | ReadPods
    | RestartAction
    | DeletePending
    | WriteTarget
    | Remove
    | Fence
    | SignInPending
    | SignInPublished
    | Publish
    | Mint
    | Register
    | ReadFederated
    | CreateFederated
    | PatchFederated
    | DeleteFederated
    | ProveFederated
    | AnnotateServiceAccount
    | WriteOutput
    | ApplyStatus
    | Sleep
)
