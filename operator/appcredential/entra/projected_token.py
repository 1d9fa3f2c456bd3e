"""The token of the operator's own ServiceAccount, which the kubelet projects into its pod."""

from __future__ import annotations

from pathlib import Path

from appcredential.domain.operator_credential import token_fault
from appcredential.domain.spec.model import Cloud
from appcredential.errors import OwnTokenError

_MAX_TOKEN = 65536


class ProjectedToken:
    """Reads the file each time, because the kubelet renews it. Implements `ports.local.PodToken`.

    Args:
        path: of the file, as the azure-workload-identity webhook projects it.
        custom_audience: the only audience of a token for `cloud: Custom`; empty when the
            settings name none.
    """

    def __init__(self, path: str, custom_audience: str) -> None:
        self._path = Path(path)
        self._custom_audience = custom_audience

    def is_configured(self, cloud: Cloud) -> bool:
        """Return whether the settings allow a sign-in with it to this cloud."""
        return cloud is not Cloud.CUSTOM or bool(self._custom_audience)

    def read(self, cloud: Cloud) -> str:
        """Return the token for one sign-in.

        Raises:
            OwnTokenError: there is no token, or it may not be sent to this cloud.
        """
        try:
            with self._path.open(encoding="ascii") as file:
                token = file.read(_MAX_TOKEN).strip()
        except (OSError, ValueError):
            raise OwnTokenError(
                "cannot be read: project a token of the operator's ServiceAccount there."
            ) from None
        audience = self._custom_audience if cloud is Cloud.CUSTOM else ""
        if not self.is_configured(cloud):
            raise OwnTokenError("may not be sent: the settings name no audience for cloud Custom.")
        fault = token_fault(token, audience)
        if fault:
            raise OwnTokenError(fault)
        return token
