"""Applications, their credentials and service principals, as Graph writes them."""

from __future__ import annotations

from typing import Any

from entra_emulator.directory.application_record import ApplicationRecord
from entra_emulator.directory.entities import (
    VERIFY,
    ApplicationView,
    FederatedCredential,
    KeyCredential,
    PasswordCredential,
    ServicePrincipal,
)
from entra_emulator.rules.principals import NAMES
from entra_emulator.rules.stored_properties import (
    APPLICATION_FIXED,
    APPLICATION_STORED,
    PRINCIPAL_FIXED,
    PRINCIPAL_STORED,
    shown_values,
)
from entra_emulator.values.certificates import encode_binary
from entra_emulator.values.instants import Ticks, render_time, whole_seconds

APPLICATION_FIELDS = (
    "id",
    "deletedDateTime",
    "appId",
    "createdDateTime",
    "description",
    "displayName",
    "identifierUris",
    "isDisabled",
    "notes",
    "serviceManagementReference",
    "signInAudience",
    "tags",
    "uniqueName",
    *APPLICATION_FIXED,
    *APPLICATION_STORED,
    "keyCredentials",
    "passwordCredentials",
)
PRINCIPAL_FIELDS = (
    "id",
    "deletedDateTime",
    "accountEnabled",
    "appDisplayName",
    "appId",
    "appOwnerOrganizationId",
    "createdDateTime",
    "displayName",
    "servicePrincipalNames",
    "servicePrincipalType",
    "signInAudience",
    *PRINCIPAL_FIXED,
    *PRINCIPAL_STORED,
)


def render_application(view: ApplicationView, *, with_keys: bool = False) -> dict[str, Any]:
    """Return all properties of an application.

    Args:
        view: what the reader sees.
        with_keys: include the bytes of certificates; Graph does so only for a read of one
            application with `$select=keyCredentials`.
    """
    properties = view.properties
    return {
        "id": view.id,
        "deletedDateTime": _optional_time(properties.deleted),
        "appId": view.app_id,
        "createdDateTime": render_time(whole_seconds(view.created)),
        "description": properties.description,
        "displayName": properties.display_name,
        "identifierUris": list(properties.identifier_uris),
        "isDisabled": properties.is_disabled,
        "notes": properties.notes,
        "serviceManagementReference": properties.service_management_reference,
        "signInAudience": str(properties.sign_in_audience),
        "tags": list(properties.tags),
        "uniqueName": properties.unique_name,
        **APPLICATION_FIXED,
        **shown_values(APPLICATION_STORED, properties.stored),
        "keyCredentials": [render_key(one, with_key=with_keys) for one in view.keys],
        "passwordCredentials": [render_password(one) for one in view.passwords],
    }


def render_password(password: PasswordCredential) -> dict[str, Any]:
    """Return a client secret as reads show it: with its hint, never with its value."""
    return {
        "customKeyIdentifier": None,
        "displayName": password.display_name,
        "endDateTime": render_time(password.end),
        "hint": password.hint,
        "keyId": password.key_id,
        "secretText": None,
        "startDateTime": render_time(password.start),
    }


def render_key(key: KeyCredential, *, with_key: bool) -> dict[str, Any]:
    """Return a certificate as reads show it; the bytes of a key pair never show."""
    public = with_key and key.usage == VERIFY
    return {
        "customKeyIdentifier": key.custom_key_identifier,
        "displayName": key.display_name,
        "endDateTime": render_time(key.end),
        "key": encode_binary(key.certificate.der) if public else None,
        "keyId": key.key_id,
        "startDateTime": render_time(key.start),
        "type": key.type,
        "usage": key.usage,
    }


def render_federated(credential: FederatedCredential) -> dict[str, Any]:
    """Return all properties of a federated identity credential."""
    return {
        "id": credential.id,
        "name": credential.name,
        "issuer": credential.issuer,
        "subject": credential.subject,
        "description": credential.description,
        "audiences": [credential.audience],
    }


def render_principal(principal: ServicePrincipal, home: ApplicationRecord | None) -> dict[str, Any]:
    """Return all properties of a service principal.

    Args:
        principal: the service principal.
        home: its application; None if that was deleted permanently.
    """
    uris = home.properties.identifier_uris if home is not None else ()
    names = (principal.app_id, *uris, *principal.stored.get(NAMES, ()))
    return {
        "id": principal.id,
        "deletedDateTime": None,
        "accountEnabled": principal.account_enabled,
        "appDisplayName": principal.display_name,
        "appId": principal.app_id,
        "appOwnerOrganizationId": home.tenant_id if home is not None else None,
        "createdDateTime": render_time(whole_seconds(principal.created_time)),
        "displayName": principal.display_name,
        NAMES: list(dict.fromkeys(names)),
        "servicePrincipalType": "Application",
        "signInAudience": str(home.properties.sign_in_audience) if home else None,
        **PRINCIPAL_FIXED,
        **shown_values(PRINCIPAL_STORED, principal.stored),
    }


def _optional_time(ticks: Ticks | None) -> str | None:
    return None if ticks is None else render_time(ticks)
