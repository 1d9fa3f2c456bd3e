"""What status says when Kubernetes, or a fault of its own, keeps the operator from its work."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from appcredential.domain.conditions import Condition, ConditionType, Problem, Reason
from appcredential.domain.observed.observation import Resource
from appcredential.domain.status.merge import merge_conditions
from appcredential.errors import (
    AppCredentialError,
    PermissionDeniedError,
    SecretForbiddenError,
    SecretRefusal,
    SecretRefusedError,
    UnusableListError,
)

OWN_TOKEN_UNREAD: Final = Problem(
    reason=Reason.ISSUER_UNKNOWN,
    message="The operator's own ServiceAccount token cannot be read, which says who issues tokens "
    "here. Mount one and name its file in APPCREDENTIAL_SERVICE_ACCOUNT_TOKEN_FILE.",
)
DISCOVERY_UNREAD: Final = Problem(
    reason=Reason.ISSUER_UNKNOWN,
    message="The API server's issuer discovery document cannot be read. Let the operator's "
    "ServiceAccount read it: ClusterRole system:service-account-issuer-discovery.",
    stalled=False,
)
ISSUERS_DIFFER: Final = Problem(
    reason=Reason.ISSUER_UNKNOWN,
    message="The API server's discovery document names another issuer than the operator's own "
    "token. That passes when the cluster's issuer was changed lately.",
    stalled=False,
)
PODS_FORBIDDEN: Final = Problem(
    reason=Reason.PODS_UNREADABLE,
    message="A replaced credential stays valid until its own end, because the operator may not "
    "list the pods of this namespace to see whether one still uses it. Set rbac.readPods to true "
    "in the chart's values, or let its role list pods; or choose another rotation.retireWhen.",
)
TOO_MANY_PODS: Final = Problem(
    reason=Reason.PODS_UNREADABLE,
    message="A replaced credential stays valid until its own end, because the namespace has more "
    "pods than the operator reads to see whether one still uses it. Choose another "
    "rotation.retireWhen.",
)
PODS_TOO_SLOW: Final = Problem(
    reason=Reason.PODS_UNREADABLE,
    message="A replaced credential stays valid until its own end, because the list of this "
    "namespace's pods takes longer than the operator waits for it, two minutes, to see whether one "
    "still uses it. Choose another rotation.retireWhen.",
)
PODS_UNAVAILABLE: Final = Problem(
    reason=Reason.PODS_UNREADABLE,
    message="The pods of this namespace cannot be listed for now.",
    stalled=False,
)
_BIND: Final = "Bind its role here, or list the namespace in its settings."
_REFUSED: Final = {
    SecretRefusal.QUOTA: "a quota of the namespace leaves no room for it. Raise the quota, or "
    "remove Secrets that nobody needs.",
    SecretRefusal.ADMISSION: "an admission policy or webhook denies it. Exempt the operator's "
    "Secrets from it, or give them the labels that it asks for: spec.secret.labels here, or "
    "secretLabels in the chart's values for all of them.",
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


def account_problem(error: AppCredentialError) -> Problem:
    """Return why a ServiceAccount cannot be read or annotated."""
    verb = "A rule of admission keeps the operator from annotating"
    if isinstance(error, PermissionDeniedError):
        verb = "The operator may not read or annotate"
    return Problem(
        reason=Reason.SERVICE_ACCOUNT_FORBIDDEN,
        message=f"{verb} ServiceAccounts in this namespace. Bind its role here, or set "
        "serviceAccount.annotation to None.",
    )


def output_problem(error: AppCredentialError) -> Problem:
    """Return why the output ConfigMap cannot be read or written."""
    verb = "A rule of admission or a quota keeps the operator from writing"
    if isinstance(error, PermissionDeniedError):
        verb = "The operator may not read or write"
    return Problem(
        reason=Reason.OUTPUT_FORBIDDEN,
        message=f"{verb} ConfigMaps in this namespace. Bind its role here, or leave "
        "federatedIdentity.configMap out of a new AppCredential.",
    )


def pods_problem(error: AppCredentialError | TimeoutError) -> Problem:
    """Return why the pods of a namespace cannot be listed."""
    if isinstance(error, PermissionDeniedError):
        return PODS_FORBIDDEN
    return TOO_MANY_PODS if isinstance(error, UnusableListError) else PODS_UNAVAILABLE


def no_token(name: str, audience: str) -> Problem:
    """Return why no token of a ServiceAccount can be had to try an exchange with."""
    return Problem(
        reason=Reason.TOKEN_REQUEST_FORBIDDEN,
        message=f"The operator may not ask for a token of the ServiceAccount {name} for the "
        f"audience {audience}, so no exchange can be tried. Set rbac.tokenRequests to true in the "
        "chart's values, with that audience in admissionPolicies.tokenAudiences; or leave "
        "verification out.",
    )


def no_account(name: str) -> Problem:
    """Return what a missing ServiceAccount means for the proof of a trust in it."""
    return Problem(
        reason=Reason.SERVICE_ACCOUNT_NOT_FOUND,
        message=f"The ServiceAccount {name} does not exist in this namespace, so no exchange can "
        "be tried. Create it, or leave verification out.",
    )


def failed_status(resource: Resource, now: datetime) -> dict[str, Any]:
    """Return the status after an error that nobody expected: what it said before stands.

    Whether the Secret works has nothing to do with a fault of the operator, so Ready
    is kept, with the generation that it was set for. Stalled is about this generation.
    """
    reason = Reason.INTERNAL_ERROR
    message = "The operator failed at this resource; its log has the cause."
    wanted = [Condition.true(ConditionType.STALLED, reason, message)]
    before = list(resource.status.get("conditions") or ())
    abnormal = {ConditionType.RECONCILING, ConditionType.STALLED}
    kept = [c for c in before if c.get("type") not in abnormal]
    if not any(c.get("type") == ConditionType.READY for c in kept):
        wanted.insert(0, Condition.unknown(ConditionType.READY, reason, message))
    added = merge_conditions(before, wanted, generation=resource.generation, now=now)
    return {
        **resource.status,
        "observedGeneration": resource.generation,
        "conditions": [*kept, *added],
    }
