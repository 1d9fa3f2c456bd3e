"""What is true in the world, read by words of this folder and not by the operator's."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from appcredential.domain.marker import parse_marker
from appcredential.domain.observed.entra import Credential
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.durations import parse_duration
from appcredential.domain.times import parse_time
from tests.support.builders import IDENTITY, OWNER
from tests.world.cluster import GRANT, RESOURCE, SECOND_GRANT, SECRETS, TARGET
from tests.world.entra import Entra
from tests.world.world import World

_PREFIX = "appcredential.io/"
_LOOKED = 64
_OVERLAP = timedelta(minutes=20)
PODS = f"/api/v1/namespaces/{OWNER.namespace}/pods"
TAG = f"appcredential.io/allow={IDENTITY.cluster_id}/{OWNER.namespace}"
Document = Mapping[str, Any]


def annotation(document: Document | None, name: str) -> str:
    """Return one of our annotations; empty without it."""
    metadata = document["metadata"] if document is not None else {}
    return str((metadata.get("annotations") or {}).get(_PREFIX + name) or "")


def target(world: World) -> dict[str, Any] | None:
    """Return the target Secret."""
    return world.cluster.objects.get(TARGET)


def pending(world: World) -> dict[str, Any] | None:
    """Return the pending Secret."""
    begin = f"{SECRETS}/appcredential-pending-"
    return next((o for p, o in world.cluster.objects.items() if p.startswith(begin)), None)


def resource(world: World) -> dict[str, Any] | None:
    """Return the AppCredential."""
    return world.cluster.objects.get(RESOURCE)


def is_ours(document: Document | None) -> bool:
    """Return whether a Secret says that the AppCredential of this world owns it."""
    return annotation(document, "owner") == str(OWNER)


@lru_cache(maxsize=4096)
def _decoded(text: str) -> SecretValue | None:
    try:
        return SecretValue(base64.b64decode(text).decode())
    except ValueError:
        return None


def values(document: Document) -> Iterator[SecretValue]:
    """Yield the values of a Secret."""
    for text in (document.get("data") or {}).values():
        value = _decoded(text)
        if value is not None:
            yield value


def key_in(entra: Entra, document: Document | None) -> str | None:
    """Return which credential's value a Secret holds; None without one.

    What is stored is never changed in place, so the same document holds the same until Entra
    changes.
    """
    if document is None:
        return None
    known = entra.looked.get(id(document))
    if known is not None and known[0] is document and known[1] == entra.edition:
        return known[2]
    found = (entra.key_of(value) for value in values(document))
    key = next((k for k in found if k is not None), None)
    if len(entra.looked) > _LOOKED:
        entra.looked.clear()
    entra.looked[id(document)] = document, entra.edition, key
    return key


def retiring(document: Document | None) -> list[dict[str, Any]]:
    """Return what a Secret says to be retiring."""
    try:
        found = json.loads(annotation(document, "retiring") or "[]")
    except ValueError:
        return []
    return [e for e in found if isinstance(e, dict)] if isinstance(found, list) else []


def entry_of(world: World, id_: str) -> dict[str, Any]:
    """Return what the target Secret says of a credential that retires."""
    return next((e for e in retiring(target(world)) if e.get("keyId") == id_), {})


def published_time(world: World) -> str:
    """Return when the target Secret says that it was published."""
    return annotation(target(world), "published-time")


def spec_rotation(world: World) -> dict[str, Any]:
    """Return `spec.rotation`."""
    found = ((resource(world) or {}).get("spec") or {}).get("rotation")
    return found or {}


def overlap(world: World) -> timedelta:
    """Return `spec.rotation.overlap`; that of the scenes, where it was edited away."""
    found = spec_rotation(world).get("overlap")
    return parse_duration(found) if found else _OVERLAP


def revoked_before(world: World) -> datetime | None:
    """Return what a person asked to be revoked, if that time has come by Entra's clock."""
    rotation = ((resource(world) or {}).get("spec") or {}).get("rotation") or {}
    asked = parse_time(rotation.get("revokeIssuedBefore"))
    return asked if asked is not None and asked <= world.entra.time() else None


def attempt_of(credential: Credential) -> str:
    """Return the attempt that a marker names."""
    marker = parse_marker(credential.display_name)
    return str(marker.attempt) if marker is not None else ""


def condition(world: World, kind: str) -> dict[str, Any]:
    """Return a condition of the AppCredential; an empty one without it."""
    status = (resource(world) or {}).get("status") or {}
    return next((c for c in status.get("conditions", ()) if c["type"] == kind), {})


def ours(world: World) -> list[str]:
    """Return the ids of what the operator made and Entra has."""
    entra = world.entra
    return [i for i in (*entra.credentials, *entra.trusts) if entra.makers.get(i)]


def is_granted(world: World) -> bool:
    """Return whether a grant allows this world's resource something new."""
    found = world.cluster.objects
    spec = (found.get(RESOURCE) or {}).get("spec") or {}
    if (spec.get("tenantRef") or {}).get("name") == "second":
        return SECOND_GRANT in found  # nobody withdraws that one
    grant = (found.get(GRANT) or {}).get("spec")
    if grant is None:
        return False
    end = parse_time(grant.get("expires"))
    is_tagged = "tagged" in grant["applications"]
    return (end is None or world.now() < end) and (not is_tagged or TAG in world.entra.tags)
