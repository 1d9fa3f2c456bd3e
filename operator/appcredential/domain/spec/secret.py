"""`spec.secret`, as immutable values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from appcredential.domain.empty import no_entries

DEFAULT_MOUNT_PATH = "/var/run/secrets/appcredential"


class Preset(StrEnum):
    """`spec.secret.preset`: which keys the Secret gets."""

    AZURE_IDENTITY = "AzureIdentity"
    RAW = "Raw"
    TERRAFORM = "Terraform"
    MICROSOFT_IDENTITY_WEB = "MicrosoftIdentityWeb"
    GRAFANA = "Grafana"


@dataclass(frozen=True, slots=True)
class Template:
    """`secret.data.<key>.value`: text with `$(name)` references."""

    text: str


@dataclass(frozen=True, slots=True)
class GenerateOnce:
    """`secret.data.<key>.generateOnce`: generated once, then kept from the live Secret."""

    length: int


DataEntry: TypeAlias = Template | GenerateOnce


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretSpec:
    """`spec.secret`. `name` is the given one, or the resource's own.

    Attributes:
        labels: of the target Secret and the pending Secret, with those that every Secret gets.
        annotations: the same, with what keeps Argo CD from pruning them.
    """

    name: str
    preset: Preset = Preset.AZURE_IDENTITY
    mount_path: str = DEFAULT_MOUNT_PATH
    data: Mapping[str, DataEntry] = field(default_factory=no_entries)
    labels: Mapping[str, str] = field(default_factory=no_entries)
    annotations: Mapping[str, str] = field(default_factory=no_entries)
    take_over_from: str = ""
