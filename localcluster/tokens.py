"""Request ServiceAccount tokens with TokenRequest, as a kubelet does."""

from __future__ import annotations

from collections.abc import Sequence

from localcluster.api import Api
from localcluster.errors import ApiError, ClusterError


def request_token(
    api: Api, namespace: str, name: str, audiences: Sequence[str], seconds: int
) -> str:
    """Return a token that the API server signs; it dies with the ServiceAccount."""
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token"
    body = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"audiences": list(audiences), "expirationSeconds": seconds},
    }
    try:
        return str(api.call("POST", path, body)["status"]["token"])
    except ApiError as error:
        if error.status == 404:
            raise ClusterError(
                f"there is no ServiceAccount {name} in namespace {namespace}: create it first"
            ) from error
        raise
