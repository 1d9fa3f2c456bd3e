"""Who may see all AppCredentials: a TokenReview, then a SubjectAccessReview."""

from __future__ import annotations

from typing import Any, Final

from appcredential.domain.secret_value import SecretValue
from appcredential.kube.client import KubeClient
from appcredential.kube.custom_resources import APP_CREDENTIALS, GROUP
from appcredential.ports.viewers import ViewerAccess

_REVIEW: Final = "/apis/authentication.k8s.io/v1/tokenreviews"
_ACCESS: Final = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
_WANTED: Final = {"group": GROUP, "resource": APP_CREDENTIALS, "verb": "list"}
"""Without a namespace, this is about all of them."""


class KubeViewers:
    """Implements `ports.Viewers`."""

    def __init__(self, kube: KubeClient) -> None:
        self._kube = kube

    async def access(self, token: SecretValue) -> ViewerAccess:
        """See `ports.Viewers`."""
        user = await self._user(token)
        if user is None:
            return ViewerAccess.UNKNOWN
        spec = {
            "resourceAttributes": _WANTED,
            "user": user["username"],
            **{name: user[name] for name in ("uid", "groups", "extra") if user.get(name)},
        }
        answer = await self._ask(_ACCESS, "authorization.k8s.io/v1", "SubjectAccessReview", spec)
        is_allowed = answer.get("allowed") is True and answer.get("denied") is not True
        return ViewerAccess.ALLOWED if is_allowed else ViewerAccess.REFUSED

    async def _user(self, token: SecretValue) -> dict[str, Any] | None:
        """Return whose token it is. Audiences that are left out are the API server's own."""
        spec = {"token": token.reveal()}
        answer = await self._ask(_REVIEW, "authentication.k8s.io/v1", "TokenReview", spec)
        user = answer.get("user") or {}
        is_known = answer.get("authenticated") is True and bool(user.get("username"))
        return user if is_known else None

    async def _ask(self, path: str, version: str, kind: str, spec: dict[str, Any]) -> Any:
        body = {"apiVersion": version, "kind": kind, "spec": spec}
        return (await self._kube.request("POST", path, body=body)).get("status") or {}
