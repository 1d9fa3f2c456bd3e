"""What `decide` can ask for: one effect, or none. Values only; `effects/` performs them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

from appcredential.domain.conditions import Problem
from appcredential.domain.marker import Attempt
from appcredential.domain.observed.target import Abandoned, RetireCause, Retiring
from appcredential.domain.spec.model import KeyId
from appcredential.domain.spec.trusts import Trust


@dataclass(frozen=True, slots=True)
class Hold:
    """A gate is closed: nothing is done beyond status."""

    problem: Problem


@dataclass(frozen=True, slots=True)
class ScheduleRevocation:
    """Record what must be revoked later for a resource that is being deleted."""


@dataclass(frozen=True, slots=True)
class ReleaseFinalizer:
    """Let the API server delete the resource."""


@dataclass(frozen=True, slots=True)
class AddFinalizer:
    """Make deletion wait for us."""


@dataclass(frozen=True, slots=True)
class CancelRevocation:
    """The owner is back: nothing is to be revoked."""


@dataclass(frozen=True, slots=True)
class ReadCrd:
    """Look whether the CRD itself is being deleted."""


@dataclass(frozen=True, slots=True)
class ReadApplication:
    """Read the application directly; a shared read within `max_age` will do."""

    max_age: timedelta


@dataclass(frozen=True, slots=True)
class DeletePending:
    """Delete P, which proves nothing or has done its work."""

    reason: str


@dataclass(frozen=True, slots=True)
class WriteTarget:
    """Write T anew: same credential, other records or rendering."""

    reason: str
    retiring: tuple[Retiring, ...]
    abandoned: tuple[Abandoned, ...]


@dataclass(frozen=True, slots=True)
class Remove:
    """Remove one credential of ours from the application.

    Attributes:
        key_id: of the credential.
        attempt: in its marker.
        cause: why it retires; None for an orphan.
        is_revocation: revokeIssuedBefore asks for it, before its time.
    """

    key_id: KeyId
    attempt: Attempt
    cause: RetireCause | None
    is_revocation: bool = False


@dataclass(frozen=True, slots=True)
class Fence:
    """Set P to Abandoned: its attempt will never be published."""

    reason: str


@dataclass(frozen=True, slots=True)
class SignInPending:
    """Sign in once with P's value."""


@dataclass(frozen=True, slots=True)
class SignInPublished:
    """Sign in once with T's value."""


@dataclass(frozen=True, slots=True)
class Publish:
    """Write P's value into T."""


@dataclass(frozen=True, slots=True)
class Mint:
    """Write the intent, add the credential, keep its value in P.

    For a certificate the intent holds the value already, and `Register` adds it.

    Attributes:
        attempt_number: for P's next try, from 1.
        abandoned: what P's list becomes when an Abandoned P is taken up again.
        lifetime: to ask for.
    """

    attempt_number: int
    abandoned: tuple[Abandoned, ...]
    lifetime: timedelta


@dataclass(frozen=True, slots=True)
class Register:
    """Give the application the certificate that P holds; again is the same as once."""


@dataclass(frozen=True, slots=True)
class ReadFederated:
    """Read the application's federated credentials; a shared read within `max_age` will do."""

    max_age: timedelta


@dataclass(frozen=True, slots=True)
class CreateFederated:
    """Create a federated credential; never one that is there already."""

    name: str
    trust: Trust
    description: str


@dataclass(frozen=True, slots=True)
class PatchFederated:
    """Change a federated credential of ours, or one that its owner leaves behind."""

    id: str
    trust: Trust
    description: str
    reason: str


@dataclass(frozen=True, slots=True)
class DeleteFederated:
    """Delete a federated credential of ours.

    Attributes:
        service_account: of this namespace, that nothing of ours wires any more; or empty.
    """

    id: str
    service_account: str


@dataclass(frozen=True, slots=True)
class ProveFederated:
    """Exchange a token of the ServiceAccount once, as its pods will."""

    trust: Trust
    service_account: str


@dataclass(frozen=True, slots=True)
class AnnotateServiceAccount:
    """Annotate the ServiceAccount, as the azure-workload-identity webhook reads it."""

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
    | CancelRevocation
    | ReadCrd
    | ReadApplication
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
