"""A person at a terminal, a tenant in the emulator, and an Azure CLI that is a script."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from appcredential.cli.main import run
from tests.support.emulator import READ_ALL, Emulator
from tests.support.graph_user import GraphUser


@dataclass
class EntraPerson:
    """Runs the tool in this process without any cluster, as a client of one tenant."""

    emulator: Emulator
    tenant: str
    client_id: str
    secret: str
    home: Path
    set_variables: pytest.MonkeyPatch
    captured: pytest.CaptureFixture[str]

    def begin(self) -> None:
        """Set the variables of a person who is signed in."""
        for name, value in {
            "PATH": f"{self.home}:/usr/bin:/bin",
            "KUBECONFIG": str(self.home / "none"),
            "APPCREDENTIAL_CUSTOM_AUTHORITY": self.emulator.url,
            "APPCREDENTIAL_CUSTOM_GRAPH": self.emulator.url,
            "APPCREDENTIAL_CUSTOM_CA_FILE": str(self.emulator.ca_file),
            "AZURE_CLIENT_ID": self.client_id,
            "AZURE_CLIENT_SECRET": self.secret,
        }.items():
            self.set_variables.setenv(name, value)

    def did(self, *words: str) -> str:
        """Run what succeeds; return what it wrote to stdout."""
        status, out, err = self.run(*words)
        assert status == 0, err
        return out

    def refused(self, *words: str) -> str:
        """Run what fails; return its last line without the word."""
        status, _, err = self.run(*words)
        assert status == 1
        line = err.splitlines()[-1]
        assert line.startswith("error: ")
        return line.removeprefix("error: ")

    def run(self, *words: str) -> tuple[int, str, str]:
        """Run it in the tenant; return its status and what it wrote to stdout and stderr."""
        self.captured.readouterr()
        status = run([*words, "--tenant-id", self.tenant, "--cloud", "Custom"])
        out, err = self.captured.readouterr()
        return status, out, err

    def forget_variables(self) -> None:
        """Leave only the Azure CLI to sign in with."""
        self.set_variables.delenv("AZURE_CLIENT_ID")
        self.set_variables.delenv("AZURE_CLIENT_SECRET")

    def token(self) -> str:
        """Return a token for Graph."""
        context = ssl.create_default_context(cafile=self.emulator.ca_file)
        with httpx.Client(verify=context) as http:
            user = GraphUser(self.emulator, http, self.tenant, self.client_id, self.secret)
            assert user.sign_in().status_code == 200
            return user.token

    def put_azure_cli(self, says: str = "", error: str = "") -> None:
        """Put an Azure CLI on the path that prints this, or fails with that."""
        script, answer, fault = self.home / "az", self.home / "answer", self.home / "fault"
        answer.write_text(says)
        fault.write_text(error)
        script.write_text(
            f'#!/bin/sh\necho "$@" >> {self.home}/asked\ncat {answer}\ncat {fault} >&2\n'
            f"exit {int(bool(error))}\n"
        )
        script.chmod(0o755)

    def asked_azure_cli(self) -> list[str]:
        """Return with what words the Azure CLI was called."""
        return (self.home / "asked").read_text().splitlines()


def signed_in(token: str, ends: str = "2099-01-01 00:00:00.000000") -> str:
    """Return what `az account get-access-token` prints."""
    return json.dumps({"accessToken": token, "expiresOn": ends, "tokenType": "Bearer"})


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with Emulator(tmp_path_factory.mktemp("tls")) as running:
        yield running


@pytest.fixture
def person(
    emulator: Emulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[EntraPerson]:
    tenant = emulator.create_tenant()
    client_id, secret = emulator.create_operator(tenant, READ_ALL)
    found = EntraPerson(emulator, tenant, client_id, secret, tmp_path, monkeypatch, capsys)
    found.begin()
    yield found
    emulator.clear_faults()
