"""Checks of the EntraTenants and the ApplicationGrants."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Final

from appcredential.cli.app_credential import AppCredential, Document
from appcredential.cli.doctor.ending import ending
from appcredential.cli.doctor.findings import Finding, Gravity, fine, unchecked
from appcredential.cli.doctor.gathered import Gathered
from appcredential.cli.doctor.operators import operators
from appcredential.cli.text import plain, when
from appcredential.domain.conditions import ConditionType, Reason
from appcredential.domain.grant_match import Asked, covers, matches
from appcredential.domain.observed.asker import Asker
from appcredential.domain.spec.grant import NamedApplications, SelectedNamespaces
from appcredential.domain.spec.model import AppCredentialSpec, ApplicationGrantSpec
from appcredential.domain.spec.parse import parse_app_credential, parse_application_grant
from appcredential.errors import InvalidSpecError

_PATIENCE: Final = timedelta(minutes=5)
_UNKNOWN: Final = "Unknown: "
_MOST_NAMED: Final = 20
_BY_HAND: Final = {
    "certificate": "Register a new certificate",
    "clientSecret": "Create a new client secret",
}
_GUIDE: Final = "Not by kubectl apply: docs/guides/operator-identity.md has the commands."


def tenants(gathered: Gathered) -> Iterator[Finding]:
    """Check each EntraTenant: does the operator sign in, and for how long can it still?"""
    if gathered.tenants.missing:
        yield unchecked("EntraTenants", gathered.tenants.missing)
    elif not gathered.tenants.items:
        text = "There is none, so nothing can be issued."
        yield Finding(Gravity.WRONG, "EntraTenants", text, "See docs/install.md, step by step.")
    for tenant in gathered.tenants.items:
        yield from _state(gathered, tenant)
        yield from _writes(tenant)
        yield from _own_credential(gathered, tenant)
        yield from _policy(tenant)


def _state(gathered: Gathered, tenant: Document) -> Iterator[Finding]:
    about, ready = f"EntraTenant {tenant.name}", tenant.condition(ConditionType.READY)
    look = f"kubectl describe entratenant {tenant.name}"
    stalled = tenant.condition(ConditionType.STALLED)
    if ready is None:
        created = tenant.time("metadata", "creationTimestamp")
        if created is None or gathered.now - created > _PATIENCE:
            text = "The operator has not looked at it: is one running?"
            yield Finding(Gravity.WRONG, about, text, look)
        else:
            yield unchecked(about, "the operator has not looked at it yet")
    elif ready.status != "True":
        text = f"It cannot be used. {ready.reason}: {ready.message}"
        yield Finding(Gravity.BROKEN, about, text, look)
    elif stalled is not None and stalled.status == "True":
        text = f"Stalled, {stalled.reason}: {stalled.message}"
        yield Finding(Gravity.WRONG, about, text, look)
    else:
        yield fine(about, ready.message)


def _writes(tenant: Document) -> Iterator[Finding]:
    """Judge what the operator's token and its ownership let it change."""
    found = tenant.condition(ConditionType.WRITE_PERMITTED)
    about = f"what the operator may change in EntraTenant {tenant.name}"
    if found is None or found.status == "True":
        return
    if found.reason == Reason.PERMISSION_UNKNOWN:
        yield unchecked(about, found.message)
    else:
        look = f"kubectl describe entratenant {tenant.name}"
        yield Finding(Gravity.RISK, about, f"{found.reason}: {found.message}", look)


def _own_credential(gathered: Gathered, tenant: Document) -> Iterator[Finding]:
    found = (kind for kind in _BY_HAND if tenant.at("spec", "identity", kind) is not None)
    kind = next(found, "certificate")
    identity, status = ("spec", "identity", kind), ("status", "identity")
    end, renewal = tenant.time(*status, "expirationTime"), tenant.time(*status, "renewalTime")
    is_rotated = tenant.at(*identity, "rotation") is not None
    problem = tenant.text(*status, "renewalProblem") if is_rotated else ""
    about = f"the operator's own credential in EntraTenant {tenant.name}"
    if problem and (end is None or end > gathered.now):
        told = "Nothing says when it ends" if end is None else f"It ends {when(end, gathered.now)}"
        yield Finding(Gravity.RISK, about, f"{told}.", problem)
    elif end is not None:
        secret = tenant.text(*identity, "secretRef", "name") or "of its identity"
        remedy = f"{_BY_HAND[kind]} in Entra, and put it into the Secret {secret}."
        if is_rotated and end <= gathered.now:
            remedy = f"{problem} {remedy} {_GUIDE}".lstrip()
        elif is_rotated:
            due = tenant.text(*status, "renewalTime") or "an unknown time"
            remedy = f"The operator renews it at {due}: see that it runs."
        yield ending(about, end, gathered.now, remedy, renewal if is_rotated else None)
    elif kind == "clientSecret":
        yield unchecked(about, "nobody can read when a client secret ends; Entra's portal can")


def _policy(tenant: Document) -> Iterator[Finding]:
    about = f"app management policy of EntraTenant {tenant.name}"
    told = {
        kind: tenant.text("status", "appManagementPolicy", kind)
        for kind in ("clientSecret", "certificate")
    }
    known = {kind: text for kind, text in told.items() if text}
    unknown = next((text for text in known.values() if text.startswith(_UNKNOWN)), "")
    if unknown:
        yield unchecked(about, unknown.removeprefix(_UNKNOWN))
    elif known:
        yield fine(about, "; ".join(f"{kind}: {text}" for kind, text in known.items()))


# --- grants -----------------------------------------------------------------------------------


def grants(gathered: Gathered) -> Iterator[Finding]:
    """Check each ApplicationGrant: is it in force, and does anybody use it?"""
    if gathered.grants.missing:
        yield unchecked("ApplicationGrants", gathered.grants.missing)
        return
    parsed, faults = {}, []
    for document in gathered.grants.items:
        try:
            parsed[document.name] = parse_application_grant(document.document)
        except InvalidSpecError as exc:
            faults.append((document, str(exc)))
    for document, why in faults:
        about = f"ApplicationGrant {document.name}"
        remedy = f"kubectl edit applicationgrant {document.name}"
        yield Finding(Gravity.WRONG, about, f"It allows nothing: {why}", remedy)
    for document in gathered.grants.items:
        yield from _missing(document)
    yield from _without_tenant(gathered, parsed)
    yield from _unused(gathered, parsed)
    if parsed and not faults:
        yield fine("ApplicationGrants", f"All {len(parsed)} can be used.")


def _missing(grant: Document) -> Iterator[Finding]:
    """Yield what the operator found no application for, as the grant's status says."""
    count = grant.number("status", "applications", "missing")
    if count:
        found = grant.at("status", "applications", "missingClientIds") or ()
        named = ", ".join(plain(client_id) for client_id in found[:_MOST_NAMED])
        text = f"The tenant has no application for {count} of its client ids: {named}."
        remedy = f"Are they object ids, or deleted? kubectl edit applicationgrant {grant.name}"
        yield Finding(Gravity.ADVICE, f"ApplicationGrant {grant.name}", text, remedy)


def _without_tenant(
    gathered: Gathered, parsed: Mapping[str, ApplicationGrantSpec]
) -> Iterator[Finding]:
    if gathered.tenants.missing:
        yield unchecked("tenants that grants name", gathered.tenants.missing)
        return
    known = {tenant.name for tenant in gathered.tenants.items}
    for name, grant in parsed.items():
        if grant.tenant not in known:
            text = f"It names the EntraTenant {grant.tenant}, which does not exist."
            remedy = f"Create that EntraTenant, or kubectl delete applicationgrant {name}"
            yield Finding(Gravity.RISK, f"ApplicationGrant {name}", text, remedy)


def _unused(gathered: Gathered, parsed: Mapping[str, ApplicationGrantSpec]) -> Iterator[Finding]:
    about = "grants that nobody uses"
    if not gathered.has_all_resources:
        yield unchecked(about, "that needs the AppCredentials of all namespaces")
        return
    used = _used(gathered, parsed)
    unused = [name for name in parsed if name not in used]
    if unused:
        names = ", ".join(unused[:_MOST_NAMED])
        more = f" and {len(unused) - _MOST_NAMED} more" if len(unused) > _MOST_NAMED else ""
        text = f"No AppCredential needs {names}{more}: they let namespaces ask for credentials."
        remedy = f"kubectl delete applicationgrant {unused[0]}, unless it is for later."
        yield Finding(Gravity.ADVICE, about, text, remedy)


def _used(gathered: Gathered, parsed: Mapping[str, ApplicationGrantSpec]) -> set[str]:
    by_client: dict[str, list[str]] = defaultdict(list)
    wide: list[str] = []
    for name, grant in parsed.items():
        if isinstance(grant.applications, NamedApplications):
            for client in grant.applications.client_ids:
                by_client[client].append(name)
        else:
            wide.append(name)
    used: set[str] = set()
    home = next((operator.namespace for operator in operators(gathered)), "")
    for resource in gathered.resources:
        candidates = by_client.get(resource.text("spec", "application", "clientId"), [])
        left = [name for name in (*candidates, *wide) if name not in used]
        spec = _spec_of(resource) if left else None
        # What this tool does not read, labels and tags, may be as a grant asks for.
        asker = Asker(
            namespace=resource.namespace, now=gathered.now, cluster_id="", operator_namespace=home
        )
        used |= {name for name in left if _serves(parsed[name], asker, spec)}
    return used


def _serves(grant: ApplicationGrantSpec, asker: Asker, spec: AppCredentialSpec | None) -> bool:
    """Return whether a resource may need a grant; of an unreadable one, any of its namespace."""
    if spec is None:
        is_selected = isinstance(grant.namespaces, SelectedNamespaces)
        return is_selected or covers(grant, asker.namespace, None)
    return matches(grant, Asked(asker=asker, spec=spec)) is not False


def _spec_of(resource: AppCredential) -> AppCredentialSpec | None:
    try:
        return parse_app_credential(resource.document)
    except InvalidSpecError:
        return None
