"""Resources of which a new process knows what status says, until it has looked at them once.

They hold what the list of AppCredentials showed, and what lists of Entra show of their
application. The first look is a whole pass: it reads the Secret and compares all of it. Whatever
it finds but a resource with which all is well is read directly before anything follows from it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from appcredential.domain.observed.entra import NEVER_READ, Application
from appcredential.domain.observed.federated import FederatedList
from appcredential.domain.observed.observation import Resource
from appcredential.domain.resumption import LIST_PATIENCE, LastKnown
from appcredential.domain.spec.certificate import CertificateSource
from appcredential.domain.spec.model import AppCredentialSpec
from appcredential.gather.state import ResourceState
from appcredential.ports.local import Clock


def resume(state: ResourceState, resource: Resource, known: LastKnown, clock: Clock) -> None:
    """Take what was just listed for the state of a resource, until its first look.

    Status names no successor, so no pending Secret is looked for yet. An effect reads all anew.
    """
    held, now = state.resource.value, clock.monotonic()
    if held is not None and held.uid != resource.uid:
        state.start_anew()
    elif held is not None and held.generation != resource.generation:
        state.spec_changed()
    state.drop()
    if state.clock.was_set(clock):
        state.forget_times()  # of an earlier term
    state.resource.set(resource, now)
    state.pending.set(None, now - LIST_PATIENCE)  # taken for absent, and for too old to act on
    state.resumed, state.is_well = known, True


def is_awaited(state: ResourceState, now: float) -> bool:
    """Return whether a first look is to come now: lists were seen, or do not come."""
    known = state.resumed
    if known is None or now - known.since >= LIST_PATIENCE:
        return known is not None
    return state.application is not None and (not known.trusts or state.federated is not None)


def cost_of_first_look(state: ResourceState) -> int:
    """Return how many objects of the cluster a first look reads."""
    spec = state.resource.value.spec if state.resource.value is not None else None
    if not isinstance(spec, AppCredentialSpec):
        return 1
    if spec.federated is not None:
        return max(1, bool(spec.federated.annotated_account) + bool(spec.federated.config_map))
    is_read = spec.certificate.source in {CertificateSource.SECRET, CertificateSource.CONFIG_MAP}
    return 1 + (spec.type.is_certificate and is_read)


def see_application(state: ResourceState, found: Application | None, left: datetime) -> bool:
    """Take what a list shows of the application; return False if status says something else."""
    known = state.resumed
    if known is None or found is None or not known.agrees_with(found):
        return False
    state.application = replace(found, read_time=NEVER_READ, confirmed=left)
    return True


def see_trusts(state: ResourceState, found: FederatedList | None, left: datetime) -> bool:
    """Take what a batch shows of federated credentials; return False if status says otherwise."""
    known = state.resumed
    if known is None or found is None or not known.agrees_with_trusts(found):
        return False
    state.federated = replace(found, read_time=NEVER_READ, confirmed=left)
    return True


def read_directly(state: ResourceState) -> None:
    """Believe neither status nor lists any more: the next pass reads everything itself."""
    state.resumed = None
    state.drop()
    state.pending.drop()
    if state.application is not None and state.application.is_listed_only:
        state.application = None
    if state.federated is not None and state.federated.is_listed_only:
        state.federated = None
