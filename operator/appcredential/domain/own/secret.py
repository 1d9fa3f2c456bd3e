"""The Secret with the operator's own credential: its records, its content, who may write it.

The certificate in use stands where `spec.identity.certificate.secretRef` says. Its successor
stands beside it, under a key of its own, from before Entra hears of it until it takes its place:
so no crash loses a private key that Entra trusts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Protocol

import msgspec

from appcredential.domain.empty import no_entries
from appcredential.domain.secret.pem import split_bundle
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import CertificateIdentity
from appcredential.domain.spec.reserved import INSTANCE_KEY, is_reserved_key
from appcredential.domain.times import format_time, parse_time

LABEL: Final = "appcredential.io/identity"
"""`true` on a Secret lets the operator write it; only a person sets this label."""
ANNOTATION: Final = "appcredential.io/identity-rotation"
NEXT_KEY: Final = "appcredential-next.pem"
"""Where the successor stands: private key and certificate, PEM."""
PRIVATE_KEY: Final = "tls.key"
TYPES: Final = ("Opaque", "kubernetes.io/tls")
MOST_ADDED: Final = 8
"""Certificates of its own that the operator keeps track of: the one in use, its successor, and
some that could not be removed yet."""

_OURS: Final = "appcredential.io/"
_OTHERS: Final = (
    "cert-manager.io",
    "external-secrets.io",
    "bitnami.com",  # Sealed Secrets
    "hashicorp.com",  # Vault Secrets Operator
    "crossplane.io",
)
"""Domains of further tools that write Secrets, besides those that nobody may set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnRecords:
    """What an installation recorded of the certificates in the Secret.

    Attributes:
        cluster: which cluster recorded it, as `ClusterIdentity.whole`.
        tenant: for which EntraTenant.
        main: thumbprint of the certificate that was in use then.
        since: since when.
        added: thumbprints of the certificates that this cluster made and Entra may know. It
            removes no others.
        is_borrowed: another installation made the certificate in use, and will remove it.
        client: client id of the app registration that it added them to; empty by a version of the
            operator that did not record it.
    """

    cluster: str
    tenant: str
    main: str
    since: datetime
    added: tuple[str, ...] = ()
    is_borrowed: bool = False
    client: str = ""

    def with_main(self, thumbprint: str, now: datetime) -> OwnRecords:
        """Return the records once another certificate is in use, or its successor was dropped."""
        is_borrowed = self.is_borrowed and thumbprint == self.main
        return replace(self, main=thumbprint, since=now, is_borrowed=is_borrowed)

    def with_added(self, thumbprint: str) -> OwnRecords:
        """Return the records before a certificate is added."""
        return replace(self, added=(*self.added, thumbprint))

    def without(self, gone: frozenset[str]) -> OwnRecords:
        """Return the records once certificates are gone."""
        return replace(self, added=tuple(one for one in self.added if one not in gone))

    def text(self) -> str:
        """Return the records as the annotation holds them."""
        stored = _Stored(
            cluster=self.cluster,
            tenant=self.tenant,
            main=self.main,
            since=format_time(self.since),
            added=list(self.added),
            borrowed=self.is_borrowed,
            client=self.client,
        )
        return msgspec.json.encode(stored).decode()


class _Stored(msgspec.Struct, frozen=True):
    cluster: str
    tenant: str
    main: str
    since: str
    added: list[str]
    borrowed: bool = False
    client: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnSecret:
    """The Secret as it was read.

    Attributes:
        appliers: field managers other than ours that own parts of it by server-side apply.
        is_owned: it has an ownerReference.
        origin: its metadata, which a write carries along.
    """

    uid: str
    resource_version: str
    type: str = "Opaque"
    immutable: bool = False
    is_leaving: bool = False
    is_owned: bool = False
    appliers: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=no_entries)
    annotations: Mapping[str, str] = field(default_factory=no_entries)
    data: Mapping[str, SecretValue] = field(default_factory=no_entries)
    origin: Mapping[str, Any] = field(default_factory=no_entries, repr=False)

    def records(self) -> OwnRecords | None:
        """Return what is recorded; None when nothing is, or it cannot be read."""
        try:
            stored = msgspec.json.decode(self.annotations.get(ANNOTATION, ""), type=_Stored)
        except msgspec.MsgspecError:
            return None
        since = parse_time(stored.since)
        if since is None:
            return None
        return OwnRecords(
            cluster=stored.cluster,
            tenant=stored.tenant,
            main=stored.main,
            since=since,
            added=tuple(stored.added),
            is_borrowed=stored.borrowed,
            client=stored.client,
        )


class Recorded(Protocol):
    """The records of a certificate or a client secret."""

    def text(self) -> str:
        """Return them as the annotation holds them."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnContent:
    """What the Secret is to hold, and the records of it."""

    data: Mapping[str, SecretValue]
    records: Recorded

    def annotation(self) -> str:
        """Return the records as the annotation holds them."""
        return self.records.text()


def with_successor(live: OwnSecret, value: SecretValue) -> dict[str, SecretValue]:
    """Return the data with a successor beside the certificate in use."""
    return {**live.data, NEXT_KEY: value}


def without_successor(live: OwnSecret) -> dict[str, SecretValue]:
    """Return the data without a successor."""
    return {key: value for key, value in live.data.items() if key != NEXT_KEY}


def with_main(
    live: OwnSecret, identity: CertificateIdentity, value: SecretValue
) -> dict[str, SecretValue]:
    """Return the data once the successor has taken the place of the certificate in use.

    Its private key stays in the same file if it was there, and else under `tls.key`.
    """
    data, name = without_successor(live), identity.secret_key
    private, chain = split_bundle(value.reveal())
    held = data.get(name, SecretValue(""))
    if split_bundle(held.reveal())[0]:
        return {**data, name: value}
    return {**data, name: SecretValue(chain), PRIVATE_KEY: SecretValue(private)}


def fault_of(live: OwnSecret, key: str, beside: str = NEXT_KEY) -> str:
    """Return why the operator may not write the Secret, as a sentence; empty when it may.

    Args:
        live: the Secret.
        key: where the credential in use stands.
        beside: where its successor stands.
    """
    if live.is_leaving or live.immutable:
        return "is immutable or being deleted: create it anew"
    if live.type not in TYPES:
        return f"is of type {live.type}: create it anew as one of {', '.join(TYPES)}"
    if key == beside:
        return f"may not have the credential under {beside}: name another key"
    manager = manager_of(live)
    if manager:
        return (
            f"is managed by something else ({manager}), which would undo the renewal: let that "
            "renew it and leave rotation out, or create a Secret that only the operator writes"
        )
    if live.labels.get(LABEL) != "true":
        return f"does not allow it: give it the label {LABEL}=true"
    return ""


def manager_of(live: OwnSecret) -> str:
    """Return by what another tool shows that it manages a Secret; empty without any.

    Whatever applies, syncs or issues the content would bring back a certificate that is not
    registered any more.
    """
    if live.is_owned:
        return "metadata.ownerReferences"
    for key in sorted({*live.labels, *live.annotations}):
        if not key.startswith(_OURS) and _is_of_a_tool(key):
            return key
    return f"server-side apply by {live.appliers[0]}" if live.appliers else ""


def _is_of_a_tool(key: str) -> bool:
    domain = key.partition("/")[0]
    is_listed = any(domain == d or domain.endswith(f".{d}") for d in _OTHERS)
    return is_listed or key == INSTANCE_KEY or is_reserved_key(key)
