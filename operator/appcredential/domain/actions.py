"""What `decide` can ask for: one effect, or none. Values only; `reconciler.py` performs them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

from appcredential.domain.conditions import Problem
from appcredential.domain.marker import Attempt
from appcredential.domain.observed import Abandoned, RetireCause, Retiring
from appcredential.domain.spec import KeyId


@dataclass(frozen=True, slots=True)
class Hold:
    """A gate is closed: nothing is done beyond status."""

    problem: Problem


@dataclass(frozen=True, slots=True)
class WriteTicket:
    """Record what must be revoked later for a resource that is being deleted."""


@dataclass(frozen=True, slots=True)
class ReleaseFinalizer:
    """Let the API server delete the resource."""


@dataclass(frozen=True, slots=True)
class AddFinalizer:
    """Make deletion wait for us."""


@dataclass(frozen=True, slots=True)
class CancelTicket:
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
class ApplyStatus:
    """Write the status."""


@dataclass(frozen=True, slots=True)
class Sleep:
    """Nothing is due."""


Action: TypeAlias = (
    Hold
    | WriteTicket
    | ReleaseFinalizer
    | AddFinalizer
    | CancelTicket
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
    | ApplyStatus
    | Sleep
)
