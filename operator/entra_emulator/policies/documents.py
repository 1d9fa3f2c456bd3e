"""App management policies as Graph, seeds and the admin API write them.

They contain only restrictions on credentials of applications. For certificates, v1.0 has only a
restriction on the lifetime.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any

import msgspec

from entra_emulator.values.instants import render_time, ticks_of

DEFAULT_POLICY_ID = "00000000-0000-0000-0000-000000000000"
_DURATION = re.compile(
    r"P(?=\d|T\d)(?:(\d{1,7})D)?(?:T(?=\d)(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9})S)?)?"
)
_Instant = Annotated[datetime, msgspec.Meta(tz=True)]


class _Strict(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """Base of all documents: camel case in JSON, unknown fields refused."""


class State(StrEnum):
    """Whether a restriction is enforced."""

    ENABLED = "enabled"
    DISABLED = "disabled"


class PasswordRestrictionType(StrEnum):
    """The types of restriction in `passwordCredentials`, which also cover symmetric keys."""

    PASSWORD_ADDITION = "passwordAddition"
    PASSWORD_LIFETIME = "passwordLifetime"
    SYMMETRIC_KEY_ADDITION = "symmetricKeyAddition"
    SYMMETRIC_KEY_LIFETIME = "symmetricKeyLifetime"
    CUSTOM_PASSWORD_ADDITION = "customPasswordAddition"


class KeyRestrictionType(StrEnum):
    """The types of restriction in `keyCredentials`."""

    ASYMMETRIC_KEY_LIFETIME = "asymmetricKeyLifetime"


RestrictionType = PasswordRestrictionType | KeyRestrictionType


class _Restriction(_Strict, frozen=True):
    """The common fields of restrictions; `…CreatedAfter…` includes that instant."""

    state: State = State.ENABLED
    max_lifetime: str | None = None
    restrict_for_apps_created_after_date_time: _Instant | None = None

    @property
    def lifetime(self) -> timedelta | None:
        """The longest allowed lifetime."""
        return None if self.max_lifetime is None else read_duration(self.max_lifetime)


class PasswordRestriction(_Restriction, frozen=True, kw_only=True):
    """A member of `passwordCredentials`."""

    restriction_type: PasswordRestrictionType

    def __post_init__(self) -> None:
        """Refuse a limit without a number, and a number without a limit."""
        _check(self.restriction_type, self.lifetime)


class KeyRestriction(_Restriction, frozen=True, kw_only=True):
    """A member of `keyCredentials`."""

    restriction_type: KeyRestrictionType

    def __post_init__(self) -> None:
        """Refuse a limit without a number."""
        _check(self.restriction_type, self.lifetime)


Restriction = PasswordRestriction | KeyRestriction


class Restrictions(_Strict, frozen=True):
    """An appManagementConfiguration."""

    password_credentials: tuple[PasswordRestriction, ...] = ()
    key_credentials: tuple[KeyRestriction, ...] = ()

    def __post_init__(self) -> None:
        """Refuse two restrictions of one type."""
        types = [one.restriction_type for one in self.all()]
        if len(set(types)) != len(types):
            raise ValueError("each restrictionType can be used only once per policy")

    def all(self) -> Iterable[Restriction]:
        """Return every restriction."""
        return (*self.password_credentials, *self.key_credentials)

    def of(self, kind: RestrictionType) -> Restriction | None:
        """Return the restriction of one type."""
        return next((one for one in self.all() if one.restriction_type == kind), None)


class TenantPolicy(_Strict, frozen=True):
    """The default policy of a tenant: it always exists, and is off until somebody enables it."""

    is_enabled: bool = False
    display_name: str = "Default app management tenant policy"
    description: str = "Restrictions on the credentials of all applications and service principals."
    application_restrictions: Restrictions = Restrictions()
    service_principal_restrictions: Restrictions = Restrictions()


class AppPolicy(_Strict, frozen=True):
    """A policy for the applications that it is assigned to."""

    display_name: str
    description: str = ""
    id: Annotated[str, msgspec.Meta(min_length=1, pattern="^[^A-Z]*$")] | None = None
    is_enabled: bool = False
    restrictions: Restrictions = Restrictions()


def read_duration(text: str) -> timedelta:
    """Read an Edm.Duration such as `P4DT12H30M5S`, without years and months.

    Raises:
        ValueError: the text has another form.
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError("maxLifetime: an ISO 8601 duration in days and less, such as P90D")
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def render_tenant_policy(policy: TenantPolicy) -> dict[str, Any]:
    """Return a tenantAppManagementPolicy as Graph writes it."""
    return {
        "id": DEFAULT_POLICY_ID,
        "displayName": policy.display_name,
        "description": policy.description,
        "isEnabled": policy.is_enabled,
        "applicationRestrictions": _render(policy.application_restrictions),
        "servicePrincipalRestrictions": _render(policy.service_principal_restrictions),
    }


def render_app_policy(policy: AppPolicy) -> dict[str, Any]:
    """Return an appManagementPolicy as Graph writes it."""
    return {
        "id": policy.id,
        "displayName": policy.display_name,
        "description": policy.description,
        "isEnabled": policy.is_enabled,
        "restrictions": _render(policy.restrictions),
    }


def _render(restrictions: Restrictions) -> dict[str, Any]:
    return {
        "passwordCredentials": [_render_one(one) for one in restrictions.password_credentials],
        "keyCredentials": [_render_one(one) for one in restrictions.key_credentials],
    }


def _render_one(restriction: Restriction) -> dict[str, Any]:
    after = restriction.restrict_for_apps_created_after_date_time
    return {
        "restrictionType": str(restriction.restriction_type),
        "state": str(restriction.state),
        "maxLifetime": restriction.max_lifetime,
        "restrictForAppsCreatedAfterDateTime": render_time(ticks_of(after)) if after else None,
    }


def _check(kind: RestrictionType, lifetime: timedelta | None) -> None:
    limits = kind.endswith("Lifetime")
    if limits and not lifetime:
        raise ValueError(f"maxLifetime is required for {kind}, and is longer than nothing")
    if not limits and lifetime is not None:
        raise ValueError(f"maxLifetime must be null for {kind}")
