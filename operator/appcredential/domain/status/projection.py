"""The status of an AppCredential, computed from the observation. Losing it harms nothing.

No value in it changes by itself, so that an unchanged world causes no write. The inventory and
the time of the last sign-in are exceptions: only a write for another reason brings them up to date.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from appcredential.domain.conditions import Problem
from appcredential.domain.facts.deletion import deletion_grace
from appcredential.domain.facts.facts import Facts
from appcredential.domain.facts.removed_certificate import removed_certificate
from appcredential.domain.marker import parse_marker
from appcredential.domain.observed.entra import Application
from appcredential.domain.observed.observation import Observation
from appcredential.domain.observed.target import IssuedCredential, Target
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
from appcredential.domain.status.published import awaited, last_sign_in
from appcredential.domain.status.restart import restart_view
from appcredential.domain.status.retiring import retiring_entry
from appcredential.domain.status.source import chosen_certificate, is_lifetime_asked_for
from appcredential.domain.status.successor import successor_problem
from appcredential.domain.status.unpublished import unpublished
from appcredential.domain.status.verdicts import (
    abnormal,
    expiring,
    observed_generation,
    ready,
    refused_problem,
    verified,
)
from appcredential.domain.times import format_time

_SIGNED_IN: Final = "verifiedTime"


def project(observation: Observation, facts: Facts | None, gate: Problem | None) -> dict[str, Any]:
    """Return the whole status.

    Args:
        observation: what was gathered.
        facts: what follows from the observation; None behind a closed gate.
        gate: why the gate is closed.
    """
    if observation.resource.is_federated:
        view = federated_view(observation, facts, gate)
        problem, judged = view.problem, [view.ready, view.verified, view.expiring]
    else:
        problem = gate or (successor_problem(facts) if facts is not None else None)
        problem = problem or refused_problem(observation)
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
    """Return whether the two differ in anything but the inventory and the last sign-in."""
    return _written_for(current) != _written_for(wanted)


def _written_for(status: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a status is worth a write."""
    found = {k: v for k, v in status.items() if k != "inventory"}
    if "credential" in found:
        found["credential"] = {k: v for k, v in found["credential"].items() if k != _SIGNED_IN}
    return found


def _projection(observation: Observation) -> dict[str, Any]:
    """Return what holds behind closed gates too.

    That is what the target Secret records, the grant, and a grace period that was shortened.
    """
    found: dict[str, Any] = {}
    target = observation.own_target
    if target is not None and target.published is not None:
        found["secretRef"] = {"name": target.name}
        found["credential"] = _credential(observation, target, target.published)
    if not isinstance(observation.grant, Problem):
        found["grant"] = observation.grant.name
    spec = observation.resource.spec
    if isinstance(spec, AppCredentialSpec):
        grace = deletion_grace(observation)
        if grace < spec.deletion_grace_period:
            found["deletionGracePeriod"] = format_duration(grace)
    return found


def _credential(
    observation: Observation, target: Target, published: IssuedCredential
) -> dict[str, str]:
    spec = observation.resource.spec
    times = {
        "startTime": published.not_before,
        "expirationTime": published.expires,
        _SIGNED_IN: last_sign_in(observation, target, published),
        "publishedTime": target.published_time,
    }
    kind = spec.type if isinstance(spec, AppCredentialSpec) else None
    thumbprints = _thumbprints(target) if kind is not None and kind.is_certificate else {}
    return {
        "keyId": published.key_id,
        **({"type": str(kind)} if kind is not None else {}),
        **thumbprints,
        **{k: format_time(v) for k, v in times.items() if v is not None},
    }


def _thumbprints(target: Target) -> dict[str, str]:
    """Return the published certificate's thumbprints. The certificate is public, its key is not."""
    chain = target.data.get("tls.crt")
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
        "inventory": _inventory(facts.observation, facts.application) | federated_count(facts),
    }
    if facts.spec.type.is_federated:
        return found | federated_details(facts)
    if is_lifetime_asked_for(facts):
        found["requestedLifetime"] = format_duration(facts.lifetime)
    found.update(chosen_certificate(facts))
    removed = removed_certificate(facts)
    if removed is not None:
        found["removedCertificate"] = {
            "keyId": removed.key_id,
            "thumbprintSHA256": removed.thumbprint,
            "time": removed.time,
        }
    if facts.schedule is not None:
        found["renewalTime"] = format_time(facts.schedule.renewal_time)
    if (minted := unpublished(facts)) is not None:
        found["pending"] = minted
    if facts.retiring:
        found["retiring"] = [retiring_entry(facts, r) for r in facts.retiring]
    if (restart := restart_view(facts)) is not None:
        found["restart"] = restart
    return found


_DETAILS = (
    "application",
    "requestedLifetime",
    "sourceCertificate",
    "removedCertificate",
    "inventory",
    *FEDERATED_DETAILS,
)
_OF_TARGET = ("renewalTime", "retiring", "restart")


def _last_details(observation: Observation) -> dict[str, Any]:
    """Return the parts that status showed before, while a gate is closed.

    Parts that only the target Secret records go once the Secret is another's: we neither renew
    nor retire anything then.
    """
    is_another_s = observation.target is not None and observation.own_target is None
    kept = _DETAILS if is_another_s else _DETAILS + _OF_TARGET
    status = observation.resource.status
    found = {k: status[k] for k in kept if k in status}
    if is_another_s and observation.application is not None:
        # What was issued in vain is gone now, and no later write would say so.
        counted = _inventory(observation, observation.application)
        found["inventory"] = {**(status.get("inventory") or {}), **counted}
    return found


def _inventory(observation: Observation, application: Application) -> dict[str, int]:
    """Count the application's credentials, including ours that the last read may lack."""
    owner, identity = observation.resource.owner, observation.identity
    entra_now = observation.now + (observation.directory_skew or timedelta(0))
    own, pending = observation.own_target, observation.pending
    listed = {c.key_id: parse_marker(c.display_name) for c in application.credentials}
    exact = {k for k, m in listed.items() if m is not None and m.is_removable_by(identity, owner)}
    held = (own.published if own else None, pending.credential if pending else None)
    managed = exact | {m.key_id for m in held if m is not None}
    return {
        "managed": len(managed),
        "foreign": len(listed.keys() - managed),
        "expired": sum(c.end <= entra_now for c in application.credentials),
    }
