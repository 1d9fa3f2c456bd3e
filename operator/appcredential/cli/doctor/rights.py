"""Checks of the operator's rights, and of the admission policies that limit what it writes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from appcredential.cli.app_credential import AppCredential
from appcredential.cli.doctor.findings import Finding, Gravity, fine, unchecked
from appcredential.cli.doctor.gathered import Gathered, Right
from appcredential.cli.doctor.operators import operators

_REMEDIES: Final = {
    Right.SECRETS: "Set rbac.create: true in the chart's values (examples/deploy/rbac.yaml).",
    Right.LIST_SECRETS: "Set rbac.watchSecrets: true in the chart's values, not only the setting.",
    Right.PODS: "Set rbac.readPods: true in the chart's values.",
    Right.RESTARTS: "Set rbac.restarts: true in the chart's values.",
    Right.TOKENS: "Set rbac.tokenRequests: true in the chart's values.",
    Right.NAMESPACES: "Set rbac.selectNamespaces: true in the chart's values.",
}
_GRAVITIES: Final = {Right.SECRETS: Gravity.BROKEN, Right.PODS: Gravity.RISK}


def rights(gathered: Gathered) -> Iterator[Finding]:
    """Compare the operator's rights with what the AppCredentials and its settings ask for."""
    about, found = "rights of the operator", gathered.rights
    if found.missing:
        yield unchecked(about, found.missing)
        return
    wanted = list(demanded(gathered))
    lacking = [
        (right, namespace)
        for right, asked in wanted
        for namespace in asked
        if found.allowed.get((right, namespace)) is False
    ]
    for right in dict.fromkeys(right for right, _ in lacking):
        where = sorted(namespace for lacked, namespace in lacking if lacked is right)
        verb, _, resource = right.value
        named = ", ".join(where[:5]) if where != [""] else "all namespaces"
        text = f"It may not {verb} {resource} in {named}, and {_whys(right)}."
        yield Finding(_GRAVITIES.get(right, Gravity.WRONG), about, text, _REMEDIES[right])
    if not gathered.has_all_resources:
        yield unchecked("rights for other AppCredentials", "you may not read all of them")
    if not lacking:
        told = ", ".join(f"{right.value[0]} {right.value[2]}" for right, _ in wanted)
        yield fine(about, f"It may do what was asked about: {told}.")


def _whys(right: Right) -> str:
    return {
        Right.SECRETS: "it can publish nothing there",
        Right.LIST_SECRETS: "its settings have it watch them",
        Right.PODS: "it cannot tell who uses a replaced credential, which stays to its end",
        Right.RESTARTS: "spec.rotation.restart asks for it",
        Right.TOKENS: "spec.verification.mode: Required of a FederatedIdentity asks for it",
        Right.NAMESPACES: "an ApplicationGrant selects namespaces by labels",
    }[right]


def demanded(gathered: Gathered) -> Iterator[tuple[Right, tuple[str, ...]]]:
    """Yield each right that somebody needs, and the namespaces where; an empty one is all."""
    for operator in operators(gathered)[:1]:
        where = operator.served or ("",)
        yield Right.SECRETS, where
        if any(map(_waits_for_pods, gathered.resources)):
            yield Right.PODS, where
        if any(r.at("spec", "rotation", "restart") is not None for r in gathered.resources):
            yield Right.RESTARTS, where
        if any(map(_proves_by_tokens, gathered.resources)):
            yield Right.TOKENS, where
        if operator.setting("WATCH_SECRETS") == "true":
            yield Right.LIST_SECRETS, where
        if any(g.at("spec", "namespaces", "selector") for g in gathered.grants.items):
            yield Right.NAMESPACES, ("",)


def _waits_for_pods(resource: AppCredential) -> bool:
    asked = resource.text("spec", "rotation", "retireWhen") or "RolledOut"
    return resource.text("spec", "type") != "FederatedIdentity" and asked == "RolledOut"


def _proves_by_tokens(resource: AppCredential) -> bool:
    is_required = resource.text("spec", "verification", "mode") == "Required"
    return is_required and resource.at("spec", "federatedIdentity", "serviceAccount") is not None


def policies(gathered: Gathered) -> Iterator[Finding]:
    """Check that the chart's admission policies are there, and bound."""
    about = "admission policies"
    missing = gathered.policies.missing or gathered.bindings.missing
    if missing:
        yield unchecked(about, missing)
        return
    bound = {
        found.text("spec", "policyName")
        for found in gathered.bindings.items
        if "Deny" in (found.at("spec", "validationActions") or ())
    }
    names = [found.name for found in gathered.policies.items]
    loose = [name for name in names if name not in bound]
    upgrade = "Set admissionPolicies.enabled: true in the chart's values, and upgrade the release."
    if not names:
        text = "There are none, so that nothing but its roles limits what the operator may write."
        yield Finding(Gravity.ADVICE, about, text, upgrade)
    elif loose:
        text = f"No binding has these deny anything: {', '.join(loose[:5])}."
        yield Finding(Gravity.RISK, about, text, upgrade)
    else:
        yield fine(about, f"{len(names)} are in force.")
