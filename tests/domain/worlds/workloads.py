"""What workloads had of a resource's credentials: by this a removal is judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from appcredential.domain.observed.entra import Credential
from appcredential.domain.observed.target import Target
from appcredential.domain.spec.model import KeyId, RotationSpec
from tests.domain.worlds.loop import promise
from tests.support.builders import HOUR, SECOND


def check_sign_in(target: Target | None, entra: Mapping[KeyId, Credential], now: datetime) -> None:
    """Check that workloads can sign in with what the Secret holds now."""
    held = target.published if target is not None else None
    made = entra.get(held.key_id) if held is not None else None
    promise(made is not None and now < made.end, "what workloads read signs in")


@dataclass
class Workloads:
    """Credentials by key id.

    Attributes:
        superseded: since when the Secret holds another one, by Entra's clock.
        signed_in: the last time it signed in.
        runs: how often it signed in.
    """

    superseded: dict[KeyId, datetime] = field(default_factory=dict)
    signed_in: dict[KeyId, datetime] = field(default_factory=dict)
    runs: dict[KeyId, int] = field(default_factory=dict)

    def note_sign_in(self, key: KeyId, now: datetime) -> None:
        """Note that a credential signed in."""
        self.runs[key] = self.runs.get(key, 0) + 1
        self.signed_in[key] = now

    def check_removal(
        self,
        leaving: Credential,
        survivor: Credential | None,
        rotation: RotationSpec,
        now: datetime,
        entra_now: datetime,
    ) -> None:
        """Check that workloads can do without a credential that still works.

        Args:
            leaving: the credential that is removed.
            survivor: the one that the Secret holds, if Entra has it.
            rotation: of the spec.
            now: by the operator's clock.
            entra_now: by Entra's.

        Raises:
            BrokenPromiseError: they cannot.
        """
        if leaving.key_id not in self.superseded or entra_now >= leaving.end:
            return
        before = rotation.revoke_issued_before
        revoked = before if before is not None and before <= entra_now else None
        since = entra_now - self.superseded[leaving.key_id]
        overlap = rotation.overlap or HOUR
        is_due = since >= overlap  # and goes, whether a revocation waits or not
        if revoked is not None and leaving.start < revoked and not is_due:
            self._check_successor(survivor, revoked, now)
            return
        promise(since >= overlap - SECOND, "both are valid for the overlap")
        promise(
            survivor is not None and survivor.end > leaving.end,
            "what workloads have now lives longer",
        )

    def _check_successor(
        self, survivor: Credential | None, revoked: datetime, now: datetime
    ) -> None:
        """Check that workloads have something that was not leaked, and that it works."""
        promise(
            survivor is not None and survivor.start >= revoked,
            "nothing is revoked without a successor",
        )
        signed = self.signed_in.get(survivor.key_id) if survivor is not None else None
        promise(
            signed is not None and now - signed <= 15 * SECOND,
            "nothing is revoked before the successor signs in",
        )
