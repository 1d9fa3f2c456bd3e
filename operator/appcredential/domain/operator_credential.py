"""The credential with which the operator itself signs in, and the Problems that it may have.

A token is decoded here only to check its audience or to learn its client. Its signature is
checked by the server that accepts it.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, assert_never

import msgspec

from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.secret.pem import split_bundle
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.checks import is_guid
from appcredential.domain.spec.model import (
    CertificateIdentity,
    ClientId,
    ClientSecretIdentity,
    ManagedIdentity,
    TenantIdentity,
    WorkloadIdentity,
)
from appcredential.domain.spec.trusts import AUDIENCES

PUBLIC_AUDIENCES: Final = frozenset(AUDIENCES.values())
"""The audiences of tokens for Microsoft's own clouds."""

_PRIVATE_KEY: Final = "tls.key"
_NOTHING: Final = SecretValue("")


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorCredential:
    """The operator's credential from a Secret; empty when the pod or the node provides it.

    Attributes:
        value: the client secret; or private key and chain of a certificate, PEM.
        end: notAfter of the certificate; None for all others.
        thumbprint: SHA-1 of the certificate, as the portal shows it; empty for all others.
    """

    value: SecretValue = _NOTHING
    end: datetime | None = None
    thumbprint: str = ""


class _Claims(msgspec.Struct, frozen=True):
    aud: str | list[str] = ""
    appid: str = ""
    azp: str = ""


def pair_of(
    data: Mapping[str, SecretValue], identity: CertificateIdentity
) -> tuple[SecretValue, SecretValue] | Problem:
    """Return the certificate and the private key from a Secret, or what is missing.

    Args:
        data: the Secret's values.
        identity: names the key with the certificate. If its value holds a private key, too,
            as `client.pem` does, that one is used; otherwise the one under `tls.key`.

    Returns:
        The text with the certificates, and the text with the private key.
    """
    content = data.get(identity.secret_key)
    if content is None:
        return missing_key(identity.secret_key)
    private, chain = split_bundle(content.reveal())
    if private:
        return SecretValue(chain), SecretValue(private)
    separate = data.get(_PRIVATE_KEY)
    return missing_key(_PRIVATE_KEY) if separate is None else (content, separate)


def validity_problem(start: datetime, end: datetime, now: datetime) -> Problem | None:
    """Return why the operator's certificate is not valid now; None when it is."""
    if now >= end:
        return unusable_certificate("has expired: put a valid one there.")
    if now < start:
        return unusable_certificate("is not valid yet: it is taken up once it is.")
    return None


def token_fault(token: str, audience: str) -> str:
    """Return why a projected token may not be sent; empty when it may.

    Args:
        token: a JWT (RFC 7519), as the file holds it.
        audience: the only one it may name; empty for any.
    """
    claims = _claims(token)
    if claims is None:
        return "holds no token: project one of the operator's ServiceAccount there."
    named = {claims.aud} if isinstance(claims.aud, str) else set(claims.aud)
    if audience and named != {audience}:
        # Another server would accept it, and anybody may run a custom cloud.
        return (
            "holds a token for another audience than APPCREDENTIAL_CUSTOM_TOKEN_AUDIENCE: "
            "project one with that audience alone."
        )
    return ""


def client_of(token: str) -> ClientId | None:
    """Return the client that an access token was issued to; None when that cannot be read.

    Source: learn.microsoft.com/entra/identity-platform/access-token-claims-reference:
    `appid` in tokens of version 1.0, `azp` in those of version 2.0.
    """
    claims = _claims(token)
    named = (claims.appid or claims.azp).lower() if claims is not None else ""
    return ClientId(named) if is_guid(named) else None


def _claims(token: str) -> _Claims | None:
    parts = token.split(".")
    if len(parts) != 3:
        return None
    padded = parts[1] + "=" * (-len(parts[1]) % 4)
    try:
        return msgspec.json.decode(base64.b64decode(padded, altchars=b"-_"), type=_Claims)
    except (msgspec.MsgspecError, binascii.Error, ValueError):
        return None


# --- problems -------------------------------------------------------------------------------


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
