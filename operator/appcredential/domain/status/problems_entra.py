"""The Problems that Entra causes for one resource: refused calls and refused credentials.

The two codes of app management policies are taken from public reports.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.observed.memory import RETRY, RETRY_CAP
from appcredential.domain.status.problems_tenant import not_ready, operator_refusal
from appcredential.errors import (
    AppCredentialError,
    IdentityRejectedError,
    PermissionDeniedError,
    RejectedError,
    ThrottledError,
    UntrustedServerError,
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
_REQUEST_REFUSED: Final = Problem(
    reason=Reason.PERMISSION_DENIED,
    message="Graph refuses the operator's request. Make its service principal an owner of "
    "the application, or consent to the permission it needs.",
)
_NOT_TRUSTED: Final = Problem(
    reason=Reason.TLS_NOT_TRUSTED,
    message="The certificate of Graph or the token endpoint is not trusted; the EntraTenant says "
    "who issued it.",
    stalled=False,
)
_GRAPH_UNREACHABLE: Final = Problem(
    reason=Reason.DIRECTORY_UNAVAILABLE,
    message="Graph cannot be reached or answers with errors.",
    stalled=False,
)
PRINCIPAL_IS_A_CLIENT: Final = Problem(
    reason=Reason.INVALID_SPEC,
    message="spec.federatedIdentity: principalId is a client id. Give the managed identity's "
    "principal (object) id: az identity show --query principalId.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a call to Graph was about, and as whom the operator made it.

    Attributes:
        application: its client id.
        object_id: the application's; empty while it is not known.
        operator: the client id as which the operator signs in; empty when not known.
        principal: the object id of the operator's service principal; empty when not known.
    """

    application: str
    object_id: str = ""
    operator: str = ""
    principal: str = ""


def make_owner(asked: Asked) -> str:
    """Return the command that makes the operator's service principal an owner of an application.

    Source: learn.microsoft.com/cli/azure/ad/app/owner. Its `--id` takes an object id or a client
    id.
    """
    principal = asked.principal or "PRINCIPAL"
    if not asked.principal and asked.operator:
        principal = f"$(az ad sp show --id {asked.operator} --query id --output tsv)"
    application = asked.object_id or asked.application
    return f"az ad app owner add --id {application} --owner-object-id {principal}"


def denied(asked: Asked | None) -> Problem:
    """Return what a person has to do when the operator may not do something to an application."""
    if asked is None:
        return _REQUEST_REFUSED
    return Problem(
        reason=Reason.PERMISSION_DENIED,
        message=f"Graph refuses the operator's request about the application {asked.application}. "
        f"Make the operator's service principal an owner of it: {make_owner(asked)}. If it is one "
        "already, consent to Application.ReadWrite.OwnedBy.",
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
    error: AppCredentialError, permission_retry: timedelta, asked: Asked | None = None
) -> tuple[Problem, timedelta]:
    """Return why a call for an AppCredential failed, and when to try again.

    Args:
        error: what the call raised; not NotFoundError, which proves nothing.
        permission_retry: the pause after a missing permission, which a person has to grant.
        asked: what it was about; None when not known.

    Returns:
        The problem, and how long to leave Graph alone.
    """
    if isinstance(error, ThrottledError):
        message = "Graph asks to slow down."
        return Problem(reason=Reason.THROTTLED, message=message, stalled=False), error.retry_after
    if isinstance(error, IdentityRejectedError):
        return not_ready(operator_refusal(error)), RETRY
    if isinstance(error, PermissionDeniedError):
        return denied(asked), permission_retry
    if isinstance(error, RejectedError):
        return refusal(error.code), RETRY_CAP
    if isinstance(error, UntrustedServerError):
        return _NOT_TRUSTED, RETRY
    return _GRAPH_UNREACHABLE, RETRY


_PROBE_AGES: Final = {
    Reason.TENANT_NOT_READY: timedelta(seconds=10),
    Reason.TLS_NOT_TRUSTED: timedelta(seconds=10),
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
