"""The errors of the token endpoint: AADSTS number, HTTP status, OAuth error and text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from entra_emulator.values.instants import entra_stamp

_PART = re.compile(r"\{(\w+)\}")
_ERROR_URI = "https://login.microsoftonline.com/error?code="


@dataclass(frozen=True, slots=True)
class _Entry:
    status: int
    error: str
    text: str
    has_uri: bool = True


_EXPIRED = (
    "The provided client secret keys for app '{app}' are expired. Visit the Azure portal to create"
    " new keys for your app: https://aka.ms/NewClientSecret, or consider using certificate"
    " credentials for added security: https://aka.ms/certCreds."
)
_INVALID_SECRET = (
    "Invalid client secret provided. Ensure the secret being sent in the request is the client"
    " secret value, not the client secret ID, for a secret added to app '{app}'."
)
_UNKNOWN_APP = (
    "Application with identifier '{app}' was not found in the directory '{tenant}'. This can"
    " happen if the application has not been installed by the administrator of the tenant or"
    " consented to by any user in the tenant. You may have sent your authentication request to"
    " the wrong tenant."
)
_UNKNOWN_TENANT = (
    "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are"
    " signing into the correct cloud. Check with your subscription administrator, this may happen"
    " if there are no active subscriptions for the tenant."
)
_NO_PRINCIPAL = (
    "The client application {app} is missing service principal in the tenant {tenant}. See"
    " instructions here: https://go.microsoft.com/fwlink/?linkid=2225119"
)
_BAD_SCOPE = (
    "The provided value for the input parameter 'scope' isn't valid. The scope {name} is not"
    " valid: one resource with '/.default' is expected."
)
_UNKNOWN_KEY = (
    "The certificate with identifier used to sign the client assertion is not registered on"
    " application. [Reason - {reason}, Thumbprint of key used by client: '{name}', Please visit the"
    " Azure Portal, Graph Explorer or directly use MS Graph to see configured keys for app Id"
    " '{app}'. Review the documentation at"
    " https://learn.microsoft.com/entra/identity-platform/certificate-credentials .]"
)
_OUTDATED = (
    "Client assertion is not within its valid time range. Current time: {now}, assertion valid"
    " from {start}, expiry time of assertion {end}. Review the documentation at"
    " https://learn.microsoft.com/entra/identity-platform/certificate-credentials ."
)
_FEDERATION = "https://learn.microsoft.com/entra/workload-id/workload-identity-federation"
_NO_RECORD = "No matching federated identity record found for presented assertion"
_CHECK = (
    "heck your federated identity credential Subject, Audience and Issuer against the presented"
    f" assertion. {_FEDERATION}"
)
_NO_MATCH = (
    f"{_NO_RECORD}. Assertion Issuer: '{{issuer}}'. Assertion Subject: '{{subject}}'. Assertion"
    f" Audience: '{{audience}}'. {_FEDERATION}"
)
_OTHER_CASE = (
    f"{_NO_RECORD} subject '{{subject}}'. The subject matches with case-insensitive comparison, but"
    f" not with case-sensitive comparison. C{_CHECK}"
)
_ENTRA_SUBJECT = (
    f"{_NO_RECORD} subject '{{subject}}'. Please make sure the federated identity credential"
    " Subject is '{subject}'."
)
_UNKNOWN_SIGNER = (
    "The certificate with identifier {name} used to sign the federated credential could not be"
    " found in the metadata of identity provider {issuer}."
)
_NO_CONTACT = "Request to External OIDC endpoint failed."
_TRANSIENT = "The service is temporarily unavailable. Please retry later."

TABLE: dict[int, _Entry] = {
    7000215: _Entry(401, "invalid_client", _INVALID_SECRET),
    7000222: _Entry(401, "invalid_client", _EXPIRED),
    7000218: _Entry(
        401,
        "invalid_client",
        "The request body must contain the following parameter: 'client_assertion' or"
        " 'client_secret'.",
    ),
    # Recorded whole by the tests of Azure's SDK for JavaScript in 2021.
    7000216: _Entry(
        401,
        "invalid_client",
        "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials'"
        " grant type.",
    ),
    700016: _Entry(400, "unauthorized_client", _UNKNOWN_APP),
    7000229: _Entry(401, "invalid_client", _NO_PRINCIPAL),
    7000112: _Entry(400, "unauthorized_client", "Application '{app}' is disabled."),
    90002: _Entry(400, "invalid_tenant", _UNKNOWN_TENANT),
    50059: _Entry(
        400,
        "invalid_request",
        "No tenant-identifying information found in either the request or implied by any provided"
        " credentials.",
    ),
    900023: _Entry(
        400,
        "invalid_request",
        "Specified tenant identifier '{tenant}' is neither a valid DNS name, nor a valid external"
        " domain.",
    ),
    900561: _Entry(
        400,
        "invalid_request",
        "The endpoint only accepts POST, OPTIONS requests. Received a {name} request.",
    ),
    9002313: _Entry(400, "invalid_request", "Invalid request. Request is malformed or invalid."),
    90023: _Entry(404, "invalid_request", "The authentication service request isn't valid."),
    900144: _Entry(
        400,
        "invalid_request",
        "The request body must contain the following parameter: '{name}'.",
    ),
    70003: _Entry(
        400,
        "unsupported_grant_type",
        "The app requested an unsupported grant type '{name}'.",
    ),
    70011: _Entry(400, "invalid_scope", _BAD_SCOPE),
    500011: _Entry(
        400,
        "invalid_resource",
        "The resource principal named {name} was not found in the tenant named {tenant}. This can"
        " happen if the application has not been installed by the administrator of the tenant or"
        " consented to by any user in the tenant.",
    ),
    700027: _Entry(401, "invalid_client", _UNKNOWN_KEY),
    700024: _Entry(401, "invalid_client", _OUTDATED),
    700023: _Entry(
        401, "invalid_client", "Client assertion audience claim does not match Realm issuer."
    ),
    70021: _Entry(400, "invalid_request", _NO_MATCH),
    70025: _Entry(
        401,
        "invalid_client",
        "The client '{name}' has no configured federated identity credentials.",
    ),
    700211: _Entry(401, "invalid_client", f"{_NO_RECORD} issuer '{{issuer}}'. Please c{_CHECK}"),
    700212: _Entry(401, "invalid_client", f"{_NO_RECORD} audience '{{audience}}'. C{_CHECK}"),
    700213: _Entry(401, "invalid_client", f"{_NO_RECORD} subject '{{subject}}'. C{_CHECK}"),
    7002131: _Entry(
        401,
        "invalid_client",
        f"{_NO_RECORD} subject '{{subject}}'. The claims matching expression did not match.",
    ),
    7002137: _Entry(401, "invalid_client", _ENTRA_SUBJECT),
    7002138: _Entry(401, "invalid_client", _OTHER_CASE),
    700222: _Entry(
        401, "invalid_client", "AAD-issued tokens may not be used for federated identity flows."
    ),
    700229: _Entry(
        401,
        "invalid_client",
        "Forbidden token type. Only app-only tokens may be used as Federated Identity Credentials"
        " for AAD issuer.",
    ),
    7000272: _Entry(401, "invalid_client", _UNKNOWN_SIGNER),
    50013: _Entry(
        401,
        "invalid_client",
        "Assertion failed signature validation. [Reason - The provided signature value did not"
        " match the expected signature value.]",
    ),
    50166: _Entry(400, "invalid_request", _NO_CONTACT, has_uri=False),
    501661: _Entry(400, "invalid_request", _NO_CONTACT, has_uri=False),
    90061: _Entry(400, "invalid_request", _NO_CONTACT, has_uri=False),
    50012: _Entry(
        401,
        "invalid_client",
        "Client assertion contains an invalid signature. [Reason - The key was found, but use of"
        " the key to verify the signature failed.]",
    ),
    50027: _Entry(401, "invalid_client", "JWT token is invalid or malformed."),
    53003: _Entry(400, "invalid_grant", "Access has been blocked by Conditional Access policies."),
    50196: _Entry(429, "temporarily_unavailable", "The server terminated an operation."),
    90055: _Entry(429, "temporarily_unavailable", "Too many requests. Please retry later."),
    90006: _Entry(503, "temporarily_unavailable", _TRANSIENT),
    90024: _Entry(503, "temporarily_unavailable", _TRANSIENT),
    90033: _Entry(503, "temporarily_unavailable", _TRANSIENT),
    50000: _Entry(500, "server_error", "There was an error issuing a token."),
}
_OTHER = _Entry(401, "invalid_client", "An error made by the emulator.")


class TokenError(Exception):
    """An error answer of the token endpoint."""

    def __init__(
        self,
        code: int,
        *,
        app: str = "",
        tenant: str = "",
        name: str = "",
        reason: str = "",
        parts: Mapping[str, str] = {},
        retry_after: int | None = None,
    ) -> None:
        super().__init__(f"AADSTS{code}")
        self.code = code
        self.retry_after = retry_after
        entry = TABLE.get(code, _OTHER)
        self.status = entry.status
        self.error = entry.error
        # The parts come from the request, so never treat them as a format string.
        known = {"app": app, "tenant": tenant, "name": name, "reason": reason, **parts}
        self.text = _PART.sub(lambda found: known.get(found[1], ""), entry.text)
        self.has_uri = entry.has_uri


def error_body(
    error: TokenError, now: datetime, trace_id: str, correlation_id: str
) -> dict[str, Any]:
    """Return the JSON body of an error answer."""
    stamp = entra_stamp(now)
    description = (
        f"AADSTS{error.code}: {error.text} Trace ID: {trace_id}"
        f" Correlation ID: {correlation_id} Timestamp: {stamp}"
    )
    uri = {"error_uri": f"{_ERROR_URI}{error.code}"} if error.has_uri else {}
    return {
        "error": error.error,
        "error_description": description,
        "error_codes": [error.code],
        "timestamp": stamp,
        "trace_id": trace_id,
        "correlation_id": correlation_id,
        **uri,
    }
