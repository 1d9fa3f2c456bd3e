"""The command line: `run`, `crds`, `version`, and `ctl`, which is `kubectl appcredential`."""

from __future__ import annotations

import argparse
import asyncio
import importlib.resources
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from appcredential import __version__
from appcredential.cli import entry as cli
from appcredential.readiness import options as readiness
from appcredential.setting_values import PREFIX
from appcredential.settings import Settings, SettingsError

_NAMESPACE_FILE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
_TOKEN_FILE = "AZURE_FEDERATED_TOKEN_FILE"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit status."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    if words[:1] == ["ctl"]:  # it has a parser of its own
        return cli.main(words[1:])
    parser = argparse.ArgumentParser(
        prog="appcredential", description="Microsoft Entra application credentials for Kubernetes."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("run", help="run the operator; settings are APPCREDENTIAL_* variables")
    commands.add_parser("crds", help="print the custom resource definitions as YAML")
    commands.add_parser("version", help="print the version")
    readiness.add_options(
        commands.add_parser("check", help="sign in as the operator would, and say what is missing")
    )
    commands.add_parser("ctl", help="see and steer AppCredentials, as kubectl appcredential does")
    given = parser.parse_args(words)
    command = given.command
    if command == "version":
        print(__version__)  # noqa: T201 - this is what the command is for
        return 0
    if command == "crds":
        print(_crds())  # noqa: T201 - same
        return 0
    if command == "check":
        return _check(given)
    return _run()


def _crds() -> str:
    """Return the CRDs: packaged in the wheel, else from the checkout."""
    packaged = importlib.resources.files("appcredential") / "crds"
    folder = packaged if packaged.is_dir() else Path(__file__).parents[2] / "crds"
    texts = [
        entry.read_text().strip()
        for entry in sorted(folder.iterdir(), key=lambda e: e.name)
        if entry.name.endswith(".yaml")
    ]
    return "\n---\n".join(texts)


def _check(given: argparse.Namespace) -> int:
    settings = _settings_or_none()
    if settings is None:
        return readiness.NOT_LOOKED
    from appcredential.readiness import command  # noqa: PLC0415 - keeps `version` quick

    return command.run(settings, given.tenant_ref, given.output or "")


def _run() -> int:
    settings = _settings_or_none()
    if settings is None:
        return 2
    from appcredential import composition  # noqa: PLC0415 - keeps `version` quick

    return asyncio.run(composition.run(settings))


def _settings_or_none() -> Settings | None:
    """Return the settings; None if they cannot be used, which is told."""
    try:
        return _settings()
    except SettingsError as exc:
        for fault in exc.faults:
            print(fault, file=sys.stderr)  # noqa: T201 - for the person who starts it
        return None


def _settings() -> Settings:
    settings = Settings.from_env(os.environ)
    if PREFIX + "NAMESPACE" not in os.environ and _NAMESPACE_FILE.exists():
        settings = replace(settings, namespace=_NAMESPACE_FILE.read_text().strip())
    token_file = os.environ.get(_TOKEN_FILE)
    if token_file and PREFIX + "IDENTITY_TOKEN_FILE" not in os.environ:
        settings = replace(settings, identity_token_file=token_file)
    faults = _server_faults(settings)
    if faults:
        raise SettingsError(faults)
    return settings


def _server_faults(settings: Settings) -> list[str]:
    from appcredential.entra.clouds import ca_faults, check_custom  # noqa: PLC0415 - same

    extra = [f"{PREFIX}CA_FILE: {fault}" for fault in ca_faults(settings.ca_file or None)]
    if not settings.custom_authority and not settings.custom_graph:
        return extra
    faults = check_custom(
        settings.custom_authority, settings.custom_graph, settings.custom_ca_file or None
    )
    return extra + [f"{PREFIX}CUSTOM_*: {fault}" for fault in faults]


if __name__ == "__main__":
    sys.exit(main())
