"""Why an EntraTenant cannot be used, and what that means for the resources that use it."""

from __future__ import annotations

from typing import Final

from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.operator_problems import (
    NO_MANAGED_IDENTITY,
    forbidden,
    rejected,
    unusable_token,
)
from appcredential.domain.spec.model import Cloud, TenantIdentity
from appcredential.domain.status.refused_sign_ins import operator_problem
from appcredential.errors import (
    AppCredentialError,
    IdentityRejectedError,
    NoManagedIdentityError,
    OwnTokenError,
    PermissionDeniedError,
    RejectedError,
    UntrustedServerError,
)

TENANT_UNREACHABLE: Final = Problem(
    reason=Reason.DIRECTORY_UNAVAILABLE,
    message="Graph or the token endpoint cannot be reached.",
    stalled=False,
)
_REQUEST_REFUSED: Final = "Graph refuses the operator's request: {}. Its log has Graph's own words."
_UNKNOWN_IDENTITY: Final = "Entra refuses the operator's own credential."
_UNTRUSTED: Final = (
    "The certificate of {}{} is not trusted, as behind a proxy that re-signs TLS. Give the "
    "operator the proxy's authority: the chart's value caBundle, or APPCREDENTIAL_CA_FILE."
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
NOT_KEPT_YET: Final = Problem(
    reason=Reason.TENANT_NOT_READY,
    message="The EntraTenant does not have the operator's finalizer yet, which the first shard "
    "sets: without it, it could be deleted before what it is needed for is revoked.",
    stalled=False,
)
NOT_PROBED_YET: Final = Problem(
    reason=Reason.TENANT_NOT_READY,
    message="The EntraTenant could not be looked at yet; the operator's log says why.",
    stalled=False,
)


def trial_problem(cloud: Cloud, *, trial: bool) -> Problem | None:
    """Return why an operator does not sign in to a tenant of this cloud; None if it may.

    Args:
        cloud: the EntraTenant's.
        trial: whether the operator runs as a trial.
    """
    return NOT_IN_A_TRIAL if trial and cloud is not Cloud.CUSTOM else None


def session_failed(error: Exception) -> Problem:
    """Return the Problem of a tenant at whose session the operator failed unexpectedly.

    Only the error's type is told: its text could hold what is in the operator's own Secret.
    """
    kind = type(error).__name__
    return Problem(
        reason=Reason.INTERNAL_ERROR,
        message=f"The operator failed unexpectedly at the tenant's session ({kind}); its log has "
        "the details. It tries again.",
    )


def not_ready(problem: Problem) -> Problem:
    """Return what an EntraTenant's problem means for the resources that use the tenant."""
    return Problem(
        reason=Reason.TENANT_NOT_READY,
        message=f"The EntraTenant is not ready: {problem.reason}. {problem.message}",
        stalled=problem.stalled,
    )


def tenant_unreachable(error: AppCredentialError) -> Problem:
    """Return why a tenant gives no usable answer.

    Args:
        error: what the probe raised, twice.
    """
    if not isinstance(error, UntrustedServerError):
        return TENANT_UNREACHABLE
    server = "the token endpoint" if error.is_token_endpoint else "Graph"
    issuer = f', issued by "{error.issuer}",' if error.issuer else ""
    return Problem(reason=Reason.TLS_NOT_TRUSTED, message=_UNTRUSTED.format(server, issuer))


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
    code = error.code if isinstance(error, RejectedError) else ""
    return Problem(
        reason=Reason.IDENTITY_REJECTED, message=_REQUEST_REFUSED.format(code or "bad request")
    )


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
    own = message or error.message or _UNKNOWN_IDENTITY
    return operator_problem(error.code, own, error.skew)
