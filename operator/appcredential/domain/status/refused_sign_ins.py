"""What status says about a refused sign-in."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from appcredential.domain.conditions import Reason

_MESSAGES: Final = {
    Reason.SIGN_IN_REJECTED: "Entra refuses the new credential. It is tried again.",
    Reason.CERTIFICATE_REJECTED: "Entra refuses what the new certificate's key has signed.",
    Reason.NO_SERVICE_PRINCIPAL: "The application has no service principal in the tenant. "
    "Create one: az ad sp create --id with the client id.",
    Reason.APPLICATION_NOT_IN_TENANT: "The token endpoint does not know the application in this "
    "tenant.",
    Reason.APPLICATION_DISABLED: "The application is disabled in Entra. Enable it.",
    Reason.PUBLIC_CLIENT: "The application is a public client and cannot use a secret.",
    Reason.BLOCKED_BY_CONDITIONAL_ACCESS: "Conditional Access blocks the proving sign-in. Exclude "
    "the operator's address or set verification.mode to Disabled.",
    Reason.NOT_ASSIGNED: "The application is not assigned to the resource of the proving sign-in. "
    "Assign it or set verification.mode to Disabled.",
    Reason.VERIFICATION_SCOPE: "The scope of the proving sign-in is not accepted. Choose another "
    "verification.scope.",
    Reason.WRONG_TENANT_OR_CLOUD: "The token endpoint does not know the tenant. Check tenantId and "
    "cloud of the EntraTenant.",
    Reason.TENANT_RESTRICTIONS: "Tenant restrictions block the proving sign-in.",
    Reason.CLOCK_SKEW: "The token endpoint refuses the operator's clock.",
    Reason.THROTTLED: "The token endpoint asks to slow down.",
    Reason.TOKEN_ENDPOINT_UNAVAILABLE: "The token endpoint cannot be reached.",
    Reason.UNCLASSIFIED: "The token endpoint gives an answer the operator does not know; its log "
    "has the code.",
    Reason.INTERNAL_ERROR: "The proving sign-in was malformed; this is a fault of the operator.",
    Reason.FEDERATION_MISMATCH: "Entra does not match the ServiceAccount's token with the "
    "federated credential yet.",
    Reason.ISSUER_KEYS: "Entra does not know the key that signed the ServiceAccount's token yet.",
    Reason.ISSUER_UNREACHABLE: "Entra cannot fetch the keys of the ServiceAccount token's issuer.",
}

SIGN_IN_MESSAGES: Final[Mapping[Reason, str]] = MappingProxyType(_MESSAGES)
