"""Which trusts a FederatedIdentity asks for, and how we mark them in Entra. Pure.

Entra compares a token with a trust letter by letter: issuer, subject and audience. Name and
description are ours: the marker in the description says whose the trust is, and `retire=` when
it goes.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final, assert_never
from urllib.parse import urlsplit

from appcredential.domain.marker import (
    UNIQUE_HASH,
    Attempt,
    ClusterIdentity,
    Marker,
    Owner,
    marker_text,
    parse_marker,
    short_hash,
)
from appcredential.domain.spec.azure_dev_ops import connection_subject, own_issuer, own_subject
from appcredential.domain.spec.federated import (
    CustomerManagedKeySource,
    DevOpsConnectionSource,
    DevOpsProjectSource,
    FederatedSpec,
    ManagedIdentitySource,
    OtherSource,
    ServiceAccountSource,
)
from appcredential.domain.spec.git_hub import github_issuer, github_subjects
from appcredential.domain.spec.git_hub_source import GitHubSource, GitHubSubjectSource
from appcredential.domain.spec.model import Cloud
from appcredential.domain.times import format_time

AUDIENCES: Final[Mapping[Cloud, str]] = MappingProxyType(
    {
        Cloud.PUBLIC: "api://AzureADTokenExchange",
        Cloud.US_GOVERNMENT: "api://AzureADTokenExchangeUSGov",
        Cloud.US_GOVERNMENT_DOD: "api://AzureADTokenExchangeUSGov",
        Cloud.CHINA: "api://AzureADTokenExchangeChina",
        Cloud.CUSTOM: "api://AzureADTokenExchange",
    }
)
"""Source: learn.microsoft.com/entra/workload-id, on managed identities as credentials."""

MAX_CREDENTIALS: Final = 20
"""Entra's limit of federated credentials for one application."""
MAX_NAME: Final = 120
MAX_PREFIX: Final = MAX_NAME - UNIQUE_HASH - 1
MAX_DESCRIPTION: Final = 600
_RETIRE: Final = "retire="
_NO_NAME: Final = re.compile(r"[^A-Za-z0-9_-]")
_PRIVATE_SUFFIXES: Final = (
    ".local",
    ".localhost",
    ".internal",
    ".svc",
    ".lan",
    ".home",
    ".corp",
    ".home.arpa",
    ".intranet",
    ".private",
    ".test",
)


@dataclass(frozen=True, slots=True)
class Trust:
    """The claims that a token must have to be accepted."""

    issuer: str
    subject: str
    audience: str

    @property
    def pair(self) -> tuple[str, str]:
        """Issuer and subject, which Entra keeps unique within an application."""
        return self.issuer, self.subject


def trusts(
    spec: FederatedSpec,
    namespace: str,
    cluster_issuer: str,
    *,
    cloud: Cloud,
    authority_host: str,
    tenant_id: str,
) -> tuple[Trust, ...]:
    """Return what Entra has to trust.

    Args:
        spec: the resource's.
        namespace: the resource's own, where its ServiceAccount is.
        cluster_issuer: issuer of this cluster's ServiceAccount tokens; used for those alone.
        cloud: the tenant's, which decides the audience when the spec leaves it out.
        authority_host: URL of the cloud's token endpoint, which issues the tokens of managed
            identities and of service connections.
        tenant_id: the tenant of the application and of the managed identity.
    """
    audience = spec.audience or AUDIENCES[cloud]
    source = spec.source
    entra = f"{authority_host.rstrip('/')}/{tenant_id}/v2.0"
    match source:
        case ServiceAccountSource():
            pairs = [(cluster_issuer, service_account_subject(namespace, source.name))]
        case GitHubSource():
            issuer = github_issuer(source.server)
            pairs = [(issuer, subject) for subject in github_subjects(source)]
        case GitHubSubjectSource():
            pairs = [(github_issuer(source.server), source.subject)]
        case DevOpsConnectionSource():
            pairs = [(entra, connection_subject(source, tenant_id))]
        case DevOpsProjectSource():
            pairs = [(own_issuer(source), own_subject(source))]
        case ManagedIdentitySource() | CustomerManagedKeySource():
            pairs = [(entra, source.principal_id)]
        case OtherSource():
            pairs = [(source.issuer, source.subject)]
        case _:
            assert_never(source)
    return tuple(Trust(issuer, subject, audience) for issuer, subject in pairs)


def service_account_subject(namespace: str, name: str) -> str:
    """Return the `sub` of a ServiceAccount's tokens."""
    return f"system:serviceaccount:{namespace}:{name}"


def service_account_of(subject: str, namespace: str) -> str:
    """Return the ServiceAccount of a namespace that a subject names; empty without one."""
    prefix = service_account_subject(namespace, "")
    return subject[len(prefix) :] if subject.startswith(prefix) else ""


# --- names and marks -----------------------------------------------------------------------


def default_prefix(owner: Owner) -> str:
    """Return the default beginning of names, made from namespace and name."""
    return _NO_NAME.sub("-", f"{owner.namespace}-{owner.name}")[:MAX_PREFIX]


def credential_name(prefix: str, trust: Trust, occupant: str = "") -> str:
    """Return the name of the trust's credential, which no other trust has.

    Args:
        prefix: its beginning.
        trust: what it is for.
        occupant: the id of what has the name that it would have without this.
    """
    parts = (trust.issuer, trust.subject, trust.audience, *([occupant] if occupant else []))
    digest = short_hash(*parts, length=UNIQUE_HASH)
    return f"{prefix[:MAX_PREFIX]}-{digest}"


def trust_attempt(identity: ClusterIdentity, pair: tuple[str, str]) -> Attempt:
    """Return the marker's last part, which stands for issuer and subject.

    It reveals an edit of either. The audience may change without changing it.
    """
    return Attempt(identity.system + short_hash(*pair, length=10))


def build_description(
    identity: ClusterIdentity, owner: Owner, pair: tuple[str, str], retire: datetime | None = None
) -> str:
    """Return a credential's description: marker, time of removal if set, and readable text.

    Permanent wire format: `appcred1.<cluster>.<owner>.<attempt> [retire=<RFC 3339> ]<text>`.
    """
    mark = marker_text(identity, owner, trust_attempt(identity, pair))
    note = f" {_RETIRE}{format_time(retire)}" if retire is not None else ""
    return f"{mark}{note} {owner}"[:MAX_DESCRIPTION]


def retire_time_of(description: str) -> datetime | None:
    """Return when a credential has to be removed; None without a readable time."""
    words = description.split(" ", 2)
    if len(words) < 2 or not words[1].startswith(_RETIRE):
        return None
    try:
        found = datetime.fromisoformat(words[1].removeprefix(_RETIRE))
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def marker_of(description: str) -> Marker | None:
    """Read the marker of a federated credential."""
    return parse_marker(description)


# --- issuers -------------------------------------------------------------------------------


def is_public_issuer(url: str) -> bool:
    """Return whether Entra can fetch this issuer's keys: by https from a public host."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".").lower()
    except ValueError:
        return False
    if parts.scheme != "https" or not host:
        return False
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return "." in host and not host.endswith(_PRIVATE_SUFFIXES)


def is_near(one: str, other: str) -> bool:
    """Return whether two issuers differ only in case, blanks or trailing slashes."""
    return _folded(one) == _folded(other)


def _folded(url: str) -> str:
    return url.strip().rstrip("/").casefold()
