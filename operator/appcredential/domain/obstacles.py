"""What status says when Kubernetes does not let the operator do its work."""

from __future__ import annotations

from appcredential.domain.conditions import Problem, Reason
from appcredential.errors import SecretForbiddenError, SecretRefusal, SecretRefusedError

_BIND = "Bind its role here, or list the namespace in its settings."
_REFUSED = {
    SecretRefusal.QUOTA: "a quota of the namespace leaves no room for it. Raise the quota, or "
    "remove Secrets that nobody needs.",
    SecretRefusal.ADMISSION: "an admission policy or webhook denies it. Exempt the operator's "
    "Secrets from it, or give them in spec.secret what it asks for.",
    SecretRefusal.INVALID: "it is not valid there. Change spec.secret; the operator's log has "
    "the request.",
}


def secret_problem(error: SecretForbiddenError | SecretRefusedError) -> Problem:
    """Return why a Secret of the namespace cannot be read or written."""
    if isinstance(error, SecretRefusedError):
        message = f"The API server refuses the Secret: {_REFUSED[error.cause]}"
        return Problem(reason=Reason.SECRET_REFUSED, message=message)
    verb = "write" if error.is_write else "read"
    message = f"The operator may not {verb} Secrets in this namespace. {_BIND}"
    return Problem(reason=Reason.SECRET_FORBIDDEN, message=message)
