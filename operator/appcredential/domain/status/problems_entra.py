"""What it means that Graph refuses to make a credential, by the code of its answer.

The two codes of policies: Entra's app management policies, as seen in public reports.
"""

from __future__ import annotations

from typing import Final

from appcredential.domain.conditions import Problem, Reason

_OVER_POLICY: Final = Problem(
    reason=Reason.LIFETIME_OVER_POLICY,
    message="An app management policy of the Entra tenant forbids so long a lifetime for this "
    "application. Set spec.lifetime to what the policy allows (status.appManagementPolicy of the "
    "EntraTenant tells the tenant's own, where it can be read), or have the application exempted.",
)
_FORBIDDEN: Final = Problem(
    reason=Reason.TYPE_FORBIDDEN_BY_POLICY,
    message="An app management policy of the Entra tenant forbids credentials of this type for "
    "this application. Make an AppCredential of another type, or have the application exempted.",
)
_BY_CODE: Final = {
    "CredentialInvalidLifetimeAsPerAppPolicy": _OVER_POLICY,
    "CredentialTypeNotAllowedAsPerAppPolicy": _FORBIDDEN,
}


def refusal(code: str) -> Problem:
    """Say why, and what to do.

    Args:
        code: of Graph's answer, already known to be safe to show; empty without one.
    """
    known = _BY_CODE.get(code)
    if known is not None:
        return known
    return Problem(
        reason=Reason.CREDENTIAL_REFUSED,
        message=f"Graph refuses to make the credential: {code or 'bad request'}. The operator's "
        "log has Graph's own words.",
    )
