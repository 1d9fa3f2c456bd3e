"""What status tells a new process of an AppCredential that needs nothing now. Pure.

A process that starts, or begins to lead, has seen nothing. Status is enough to say when something
is due; it is no reason to do anything: it may be old, restored from a backup, or edited. So it is
believed only until the first look, which compares it with the Secret and with what Entra lists.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from appcredential.domain.conditions import Reason
from appcredential.domain.observed.entra import Application
from appcredential.domain.observed.federated import FederatedList
from appcredential.domain.observed.observation import Resource
from appcredential.domain.spec.model import AppCredentialSpec, Mode
from appcredential.domain.status.retiring import LEAVING
from appcredential.domain.times import parse_time

LIST_PATIENCE: Final = 60.0
"""For how many seconds a first look waits for the lists of the tenant; then it reads directly."""

_WELL: Final = frozenset(
    map(str, (Reason.PUBLISHED, Reason.TRUSTED, Reason.PODS_UNREADABLE, Reason.NOT_OWNER))
)
_AT_REST: Final = frozenset({"Ready", "Verified", "Expiring"})
_UNFINISHED: Final = ("pending", "removedCertificate", "restart")


@dataclass(frozen=True, slots=True, kw_only=True)
class LastKnown:
    """What status shows of an AppCredential that is settled.

    Attributes:
        object_id: of the application.
        key_id: of the published credential; empty for a FederatedIdentity.
        trusts: the ids of the federated credentials.
        due: the first time at which something is to be done; None if status names none.
        since: when that was read, in seconds of the monotonic clock.
    """

    object_id: str
    key_id: str
    trusts: frozenset[str]
    due: datetime | None
    since: float

    def agrees_with(self, found: Application) -> bool:
        """Return whether a list shows the application with the published credential."""
        listed = {str(c.key_id) for c in found.credentials}
        return found.object_id == self.object_id and (not self.key_id or self.key_id in listed)

    def agrees_with_trusts(self, found: FederatedList) -> bool:
        """Return whether a batch shows all federated credentials that status names."""
        return self.trusts <= {c.id for c in found.credentials}


def last_known(resource: Resource, now: datetime, since: float) -> LastKnown | None:
    """Return what is known of a resource for which nothing is to be done now.

    Args:
        resource: as just listed.
        now: our time.
        since: the same moment by the monotonic clock.

    Returns:
        None when anything is due, under way, in the way, or not plainly said.
    """
    spec, status = resource.spec, resource.status
    if not isinstance(spec, AppCredentialSpec) or not _is_at_rest(resource, spec):
        return None
    credential = _mapping(status.get("credential"))
    issued = _trusts(status) if spec.type.is_federated else _key(credential, spec)
    application = _mapping(status.get("application"))
    object_id = str(application.get("objectId") or "")
    times = list(_times(status))
    if not issued or not object_id or application.get("clientId") != spec.client_id:
        return None
    ahead = [time for time in times if time is not None and time > now]
    if len(ahead) < len(times):
        return None
    return LastKnown(
        object_id=object_id,
        key_id="" if spec.type.is_federated else next(iter(issued)),
        trusts=issued if spec.type.is_federated else frozenset(),
        due=min(ahead, default=None),
        since=since,
    )


def _is_at_rest(resource: Resource, spec: AppCredentialSpec) -> bool:
    """Return whether status says of this very generation that all is well, and nothing else."""
    status = resource.status
    if resource.deletion_time is not None or not resource.has_finalizer:
        return False
    if spec.suspend or spec.mode is not Mode.MANAGE or resource.register_again:
        return False
    if status.get("observedGeneration") != resource.generation:
        return False
    if any(status.get(name) for name in _UNFINISHED):
        return False
    conditions = {str(c.get("type")): c for c in status.get("conditions") or ()}
    ready, verified, expiring = (
        _mapping(conditions.get(name)) for name in ("Ready", "Verified", "Expiring")
    )
    is_ready = ready.get("status") == "True" and ready.get("reason") in _WELL
    is_doubtful = verified.get("status") == "False" or expiring.get("status") != "False"
    return is_ready and not is_doubtful and conditions.keys() <= _AT_REST


def _key(credential: Mapping[str, Any], spec: AppCredentialSpec) -> frozenset[str]:
    """Return the published key's id; empty if it is not what the spec asks for."""
    key, start = str(credential.get("keyId") or ""), parse_time(credential.get("startTime"))
    asked = (spec.rotation.rotate_issued_before, spec.rotation.revoke_issued_before)
    is_met = start is not None and all(time is None or start >= time for time in asked)
    is_meant = credential.get("type") == str(spec.type) and "expirationTime" in credential
    return frozenset({key} if key and is_met and is_meant else ())


def _trusts(status: Mapping[str, Any]) -> frozenset[str]:
    found = (str(entry.get("id") or "") for entry in status.get("federatedIdentities") or ())
    return frozenset(id_ for id_ in found if id_)


def _times(status: Mapping[str, Any]) -> Iterator[datetime | None]:
    """Yield when something is due; None for what is due at once, or does not say when.

    What pods hold is due at its own end: the first look at the resource looks at them, too.
    """
    credential = _mapping(status.get("credential"))
    if "expirationTime" in credential:
        yield parse_time(credential.get("expirationTime"))
    if "renewalTime" in status:
        yield parse_time(status.get("renewalTime"))
    for entry in status.get("retiring") or ():
        yield None if entry.get("waitingFor") == LEAVING else parse_time(entry.get("retireTime"))


def _mapping(found: Any) -> Mapping[str, Any]:
    return found if isinstance(found, Mapping) else {}
