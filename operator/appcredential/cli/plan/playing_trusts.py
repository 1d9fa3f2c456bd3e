"""Plays through what is done for a FederatedIdentity, as if all had gone well. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from appcredential.domain import actions as act
from appcredential.domain.observed.federated import (
    FederatedCredential,
    FederatedList,
    Federation,
    OutputMap,
    ServiceAccount,
)
from appcredential.domain.observed.observation import Observation
from appcredential.domain.promised import required
from appcredential.domain.proof import Proof
from appcredential.domain.spec.trusts import Trust, marker_of, trust_attempt

TrustAction = (
    act.CreateFederated
    | act.PatchFederated
    | act.DeleteFederated
    | act.ProveFederated
    | act.AnnotateServiceAccount
    | act.WriteOutput
)


def play(action: TrustAction, observation: Observation) -> Observation:
    """Return the observation after an action that went well."""
    federation = required(observation.federation)
    match action:
        case act.CreateFederated(name, trust, description):
            made = _credential(f"(new {name})", name, trust, description)
            return _with(observation, federation, "", made)
        case act.PatchFederated(id_, trust, description):
            held = next(c for c in _listed(federation).credentials if c.id == id_)
            made = _credential(id_, held.name, trust, description)
            return _with(observation, federation, id_, made)
        case act.DeleteFederated(id_):
            found = _with(observation, federation, id_, None)
            memory = observation.memory.removed_federated(id_, observation.now)
            return replace(found, memory=memory)
        case act.ProveFederated(trust):
            attempt = trust_attempt(observation.identity, trust.pair)
            now = observation.now
            proof = Proof(attempt=attempt, successes=1, last_try=now, last_success=now)
            return replace(observation, memory=replace(observation.memory, pending_proof=proof))
        case act.AnnotateServiceAccount(annotations):
            account = federation.service_account
            assert isinstance(account, ServiceAccount)  # noqa: S101 - else it is not annotated
            changed = replace(account, annotations={**account.annotations, **annotations})
            return replace(observation, federation=replace(federation, service_account=changed))
        case act.WriteOutput(data):
            output = _output(observation, federation, data)
            return replace(observation, federation=replace(federation, output=output))
        case _:
            assert_never(action)


def _credential(id_: str, name: str, trust: Trust, description: str) -> FederatedCredential:
    return FederatedCredential(
        id=id_,
        name=name,
        issuer=trust.issuer,
        subject=trust.subject,
        audiences=(trust.audience,),
        description=description,
    )


def _with(
    observation: Observation,
    federation: Federation,
    replaced: str,
    made: FederatedCredential | None,
) -> Observation:
    """Return it with one credential more, another one, or one less."""
    listed = _listed(federation)
    kept = tuple(c for c in listed.credentials if c.id != replaced)
    shown = kept if made is None else (*kept, made)
    found = replace(federation, listed=replace(listed, credentials=shown))
    if made is None:
        return replace(observation, federation=found)
    marker = required(marker_of(made.description))
    memory = observation.memory.wrote_federated(marker.attempt, observation.now, is_changed=True)
    return replace(observation, federation=found, memory=memory)


def _listed(federation: Federation) -> FederatedList:
    return required(federation.listed)


def _output(observation: Observation, federation: Federation, data: object) -> OutputMap:
    spec, owner = required(observation.usable_spec.federated), observation.resource.owner
    held = federation.output
    base = (
        held
        if isinstance(held, OutputMap)
        else OutputMap(
            namespace=owner.namespace,
            name=spec.config_map,
            uid="(new)",
            resource_version="(new)",
            owner=str(owner),
            immutable=False,
            data={},
        )
    )
    added = data if isinstance(data, dict) else {}
    return replace(base, owner=str(owner), data={**base.data, **added})
