"""The Problems of the credential with which the operator itself signs in."""

from __future__ import annotations

from typing import Final, assert_never

from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.spec.model import (
    CertificateIdentity,
    ClientSecretIdentity,
    ManagedIdentity,
    TenantIdentity,
    WorkloadIdentity,
)


def missing_secret() -> Problem:
    """Return the Problem of a Secret that does not exist."""
    return Problem(
        reason=Reason.IDENTITY_SECRET_NOT_FOUND,
        message="The Secret in the operator's namespace that spec.identity names does not exist: "
        "create it.",
    )


def missing_key(key: str) -> Problem:
    """Return the Problem of a Secret without that key."""
    return Problem(
        reason=Reason.IDENTITY_SECRET_NOT_FOUND,
        message="The Secret in the operator's namespace that spec.identity names has no key "
        f"{key}: add it, or name another one in spec.identity.",
    )


def unusable_value(reason: Reason, key: str, what: str) -> Problem:
    """Return the Problem of a key of the operator's own Secret; `what` is the predicate."""
    message = f"The value of {key} in the operator's own Secret, which spec.identity names, {what}."
    return Problem(reason=reason, message=message)


def unusable_certificate(what: str) -> Problem:
    """Return the Problem of the operator's certificate; `what` is the predicate."""
    return Problem(
        reason=Reason.IDENTITY_CERTIFICATE_UNUSABLE,
        message=f"The operator's own certificate, which spec.identity names, {what}",
    )


def unusable_token(what: str) -> Problem:
    """Return the Problem of the file with the projected token; `what` is the predicate."""
    return Problem(
        reason=Reason.IDENTITY_TOKEN_UNUSABLE,
        message=f"The file that APPCREDENTIAL_IDENTITY_TOKEN_FILE names {what}",
    )


NO_MANAGED_IDENTITY: Final = Problem(
    reason=Reason.MANAGED_IDENTITY_UNAVAILABLE,
    message="The operator's node gives it no managed identity. Assign the identity to the node, "
    "check spec.identity.managedIdentity.clientId, and let the operator's pod reach the node's "
    "metadata endpoint.",
)
CUSTOM_AUDIENCE_MISSING: Final = Problem(
    reason=Reason.CUSTOM_CLOUD_NOT_CONFIGURED,
    message="workloadIdentity with cloud Custom needs APPCREDENTIAL_CUSTOM_TOKEN_AUDIENCE in the "
    "operator's settings.",
)
_CHECK: Final = ", and check tenantId and clientId."


def rejected(identity: TenantIdentity) -> Problem:
    """Return the Problem of an operator that Entra refuses."""
    return Problem(reason=Reason.IDENTITY_REJECTED, message=f"Entra refuses {_rejection(identity)}")


def _rejection(identity: TenantIdentity) -> str:
    match identity:
        case ClientSecretIdentity():
            return (
                "the operator's own credential. Put a valid one into the Secret that "
                f"spec.identity names{_CHECK}"
            )
        case CertificateIdentity():
            return (
                "the operator's own certificate. Register the one in the Secret on the "
                f"operator's app registration{_CHECK}"
            )
        case WorkloadIdentity():
            return (
                "the token of the operator's ServiceAccount. Give the operator's app "
                "registration a federated credential with exactly the token's issuer, subject "
                f"and audience{_CHECK}"
            )
        case ManagedIdentity():
            return (
                "the operator's managed identity. Check that it belongs to the tenant of tenantId."
            )
        case _:
            assert_never(identity)


def forbidden(identity: TenantIdentity) -> Problem:
    """Return the Problem of an operator that may not read applications in Graph."""
    remedy = (
        "Give the managed identity's service principal the Graph app role "
        "Application.ReadWrite.OwnedBy."
        if isinstance(identity, ManagedIdentity)
        else "Consent to Application.ReadWrite.OwnedBy for its app registration."
    )
    return Problem(
        reason=Reason.PERMISSION_DENIED,
        message=f"Graph refuses to let the operator read applications. {remedy}",
    )
