"""The status of an AppCredential, as a projection of the observation. Losing it harms nothing.

No value in it moves by itself, so an unchanged world causes no write. The
inventory is the exception: it is only brought up to date by a write that has
another reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from appcredential.domain.conditions import Problem
from appcredential.domain.facts.facts import Facts
from appcredential.domain.facts.retirement import real_end, retire_time
from appcredential.domain.marker import parse_marker
from appcredential.domain.observed.observation import Observation
from appcredential.domain.observed.target import IssuedCredential, Retiring, Target
from appcredential.domain.secret import pem
from appcredential.domain.spec.durations import format_duration
from appcredential.domain.spec.model import AppCredentialSpec
from appcredential.domain.status.federated import federated_view
from appcredential.domain.status.federated_details import (
    FEDERATED_DETAILS,
    federated_count,
    federated_details,
)
from appcredential.domain.status.merge import merge_conditions
from appcredential.domain.status.published import awaited
from appcredential.domain.status.successor import successor_problem
from appcredential.domain.status.verdicts import (
    abnormal,
    expiring,
    observed_generation,
    ready,
    verified,
)
from appcredential.domain.times import format_time


def project(observation: Observation, facts: Facts | None, gate: Problem | None) -> dict[str, Any]:
    """Return the whole status.

    Args:
        observation: what was gathered.
        facts: what follows from it; None when a gate is closed.
        gate: why that gate is closed.
    """
    if observation.resource.is_federated:
        view = federated_view(observation, facts, gate)
        problem, judged = view.problem, [view.ready, view.verified, view.expiring]
    else:
        problem = gate or (successor_problem(facts) if facts is not None else None)
        judged = [
            ready(observation, facts, problem),
            verified(observation, facts),
            expiring(observation, facts),
        ]
    conditions = [*judged, *abnormal(observation, facts, judged[0], problem)]
    generation = observed_generation(observation, judged[0], problem, awaited(observation, facts))
    status: dict[str, Any] = {
        "observedGeneration": generation,
        "conditions": merge_conditions(
            observation.resource.status.get("conditions") or (),
            conditions,
            generation=generation,
            now=observation.now,
            trial=observation.settings.trial,
        ),
    }
    status.update(_projection(observation))
    status.update(_details(facts) if facts is not None else _last_details(observation))
    return status


def needs_write(current: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Tell whether anything but the inventory differs."""
    return _without_inventory(current) != _without_inventory(wanted)


def _without_inventory(status: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in status.items() if k != "inventory"}


def _projection(observation: Observation) -> dict[str, Any]:
    """Return what T says of itself, and the grant; it holds behind closed gates too."""
    found: dict[str, Any] = {}
    t = observation.own_target
    if t is not None and t.published is not None:
        found["secretRef"] = {"name": t.name}
        found["credential"] = _credential(observation, t, t.published)
    if not isinstance(observation.grant, Problem):
        found["grant"] = observation.grant.name
    return found


def _credential(observation: Observation, t: Target, published: IssuedCredential) -> dict[str, str]:
    spec = observation.resource.spec
    times = {
        "startTime": published.not_before,
        "expirationTime": published.expires,
        "verifiedTime": t.verified_time,
        "publishedTime": t.published_time,
    }
    kind = spec.type if isinstance(spec, AppCredentialSpec) else None
    thumbprints = _thumbprints(t) if kind is not None and kind.is_certificate else {}
    return {
        "keyId": published.key_id,
        **({"type": str(kind)} if kind is not None else {}),
        **thumbprints,
        **{k: format_time(v) for k, v in times.items() if v is not None},
    }


def _thumbprints(t: Target) -> dict[str, str]:
    """Return the published certificate's thumbprints; it is public, its key is not."""
    chain = t.data.get("tls.crt")
    try:
        der = pem.leaf_der(chain.reveal()) if chain is not None else b""
    except ValueError:
        der = b""
    if not der:
        return {}
    return {
        "thumbprint": pem.sha1_thumbprint(der),
        "thumbprintSHA256": pem.sha256_thumbprint(der),
        "x5t": pem.x5t(der),
        "x5tS256": pem.x5t_s256(der),
    }


def _details(facts: Facts) -> dict[str, Any]:
    found: dict[str, Any] = {
        "application": {
            "objectId": facts.application.object_id,
            "clientId": facts.application.client_id,
            "displayName": facts.application.display_name,
        },
        "inventory": _inventory(facts) | federated_count(facts),
    }
    if facts.spec.type.is_federated:
        return found | federated_details(facts)
    found["requestedLifetime"] = format_duration(facts.lifetime)
    if facts.schedule is not None:
        found["renewalTime"] = format_time(facts.schedule.renewal_time)
    if facts.successor is not None and facts.successor.credential is not None:
        minted = facts.successor.credential
        found["pending"] = {"keyId": minted.key_id, "startTime": format_time(minted.not_before)}
    if facts.retiring:
        found["retiring"] = [_retiring(facts, r) for r in facts.retiring]
    return found


_DETAILS = ("application", "requestedLifetime", "inventory", *FEDERATED_DETAILS)
_OF_TARGET = ("renewalTime", "retiring")


def _last_details(observation: Observation) -> dict[str, Any]:
    """Return what was last seen, while a gate keeps us from looking.

    What only T records is over once T is another's: nothing of it is renewed or retired.
    """
    is_another_s = observation.target is not None and observation.own_target is None
    kept = _DETAILS if is_another_s else _DETAILS + _OF_TARGET
    return {k: observation.resource.status[k] for k in kept if k in observation.resource.status}


def _retiring(facts: Facts, r: Retiring) -> dict[str, str]:
    found = {
        "keyId": r.key_id,
        "retireTime": format_time(min(retire_time(facts, r), real_end(facts, r))),
    }
    if r.removed is not None:
        found["waitingFor"] = "confirmation that it is gone"
    return found


def _inventory(facts: Facts) -> dict[str, int]:
    """Count the application's credentials, with those of ours the last read could not know."""
    owner, identity = facts.resource.owner, facts.identity
    listed = {c.key_id: parse_marker(c.display_name) for c in facts.application.credentials}
    exact = {k for k, m in listed.items() if m is not None and m.is_removable_by(identity, owner)}
    held = (facts.published, facts.pending.credential if facts.pending is not None else None)
    managed = exact | {m.key_id for m in held if m is not None}
    return {
        "managed": len(managed),
        "foreign": len(listed.keys() - managed),
        "expired": sum(c.end <= facts.entra_now for c in facts.application.credentials),
    }
