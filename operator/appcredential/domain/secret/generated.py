"""What the target Secret records about values of `generateOnce`, so that a new one is told.

The record of a value is a part of its digest, and exists only while the Secret holds what the
operator made: of what a person wrote there, nothing is recorded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from appcredential.domain.observed.target import Target
from appcredential.domain.secret.annotations import Name, value_of
from appcredential.domain.secret.entries import dump_generated, load_generated
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import AppCredentialSpec
from appcredential.domain.spec.secret import GenerateOnce

_DIGITS: Final = 8
"""Hexadecimal digits of the digest: enough to see a change, too few to find the value."""


@dataclass(frozen=True, slots=True)
class ChangedValues:
    """Keys whose value in the Secret is no longer the one that the operator made.

    Attributes:
        missing: gone from the Secret; the next write generates others.
        edited: changed by somebody else; they stay as they are.
    """

    missing: tuple[str, ...] = ()
    edited: tuple[str, ...] = ()


def generated_annotation(
    spec: AppCredentialSpec, live: Target | None, data: Mapping[str, SecretValue]
) -> dict[str, str]:
    """Return the annotation that records what was generated; nothing without such a value.

    Args:
        spec: the resource's.
        live: the Secret as it is.
        data: what it shall hold.
    """
    recorded, kept = _recorded(live), live.data if live is not None else {}
    wanted = {key: _digest(data[key]) for key in generated_keys(spec) if key in data}
    found = {k: d for k, d in wanted.items() if k not in kept or recorded.get(k) == d}
    return {Name.GENERATED: dump_generated(found)} if found else {}


def changed_values(spec: AppCredentialSpec, live: Target) -> ChangedValues:
    """Return which generated values are not in the Secret any more."""
    keys = generated_keys(spec)
    recorded = {key: digest for key, digest in _recorded(live).items() if key in keys}
    return ChangedValues(
        missing=tuple(sorted(recorded.keys() - live.data.keys())),
        edited=tuple(
            sorted(k for k, d in recorded.items() if k in live.data and _digest(live.data[k]) != d)
        ),
    )


def generated_keys(spec: AppCredentialSpec) -> list[str]:
    """Return the keys that `generateOnce` fills."""
    return sorted(k for k, entry in spec.secret.data.items() if isinstance(entry, GenerateOnce))


def _recorded(live: Target | None) -> Mapping[str, str]:
    return load_generated(value_of(live.annotations, Name.GENERATED)) if live is not None else {}


def _digest(value: SecretValue) -> str:
    return value.sha256()[:_DIGITS]
