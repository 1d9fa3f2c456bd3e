"""What an action does, in one sentence for a person. Pure."""

from __future__ import annotations

from typing import assert_never

from appcredential.cli.plan.steps import Step, Where
from appcredential.domain import actions as act
from appcredential.domain.facts.deletion import scheduled_revocation
from appcredential.domain.facts.issued import name_of_own
from appcredential.domain.observed.entra import Application, Grant
from appcredential.domain.observed.observation import Observation
from appcredential.domain.restart_actions import ReadWorkloads, RestartWorkload
from appcredential.domain.rules.target import REPAIRED
from appcredential.domain.secret.records import pending_name
from appcredential.domain.spec.certificate import CertificateSource
from appcredential.domain.spec.durations import format_duration
from appcredential.domain.spec.model import DeletionPolicy
from appcredential.domain.times import format_time


def describe(action: act.Action, observation: Observation) -> tuple[Step, ...]:
    """Return what an action changes: nothing for reads, status, and sign-ins.

    Args:
        action: that was decided.
        observation: on which the decision rests.
    """
    match action:
        case (
            act.Hold()
            | act.Sleep()
            | act.ApplyStatus()
            | act.ReadCrd()
            | act.ReadApplication()
            | act.ReadPods()
            | act.ReadFederated()
            | ReadWorkloads()
        ):
            return ()
        case (
            act.AddFinalizer()
            | act.ReleaseFinalizer()
            | act.RecordIssued()
            | act.TakeOverRecord()
            | act.CancelRevocation()
            | act.ScheduleRevocation()
        ):
            return _of_resource(action, observation)
        case act.Mint() | act.Register() | act.Fence() | act.DeletePending() | act.SignInPending():
            return _of_successor(action, observation)
        case act.Publish() | act.WriteTarget() | act.Remove() | act.SignInPublished():
            return _of_published(action, observation)
        case (
            act.CreateFederated()
            | act.PatchFederated()
            | act.DeleteFederated()
            | act.ProveFederated()
            | act.AnnotateServiceAccount()
            | act.WriteOutput()
        ):
            return _of_trust(action, observation)
        case RestartWorkload(workload):
            return (
                _kube(f"restart {workload} in its own rolling way, so that it reads the Secret"),
            )
        case _:
            assert_never(action)


def _of_resource(
    action: act.AddFinalizer
    | act.ReleaseFinalizer
    | act.RecordIssued
    | act.TakeOverRecord
    | act.CancelRevocation
    | act.ScheduleRevocation,
    observation: Observation,
) -> tuple[Step, ...]:
    about = f"AppCredential {observation.resource.owner}"
    match action:
        case act.AddFinalizer():
            return (_kube(f"add the operator's finalizer to {about}"),)
        case act.ReleaseFinalizer():
            return (_kube(f"take the operator's finalizer from {about}, which then is gone"),)
        case act.RecordIssued() | act.TakeOverRecord():
            name = name_of_own(observation)
            return (_kube(f"write the record of what is issued, ConfigMap {name}"),)
        case act.CancelRevocation():
            names = ", ".join(observation.revocation_names)
            return (_kube(f"cancel the revocation that is scheduled, ConfigMap {names}"),)
        case act.ScheduleRevocation():
            return (_kube(_scheduled(observation)),)
        case _:
            assert_never(action)


def _scheduled(observation: Observation) -> str:
    found = scheduled_revocation(observation)
    what = (
        f"schedule for {format_time(found.due)} the removal of every credential that it has in "
        f"Entra, and of its Secret {found.secret_name}"
    )
    if found.type.is_federated:
        what = f"schedule for {format_time(found.due)} the removal of its trusts in Entra"
    if found.policy is DeletionPolicy.RETAIN:
        what = "schedule the removal of what was not published; all else stays, by deletionPolicy"
    return f"{what} (a ConfigMap in the operator's namespace)"


def _of_successor(
    action: act.Mint | act.Register | act.Fence | act.DeletePending | act.SignInPending,
    observation: Observation,
) -> tuple[Step, ...]:
    name = pending_name(observation.resource.owner.hash)
    match action:
        case act.Mint():
            return _minted(action, observation)
        case act.Register():
            return (_entra(f"register the certificate of Secret {name} {_on(observation)}"),)
        case act.Fence(reason):
            return (_kube(f"give up the successor in Secret {name}: {reason}"),)
        case act.DeletePending(reason):
            return (_kube(f"delete the pending Secret {name}: {reason}"),)
        case act.SignInPending():
            return (_entra("sign in with the new value until it is proven; that changes nothing"),)
        case _:
            assert_never(action)


def _minted(action: act.Mint, observation: Observation) -> tuple[Step, ...]:
    spec = observation.usable_spec
    pending = pending_name(observation.resource.owner.hash)
    lifetime = f"valid for {format_duration(action.lifetime)}"
    if spec.type.is_certificate:
        what = "a new key with its certificate"
        if spec.certificate.source is not CertificateSource.GENERATE:
            what, lifetime = "the certificate of its source", "valid until its own end"
        return (_kube(f"write {what}, {lifetime}, into the pending Secret {pending}"),)
    name = f", with the description «{spec.description}»" if spec.description else ""
    return (
        _kube(f"write the intent into the pending Secret {pending}"),
        _entra(f"add a client secret {_on(observation)}, {lifetime}{name}"),
        _kube(f"keep its value in the pending Secret {pending}"),
    )


def _of_published(
    action: act.Publish | act.WriteTarget | act.Remove | act.SignInPublished,
    observation: Observation,
) -> tuple[Step, ...]:
    secret = f"Secret {observation.resource.owner.namespace}/{observation.usable_spec.secret.name}"
    match action:
        case act.Publish():
            held = observation.own_target
            former = held.published if held is not None else None
            kept = f"; {former.key_id} retires from then on" if former is not None else ""
            verb = "create" if observation.target is None else "write the new value into"
            return (_kube(f"{verb} {secret}{kept}"),)
        case act.WriteTarget(reason):
            why = "what it holds besides the value is not as the spec asks"
            why = why if reason == REPAIRED else reason
            return (_kube(f"write {secret} again with the same credential: {why}"),)
        case act.Remove(key_id, _, _, is_revocation):
            why = ", by revokeIssuedBefore" if is_revocation else ""
            return (_entra(f"remove credential {key_id} {_from(observation)}{why}"),)
        case act.SignInPublished():
            return (_entra(f"sign in with the published value, {_why_published(observation)}"),)
        case _:
            assert_never(action)


def _why_published(observation: Observation) -> str:
    held, application = observation.own_target, observation.application
    shown = application.credentials if application is not None else ()
    key_id = held.published.key_id if held is not None and held.published is not None else ""
    is_listed = any(c.key_id == key_id for c in shown)
    return "before anything is removed" if is_listed else "which Entra does not list: is it gone?"


def _of_trust(
    action: act.CreateFederated
    | act.PatchFederated
    | act.DeleteFederated
    | act.ProveFederated
    | act.AnnotateServiceAccount
    | act.WriteOutput,
    observation: Observation,
) -> tuple[Step, ...]:
    namespace = observation.resource.owner.namespace
    federated = observation.usable_spec.federated
    match action:
        case act.CreateFederated(name, trust):
            what = f"trust {trust.subject} of {trust.issuer} (audience {trust.audience})"
            return (_entra(f"{what}: federated credential {name} {_on(observation)}"),)
        case act.PatchFederated(id_, trust, _, reason):
            what = f"change federated credential {id_} {_on(observation)}: {reason}"
            return (_entra(f"{what}, for {trust.subject} of {trust.issuer}"),)
        case act.DeleteFederated(id_):
            return (_entra(f"remove federated credential {id_} {_from(observation)}"),)
        case act.ProveFederated(_, account):
            return (_entra(f"exchange a token of ServiceAccount {namespace}/{account} once"),)
        case act.AnnotateServiceAccount(annotations):
            account = federated.annotated_account if federated is not None else ""
            names = ", ".join(sorted(annotations))
            return (_kube(f"annotate ServiceAccount {namespace}/{account}: {names}"),)
        case act.WriteOutput():
            name = federated.config_map if federated is not None else ""
            return (_kube(f"write ConfigMap {namespace}/{name}"),)
        case _:
            assert_never(action)


def _on(observation: Observation) -> str:
    return f"to application {_application(observation)}{_granted(observation)}"


def _from(observation: Observation) -> str:
    return f"from application {_application(observation)}"


def _application(observation: Observation) -> str:
    found, client_id = observation.application, observation.usable_spec.client_id
    named = isinstance(found, Application) and found.display_name
    return f"{named} ({client_id})" if named else client_id


def _granted(observation: Observation) -> str:
    grant = observation.grant
    return f", allowed by ApplicationGrant {grant.name}" if isinstance(grant, Grant) else ""


def _kube(what: str) -> Step:
    return Step(Where.KUBERNETES, what)


def _entra(what: str) -> Step:
    return Step(Where.ENTRA, what)
