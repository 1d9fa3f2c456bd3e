"""`python -m entra_conformance`: compare a tenant, or the emulator, with what is known of Entra."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from entra_conformance.check import Check
from entra_conformance.checks import CHECKS
from entra_conformance.emulated import emulator
from entra_conformance.keys import OwnKey
from entra_conformance.options import parser
from entra_conformance.redacted import Vault
from entra_conformance.report import document, table
from entra_conformance.run import Report, run
from entra_conformance.target import REAL, Patience, Target


def main(arguments: Sequence[str] | None = None, *, patience: Patience = REAL) -> int:
    """Run the checks; return 0 if all agree, 1 if one differs or something stayed, else 2.

    Args:
        arguments: of the command line; None takes those of the process.
        patience: how long to wait for the replicas of a named tenant.
    """
    options = parser().parse_args(arguments)
    checks = [check for check in CHECKS if not (options.read_only and check.writes)]
    vault, report = Vault(), Report()
    try:
        target = None if options.target == "emulator" else _target(options, vault, patience)
        if target is not None and not options.read_only:
            _ask(options, target)
        asyncio.run(_run(target, vault, checks, report))
    except (KeyboardInterrupt, asyncio.CancelledError):
        report.stopped = "interrupted"
    except (ValueError, OSError) as error:
        report.stopped = vault.cleaned(str(error))
    is_written = _write(options, report)
    return report.exit_code if is_written else 2


def _write(options: argparse.Namespace, report: Report) -> bool:
    """Print the table and write the file that was asked for; return whether all was written."""
    sys.stdout.write(table(report))
    if options.json is None:
        return True
    named = options.tenant or "emulator"
    try:
        options.json.write_text(document(report, named), encoding="utf-8")
    except OSError as error:
        sys.stderr.write(f"error: the results are not in {options.json}: {error.strerror}\n")
        return False
    return True


async def _run(
    target: Target | None, vault: Vault, checks: Sequence[Check], report: Report
) -> None:
    task = asyncio.current_task()
    if task is None:
        raise AssertionError("asyncio.run makes a task")
    # Both end a run after cleaning up. A shell's background job would ignore SIGINT by itself.
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    if target is not None:
        await run(target, vault, checks, report)
        return
    async with emulator(vault) as own:
        await run(own, vault, checks, report)


def _target(options: argparse.Namespace, vault: Vault, patience: Patience) -> Target:
    if not (options.tenant and options.client_id):
        raise ValueError("name --target emulator, or --tenant and --client-id")
    certificate = options.certificate or os.environ.get("AZURE_CLIENT_CERTIFICATE_PATH")
    secret = None if certificate else os.environ.get("AZURE_CLIENT_SECRET")
    if not (secret or certificate):
        raise ValueError("set AZURE_CLIENT_SECRET, or name a PEM file by --certificate")
    token = options.federated_token
    return Target(
        authority=options.authority.rstrip("/"),
        graph=options.graph.rstrip("/"),
        tenant=options.tenant,
        client_id=options.client_id,
        secret=vault.keep(secret) if secret else None,
        certificate=OwnKey.load(Path(certificate)) if certificate else None,
        ca_file=options.ca_file,
        federated_token=vault.keep(token.read_text().strip()) if token else None,
        patience=patience,
    )


def _ask(options: argparse.Namespace, target: Target) -> None:
    """Ask a person before the first write.

    Raises:
        ValueError: nobody said yes.
    """
    if options.yes:
        return
    if not sys.stdin.isatty():
        raise ValueError("nobody can be asked here: add --yes to write, or --read-only")
    sys.stdout.write(
        f"In the tenant {target.tenant} at {target.graph}, applications called"
        " entra-conformance-… will be made, changed and deleted.\nType yes to go on: "
    )
    sys.stdout.flush()
    if sys.stdin.readline().strip() != "yes":
        raise ValueError("nothing was written")


if __name__ == "__main__":
    sys.exit(main())
