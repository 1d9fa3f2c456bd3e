"""The documented v1.0 properties that are kept and shown, with the values of a new object.

Sources: the resource pages `application` and `servicePrincipal` of Microsoft Graph v1.0, and the
answer in "Create application" there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from entra_emulator.rules.property_values import Kind, Stored

_TEXT, _FLAG, _GUID = Stored(kind=Kind.TEXT), Stored(kind=Kind.FLAG), Stored(kind=Kind.GUID)
_TEXTS = Stored(kind=Kind.TEXTS, default=())
_OBJECTS = Stored(kind=Kind.OBJECTS, default=())
_VERIFIED = {"displayName": None, "verifiedPublisherId": None, "addedDateTime": None}


def _complex(**members: Any) -> Stored:
    return Stored(kind=Kind.OBJECT, default=members, members=tuple(members))


def _nothing(*members: str) -> Stored:
    return Stored(kind=Kind.OBJECT, members=members)


_INFO = Stored(
    kind=Kind.OBJECT,
    default=dict.fromkeys(
        ("logoUrl", "marketingUrl", "privacyStatementUrl", "supportUrl", "termsOfServiceUrl")
    ),
    members=("marketingUrl", "privacyStatementUrl", "supportUrl", "termsOfServiceUrl"),
)
APPLICATION_STORED: Mapping[str, Stored] = {
    "addIns": _OBJECTS,
    "api": _complex(
        acceptMappedClaims=None,
        knownClientApplications=(),
        requestedAccessTokenVersion=None,
        oauth2PermissionScopes=(),
        preAuthorizedApplications=(),
    ),
    "appRoles": _OBJECTS,
    "defaultRedirectUri": _TEXT,
    "groupMembershipClaims": _TEXT,
    "info": _INFO,
    "isDeviceOnlyAuthSupported": _FLAG,
    "isFallbackPublicClient": _FLAG,
    "managerApplications": Stored(kind=Kind.GUIDS, default=()),
    "nativeAuthenticationApisEnabled": _TEXT,
    "oauth2RequirePostResponse": Stored(kind=Kind.FLAG, default=False),
    "optionalClaims": _nothing("accessToken", "idToken", "saml2Token"),
    "parentalControlSettings": _complex(countriesBlockedForMinors=(), legalAgeGroupRule="Allow"),
    "publicClient": _complex(redirectUris=()),
    "requestSignatureVerification": _nothing("allowedWeakAlgorithms", "isSignedRequestRequired"),
    "requiredResourceAccess": _OBJECTS,
    "samlMetadataUrl": _TEXT,
    "servicePrincipalLockConfiguration": _nothing(
        "allProperties",
        "credentialsWithUsageSign",
        "credentialsWithUsageVerify",
        "identifierUris",
        "isEnabled",
        "tokenEncryptionKeyId",
    ),
    "spa": _complex(redirectUris=()),
    "tokenEncryptionKeyId": _GUID,
    "web": _complex(
        homePageUrl=None,
        logoutUrl=None,
        redirectUris=(),
        implicitGrantSettings={
            "enableAccessTokenIssuance": False,
            "enableIdTokenIssuance": False,
        },
        redirectUriSettings=(),
    ),
}
APPLICATION_FIXED: Mapping[str, Any] = {
    "applicationTemplateId": None,
    "certification": None,
    "disabledByMicrosoftStatus": None,
    "publisherDomain": None,
    "verifiedPublisher": _VERIFIED,
}
"""What an application shows and nobody can set."""
APPLICATION_ABSENT = frozenset(
    {
        "appManagementPolicies",
        "authenticationBehaviors",
        "createdByAppId",
        "createdOnBehalfOf",
        "extensionProperties",
        "federatedIdentityCredentials",
        "homeRealmDiscoveryPolicies",
        "logo",
        "owners",
        "synchronization",
        "tokenIssuancePolicies",
        "tokenLifetimePolicies",
    }
)
"""What Graph has and the emulator has not, or has only under an address of its own."""

PRINCIPAL_STORED: Mapping[str, Stored] = {
    "addIns": _OBJECTS,
    "alternativeNames": _TEXTS,
    "appRoleAssignmentRequired": Stored(kind=Kind.FLAG, default=False),
    "appRoles": _OBJECTS,
    "description": _TEXT,
    "homepage": _TEXT,
    "info": _INFO,
    "loginUrl": _TEXT,
    "logoutUrl": _TEXT,
    "notes": _TEXT,
    "notificationEmailAddresses": _TEXTS,
    "oauth2PermissionScopes": _OBJECTS,
    "preferredSingleSignOnMode": _TEXT,
    "preferredTokenSigningKeyThumbprint": _TEXT,
    "replyUrls": _TEXTS,
    "samlSingleSignOnSettings": _nothing("relayState"),
    "tags": _TEXTS,
    "tokenEncryptionKeyId": _GUID,
}
PRINCIPAL_FIXED: Mapping[str, Any] = {
    "appDescription": None,
    "applicationTemplateId": None,
    "disabledByMicrosoftStatus": None,
    "keyCredentials": (),
    "passwordCredentials": (),
    "resourceSpecificApplicationPermissions": (),
    "verifiedPublisher": _VERIFIED,
}
"""What a service principal shows and nobody can set here."""


def shown_values(table: Mapping[str, Stored], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a read shows of the properties of a table."""
    return {name: values.get(name, stored.default) for name, stored in table.items()}
