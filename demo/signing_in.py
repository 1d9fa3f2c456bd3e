"""Signing in as a workload does: once, or every second, remembering each time that it could not."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from azure.core.exceptions import ClientAuthenticationError
from azure.identity import CertificateCredential, ClientSecretCredential

_EVERY: Final = 1.0
_PATIENCE: Final = 30.0


class SigningIn:
    """Signs in in a thread for as long as it is entered.

    Args:
        sign_in: reads what a mounted Secret holds, and tells whether it signs in.

    Attributes:
        tries: how often it tried.
        failures: what went wrong, without any value.
    """

    def __init__(self, sign_in: Callable[[], bool]) -> None:
        self._sign_in = sign_in
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="workload", daemon=True)
        self.tries = 0
        self.failures: list[str] = []

    def _run(self) -> None:
        while not self._stop.wait(_EVERY):
            self.tries += 1
            try:
                if not self._sign_in():
                    self.failures.append("the sign-in was refused")
            except Exception as error:  # noqa: BLE001 - whatever it is, the workload is down
                self.failures.append(type(error).__name__)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join(_PATIENCE)


def signs_in(values: Mapping[str, str], ca_file: Path, graph: str) -> bool:
    """Sign in with azure-identity, as a workload does; return whether it got a token."""
    who = values["AZURE_TENANT_ID"], values["AZURE_CLIENT_ID"]
    where: dict[str, Any] = {
        "authority": values["AZURE_AUTHORITY_HOST"],
        "disable_instance_discovery": True,
        "connection_verify": str(ca_file),
    }
    credential: ClientSecretCredential | CertificateCredential
    if "client.pem" in values:
        content = values["client.pem"].encode()
        credential = CertificateCredential(*who, certificate_data=content, **where)
    else:
        credential = ClientSecretCredential(*who, values["AZURE_CLIENT_SECRET"], **where)
    with credential:
        try:
            return bool(credential.get_token(f"{graph}/.default").token)
        except ClientAuthenticationError:
            return False
