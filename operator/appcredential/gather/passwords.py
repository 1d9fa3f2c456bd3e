"""Reads the passwords of PKCS #12 files, and again only when their Secrets changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

from appcredential.domain.conditions import Problem
from appcredential.domain.promised import required
from appcredential.domain.secret.references import PASSWORD_TYPES, refusal
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.certificate import KeyRef
from appcredential.domain.status.problems_source import (
    PasswordOf,
    refused_password,
    usable_password,
)
from appcredential.ports.certificate_sources import InputKind, InputObject, Inputs

K = TypeVar("K")


@dataclass(frozen=True, slots=True, kw_only=True)
class Known(Generic[K]):
    """What one version of an object was found to hold. The object itself is let go.

    Attributes:
        asked: the kind of object, what the spec says of it, and what else the outcome rests on.
        version: the object's.
    """

    asked: tuple[object, ...]
    version: str
    outcome: K


HeldPasswords: TypeAlias = dict[PasswordOf, Known[SecretValue | Problem]]


class PasswordReader:
    """Reads passwords from the Secrets that a spec names."""

    def __init__(self, inputs: Inputs) -> None:
        self._inputs = inputs

    async def read(
        self, namespace: str, ref: KeyRef | None, of: PasswordOf, held: HeldPasswords
    ) -> SecretValue | Problem | None:
        """Return a password, or why there is none; None when the spec names none.

        Args:
            namespace: the resource's.
            ref: where the spec says that it is.
            of: whose password.
            held: of the same resource; what is read is noted there.

        Raises:
            SecretForbiddenError: no role lets the operator read Secrets there.
            UnavailableError: the API server did not answer.
        """
        kind = InputKind.SECRET
        if ref is None:
            return None
        asked = (kind, ref)
        if await is_unchanged(self._inputs, (kind, namespace, ref.name), asked, held.get(of)):
            return required(held.get(of)).outcome
        found = await self._inputs.read(kind, namespace, ref.name, {ref.key})
        why = why_refused(kind, found, PASSWORD_TYPES) if found is not None else None
        if why is not None:
            outcome: SecretValue | Problem = refused_password(ref, why, of)
        else:
            outcome = usable_password(ref, found.data if found is not None else None, of)
        if found is not None:
            held[of] = Known(asked=asked, version=found.version, outcome=outcome)
        return outcome


async def is_unchanged(
    inputs: Inputs,
    of: tuple[InputKind, str, str],
    asked: tuple[object, ...],
    known: Known[Any] | None,
) -> bool:
    """Return whether what is known of an object still holds.

    Args:
        inputs: asks for its version.
        of: its kind, namespace and name.
        asked: as in `Known`.
        known: what was found last.
    """
    if known is None or known.asked != asked:
        return False
    return await inputs.version(*of) == known.version


def why_refused(kind: InputKind, found: InputObject, allowed: tuple[str, ...]) -> str | None:
    """Return why a Secret may not be read; anybody who may read a ConfigMap may see it all."""
    if kind is not InputKind.SECRET:
        return None
    return refusal(found.type, found.labels, found.annotations, allowed)
