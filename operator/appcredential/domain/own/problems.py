"""Why the operator does not renew its own certificate, and what to do about it."""

from __future__ import annotations

from typing import Final

from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.proof import SignInClass, SignInResult
from appcredential.errors import (
    AppCredentialError,
    IdentityRejectedError,
    NotFoundError,
    PermissionDeniedError,
    RejectedError,
    SecretForbiddenError,
)

_GUIDE: Final = "docs/guides/operator-identity.md has the commands"


def _not_renewed(message: str, *, stalled: bool = True) -> Problem:
    text = f"The operator's own credential is not renewed: {message}"
    return Problem(reason=Reason.IDENTITY_NOT_RENEWED, message=text, stalled=stalled)


def not_ours(fault: str) -> Problem:
    """Return the Problem of a Secret that the operator may not write; `fault` is the predicate."""
    return Problem(
        reason=Reason.IDENTITY_SECRET_NOT_OURS,
        message="The operator does not renew its own credential: the Secret that spec.identity "
        f"names {fault}.",
    )


def shared_with(others: list[str]) -> Problem:
    """Return the Problem of a Secret that other EntraTenants name as well."""
    return not_ours(
        f"is also that of the EntraTenant {', '.join(others[:5])}, whose app registration would "
        "not know the new one: give each a Secret of its own"
    )


CLOCK: Final = _not_renewed(
    "the clocks of Entra and the operator differ too much, or one answer of Entra showed such a "
    "difference. Correct the clock of the node; what is made by a wrong clock could be invalid."
)
EXPIRED: Final = _not_renewed(
    "it has expired, and only a valid certificate may add another one. Register a new one on the "
    f"operator's app registration by hand and put it into the Secret: {_GUIDE}."
)
OVERDUE: Final = _not_renewed(
    "it is due, and the last attempts did not succeed; the operator's log says why. It tries on.",
    stalled=False,
)
TOO_MANY: Final = _not_renewed(
    "its former certificates could not be removed. Remove those that the operator does not use "
    "from its app registration, or let it reach Graph."
)
TOO_MANY_SECRETS: Final = _not_renewed(
    "too many of its client secrets could not be stored, do not sign in, or could not be removed. "
    "The operator's log says why. It tries on once those are removed from its app registration."
)
NOT_OWNER: Final = _not_renewed(
    "Graph does not let it change its own app registration. Make the operator's service principal "
    f"an owner of the operator's own app registration: {_GUIDE}."
)
WRITE_FORBIDDEN: Final = _not_renewed(
    "the operator may not write its Secret. Where it serves some namespaces only, name the Secret "
    "in the chart's value rbac.identitySecrets, and check the admission policies of the cluster."
)


def refused_sign_in(result: SignInResult) -> Problem | None:
    """Return why a new certificate cannot prove itself; None while that may pass by itself."""
    if result.kind is SignInClass.PROVEN or result.kind.may_pass:
        return None
    return _not_renewed(
        f"a sign-in with the new one is refused ({result.reason}), for a reason that is not the "
        "credential. The old one stays in use."
    )


def refused_password(error: AppCredentialError) -> Problem | None:
    """Return the same as `refused_call`, of addPassword and removePassword."""
    is_other = isinstance(error, SecretForbiddenError | IdentityRejectedError)
    if isinstance(error, PermissionDeniedError) and not is_other:
        return NOT_OWNER
    return refused_call(error)


def refused_call(error: AppCredentialError) -> Problem | None:
    """Return why Graph does not let the operator renew; None while that may pass by itself.

    Args:
        error: what reading the operator's application, addKey, removeKey or writing the Secret
            raised.
    """
    if isinstance(error, SecretForbiddenError):
        return WRITE_FORBIDDEN
    if isinstance(error, IdentityRejectedError):
        return None  # the tenant's own conditions tell it
    if isinstance(error, RejectedError):
        code = error.code or "bad request"
        return _not_renewed(
            f"Graph refuses it ({code}). If an app management policy of the Entra tenant forbids "
            "it, lower rotation.lifetime to what the policy allows or have the operator's app "
            "registration exempted."
        )
    if isinstance(error, PermissionDeniedError):
        return _not_renewed(
            "Graph does not accept the proof that the operator holds its present certificate. "
            "Check that clientId is the app registration with this certificate."
        )
    if isinstance(error, NotFoundError):
        return _not_renewed(
            "Graph finds no app registration with the operator's clientId in this tenant. Only "
            "the tenant where it was made can renew it.",
            stalled=False,
        )
    return None
