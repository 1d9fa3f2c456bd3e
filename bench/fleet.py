"""A fleet of AppCredentials: what Entra and the cluster hold of it, and its manifests. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from demo.seed import OPERATOR_ID, OPERATOR_SECRET, TENANT_ID, seed

API_VERSION: Final = "appcredential.io/v1alpha1"
_PER_GRANT: Final = 200
_NAMESPACES: Final = 10
_NEIGHBOURS: Final = 200
_FLOODED: Final = "team-0"
_UNGRANTED: Final = 900_000
_LATENCY: Final = 0.05
"""Seconds that each call of Graph and the token endpoint takes, as they do from near Azure."""


class Kind(StrEnum):
    """What the resources of a fleet are.

    `MIXED` has all in turn, four for an application, in three tenants. `FLOOD` is client secrets
    in one namespace, five for an application, of which another namespace must not notice.
    """

    SECRET = "secret"
    CERTIFICATE = "certificate"
    FEDERATED = "federated"
    MIXED = "mixed"
    FLOOD = "flood"


@dataclass(frozen=True, slots=True)
class Member:
    """One AppCredential, by its number in the fleet."""

    namespace: str
    name: str
    client_id: str
    kind: Kind
    tenant: str = "default"


@dataclass(frozen=True, slots=True)
class Fleet:
    """So many AppCredentials of a kind, in ten namespaces; a flood is in one of them."""

    kind: Kind
    size: int

    @property
    def per_application(self) -> int:
        """How many of them name one application."""
        return {Kind.MIXED: 4, Kind.FLOOD: 5}.get(self.kind, 1)

    @property
    def tenants(self) -> dict[str, tuple[str, str]]:
        """Return tenants by the name of the EntraTenant: the id, and the operator's client id."""
        if self.kind is not Kind.MIXED:
            return {"default": (TENANT_ID, OPERATOR_ID)}
        others = {
            f"tenant-{n}": (
                f"66666666-6666-4666-8666-{n:012d}",
                f"77777777-7777-4777-8777-{n:012d}",
            )
            for n in (1, 2)
        }
        return {"default": (TENANT_ID, OPERATOR_ID), **others}

    @property
    def namespaces(self) -> list[str]:
        """Return the namespaces."""
        return [f"team-{number}" for number in range(_NAMESPACES)]

    @property
    def applications(self) -> list[str]:
        """Return the client ids, a flood's neighbours last."""
        number = -(-self.size // self.per_application)
        return [_client_id(n) for n in range(number + len(self.neighbours()))]

    def members(self) -> list[Member]:
        """Return its AppCredentials."""
        return [self.member(number) for number in range(self.size)]

    def member(self, number: int) -> Member:
        """Return one of them; resources about one application are in one namespace."""
        application = number // self.per_application
        kinds = (Kind.SECRET, Kind.CERTIFICATE, Kind.FEDERATED, Kind.SECRET)
        kind = kinds[number % 4] if self.kind is Kind.MIXED else self.kind
        tenants = list(self.tenants)
        return Member(
            namespace=_FLOODED if kind is Kind.FLOOD else f"team-{application % _NAMESPACES}",
            name=f"app-{number}",
            client_id=_client_id(application),
            kind=Kind.SECRET if kind is Kind.FLOOD else kind,
            tenant=tenants[application % len(tenants)],
        )

    def neighbours(self) -> list[Member]:
        """Return AppCredentials beside a flood, in other namespaces and of other applications."""
        if self.kind is not Kind.FLOOD:
            return []
        first = -(-self.size // self.per_application)
        return [
            Member(
                f"team-{1 + n % (_NAMESPACES - 1)}",
                f"neighbour-{n}",
                _client_id(first + n),
                Kind.SECRET,
            )
            for n in range(_NEIGHBOURS)
        ]

    def ungranted(self) -> list[Member]:
        """Return as many AppCredentials as the flood has, which no grant allows."""
        return [
            Member(_FLOODED, f"refused-{n}", _client_id(_UNGRANTED + n // 5), Kind.SECRET)
            for n in range(self.size)
        ]

    def seed(self) -> dict[str, Any]:
        """Return the emulator's state."""
        document = seed(lag=False)
        tenants = document["tenants"]
        tenants += [_tenant(*ids) for ids in self.tenants.values() if ids[0] != TENANT_ID]
        operators = [operator for _, operator in self.tenants.values()]
        for n, client_id in enumerate(self.applications):
            place = n % len(tenants)
            application: dict[str, Any] = {"displayName": f"app {n}", "appId": client_id}
            application |= {"owners": [operators[place]]}
            tenants[place]["applications"].append(application)
        document["faults"] = {
            "rules": [{"fault": "latency", "seconds": [_LATENCY, _LATENCY]}],
            "quotas": {"enabled": True, "tenantSize": "S"},
        }
        return document

    def grants(self) -> Iterator[dict[str, Any]]:
        """Yield the ApplicationGrants, of 200 applications each."""
        applications, tenants = self.applications, list(self.tenants)
        shares = [(t, applications[n :: len(tenants)]) for n, t in enumerate(tenants)]
        for tenant, share in shares:
            yield from self._grants_in(tenant, share)

    def _grants_in(self, tenant: str, applications: list[str]) -> Iterator[dict[str, Any]]:
        for first in range(0, len(applications), _PER_GRANT):
            spec = {
                "tenantRef": {"name": tenant},
                "applications": {"clientIds": applications[first : first + _PER_GRANT]},
                "namespaces": {"names": self.namespaces},
                "federation": {
                    "sources": [],
                    "gitHub": [{"organization": "contoso", "repositories": ["shop"]}],
                },
            }
            yield manifest("ApplicationGrant", {"name": f"fleet-{tenant}-{first}"}, spec)


def resource(member: Member) -> dict[str, Any]:
    """Return the manifest of one AppCredential, with the defaults of everything."""
    metadata = {"name": member.name, "namespace": member.namespace}
    reference = {"tenantRef": {"name": member.tenant}}
    spec = {"application": {"clientId": member.client_id}, **reference, **_of_kind(member)}
    return manifest("AppCredential", metadata, spec)


def manifest(kind: str, metadata: Mapping[str, Any], spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object of ours."""
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": metadata, "spec": spec}


def _of_kind(member: Member) -> dict[str, Any]:
    if member.kind is Kind.CERTIFICATE:
        return {"type": "Certificate", "certificate": {}}
    if member.kind is Kind.SECRET:
        return {"type": "ClientSecret", "clientSecret": {}}
    trust = {
        "organization": "contoso",
        "organizationId": "4242",
        "repository": "shop",
        "repositoryId": "424242",
        "entityType": "Environment",
        "entityName": member.name,
    }
    return {"type": "FederatedIdentity", "federatedIdentity": {"gitHub": trust}}


def _tenant(tenant_id: str, operator_id: str) -> dict[str, Any]:
    operator = {
        "displayName": "appcredential operator",
        "appId": operator_id,
        "passwords": [{"displayName": "operator", "value": OPERATOR_SECRET, "endInDays": 30}],
        "servicePrincipal": {"permissions": ["Application.ReadWrite.OwnedBy"]},
    }
    return {"id": tenant_id, "displayName": tenant_id, "applications": [operator]}


def _client_id(number: int) -> str:
    return f"55555555-5555-4555-8555-{number:012d}"
