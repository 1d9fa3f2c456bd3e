"""The steps by which the operator renews its own certificate, and a decision for one of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from appcredential.domain.conditions import Problem
from appcredential.domain.spec.model import KeyId


@dataclass(frozen=True, slots=True)
class Stage:
    """Make a successor and store it beside the credential in use."""


@dataclass(frozen=True, slots=True)
class Register:
    """Add the stored successor to the app registration."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """Sign in once with the successor."""


@dataclass(frozen=True, slots=True)
class Publish:
    """Put the successor in the place of the credential in use."""


@dataclass(frozen=True, slots=True)
class Discard:
    """Drop the successor: it is not needed, or would end too soon."""


@dataclass(frozen=True, slots=True)
class Note:
    """Record that somebody put another credential in the place of the one in use."""


@dataclass(frozen=True, slots=True)
class Look:
    """Read the application's credentials, and decide again."""


@dataclass(frozen=True, slots=True)
class Remove:
    """Remove a credential that this cluster added and nobody uses any more."""

    key_id: KeyId


@dataclass(frozen=True, slots=True)
class Forget:
    """Strike what is gone from the records: thumbprints; of client secrets key ids or attempts.

    Attributes:
        left_on: client id of the app registration where it stays, since the identity names another
            one by now; empty when it is on none.
    """

    gone: frozenset[str]
    left_on: str = ""


@dataclass(frozen=True, slots=True)
class Wait:
    """Do nothing before `until`."""

    until: datetime


OwnAction: TypeAlias = (
    Stage | Register | SignIn | Publish | Discard | Note | Look | Remove | Forget | Wait
)


@dataclass(frozen=True, slots=True)
class OwnDecision:
    """The next step, when the certificate is due, and why nothing can go on, if that is so."""

    action: OwnAction
    renewal: datetime
    problem: Problem | None = None
