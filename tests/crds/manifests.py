"""Manifests that are right, to be made wrong one field at a time."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeAlias

from appcredential.domain.spec.parse import (
    parse_app_credential,
    parse_application_grant,
    parse_entra_tenant,
)
from appcredential.domain.spec.reserved import AllowedKeys, is_reserved_key

ROOT: Final = Path(__file__).resolve().parents[2]
CRDS: Final = ROOT / "crds"
GROUP: Final = "appcredential.io"
GUID: Final = "0c0ffee0-1234-4abc-8def-00112233445a"
OTHER_GUID: Final = "0c0ffee0-1234-4abc-8def-00112233445b"

Row: TypeAlias = tuple[Any, ...]
"""One line of a table of cases."""

APP: Final = "AppCredential"
TENANT: Final = "EntraTenant"
GRANT: Final = "ApplicationGrant"

PLURALS: Final = {APP: "appcredentials", TENANT: "entratenants", GRANT: "applicationgrants"}


@dataclass(frozen=True, slots=True)
class _EveryKey(AllowedKeys):
    """A cluster whose administrator allows whatever can be allowed: the schema knows no setting."""

    def allows(self, key: str) -> bool:
        return not is_reserved_key(key)


PARSERS: Final[dict[str, Callable[[Mapping[str, Any]], Any]]] = {
    APP: partial(parse_app_credential, allowed=_EveryKey()),
    TENANT: parse_entra_tenant,
    GRANT: parse_application_grant,
}
BASES: Final[dict[str, dict[str, Any]]] = {
    APP: {"application": {"clientId": GUID}, "type": "ClientSecret", "clientSecret": {}},
    TENANT: {
        "tenantId": GUID,
        "cloud": "Public",
        "identity": {"clientSecret": {"clientId": GUID, "secretRef": {"name": "identity"}}},
    },
    GRANT: {"applications": {"clientIds": [GUID]}, "namespaces": {"names": ["shop"]}},
}


def manifest(kind: str, patch: Mapping[str, Any], name: str = "orders") -> dict[str, Any]:
    """Return a right manifest with a JSON merge patch applied to its spec."""
    spec = copy.deepcopy(BASES[kind])
    merge(spec, patch)
    return {
        "apiVersion": f"{GROUP}/v1alpha1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": spec,
    }


def merge(target: dict[str, Any], patch: Mapping[str, Any]) -> None:
    """Apply a JSON merge patch: `None` removes."""
    for key, value in patch.items():
        if value is None:
            target.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(target.get(key), dict):
            merge(target[key], value)
        else:
            target[key] = copy.deepcopy(value)
