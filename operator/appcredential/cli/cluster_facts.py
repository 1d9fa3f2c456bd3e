"""What a cluster tells about credentials in Entra, as far as the person may read it.

Nothing here is needed: without a cluster, or without a right, less is known, and that is said.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, TypeVar
from urllib.parse import quote

from appcredential.cli.api import Api
from appcredential.cli.app_credential import AppCredential, Document
from appcredential.cli.connection import Connection
from appcredential.cli.doctor.gathering import Reader as InstallationReader
from appcredential.cli.doctor.operators import operators_of
from appcredential.cli.errors import CliError, ForbiddenError, NotThereError
from appcredential.cli.stock import KnownCluster
from appcredential.domain.claim import Recorded
from appcredential.domain.empty import no_entries
from appcredential.domain.marker import ClusterIdentity, Owner
from appcredential.domain.spec.durations import parse_duration
from appcredential.domain.spec.model import ClientId

T = TypeVar("T")
_GROUP: Final = "/apis/appcredential.io/v1alpha1"
_LEASE: Final = "/apis/coordination.k8s.io/v1/namespaces/{}/leases/appcredential-claim"
_SYSTEM: Final = "/api/v1/namespaces/kube-system"
_DISCOVERY: Final = "/.well-known/openid-configuration"

_NOTHING: Final = KnownCluster()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterFacts:
    """What is known of the cluster.

    Attributes:
        identity: as its operator marks credentials; None where that cannot be read.
        known: whose credentials are.
        tenant_limit: of the EntraTenant; None without one.
        grants: the longest lifetime that grants allow for each application with a limit.
        grant_names: of all ApplicationGrants.
        issuer: of the ServiceAccounts' tokens; empty where it cannot be read.
        notes: what could not be read, for the person.
    """

    identity: ClusterIdentity | None = None
    known: KnownCluster = _NOTHING
    tenant_limit: timedelta | None = None
    grants: Mapping[ClientId, timedelta] = field(default_factory=no_entries)
    grant_names: Collection[str] = ()
    issuer: str = ""
    notes: Sequence[str] = ()


NO_CLUSTER: Final = ClusterFacts(
    notes=("No cluster was asked: which credentials are this cluster's is not known.",)
)


def read_cluster(connection: Connection, tenant_ref: str) -> ClusterFacts:
    """Read what the person may read.

    Args:
        connection: to the API server.
        tenant_ref: name of the EntraTenant; empty for none.
    """
    notes: list[str] = []
    api = Api(connection)
    identity = _tried(lambda: _identity(api), notes, "the cluster's id and its claim", None)
    found = _resources(api, notes)
    none: list[Document] = []
    grants = f"{_GROUP}/applicationgrants"
    listed = _tried(lambda: api.read(grants, all_pages=True), notes, "ApplicationGrants", none)
    known = KnownCluster(
        cluster=identity.cluster if identity is not None else "",
        owners={Owner(one.namespace, one.name).hash: one.full_name for one in found},
        keys={key: one.full_name for one in found for key in _key_ids(one)},
    )
    limit = None
    if tenant_ref:
        path = f"{_GROUP}/entratenants/{tenant_ref}"
        limit = _tried(
            lambda: _lifetime(Document(connection.request("GET", path)), "limits"),
            notes,
            f"EntraTenant {tenant_ref}",
            None,
        )
    return ClusterFacts(
        identity=identity,
        known=known,
        tenant_limit=limit,
        grants=_grants(listed, tenant_ref),
        grant_names=frozenset(grant.name for grant in listed),
        issuer=_tried(lambda: _issuer(connection), notes, "the issuer of ServiceAccounts", ""),
        notes=notes,
    )


def _tried(read: Callable[[], T], notes: list[str], what: str, without: T) -> T:
    try:
        return read()
    except ForbiddenError:
        notes.append(f"You may not read {what}.")
    except NotThereError:
        pass
    except CliError as exc:
        notes.append(f"Not read: {what}. {exc}")
    return without


def _resources(api: Api, notes: list[str]) -> list[AppCredential]:
    try:
        return api.find("")
    except ForbiddenError:
        what = f"AppCredentials of other namespaces than {api.namespace}"
        notes.append(f"You may not read {what}.")
        return _tried(lambda: api.find(api.namespace), notes, "AppCredentials", [])
    except CliError as exc:
        notes.append(f"Not read: AppCredentials. {exc}")
        return []


def _identity(api: Api) -> ClusterIdentity | None:
    """Return how the operator marks credentials: by its claim, or by the uid of kube-system.

    Without a right to read the claim nobody knows: the operator may go by another id.
    """
    (system,) = api.read(_SYSTEM)
    uid = system.text("metadata", "uid")
    found = operators_of(InstallationReader(api, "").deployments())
    home = found[0].claim_namespace if found else "default"
    try:
        (lease,) = api.read(_LEASE.format(quote(home, safe="")))
        claim = Recorded.parse(lease.text("spec", "holderIdentity")).claim
        claimed = claim.partition("@")[2]
    except NotThereError:
        claimed = ""
    return ClusterIdentity.of(uid, claimed) if uid else None


def _key_ids(resource: AppCredential) -> Iterator[str]:
    parts = [
        Document(part)
        for part in (resource.at("status", "credential"), resource.at("status", "pending"))
        if isinstance(part, Mapping)
    ]
    for part in (*parts, *resource.entries("status", "retiring")):
        if key_id := part.text("keyId"):
            yield key_id


def _grants(listed: Sequence[Document], tenant_ref: str) -> dict[ClientId, timedelta]:
    """Return the longest lifetime for each application; one grant without a limit lifts it."""
    found: dict[ClientId, timedelta | None] = {}
    for grant in listed:
        if tenant_ref and (grant.text("spec", "tenantRef", "name") or "default") != tenant_ref:
            continue
        most = _lifetime(grant)
        for client_id in _strings(grant.at("spec", "applications", "clientIds")):
            before = found.get(ClientId(client_id), timedelta(0))
            found[ClientId(client_id)] = (
                None if before is None or most is None else max(before, most)
            )
    return {client_id: most for client_id, most in found.items() if most is not None}


def _lifetime(document: Document, *within: str) -> timedelta | None:
    text = document.at("spec", *within, "maxLifetime")
    try:
        return parse_duration(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _issuer(connection: Connection) -> str:
    return str(connection.request("GET", _DISCOVERY).get("issuer") or "")


def _strings(value: Any) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
