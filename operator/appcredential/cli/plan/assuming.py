"""What a plan takes for given, because no Secret's data is read: values are intact. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from appcredential.domain.facts.assessment import assess
from appcredential.domain.facts.believed import believed
from appcredential.domain.facts.publication import publication
from appcredential.domain.marker import Attempt, build_display_name, short_hash
from appcredential.domain.observed.entra import Application, Credential, Tenant
from appcredential.domain.observed.federated import FederatedCredential, FederatedList
from appcredential.domain.observed.observation import Observation
from appcredential.domain.observed.target import IssuedCredential, Pending, Target
from appcredential.domain.secret.annotations import Name
from appcredential.domain.secret.content import render, written_keys
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import AppCredentialSpec, ObjectId
from appcredential.domain.spec.trusts import build_description

_OF_VALUES: Final = (Name.GENERATED, Name.KEYSTORE_DIGEST)
"""Annotations that follow from values, which are not known."""
_ATTEMPT: Final = 10


@dataclass(frozen=True, slots=True)
class Stand:
    """What stands for values that are not known.

    Attributes:
        secret: for a client secret.
        certificate: for a certificate with its key, which nobody uses.
    """

    secret: SecretValue
    certificate: SecretValue

    def value(self, spec: AppCredentialSpec) -> SecretValue:
        """Return what stands for a value of this type."""
        return self.certificate if spec.type.is_certificate else self.secret


def assumed(observation: Observation, stand: Stand) -> Observation:
    """Return the observation with what both Secrets hold, as far as their records say."""
    spec = observation.resource.spec
    if not isinstance(spec, AppCredentialSpec):
        return observation
    value, target, pending = stand.value(spec), observation.target, observation.pending
    if target is not None and target.published is not None and target.value is None:
        target = replace(target, value=value)
    if pending is not None and pending.credential is not None and pending.value is None:
        pending = replace(pending, value=value)
    application = observation.application
    if application is not None:
        # What Entra shows of a value fits no other one.
        shown = tuple(replace(c, shown="") for c in application.credentials)
        application = replace(application, credentials=shown)
    found = replace(observation, target=target, pending=pending, application=application)
    return _with_content(found) if target is not None and not target.data else found


def _with_content(observation: Observation) -> Observation:
    """Return it with the target Secret's content as the records say that it was written.

    Keys that the spec asks for and that the operator did not write are missing all the same.
    """
    tenant, target = observation.tenant, observation.own_target
    is_known = isinstance(tenant, Tenant) and observation.application is not None
    if target is None or target.value is None or not is_known:
        return observation
    facts = assess(believed(observation))
    if facts.target is None or facts.published is None or facts.target.value is None:
        return observation
    keys = written_keys(target)
    live = replace(facts.target, data=dict.fromkeys(keys, facts.target.value))
    wanted = render(
        facts.spec, facts.tenant, facts.target.value, publication(facts), live, None,
        derived=facts.certificate_inputs.derived,
    )  # fmt: skip
    data = {key: wanted.data.get(key, target.value) for key in keys}
    annotations = {k: v for k, v in target.annotations.items() if k not in _OF_VALUES}
    annotations |= {k: v for k, v in wanted.annotations.items() if k in _OF_VALUES}
    return replace(observation, target=replace(target, data=data, annotations=annotations))


def presumed_application(observation: Observation) -> Application:
    """Return the application as the cluster tells of it, where Entra is not asked.

    It lists what the Secrets record, and nothing else.
    """
    spec, told = observation.usable_spec, observation.resource.status.get("application") or {}
    target, pending = observation.own_target, observation.pending
    recorded = target or pending
    object_id = told.get("objectId") or (recorded.object_id if recorded is not None else "")
    return Application(
        object_id=ObjectId(object_id or "unknown"),
        client_id=spec.client_id,
        display_name=str(told.get("displayName") or ""),
        credentials=tuple(_recorded(observation, target, pending)),
        read_time=observation.now,
        sign_in_audience="AzureADMultipleOrgs",
    )


def _recorded(
    observation: Observation, target: Target | None, pending: Pending | None
) -> list[Credential]:
    held = [target.published if target is not None else None]
    held += [pending.credential if pending is not None else None]
    found = [listed(observation, c) for c in held if c is not None]
    for entry in target.retiring if target is not None else ():
        if entry.removed is None:
            attempt = observation.identity.system + short_hash(entry.key_id, length=_ATTEMPT)
            made = IssuedCredential(
                key_id=entry.key_id,
                attempt=Attempt(attempt),
                value_sha256="",
                not_before=entry.since - (entry.end - entry.since),
                expires=entry.end,
            )
            found.append(listed(observation, made))
    return found


def listed(observation: Observation, made: IssuedCredential) -> Credential:
    """Return a credential of the resource as Entra lists it."""
    identity, owner, spec = (
        observation.identity,
        observation.resource.owner,
        observation.usable_spec,
    )
    return Credential(
        key_id=made.key_id,
        display_name=build_display_name(identity, owner, made.attempt, spec.description),
        start=made.not_before,
        end=made.expires,
        type=spec.type,
    )


def presumed_trusts(observation: Observation) -> FederatedList:
    """Return the federated credentials as status tells of them, where Entra is not asked."""
    identity, owner = observation.identity, observation.resource.owner
    told = observation.resource.status.get("federatedIdentities") or ()
    return FederatedList(
        object_id=presumed_application(observation).object_id,
        credentials=tuple(
            FederatedCredential(
                id=str(entry.get("id") or ""),
                name=str(entry.get("name") or ""),
                issuer=str(entry.get("issuer") or ""),
                subject=str(entry.get("subject") or ""),
                audiences=(str(entry.get("audience") or ""),),
                description=build_description(
                    identity, owner, (str(entry.get("issuer")), str(entry.get("subject")))
                ),
            )
            for entry in told
        ),
        read_time=observation.now,
    )
