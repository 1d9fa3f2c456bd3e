"""`spec.secret`: the Secret's name, and what users may add to it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from appcredential.domain.spec import checks
from appcredential.domain.spec import manifest as shapes
from appcredential.domain.spec.model import CredentialType
from appcredential.domain.spec.presets import PRESET_KEYS
from appcredential.domain.spec.reserved import (
    INSTANCE_KEY,
    NAMES_RULE,
    UNPRUNED,
    AllowedKeys,
    is_reserved_name,
)
from appcredential.domain.spec.secret import DataEntry, GenerateOnce, SecretSpec, Template
from appcredential.domain.spec.templates import parse_template

MAX_VALUE: Final = 4096
_MAX_BYTES: Final = 65536
_MOUNT_PATH: Final = re.compile(r"(/[-._a-zA-Z0-9]+)+")


def parse_secret(
    spec: shapes.Secret, owner: str, kind: CredentialType, allowed: AllowedKeys
) -> SecretSpec:
    """Read `spec.secret`.

    Args:
        spec: as it stands in the manifest.
        owner: the AppCredential's own name, which is the Secret's default.
        kind: the type of the credential, which decides the names for `$(name)`.
        allowed: the labels and annotations that may be set, and the labels of every Secret.

    Raises:
        InvalidSpecError: a value cannot be used.
    """
    _check_size(spec)
    labels = {**dict(allowed.labels), **_labels(spec.labels, allowed)}
    guards = dict(UNPRUNED) if INSTANCE_KEY in labels else {}
    return SecretSpec(
        name=_name(spec.name, owner),
        preset=spec.preset,
        mount_path=_mount_path(spec.mount_path),
        data=_data(spec, kind),
        labels=MappingProxyType(labels),
        annotations=MappingProxyType({**_annotations(spec.annotations, allowed), **guards}),
        take_over_from=_take_over_from(spec, owner),
    )


def _check_size(spec: shapes.Secret) -> None:
    """Check what the single bounds would allow together: anybody may create many manifests."""
    texts = [*spec.labels.items(), *spec.annotations.items()]
    texts += [(key, entry.value or "") for key, entry in spec.data.items()]
    size = sum(len(key.encode()) + len(text.encode()) for key, text in texts)
    remedy = (
        f"may have at most {_MAX_BYTES} bytes in data, labels and annotations together: "
        "move what is longer into a ConfigMap or a Secret of your own"
    )
    checks.require(size <= _MAX_BYTES, "spec.secret", remedy)


def _name(given: str | None, owner: str) -> str:
    path = "spec.secret.name"
    name = owner if given is None else given
    remedy = f"{NAMES_RULE}: set another name"
    checks.require(not is_reserved_name(name), path, remedy)
    return checks.object_name(path, name)


def _take_over_from(spec: shapes.Secret, owner: str) -> str:
    path = "spec.secret.takeOverFrom"
    if spec.take_over_from is None:
        return ""
    checks.require(spec.name is not None, path, "needs spec.secret.name: set what is taken over")
    checks.require(spec.take_over_from != owner, path, "may not name this AppCredential: remove it")
    return checks.object_name(path, spec.take_over_from)


def _mount_path(value: str) -> str:
    path = "spec.secret.mountPath"
    remedy = "must be an absolute path of letters, digits, dots, dashes and underscores"
    checks.require(_MOUNT_PATH.fullmatch(value) is not None, path, remedy)
    segments = value.split("/")
    remedy = "may not contain . or .. as a segment: write the path out"
    checks.require("." not in segments and ".." not in segments, path, remedy)
    return checks.at_most(path, value, 255)


def _data(spec: shapes.Secret, kind: CredentialType) -> Mapping[str, DataEntry]:
    path = "spec.secret.data"
    checks.entries(path, spec.data)
    for key in spec.data:
        checks.secret_key(path, key)
        remedy = f"may not contain {key}, which preset {spec.preset} writes: rename the key"
        checks.require(key not in PRESET_KEYS.get((spec.preset, kind), ()), path, remedy)
    return MappingProxyType({k: _entry(f"{path}[{k}]", v, kind) for k, v in spec.data.items()})


def _entry(path: str, entry: shapes.DataEntry, kind: CredentialType) -> DataEntry:
    remedy = "must have exactly one of value and generateOnce"
    if entry.generate_once is None:
        if entry.value is None:
            checks.refuse(path, remedy)
        return _template(f"{path}.value", entry.value, kind)
    checks.require(entry.value is None, path, remedy)
    length = entry.generate_once.length
    return GenerateOnce(checks.between(f"{path}.generateOnce.length", length, 16, 512))


def _template(path: str, text: str, kind: CredentialType) -> Template:
    checks.at_most(path, text, MAX_VALUE)
    try:
        parse_template(text, kind)
    except ValueError as error:
        checks.refuse(path, str(error))
    return Template(text)


def _labels(labels: dict[str, str], allowed: AllowedKeys) -> dict[str, str]:
    path = "spec.secret.labels"
    checks.entries(path, labels)
    checks.metadata_keys(path, labels, allowed)
    return {k: checks.label_value(f"{path}[{k}]", v) for k, v in labels.items()}


def _annotations(annotations: dict[str, str], allowed: AllowedKeys) -> dict[str, str]:
    path = "spec.secret.annotations"
    checks.entries(path, annotations)
    checks.metadata_keys(path, annotations, allowed)
    return {k: checks.at_most(f"{path}[{k}]", v, MAX_VALUE) for k, v in annotations.items()}
