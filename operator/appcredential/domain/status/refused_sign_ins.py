"""What status says about a refused sign-in: of an application, and of the operator itself.

One function, `proof.classify`, says what Entra's number means for both. Only the remedies differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.facts.clocks import entra_difference
from appcredential.domain.proof import SignInClass, SignInResult, classify

_OF_AN_APPLICATION: Final = {
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
    Reason.TENANT_BLOCKED: "Entra has blocked the tenant, for instance because it was not used. An "
    "administrator of it can ask Microsoft to reactivate it.",
    Reason.TENANT_RESTRICTIONS: "Tenant restrictions block the proving sign-in.",
    Reason.CLOCK_SKEW: "The token endpoint refuses the times in what the operator signed. Set the "
    "clock of the operator's node.",
    Reason.THROTTLED: "The token endpoint asks to slow down.",
    Reason.TLS_NOT_TRUSTED: "The certificate of the token endpoint is not trusted.",
    Reason.TOKEN_ENDPOINT_UNAVAILABLE: "The token endpoint cannot be reached.",
    Reason.UNCLASSIFIED: "The token endpoint gives an answer the operator does not know; its log "
    "has the status.",
    Reason.INTERNAL_ERROR: "The proving sign-in was malformed; this is a fault of the operator.",
    Reason.FEDERATION_MISMATCH: "Entra does not match the ServiceAccount's token with the "
    "federated credential yet.",
    Reason.ISSUER_KEYS: "Entra does not know the key that signed the ServiceAccount's token yet.",
    Reason.ISSUER_UNREACHABLE: "Entra cannot fetch the keys of the ServiceAccount token's issuer.",
}
_OF_THE_OPERATOR: Final = {
    **_OF_AN_APPLICATION,
    Reason.NO_SERVICE_PRINCIPAL: "The operator's application has no service principal in the "
    "tenant. Create one: az ad sp create --id with the client id.",
    Reason.APPLICATION_NOT_IN_TENANT: "The token endpoint does not know the operator's application "
    "in this tenant. Check tenantId and clientId of the EntraTenant.",
    Reason.APPLICATION_DISABLED: "The operator's application is disabled in Entra. Enable it.",
    Reason.PUBLIC_CLIENT: "The operator's application is a public client. Set its property "
    "isFallbackPublicClient to false.",
    Reason.BLOCKED_BY_CONDITIONAL_ACCESS: "Conditional Access blocks the operator's own sign-in. "
    "Exclude its service principal, or its address, from the policy.",
    Reason.NOT_ASSIGNED: "The operator's application is not assigned to Graph. Assign it.",
    Reason.VERIFICATION_SCOPE: "The token endpoint does not accept Graph as the resource of the "
    "operator's token. Check cloud of the EntraTenant.",
    Reason.TENANT_RESTRICTIONS: "Tenant restrictions of a proxy block the operator's own sign-in. "
    "Allow the tenant there.",
    Reason.UNCLASSIFIED: "The token endpoint refuses the operator for a reason that it does not "
    "know. Look the number up: https://login.microsoftonline.com/error.",
    Reason.INTERNAL_ERROR: "The operator's own sign-in was malformed; this is a fault of it.",
    Reason.ISSUER_KEYS: "Entra does not know the key that signed the token of the operator's "
    "ServiceAccount yet.",
    Reason.ISSUER_UNREACHABLE: "Entra cannot fetch the keys of the issuer of the operator's "
    "ServiceAccount token. Make the issuer public, or use another member of spec.identity.",
}


def application_message(result: SignInResult, skew: timedelta | None = None) -> str:
    """Return what a sign-in that failed means for an application, with Entra's number.

    Args:
        result: of the sign-in.
        skew: Entra's clock minus the operator's, when known.
    """
    return numbered(_timed(_OF_AN_APPLICATION, result.reason, skew), result.code)


def _timed(messages: Mapping[Reason, str], reason: Reason, skew: timedelta | None) -> str:
    """Return a message, with the difference of the clocks if that is what Entra refuses."""
    told = entra_difference(skew) if reason is Reason.CLOCK_SKEW else ""
    return f"{messages[reason]}{told}"


def operator_problem(code: int, own: str, skew: timedelta | None = None) -> Problem:
    """Return why Entra refuses the operator itself.

    Args:
        code: the AADSTS number; 0 without one.
        own: what it means that the credential is refused, for the operator's kind of identity.
        skew: Entra's clock minus the operator's, when known.
    """
    judged = classify(400, (code,))
    is_mismatch = judged.reason is Reason.FEDERATION_MISMATCH
    if judged.kind is SignInClass.NOT_YET or is_mismatch or not code:
        return Problem(reason=Reason.IDENTITY_REJECTED, message=numbered(own, code))
    return Problem(
        reason=judged.reason,
        message=numbered(_timed(_OF_THE_OPERATOR, judged.reason, skew), code),
        stalled=judged.kind is not SignInClass.UNMATCHED,
    )


def numbered(message: str, code: int) -> str:
    """Return a message with the number that people search for. Numbers are no secrets."""
    return f"{message} Entra's code: AADSTS{code}." if code else message
