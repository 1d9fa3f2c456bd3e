"""What a look at a tenant means: one finding for each thing that the operator needs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from appcredential.cli.doctor.ending import ending
from appcredential.cli.doctor.findings import Finding, Gravity, fine, unchecked
from appcredential.domain.facts.clocks import entra_difference
from appcredential.domain.lifecycle_settings import LifecycleSettings
from appcredential.domain.observed.app_policy import NO_ANSWER, AppPolicy
from appcredential.domain.spec.durations import format_duration
from appcredential.domain.spec.model import (
    CredentialType,
    EntraTenantSpec,
    ManagedIdentity,
)
from appcredential.domain.write_permission import OF_ALL, OF_OWNED
from appcredential.readiness.looking import Seen

_SIGN_IN: Final = "sign-in"
_PERMISSION: Final = "permission"
_OWNERSHIP: Final = "ownership"
_POLICY: Final = "app management policy"
_CLOCK: Final = "clock"
_OWN_CREDENTIAL: Final = "the operator's own credential"
_IDENTITY_GUIDE: Final = "See docs/guides/operator-identity.md."
_CONSENT: Final = "See docs/guides/entra-permissions.md#consent."
_MAKE_OWNER: Final = "See docs/guides/entra-permissions.md#ownership."
_FIRST: Final = "what is wrong above comes first"


def judge(seen: Seen, settings: LifecycleSettings, now: datetime) -> Iterator[Finding]:
    """Yield a finding for each thing that the operator needs of its tenant.

    Args:
        seen: of the tenant.
        settings: of the operator, with its shortest lifetime and its tolerance of clocks.
        now: aware.
    """
    yield _sign_in(seen)
    yield _permission(seen)
    yield _ownership(seen)
    yield from _policy(seen, settings)
    yield _clock(seen, settings)
    yield _own_credential(seen, now)


def _sign_in(seen: Seen) -> Finding:
    if seen.is_signed_in:
        return fine(_SIGN_IN, f"Entra gives the operator a token in tenant {seen.spec.tenant_id}.")
    if seen.problem is None:
        return unchecked(_SIGN_IN, NO_ANSWER)
    text = f"{seen.problem.reason}: {seen.problem.message}"
    return Finding(Gravity.BROKEN, _SIGN_IN, text, _IDENTITY_GUIDE)


def _permission(seen: Seen) -> Finding:
    """Judge whether it may read applications, and change those that it owns."""
    if not seen.is_signed_in:
        return unchecked(_PERMISSION, _FIRST)
    if seen.problem is not None:
        text = f"{seen.problem.reason}: {seen.problem.message}"
        return Finding(Gravity.BROKEN, _PERMISSION, text, _CONSENT)
    roles = seen.probe.roles if seen.probe is not None else None
    if roles is None:
        return unchecked(
            _PERMISSION, "it may read applications, and its token does not say what it may change"
        )
    held = next((role for role in (OF_ALL, OF_OWNED) if role in roles), "")
    if held:
        return fine(_PERMISSION, f"It may read applications, and has {held}.")
    text = (
        f"It may read applications, but its token has neither {OF_OWNED} nor {OF_ALL}. Without "
        "a directory role that allows it, it can change none."
    )
    return Finding(Gravity.WRONG, _PERMISSION, text, _CONSENT)


def _ownership(seen: Seen) -> Finding:
    if seen.probe is None:
        return unchecked(_OWNERSHIP, _FIRST)
    if seen.probe.roles is not None and OF_ALL in seen.probe.roles:
        return fine(_OWNERSHIP, f"With {OF_ALL} it needs to own none.")
    if seen.owned is None:
        return unchecked(_OWNERSHIP, "the applications that it owns cannot be listed")
    if seen.owned:
        return fine(_OWNERSHIP, "It owns at least one application.")
    text = "It owns no application, so that there is none for which it may issue a credential."
    return Finding(Gravity.WRONG, _OWNERSHIP, text, _MAKE_OWNER)


def _policy(seen: Seen, settings: LifecycleSettings) -> Iterator[Finding]:
    policy = seen.probe.policy if seen.probe is not None else None
    if seen.probe is None or policy is None:
        yield unchecked(_POLICY, _FIRST if seen.probe is None else NO_ANSWER)
    elif policy.unknown:
        remedy = "Policy.Read.ApplicationConfiguration lets the operator read it."
        yield unchecked(_POLICY, policy.unknown, remedy)
    else:
        for kind in CredentialType:
            if not kind.is_federated and _is_wanted(kind, seen.spec):
                yield _limit(kind, policy, settings)


def _is_wanted(kind: CredentialType, spec: EntraTenantSpec) -> bool:
    return not spec.limits.types or kind in spec.limits.types


def _limit(kind: CredentialType, policy: AppPolicy, settings: LifecycleSettings) -> Finding:
    about, told = f"{_POLICY}, {kind}", policy.describe(kind)
    restrictions = [r for r in policy.restrictions if r.type is kind]
    for_all = [r for r in restrictions if r.created_since is None]
    if any(r.max_lifetime is None for r in for_all):
        remedy = "Use another type, or give the applications a policy of their own."
        return Finding(Gravity.RISK, about, f"Entra's default policy: {told}.", remedy)
    most = policy.max_lifetime(kind, None)
    if most is not None and most < settings.min_lifetime:
        least = format_duration(settings.min_lifetime)
        text = f"Entra's default policy: {told}. The operator issues none for less than {least}."
        remedy = "Set APPCREDENTIAL_MIN_LIFETIME, or give the applications a policy of their own."
        return Finding(Gravity.RISK, about, text, remedy)
    if restrictions:
        return Finding(Gravity.ADVICE, about, f"Entra's default policy: {told}.")
    return fine(about, f"Entra's default policy: {told}.")


def _clock(seen: Seen, settings: LifecycleSettings) -> Finding:
    if seen.skew is None:
        return unchecked(_CLOCK, "no answer of Entra told the time")
    if abs(seen.skew) > settings.max_clock_skew:
        text = f"{entra_difference(seen.skew).strip()} Until they agree nothing is issued."
        return Finding(Gravity.BROKEN, _CLOCK, text, "Set the clock of the operator's node.")
    return fine(_CLOCK, f"Entra's differs by {abs(round(seen.skew.total_seconds()))} s.")


def _own_credential(seen: Seen, now: datetime) -> Finding:
    if isinstance(seen.spec.identity, ManagedIdentity):
        return fine(_OWN_CREDENTIAL, "The node's managed identity has no end.")
    if seen.probe is None:
        return unchecked(_OWN_CREDENTIAL, _FIRST)
    end = seen.probe.expiration
    if end is not None:
        return ending(_OWN_CREDENTIAL, end, now, _IDENTITY_GUIDE)
    return unchecked(_OWN_CREDENTIAL, "nothing tells when it ends")
