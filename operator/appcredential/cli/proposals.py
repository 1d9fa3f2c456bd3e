"""Which AppCredentials take the place of what an application holds today. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, assert_never

from appcredential.cli.proposed import Note, Proposal, Target
from appcredential.cli.stock import Finding, Held, Stock, Whose
from appcredential.cli.text import plain
from appcredential.cli.trust_members import Fitting, Home, fitting
from appcredential.domain.granted_sources import grant_members
from appcredential.domain.marker import ClusterIdentity, Owner
from appcredential.domain.spec.model import CredentialType
from appcredential.domain.spec.parse import parse_app_credential
from appcredential.domain.spec.trusts import build_description
from appcredential.domain.times import format_time
from appcredential.errors import InvalidSpecError

_NO_LABEL: Final = re.compile(r"[^a-z0-9]+")
_LONGEST: Final = 50


@dataclass(slots=True, kw_only=True)
class Import:
    """All that is written for some applications.

    Attributes:
        left_out: what no manifest is made for, and why.
        taken: namespace and name of AppCredentials that exist, which an apply would change.
        taken_grants: names of ApplicationGrants that exist, likewise.
    """

    proposals: list[Proposal] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    tenant_ref: str = "default"
    taken: Collection[str] = ()
    taken_grants: Collection[str] = ()

    def add(self, stock: Stock, target: Target, home: Home) -> None:
        """Add what one application holds."""
        self.tenant_ref = target.tenant_ref
        base = target.name or _label(stock.name)
        for held in stock.credentials:
            if why := _why_left_out(held):
                self.left_out.append(f"{_named(held)} of {stock.name}: {why}.")
        for kind, valid in _renewable(stock, target):
            name = self._free(target.namespace, base, f"{base}-{kind.lower()}")
            self._add(_value_proposal(stock, valid, target, name, kind))
            # One Secret can be taken over by one resource.
            target = replace(target, secret="", secret_keys=(), preset="")
        for held in _importable(stock):
            if held.trust is not None:
                self._add_trust(stock, held, target, home, base)

    def _add(self, proposal: Proposal) -> None:
        try:
            parse_app_credential(proposal.manifest)
        except InvalidSpecError as exc:
            self.left_out.append(f"AppCredential {proposal.owner} cannot be: {exc}.")
        else:
            self.proposals.append(proposal)

    def _add_trust(self, stock: Stock, held: Held, target: Target, home: Home, base: str) -> None:
        assert held.trust is not None  # noqa: S101 - the caller looked
        found = fitting(held.trust, home)
        if isinstance(found, str):
            self.left_out.append(f"{_named(held)} of {stock.name}: {plain(found)}.")
            return
        name = self._free(found.namespace, f"{base}-{_label(held.name)}")
        self._add(_trust_proposal(stock, held, found, target, name))

    def _free(self, namespace: str, base: str, otherwise: str = "") -> str:
        """Return a name that no proposal has, and no AppCredential of the cluster."""
        taken = {one.owner.name for one in self.proposals}
        taken |= {name.removeprefix(f"{namespace}/") for name in self.taken}
        number, name = 2, base
        if otherwise and name in taken:
            base = name = otherwise
        while name in taken:
            name, number = f"{base}-{number}", number + 1
        return name


def _why_left_out(held: Held) -> str:
    match held.whose:
        case Whose.OURS:
            return f"it is {held.owner}'s already" if held.owner else "it is this cluster's already"
        case Whose.OTHER_CLUSTER | Whose.MARKED:
            return "the operator of a cluster made it, and renews it there"
        case Whose.FOREIGN:
            return "it has expired" if Finding.EXPIRED in held.findings else ""
        case _:
            assert_never(held.whose)


def _importable(stock: Stock) -> list[Held]:
    return [held for held in stock.credentials if not _why_left_out(held)]


def _renewable(stock: Stock, target: Target) -> Iterator[tuple[CredentialType, Sequence[Held]]]:
    """Yield what client secrets and certificates become: one resource for each type."""
    found: dict[CredentialType, list[Held]] = {}
    for held in _importable(stock):
        if not held.type.is_federated:
            found.setdefault(target.as_type or held.type, []).append(held)
    yield from found.items()


def _value_proposal(
    stock: Stock, valid: Sequence[Held], target: Target, name: str, kind: CredentialType
) -> Proposal:
    spec = {"type": str(kind), kind.member: {}, **_secret(target)}
    manifest = _manifest(stock, target, target.namespace, name, spec)
    stay = ", ".join(f"{_named(held)}{_ends(held)}" for held in valid)
    notes = [
        Note(f"For {stock.name}. Valid today, and not touched by the operator: {stay}."),
        Note(
            "Once managed, the operator issues a credential of its own, which signs in before "
            "anybody reads it. Remove the old ones in Entra when nothing uses them any more."
        ),
    ]
    if not target.secret:
        own = f"It gets a Secret of its own, {name}; give --secret if workloads read one already."
        return Proposal(manifest=manifest, notes=[*notes, Note(own)])
    adopt = Note(
        "Before it is managed, give it the Secret that workloads read:",
        f"kubectl annotate secret {target.secret} -n {target.namespace} "
        f"appcredential.io/adopt={target.namespace}/{name}",
    )
    return Proposal(manifest=manifest, notes=notes, before_managing=adopt)


def _secret(target: Target) -> dict[str, Any]:
    secret: dict[str, Any] = {"name": target.secret} if target.secret else {}
    if target.preset:
        secret["preset"] = target.preset
    if target.secret_keys:
        secret["data"] = {key: {"value": "$(clientSecret)"} for key in target.secret_keys}
    return {"secret": secret} if secret else {}


def _trust_proposal(
    stock: Stock, held: Held, found: Fitting, target: Target, name: str
) -> Proposal:
    spec = {"type": "FederatedIdentity", "federatedIdentity": dict(found.member)}
    owner = Owner(found.namespace, name)
    told = "Once handed over, it is revoked when the AppCredential is deleted; see deletionPolicy."
    notes = [Note(f"For {stock.name}, the trust of {_named(held)}."), Note(told)]
    if found.namespace != target.namespace:
        notes.append(Note(f"It trusts a ServiceAccount of {found.namespace}, so it is there."))
    if "serviceAccount" in found.member:
        told = (
            "The ServiceAccount's annotations stay as they are; with annotation: Manage the "
            "operator writes them."
        )
        notes.append(Note(told))
    return Proposal(
        manifest=_manifest(stock, target, found.namespace, name, spec),
        notes=notes,
        before_managing=_handover(stock, held, owner, target.identity),
        grant=grant_members(found.source),
    )


def _handover(stock: Stock, held: Held, owner: Owner, identity: ClusterIdentity | None) -> Note:
    """Return how a trust that somebody made is given to a resource, without a gap."""
    if identity is None or held.trust is None:
        return Note(
            "It is Stalled CredentialConflict, and no token is refused, until the federated "
            "credential's description begins with the text at the end of its message."
        )
    text = build_description(identity, owner, held.trust.pair)
    parameters = json.dumps({"description": text})
    return Note(
        "Before it is managed, hand the federated credential over:",
        f"az ad app federated-credential update --id {stock.application.client_id} "
        f"--federated-credential-id {held.id} --parameters '{parameters}'",
    )


def _manifest(
    stock: Stock, target: Target, namespace: str, name: str, spec: Mapping[str, Any]
) -> dict[str, Any]:
    application = {"clientId": stock.application.client_id}
    tenant = {} if target.tenant_ref == "default" else {"tenantRef": {"name": target.tenant_ref}}
    return {
        "apiVersion": "appcredential.io/v1alpha1",
        "kind": "AppCredential",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {**tenant, "application": application, **spec},
    }


def _named(held: Held) -> str:
    return f"{held.type} {held.name} ({held.id})" if held.name else f"{held.type} {held.id}"


def _ends(held: Held) -> str:
    return ", which never ends" if held.end is None else f", until {format_time(held.end)}"


def _label(text: str) -> str:
    return _NO_LABEL.sub("-", text.lower())[:_LONGEST].strip("-") or "app"
