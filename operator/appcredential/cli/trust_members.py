"""Which member of a spec asks for a trust that exists: the typed one where one fits. Pure.

A member counts only if the operator would ask for exactly this issuer, subject and audience by it:
each guess goes through the operator's own parser and back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from appcredential.domain.observed.federated import FederatedCredential
from appcredential.domain.spec.federated import Source
from appcredential.domain.spec.git_hub import GITHUB_ISSUER
from appcredential.domain.spec.model import Cloud
from appcredential.domain.spec.parse import parse_app_credential
from appcredential.domain.spec.trusts import AUDIENCES, Trust, trusts
from appcredential.errors import InvalidSpecError

_GUID: Final = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_ACCOUNT: Final = re.compile(r"system:serviceaccount:([-a-z0-9]+):([-.a-z0-9]+)")
_REPOSITORY: Final = re.compile(
    r"repo:(?P<organization>[^/@:]+)(?:@(?P<organizationId>\d+))?"
    r"/(?P<repository>[^/@:]+)(?:@(?P<repositoryId>\d+))?:(?P<entity>.+)"
)
_ENTITIES: Final = (
    ("Environment", "environment:"),
    ("Branch", "ref:refs/heads/"),
    ("Tag", "ref:refs/tags/"),
)
_OWNER: Final = re.compile(r"(?:repo:|repository_owner:|repository:)(?P<organization>[^/@:]+)")
_RESIDENT: Final = re.compile(r"https://token\.actions\.(?P<host>[-a-z0-9.]+\.ghe\.com)")
_SERVER: Final = re.compile(r"https://(?P<host>[-a-z0-9.]+)/_services/token")
_ENTERPRISE: Final = re.compile(re.escape(GITHUB_ISSUER) + r"/(?P<enterprise>[-_A-Za-z0-9]+)")
_DEV_OPS: Final = re.compile(rf"https://vstoken\.dev\.azure\.com/(?P<organizationId>{_GUID})")
_OF_PROJECT: Final = re.compile(r"(?P<kind>sc|p)://(?P<organization>[^/]+)/(?P<project>[^/]+)/(.+)")
_CONNECTION: Final = re.compile(
    rf"/eid1/c/pub/t/[^/]+/a/[^/]+/sc/(?P<organizationId>{_GUID})/(?P<connectionId>{_GUID})"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """Where the resources will be, which decides what a trust means.

    Attributes:
        namespace: of what is no ServiceAccount's.
        issuer: of this cluster's ServiceAccounts; empty where it is not known.
        client_id: of the application.
        authority: the cloud's token endpoint, which issues tokens of managed identities.
    """

    namespace: str
    issuer: str
    client_id: str
    cloud: Cloud
    authority: str
    tenant_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitting:
    """How a spec asks for a trust: the namespace, `spec.federatedIdentity`, and its source."""

    namespace: str
    member: Mapping[str, Any]
    source: Source


def fitting(found: FederatedCredential, home: Home) -> Fitting | str:
    """Return how to ask for a trust that exists, or why nothing asks for it.

    Args:
        found: as Entra has it.
        home: where the resource will be.
    """
    if not found.subject or len(found.audiences) != 1:
        return "it has a matching expression in place of a subject, or not exactly one audience"
    why = "no source fits"
    for namespace, member in _guesses(found, home):
        whole = dict(member)
        if found.audiences[0] != AUDIENCES[home.cloud]:
            whole["audience"] = found.audiences[0]
        made = _checked(found, whole, namespace, home)
        if isinstance(made, Fitting):
            return made
        why = made
    return why


def _checked(
    found: FederatedCredential, member: Mapping[str, Any], namespace: str, home: Home
) -> Fitting | str:
    manifest = {
        "metadata": {"name": "imported", "namespace": namespace},
        "spec": {
            "application": {"clientId": home.client_id},
            "type": "FederatedIdentity",
            "federatedIdentity": member,
        },
    }
    try:
        spec = parse_app_credential(manifest).federated
    except InvalidSpecError as exc:
        return str(exc)
    assert spec is not None  # noqa: S101 - of its type
    asked = trusts(
        spec,
        namespace,
        home.issuer,
        cloud=home.cloud,
        authority_host=home.authority,
        tenant_id=home.tenant_id,
    )
    if asked != (Trust(found.issuer, found.subject, found.audiences[0]),):
        return "no source asks for exactly this issuer and subject"
    return Fitting(namespace=namespace, member=member, source=spec.source)


def _guesses(found: FederatedCredential, home: Home) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield members that may ask for it, the most telling first."""
    account = _ACCOUNT.fullmatch(found.subject)
    if account is not None and home.issuer and found.issuer == home.issuer:
        # Whether it is annotated is as before: the person decides about that later.
        yield account[1], {"serviceAccount": {"name": account[2], "annotation": "None"}}
    server = _git_hub_server(found.issuer)
    if server is not None:
        for member in _git_hub(found.subject):
            yield home.namespace, {"gitHub": {**member, **server}}
    for member in (*_dev_ops(found), *_managed(found, home)):
        yield home.namespace, member
    yield home.namespace, {"other": {"issuer": found.issuer, "subject": found.subject}}


def _git_hub_server(issuer: str) -> dict[str, str] | None:
    if issuer == GITHUB_ISSUER:
        return {}
    for pattern in (_ENTERPRISE, _RESIDENT, _SERVER):
        if named := pattern.fullmatch(issuer):
            return named.groupdict()
    return None


def _git_hub(subject: str) -> Iterator[dict[str, str]]:
    of_repository = _REPOSITORY.fullmatch(subject)
    if of_repository is not None:
        given = {name: value for name, value in of_repository.groupdict().items() if value}
        entity = given.pop("entity")
        form = "Immutable" if "repositoryId" in given else "Name"
        for kind, prefix in _ENTITIES:
            if entity.startswith(prefix):
                name = entity.removeprefix(prefix)
                name = name.replace("%3A", ":") if kind == "Environment" else name
                yield {**given, "entityType": kind, "entityName": name, "subjectFormat": form}
        if entity == "pull_request":
            yield {**given, "entityType": "PullRequest", "subjectFormat": form}
    owner = _OWNER.match(subject)
    if owner is not None:
        yield {"organization": owner["organization"], "subject": subject}


def _dev_ops(found: FederatedCredential) -> Iterator[dict[str, Any]]:
    own, subject = _DEV_OPS.fullmatch(found.issuer), _OF_PROJECT.fullmatch(found.subject)
    if own is not None and subject is not None:
        kind = "connection" if subject["kind"] == "sc" else "pipeline"
        member = {"organization": subject["organization"], "project": subject["project"]}
        yield {
            "azureDevOps": {"issuer": "AzureDevOps", **own.groupdict(), **member, kind: subject[4]}
        }
    connection = _CONNECTION.fullmatch(found.subject)
    if connection is not None:
        yield {"azureDevOps": connection.groupdict()}


def _managed(found: FederatedCredential, home: Home) -> Iterator[dict[str, Any]]:
    is_of_entra = found.issuer == f"{home.authority}/{home.tenant_id}/v2.0"
    if is_of_entra and re.fullmatch(_GUID, found.subject):
        yield {"managedIdentity": {"principalId": found.subject}}
