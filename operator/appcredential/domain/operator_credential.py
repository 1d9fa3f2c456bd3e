"""The credential with which the operator itself signs in, from what a Secret or a file holds.

A token is decoded here only to check its audience or to learn its client. Its signature is
checked by the server that accepts it.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec

from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.operator_problems import (
    missing_key,
    unusable_certificate,
    unusable_value,
)
from appcredential.domain.secret.file_forms import client_secret_fault, pem_fault
from appcredential.domain.secret.pem import split_bundle
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.checks import is_guid
from appcredential.domain.spec.model import (
    CertificateIdentity,
    ClientId,
    ClientSecretIdentity,
)
from appcredential.domain.spec.trusts import AUDIENCES

PUBLIC_AUDIENCES: Final = frozenset(AUDIENCES.values())
"""The audiences of tokens for Microsoft's own clouds."""

_PRIVATE_KEY: Final = "tls.key"
_UNUSABLE: Final = Reason.IDENTITY_CERTIFICATE_UNUSABLE
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
    oid: str = ""
    scp: str = ""
    roles: object = ()  # an issuer of one's own may mean something else by it


def client_secret_of(
    data: Mapping[str, SecretValue], identity: ClientSecretIdentity
) -> SecretValue | Problem:
    """Return the client secret from a Secret, or why there is none that could be one.

    Args:
        data: the Secret's values.
        identity: names the key.
    """
    value = data.get(identity.secret_key)
    if value is None:
        return missing_key(identity.secret_key)
    fault = client_secret_fault(value.reveal())
    if fault:
        return unusable_value(Reason.IDENTITY_SECRET_UNUSABLE, identity.secret_key, fault)
    return value


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
    fault = pem_fault(content.reveal(), identity.secret_key)
    if fault:
        return unusable_value(_UNUSABLE, identity.secret_key, fault)
    private, chain = split_bundle(content.reveal())
    if private:
        return SecretValue(chain), SecretValue(private)
    separate = data.get(_PRIVATE_KEY)
    if separate is None:
        return missing_key(_PRIVATE_KEY)
    fault = pem_fault(separate.reveal(), _PRIVATE_KEY)
    return unusable_value(_UNUSABLE, _PRIVATE_KEY, fault) if fault else (content, separate)


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


def principal_of(token: str) -> str:
    """Return the object id of the principal that an access token was issued to.

    Source: learn.microsoft.com/entra/identity-platform/access-token-claims-reference: `oid`, of
    an application that of its service principal. Empty when that cannot be read.
    """
    claims = _claims(token)
    named = claims.oid.lower() if claims is not None else ""
    return named if is_guid(named) else ""


def roles_of(token: str) -> frozenset[str] | None:
    """Return the permissions that an access token gives an application; None if unreadable.

    Source: learn.microsoft.com/entra/identity-platform/access-token-claims-reference: `roles`,
    which is left out of a token without any.
    """
    claims = _claims(token)
    if claims is None or not isinstance(claims.roles, list | tuple):
        return None
    return frozenset(role for role in claims.roles if isinstance(role, str))


def is_of_a_user(token: str) -> bool:
    """Return whether an access token acts for a person; otherwise it is an application's own.

    Source: learn.microsoft.com/entra/identity-platform/access-token-claims-reference: `scp` is
    only in tokens that act for a user.
    """
    claims = _claims(token)
    return claims is not None and bool(claims.scp)


def _claims(token: str) -> _Claims | None:
    parts = token.split(".")
    if len(parts) != 3:
        return None
    padded = parts[1] + "=" * (-len(parts[1]) % 4)
    try:
        return msgspec.json.decode(base64.b64decode(padded, altchars=b"-_"), type=_Claims)
    except (msgspec.MsgspecError, binascii.Error, ValueError, RecursionError):
        return None
