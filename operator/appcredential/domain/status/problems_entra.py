"""The Problems that Entra causes: refused credentials, and tenants that cannot be used.

The two codes of app management policies are taken from public reports.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType
from typing import Final

from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.observed.memory import RETRY, RETRY_CAP
from appcredential.domain.operator_credential import (
    NO_MANAGED_IDENTITY,
    forbidden,
    rejected,
    unusable_token,
)
from appcredential.domain.spec.model import TenantIdentity
from appcredential.errors import (
    AppCredentialError,
    IdentityRejectedError,
    NoManagedIdentityError,
    OwnTokenError,
    PermissionDeniedError,
    RejectedError,
    ThrottledError,
)

_OVER_POLICY: Final = Problem(
    reason=Reason.LIFETIME_OVER_POLICY,
    message="An app management policy of the Entra tenant forbids so long a lifetime for this "
    "application. Set spec.lifetime to what the policy allows (status.appManagementPolicy of the "
    "EntraTenant tells the tenant's own, where it can be read), or have the application exempted.",
)
_FORBIDDEN: Final = Problem(
    reason=Reason.TYPE_FORBIDDEN_BY_POLICY,
    message="An app management policy of the Entra tenant forbids credentials of this type for "
    "this application. Make an AppCredential of another type, or have the application exempted.",
)
_BY_CODE: Final = {
    "CredentialInvalidLifetimeAsPerAppPolicy": _OVER_POLICY,
    "CredentialTypeNotAllowedAsPerAppPolicy": _FORBIDDEN,
}
TENANT_UNREACHABLE: Final = Problem(
    reason=Reason.DIRECTORY_UNAVAILABLE,
    message="Graph or the token endpoint cannot be reached.",
    stalled=False,
)
_IDENTITY_REFUSED: Final = Problem(
    reason=Reason.IDENTITY_REJECTED,
    message="Entra refuses the operator's request; its log has the code.",
)
_REQUEST_REFUSED: Final = Problem(
    reason=Reason.PERMISSION_DENIED,
    message="Graph refuses the operator's request. Make its service principal an owner of "
    "the application, or consent to the permission it needs.",
)
_GRAPH_UNREACHABLE: Final = Problem(
    reason=Reason.DIRECTORY_UNAVAILABLE,
    message="Graph cannot be reached or answers with errors.",
    stalled=False,
)
CUSTOM_CLOUD_NOT_CONFIGURED: Final = Problem(
    reason=Reason.CUSTOM_CLOUD_NOT_CONFIGURED,
    message="cloud: Custom needs APPCREDENTIAL_CUSTOM_AUTHORITY and "
    "APPCREDENTIAL_CUSTOM_GRAPH in the operator's settings.",
)
NOT_IN_A_TRIAL: Final = Problem(
    reason=Reason.NOT_IN_A_TRIAL,
    message="The operator runs as a trial and never signs in to a real tenant. Install it without "
    "trial.enabled, or use cloud: Custom.",
)
TENANT_NOT_FOUND: Final = Problem(
    reason=Reason.TENANT_NOT_FOUND,
    message="The EntraTenant that spec.tenantRef names does not exist: create it, or "
    "name another one in a new AppCredential.",
)
NOT_PROBED_YET: Final = Problem(
    reason=Reason.TENANT_NOT_READY,
    message="The EntraTenant could not be looked at yet; the operator's log says why.",
    stalled=False,
)


PRINCIPAL_IS_A_CLIENT: Final = Problem(
    reason=Reason.INVALID_SPEC,
    message="spec.federatedIdentity: principalId is a client id. Give the managed identity's "
    "principal (object) id: az identity show --query principalId.",
)


def refusal(code: str) -> Problem:
    """Return why Graph refuses to make a credential, and what to do about it.

    Args:
        code: of Graph's answer, already known to be safe to show; empty without one.
    """
    known = _BY_CODE.get(code)
    if known is not None:
        return known
    return Problem(
        reason=Reason.CREDENTIAL_REFUSED,
        message=f"Graph refuses to make the credential: {code or 'bad request'}. The operator's "
        "log has Graph's own words.",
    )


def not_ready(problem: Problem) -> Problem:
    """Return what an EntraTenant's problem means for the resources that use the tenant."""
    return Problem(
        reason=Reason.TENANT_NOT_READY,
        message=f"The EntraTenant is not ready: {problem.reason}. {problem.message}",
        stalled=problem.stalled,
    )


def tenant_refusal(identity: TenantIdentity, error: AppCredentialError) -> Problem:
    """Return why a tenant refuses the operator, and what to do about it.

    Args:
        identity: the EntraTenant's, which decides the remedy.
        error: what the probe raised; not one that passes by itself.
    """
    if isinstance(error, IdentityRejectedError):
        return operator_refusal(error, rejected(identity).message)
    if isinstance(error, PermissionDeniedError):
        return forbidden(identity)
    return _IDENTITY_REFUSED


def operator_refusal(error: IdentityRejectedError, message: str = "") -> Problem:
    """Return why the operator got no token of its own.

    A call for an AppCredential and the probe of its EntraTenant give the same Problem, so
    that one refusal is announced once.

    Args:
        error: what the sign-in raised.
        message: what a rejection means for this kind of identity; empty takes the error's own.
    """
    if isinstance(error, OwnTokenError):
        return unusable_token(str(error))
    if isinstance(error, NoManagedIdentityError):
        return NO_MANAGED_IDENTITY
    return replace(_IDENTITY_REFUSED, message=message or error.message or _IDENTITY_REFUSED.message)


_MESSAGES: Final = {
    Reason.SIGN_IN_REJECTED: "Entra refuses the new credential. It is tried again.",
    Reason.CERTIFICATE_REJECTED: "Entra refuses what the new certificate's key has signed.",
    Reason.NO_SERVICE_PRINCIPAL: "The application has no service principal in the tenant. "
    "Create one: az ad sp create --id with the client id.",
    Reason.APPLICATION_NOT_IN_TENANT: "The token endpoint does not know the application in this "
    "tenant.",
    Reason.APPLICATION_DISABLED: "The application is disabled in Entra. Enable it.",
    Reason.PUBLIC_CLIENT: "The application is a public client and cannot use a secret.",
    Reason.BLOCKED_BY_CONDITIONAL_ACCESS: "Conditional Access blocks the proving sign-in. Exclude "
    "the operator's address or set verification.mode to Disabled.",
    Reason.NOT_ASSIGNED: "The application is not assigned to the resource of the proving sign-in. "
    "Assign it or set verification.mode to Disabled.",
    Reason.VERIFICATION_SCOPE: "The scope of the proving sign-in is not accepted. Choose another "
    "verification.scope.",
    Reason.WRONG_TENANT_OR_CLOUD: "The token endpoint does not know the tenant. Check tenantId and "
    "cloud of the EntraTenant.",
    Reason.TENANT_RESTRICTIONS: "Tenant restrictions block the proving sign-in.",
    Reason.CLOCK_SKEW: "The token endpoint refuses the operator's clock.",
    Reason.THROTTLED: "The token endpoint asks to slow down.",
    Reason.TOKEN_ENDPOINT_UNAVAILABLE: "The token endpoint cannot be reached.",
    Reason.UNCLASSIFIED: "The token endpoint gives an answer the operator does not know; its log "
    "has the code.",
    Reason.INTERNAL_ERROR: "The proving sign-in was malformed; this is a fault of the operator.",
    Reason.FEDERATION_MISMATCH: "Entra does not match the ServiceAccount's token with the "
    "federated credential yet.",
    Reason.ISSUER_KEYS: "Entra does not know the key that signed the ServiceAccount's token yet.",
    Reason.ISSUER_UNREACHABLE: "Entra cannot fetch the keys of the ServiceAccount token's issuer.",
}


SIGN_IN_MESSAGES: Final[Mapping[Reason, str]] = MappingProxyType(_MESSAGES)


def federated_refusal(code: str) -> Problem:
    """Return why Graph makes no federated credential, and what to do.

    Args:
        code: of Graph's answer, already known to be safe to show; empty without one.
    """
    return Problem(
        reason=Reason.CREDENTIAL_REFUSED,
        message=f"Graph refuses to make the federated credential: {code or 'bad request'}. If "
        "a policy of the tenant forbids this issuer, have the application exempted from it.",
    )


def directory_problem(
    error: AppCredentialError, permission_retry: timedelta
) -> tuple[Problem, timedelta]:
    """Return why a call for an AppCredential failed, and when to try again.

    Args:
        error: what the call raised; not NotFoundError, which proves nothing.
        permission_retry: the pause after a missing permission, which a person has to grant.

    Returns:
        The problem, and how long to leave Graph alone.
    """
    if isinstance(error, ThrottledError):
        message = "Graph asks to slow down."
        return Problem(reason=Reason.THROTTLED, message=message, stalled=False), error.retry_after
    if isinstance(error, IdentityRejectedError):
        return not_ready(operator_refusal(error)), RETRY
    if isinstance(error, PermissionDeniedError):
        return _REQUEST_REFUSED, permission_retry
    if isinstance(error, RejectedError):
        return refusal(error.code), RETRY_CAP
    return _GRAPH_UNREACHABLE, RETRY


_PROBE_AGES: Final = {
    Reason.TENANT_NOT_READY: timedelta(seconds=10),
    Reason.LIFETIME_OVER_POLICY: timedelta(minutes=1),
}


def probe_age(before: Problem | None, now: Problem | None) -> timedelta | None:
    """Return whether what Entra said of one resource concerns all users of its tenant.

    Entra rejected the operator itself, or its policy allows less than was known.

    Args:
        before: the resource's problem before the call.
        now: its problem after that.

    Returns:
        How old the tenant's last probe must be for another one; None when none is needed.
    """
    if now is None or now == before:
        return None
    return _PROBE_AGES.get(now.reason)
