"""The steps of a scheduled revocation: exactly one is next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from appcredential.domain.marker import Attempt
from appcredential.domain.spec.model import KeyId


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do before `until`."""

    until: datetime


@dataclass(frozen=True, slots=True)
class ReadRevokedApplication:
    """Read the application directly."""


@dataclass(frozen=True, slots=True)
class ReadRevokedSecrets:
    """Read the target and the pending Secret, or the output ConfigMap."""


@dataclass(frozen=True, slots=True)
class RevokeCredential:
    """Remove one credential."""

    key_id: KeyId
    attempt: Attempt


@dataclass(frozen=True, slots=True)
class DeletePendingSecret:
    """Delete the pending Secret."""


@dataclass(frozen=True, slots=True)
class DeleteTarget:
    """Delete the target Secret."""


@dataclass(frozen=True, slots=True)
class RemoveAnnotations:
    """Remove our annotations from the ServiceAccount."""


@dataclass(frozen=True, slots=True)
class DeleteOutput:
    """Delete the output ConfigMap."""


@dataclass(frozen=True, slots=True)
class DeleteRevocation:
    """All is done: delete the revocation's own ConfigMap."""


RevocationEffect: TypeAlias = (
    RevokeCredential
    | DeletePendingSecret
    | DeleteTarget
    | RemoveAnnotations
    | DeleteOutput
    | DeleteRevocation
)
"""The steps that change something."""

RevocationAction: TypeAlias = Wait | ReadRevokedApplication | ReadRevokedSecrets | RevocationEffect
