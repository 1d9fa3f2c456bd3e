"""The tenant's default app management policy, read from Graph.

Source of the restrictions: Microsoft Graph, resources tenantAppManagementPolicy and
appManagementConfiguration.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final, assert_never

import msgspec
from kiota_abstractions.request_information import RequestInformation

from appcredential.domain.observed.app_policy import AppPolicy, Restriction, read_iso_duration
from appcredential.domain.spec.model import CredentialType
from appcredential.entra.answers import UnreadableAnswerError, decoded
from appcredential.entra.connection import Call, Connection
from appcredential.entra.operations import POLICY
from appcredential.entra.translate import usable


def _names(kind: CredentialType) -> tuple[str | None, str | None]:
    """Return Graph's names of the restrictions that forbid and limit credentials of a type.

    The operator makes neither symmetric keys nor passwords that a client chooses.
    """
    match kind:
        case CredentialType.CLIENT_SECRET:
            return "passwordAddition", "passwordLifetime"
        case CredentialType.CERTIFICATE:
            return None, "asymmetricKeyLifetime"
        case CredentialType.FEDERATED_IDENTITY:
            return None, None
        case _:
            assert_never(kind)


_FORBIDS: Final = {forbids: kind for kind in CredentialType if (forbids := _names(kind)[0])}
_LIMITS: Final = {limits: kind for kind in CredentialType if (limits := _names(kind)[1])}


class _Restriction(msgspec.Struct, frozen=True, rename="camel"):
    restriction_type: str
    state: str | None = None
    max_lifetime: str | None = None
    restrict_for_apps_created_after_date_time: datetime | None = None


class _Restrictions(msgspec.Struct, frozen=True, rename="camel"):
    password_credentials: list[_Restriction] | None = None
    key_credentials: list[_Restriction] | None = None


class _Policy(msgspec.Struct, frozen=True, rename="camel"):
    is_enabled: bool
    application_restrictions: _Restrictions | None = None


_DECODER: Final = msgspec.json.Decoder(_Policy)


async def read_default_policy(connection: Connection) -> AppPolicy:
    """Read the policy.

    Raises:
        PermissionDeniedError: the operator has none of the permissions to read policies.
        AppCredentialError: as `translate.py` translates any other failure.
    """

    def make() -> RequestInformation:
        return connection.graph.policies.default_app_management_policy.to_get_request_information()

    answer = await connection.send(Call(operation=POLICY, is_write=False, make=make))
    with usable(POLICY, is_write=False):
        return decode_policy(answer)


def decode_policy(body: bytes) -> AppPolicy:
    """Read the answer. A policy that is off restricts nothing; unknown types are left out.

    Raises:
        UnreadableAnswerError: the body, or a lifetime in it, has another form.
    """
    raw = decoded(_DECODER, body, "an app management policy")
    named = raw.application_restrictions or _Restrictions()
    entries = (*(named.password_credentials or ()), *(named.key_credentials or ()))
    try:
        found = [_restriction(entry) for entry in entries if entry.state in {None, "enabled"}]
    except (ValueError, OverflowError):
        raise UnreadableAnswerError("not an app management policy") from None
    if not raw.is_enabled:
        return AppPolicy()
    return AppPolicy(restrictions=tuple(one for one in found if one is not None))


def _restriction(raw: _Restriction) -> Restriction | None:
    since = raw.restrict_for_apps_created_after_date_time
    if since is not None:
        since = since.astimezone(UTC) if since.tzinfo is not None else since.replace(tzinfo=UTC)
    if (kind := _FORBIDS.get(raw.restriction_type)) is not None:
        return Restriction(type=kind, max_lifetime=None, created_since=since)
    kind = _LIMITS.get(raw.restriction_type)
    if kind is None or raw.max_lifetime is None:
        return None
    most = read_iso_duration(raw.max_lifetime)
    return Restriction(type=kind, max_lifetime=most, created_since=since)
