"""Checks of the cluster: its version, the CRDs, clocks, and the issuer of its tokens."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from appcredential.cli.app_credential import Document
from appcredential.cli.doctor.findings import Finding, Gravity, fine, unchecked
from appcredential.cli.doctor.gathered import Gathered
from appcredential.cli.text import span
from appcredential.domain.demanded import (
    APPLY_CRDS,
    MIN_KUBERNETES,
    SCHEMA_VERSION,
    schema_version,
    server_version,
)
from appcredential.domain.lifecycle_settings import LifecycleSettings
from appcredential.domain.spec.trusts import is_public_issuer

KINDS: Final = ("appcredentials", "entratenants", "applicationgrants")
_SECOND: Final = timedelta(seconds=2)


def kubernetes(gathered: Gathered) -> Iterator[Finding]:
    """Check the API server's version."""
    about = "Kubernetes"
    if gathered.server.only is None:
        yield unchecked(about, gathered.server.missing)
        return
    found = server_version(gathered.server.only.document)
    told, least = (".".join(map(str, version)) for version in (found, MIN_KUBERNETES))
    if found < MIN_KUBERNETES:
        text = f"The API server is {told}, and the operator needs {least} or newer."
        yield Finding(Gravity.BROKEN, about, text, "Upgrade the cluster.")
    else:
        yield fine(about, f"The API server is {told}.")


def definitions(gathered: Gathered) -> Iterator[Finding]:
    """Check that the CRDs are there, served, and of this version."""
    about = "CRDs"
    if gathered.crds.missing:
        yield unchecked(about, gathered.crds.missing)
        return
    found = {kind: gathered.crds.named(f"{kind}.appcredential.io") for kind in KINDS}
    faults = [fault for kind, crd in found.items() if (fault := _fault(kind, crd))]
    shown = [crd for crd in found.values() if crd is not None and crd.at("spec") is not None]
    if faults:
        yield Finding(Gravity.BROKEN, about, f"{'; '.join(faults)}.", APPLY_CRDS)
    elif not shown:
        yield unchecked("CRDs' version", "you may not read CRDs; the three kinds are served")
    elif (newest := max(schema_version(crd.document) for crd in shown)) > SCHEMA_VERSION:
        text = f"They have the schema {newest}, which is newer than this tool knows."
        yield Finding(Gravity.ADVICE, about, text, "Upgrade this tool.")
    else:
        yield fine(about, f"All three have the schema {SCHEMA_VERSION}.")


def _fault(kind: str, crd: Document | None) -> str:
    """Return what is wrong with a CRD; empty where nothing is, or only its name may be read."""
    if crd is None:
        return f"{kind} is missing"
    if crd.at("metadata", "deletionTimestamp"):
        return f"{kind} is being deleted, with all objects of its kind"
    version = schema_version(crd.document)
    is_old = crd.at("spec") is not None and version < SCHEMA_VERSION
    return f"{kind} has the schema {version} in place of {SCHEMA_VERSION}" if is_old else ""


def clocks(gathered: Gathered) -> Iterator[Finding]:
    """Compare this machine's clock with the API server's; status tells of the operator's."""
    about, skew = "clocks", gathered.now - gathered.local_time
    if abs(skew) > LifecycleSettings.max_clock_skew:
        way = "behind" if skew > timedelta(0) else "ahead of"
        text = f"This machine's clock is {span(skew)} {way} the API server's. One of them is wrong."
        remedy = "timedatectl status, on this machine and on the control plane: set the wrong one."
        yield Finding(Gravity.RISK, about, text, remedy)
    else:
        difference = "less than 2 s" if abs(skew) <= _SECOND else span(skew)
        yield fine(about, f"This machine's clock and the API server's differ by {difference}.")


def issuer(gathered: Gathered) -> Iterator[Finding]:
    """Look whether Entra could trust the tokens of this cluster, where somebody asks for that."""
    about, needed = "issuer of ServiceAccount tokens", _needs_issuer(gathered)
    is_whole = gathered.has_all_resources and not gathered.tenants.missing
    if gathered.discovery.missing:
        yield unchecked(about, gathered.discovery.missing)
        return
    document = gathered.discovery.only
    url = document.text("issuer") if document is not None else ""
    grave = Gravity.WRONG if needed else Gravity.ADVICE
    beside = " Nothing here needs it." if is_whole else " Nothing that you may read needs it."
    beside = "" if needed else beside
    if not is_public_issuer(url):
        text = f"{url or 'The issuer'} is no public https address: Entra cannot fetch its keys."
        remedy = (
            "Set --service-account-issuer of the API server to a public address that serves the "
            "discovery document and the keys."
        )
        yield Finding(grave, about, f"{text}{beside}", remedy)
    elif gathered.keys.missing:
        yield unchecked("the issuer's keys", gathered.keys.missing)
    elif gathered.keys.only is None or not gathered.keys.only.entries("keys"):
        text = f"The API server serves no keys for {url}.{beside}"
        remedy = "kubectl get --raw /openid/v1/jwks, and look at the API server's log."
        yield Finding(grave, about, text, remedy)
    else:
        text = (
            f"{url} looks public, and its keys are there. Whether Entra reaches it can only be "
            f"guessed from here: curl {url.rstrip('/')}/.well-known/openid-configuration from "
            "outside tells."
        )
        yield fine(about, text)


def _needs_issuer(gathered: Gathered) -> bool:
    """Return whether a resource or the operator itself signs in with tokens of this cluster."""
    by_resources = (
        resource.at("spec", "federatedIdentity", "serviceAccount") is not None
        for resource in gathered.resources
    )
    by_tenants = (
        tenant.at("spec", "identity", "workloadIdentity") is not None
        for tenant in gathered.tenants.items
    )
    return any(by_resources) or any(by_tenants)
