"""Workloads as pods are: azure-identity with what a Secret holds, again and again."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from azure.core.exceptions import ClientAuthenticationError
from azure.identity import CertificateCredential, ClientSecretCredential

from demo.stack import EmulatorProcess

MOUNT_PATH: Final = "/var/run/secrets/appcredential"
_EVERY: Final = 0.4
_NEW_POD: Final = """
import os
from azure.identity import EnvironmentCredential
credential = EnvironmentCredential(
    disable_instance_discovery=True, connection_verify=os.environ["CA_FILE"])
assert credential.get_token(os.environ["SCOPE"]).token
print(type(credential._credential).__name__)
"""

Values = Mapping[str, str]


class Pod:
    """Signs in in a thread until it is left; `failures` holds what went wrong, without a value.

    Args:
        emulator: the Entra it signs in to.
        read: returns the Secret's values. As a mounted Secret it is read at each sign-in;
            as environment variables once, at the start.
        is_mounted: which of the two it is.
    """

    def __init__(
        self, emulator: EmulatorProcess, read: Callable[[], Values], *, is_mounted: bool
    ) -> None:
        self._emulator = emulator
        self._started = read()
        self._read = read if is_mounted else lambda: self._started
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pod")
        self.tries = 0
        self.failures: list[str] = []
        self.used: list[str] = []
        """Which kinds of credentials it used, one after another."""

    def _run(self) -> None:
        try:
            while not self._stop.wait(_EVERY):
                self._sign_in(self._read())
        except Exception as error:  # noqa: BLE001 - a pod that ended has seen nothing
            self.failures.append(f"the pod ended: {type(error).__name__}: {error}")

    def _sign_in(self, values: Values) -> None:
        credential = _credential(values, self._emulator)
        kind = type(credential).__name__
        if self.used[-1:] != [kind]:
            self.used.append(kind)
        self.tries += 1
        with credential:
            try:
                credential.get_token(f"{self._emulator.url}/.default")
            except ClientAuthenticationError:
                self.failures.append(f"try {self.tries}: {kind} was refused")

    def stop(self) -> None:
        """End it, as a rollout does."""
        self._stop.set()
        self._thread.join()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.stop()


def _credential(
    values: Values, emulator: EmulatorProcess
) -> ClientSecretCredential | CertificateCredential:
    """Choose as azure-identity's EnvironmentCredential does: a client secret goes first."""
    who = values["AZURE_TENANT_ID"], values["AZURE_CLIENT_ID"]
    where: dict[str, Any] = {
        "authority": values["AZURE_AUTHORITY_HOST"],
        "disable_instance_discovery": True,
        "connection_verify": str(emulator.ca_file),
    }
    if "AZURE_CLIENT_SECRET" in values:
        return ClientSecretCredential(*who, values["AZURE_CLIENT_SECRET"], **where)
    path = values["AZURE_CLIENT_CERTIFICATE_PATH"]
    content = values[path.removeprefix(f"{MOUNT_PATH}/")].encode()
    return CertificateCredential(*who, certificate_data=content, **where)


def new_pod(emulator: EmulatorProcess, values: Values, volume: Path) -> str:
    """Start a process with the Secret as environment and files, as a container is started.

    It signs in with the real EnvironmentCredential.

    Returns:
        Which credential that one chose, or what it said when it failed.
    """
    volume.mkdir()
    for key, value in values.items():
        (volume / key).write_text(value)
    env = {k: v.replace(MOUNT_PATH, str(volume)) for k, v in values.items() if "." not in k}
    env |= {"CA_FILE": str(emulator.ca_file), "SCOPE": f"{emulator.url}/.default"}
    done = subprocess.run(
        [sys.executable, "-c", _NEW_POD],
        env={"PATH": os.environ["PATH"], **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout.strip() or done.stderr[-400:]
