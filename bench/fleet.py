"""A fleet of AppCredentials: what Entra and the cluster hold of it, and its manifests. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from demo.seed import OPERATOR_ID, seed

API_VERSION: Final = "appcredential.io/v1alpha1"
_PER_GRANT: Final = 200
_NAMESPACES: Final = 10
_LATENCY: Final = 0.05
"""Seconds that each call of Graph and the token endpoint takes, as they do from near Azure."""


class Kind(StrEnum):
    """What the resources of a fleet are; `MIXED` has all in turn, four for an application."""

    SECRET = "secret"
    CERTIFICATE = "certificate"
    FEDERATED = "federated"
    MIXED = "mixed"


@dataclass(frozen=True, slots=True)
class Member:
    """One AppCredential, by its number in the fleet."""

    namespace: str
    name: str
    client_id: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Fleet:
    """So many AppCredentials of a kind, in ten namespaces."""

    kind: Kind
    size: int

    @property
    def per_application(self) -> int:
        """How many of them name one application."""
        return 4 if self.kind is Kind.MIXED else 1

    @property
    def namespaces(self) -> list[str]:
        """Return the namespaces."""
        return [f"team-{number}" for number in range(_NAMESPACES)]

    @property
    def applications(self) -> list[str]:
        """Return the client ids."""
        return [_client_id(n) for n in range(-(-self.size // self.per_application))]

    def members(self) -> list[Member]:
        """Return its AppCredentials."""
        return [self.member(number) for number in range(self.size)]

    def member(self, number: int) -> Member:
        """Return one of them; resources about one application are in one namespace."""
        application = number // self.per_application
        kinds = (Kind.SECRET, Kind.CERTIFICATE, Kind.FEDERATED, Kind.SECRET)
        return Member(
            namespace=f"team-{application % _NAMESPACES}",
            name=f"app-{number}",
            client_id=_client_id(application),
            kind=kinds[number % 4] if self.kind is Kind.MIXED else self.kind,
        )

    def seed(self) -> dict[str, Any]:
        """Return the emulator's state."""
        document = seed(lag=False)
        document["tenants"][0]["applications"] += [
            {"displayName": f"app {n}", "appId": client_id, "owners": [OPERATOR_ID]}
            for n, client_id in enumerate(self.applications)
        ]
        document["faults"] = {"rules": [{"fault": "latency", "seconds": [_LATENCY, _LATENCY]}]}
        return document

    def grants(self) -> Iterator[dict[str, Any]]:
        """Yield the ApplicationGrants, of 200 applications each."""
        applications = self.applications
        for first in range(0, len(applications), _PER_GRANT):
            spec = {
                "applications": {"clientIds": applications[first : first + _PER_GRANT]},
                "namespaces": {"names": self.namespaces},
                "federation": {
                    "sources": [],
                    "gitHub": [{"organization": "contoso", "repositories": ["shop"]}],
                },
            }
            yield manifest("ApplicationGrant", {"name": f"fleet-{first}"}, spec)


def resource(member: Member) -> dict[str, Any]:
    """Return the manifest of one AppCredential, with the defaults of everything."""
    metadata = {"name": member.name, "namespace": member.namespace}
    spec = {"application": {"clientId": member.client_id}, **_of_kind(member)}
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


def _client_id(number: int) -> str:
    return f"55555555-5555-4555-8555-{number:012d}"
