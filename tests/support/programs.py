"""Programs that change an application's credentials, each fetched once for `make clients`.

Every program comes by the ordinary client of its package manager: pip, `go install`, or Terraform.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

import pytest

from localcluster import gobuild
from localcluster.cache import cache_folder
from localcluster.errors import BuildError
from localcluster.longrun import run_with_progress
from localcluster.progress import to_stderr
from localcluster.toolchain import find_go

AZURE_CLI_LOCK: Final = Path(__file__).parents[2] / "requirements" / "clients.txt"
#: The version that the configuration of docs/emulator.md asks for.
AZUREAD_VERSION: Final = "3.9.0"
AZWI_MODULE: Final = "github.com/Azure/azure-workload-identity"
AZWI_VERSION: Final = "v1.6.0"
#: What azwi's go.mod demands.
_AZWI_GO: Final = (1, 26, 4)


class Operation(StrEnum):
    """What such a program can do; the heading of a column."""

    SIGN_IN = "sign in"
    PASSWORD = "add password"
    CERTIFICATE = "add certificate"
    FEDERATED = "add federated credential"
    REMOVE = "remove"
    NO_DRIFT = "no drift"


class MissingError(Exception):
    """A program that cannot be had here; the message says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program, what it can do, and how its command is found or made.

    `locate` returns the command, and raises MissingError or BuildError.
    """

    name: str
    operations: frozenset[Operation]
    locate: Callable[[], list[str]]

    def command(self) -> list[str]:
        """Return the command; skip the test where the program cannot be had."""
        try:
            return self.locate()
        except (MissingError, BuildError) as error:
            pytest.skip(f"no {self.name}: {error}")


def _azure_cli() -> list[str]:
    """Return the command of azure-cli in a folder of its own, which sees no other packages."""
    cache = cache_folder()

    def fill(folder: Path) -> None:
        install = [sys.executable, "-m", "pip", "install", "--quiet", "--require-hashes"]
        install += ["--disable-pip-version-check", "--target", str(folder)]
        install += ["--requirement", str(AZURE_CLI_LOCK)]
        title = "installing azure-cli (once; 700 MB, a minute or two)"
        run_with_progress(title, install, dict(os.environ), to_stderr)

    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    digest = gobuild.digest_of(AZURE_CLI_LOCK.parent, [AZURE_CLI_LOCK.name])
    waiting = "another process is installing azure-cli: waiting for it"
    name = f"azure-cli-{version}-{digest}"
    folder = gobuild.once(cache, name, to_stderr, waiting, fill)
    return ["env", f"PYTHONPATH={folder}", sys.executable, "-S", "-m", "azure.cli"]


def azure_cli_version() -> str:
    """Return the version that is locked."""
    found = re.search(r"^azure-cli==(\S+)", AZURE_CLI_LOCK.read_text(), re.MULTILINE)
    assert found is not None
    return found.group(1)


def _terraform() -> list[str]:
    found = shutil.which("terraform")
    if found is None:
        raise MissingError("terraform is not installed")
    return [found]


def azuread_folder() -> Path | None:
    """Return the folder with the built provider that AZUREAD_PROVIDER names.

    None: Terraform fetches the provider from its registry.
    """
    named = os.environ.get("AZUREAD_PROVIDER")
    if not named:
        return None
    folder = Path(named).expanduser().absolute()
    wanted = f"terraform-provider-azuread_v{AZUREAD_VERSION}"
    if not any(folder.glob(f"{wanted}*")):
        raise MissingError(f"AZUREAD_PROVIDER is {folder}, but no {wanted} is there")
    return folder


def _azwi() -> list[str]:
    """Return azwi's command: the one that AZWI names, or one built of its module."""
    named = os.environ.get("AZWI")
    if named:
        return [_checked_azwi(named)]
    cache = cache_folder()

    def fill(folder: Path) -> None:
        go = find_go(_AZWI_GO, cache, to_stderr)
        flags = gobuild.linker_flags({f"{AZWI_MODULE}/pkg/version.BuildVersion": AZWI_VERSION})
        install = [str(go), "install", "-v", "-trimpath", "-ldflags", flags]
        install += [f"{AZWI_MODULE}/cmd/azwi@{AZWI_VERSION}"]
        environment = {**gobuild.build_environment(), "GOBIN": str(folder)}
        title = f"building azwi {AZWI_VERSION} (once; six minutes of two cores)"
        run_with_progress(title, install, environment, to_stderr, summary=gobuild.summary)

    waiting = "another process is building azwi: waiting for it"
    name = f"azwi-{AZWI_VERSION}"
    try:
        return [str(gobuild.once(cache, name, to_stderr, waiting, fill) / "azwi")]
    except BuildError as error:
        last = str(error).strip().splitlines()[-1].strip("| \t.")
        raise MissingError(f"{last}; the variable AZWI may name a built azwi") from error


def _checked_azwi(command: str) -> str:
    try:
        told = subprocess.run(
            [command, "version"], capture_output=True, text=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise MissingError(f"AZWI is {command}, which tells no version: {error}") from error
    if f"Version: {AZWI_VERSION}\n" not in told.stdout + told.stderr:
        raise MissingError(f"AZWI is {command}, which is not of version {AZWI_VERSION}")
    return command


_ADDED: Final = frozenset(Operation) - {Operation.NO_DRIFT}
AZURE_CLI: Final = Program(
    name=f"azure-cli {azure_cli_version()}", operations=_ADDED, locate=_azure_cli
)
TERRAFORM: Final = Program(
    name=f"Terraform: azuread {AZUREAD_VERSION}",
    operations=frozenset(Operation),
    locate=_terraform,
)
AZWI: Final = Program(
    name=f"azwi {AZWI_VERSION.removeprefix('v')}",
    operations=frozenset({Operation.SIGN_IN, Operation.FEDERATED, Operation.REMOVE}),
    locate=_azwi,
)
PROGRAMS: Final = (AZURE_CLI, TERRAFORM, AZWI)


def main() -> int:
    """Fetch every program that can be had here, with progress; say why others are missing."""
    for program in PROGRAMS:
        try:
            program.locate()
        except (MissingError, BuildError) as error:
            to_stderr(f"no {program.name}: {error}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
