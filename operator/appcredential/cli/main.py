"""The commands, and the way out: one line and an exit status for whatever goes wrong."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

import click
from click.shell_completion import get_completion_class

from appcredential import __version__
from appcredential.cli.audit import audit_command
from appcredential.cli.conditions import Wanted, present
from appcredential.cli.doctor.command import doctor_command
from appcredential.cli.errors import CliError
from appcredential.cli.grants import grants_command
from appcredential.cli.importing import import_command
from appcredential.cli.inventory import inventory_command
from appcredential.cli.options import (
    For,
    Session,
    selected,
    timeout,
    with_selection,
    with_session,
)
from appcredential.cli.plan.command import plan_command
from appcredential.cli.reading import list_command, status_command
from appcredential.cli.renewing import revoke_command, rotate_command
from appcredential.cli.reporting import report_command
from appcredential.cli.shown import name_of
from appcredential.cli.steering import check_command, resume_command, suspend_command
from appcredential.cli.text import plain
from appcredential.cli.waiting import Waiting

PROGRAM: Final = "kubectl-appcredential"
FAILED: Final = 1
INTERRUPTED: Final = 130
PIPE_CLOSED: Final = 141
_VARIABLE: Final = "_KUBECTL_APPCREDENTIAL_COMPLETE"
_NO_FILES: Final = ":4"
"""What tells kubectl that names of files are no candidates."""


class _PipeClosedError(Exception):
    """Nobody reads stdout any more. Not an OSError, of which click would make another status."""


class _Commands(click.Group):
    def invoke(self, ctx: click.Context) -> Any:
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError as exc:
            raise _PipeClosedError from exc
        return result


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(version)s")
def commands() -> None:
    """See and steer the credentials of Microsoft Entra applications in Kubernetes."""


@commands.command("wait")
@with_selection
@click.option(
    "--for", "wanted", type=For(), default="Ready", show_default=True, metavar="CONDITION",
    help="Ready, condition=Stalled, condition=Ready=False, delete.",
)  # fmt: skip
@timeout("30s", "How long; 0 looks once, a negative time is a week.")
@with_session
def wait_command(
    session: Session,
    *,
    names: tuple[str, ...],
    selector: str | None,
    all_namespaces: bool,
    wanted: Wanted,
    timeout: timedelta,
) -> None:
    """Wait until a condition holds for the spec as it is now."""
    found = selected(
        session, names, selector, all_namespaces=all_namespaces, may_miss=wanted.type is None
    )
    with session.terminal.progress(f"Waiting for {wanted}") as show:
        waiting = Waiting(session.api, timeout, show)
        for resource in found:
            is_met, last = waiting.until(resource, wanted.is_met)
            if not is_met:
                raise CliError(
                    f"timed out waiting for {wanted} of {resource.full_name}: {present(last)}"
                )
            session.terminal.text(f"{name_of(resource)} condition met")


@commands.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion_command(shell: str) -> None:
    """Print what completes `kubectl-appcredential` in a shell."""
    found = get_completion_class(shell)
    assert found is not None  # noqa: S101 - click has these three
    click.echo(found(commands, {}, PROGRAM, _VARIABLE).source())


for _command in (
    list_command,
    status_command,
    grants_command,
    report_command,
    rotate_command,
    revoke_command,
    suspend_command,
    resume_command,
    check_command,
    audit_command,
    doctor_command,
    plan_command,
    inventory_command,
    import_command,
):
    commands.add_command(_command)


def run(arguments: Sequence[str] | None) -> int:
    """Run one command; return the exit status."""
    try:
        result = commands.main(
            None if arguments is None else list(arguments), PROGRAM, standalone_mode=False
        )
    except click.exceptions.NoArgsIsHelpError as exc:
        click.echo(exc.format_message(), err=True)
        return FAILED
    except click.ClickException as exc:
        context = getattr(exc, "ctx", None)
        path = context.command_path if context is not None else PROGRAM
        return _failed(f"{exc.format_message()} See {path} --help.")
    except CliError as exc:
        return _failed(str(exc))
    except OSError as exc:  # of stdout, such as a full disk
        return _failed(str(exc))
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except _PipeClosedError:
        # Python would write what is left to the pipe when it ends, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    return result if isinstance(result, int) else 0


def complete(words: Sequence[str]) -> int:
    """Print candidates for kubectl, which calls `kubectl_complete-appcredential` with the words."""
    found = get_completion_class("bash")
    assert found is not None  # noqa: S101 - click has it
    *before, begun = words or [""]
    shell = found(commands, {}, PROGRAM, _VARIABLE)
    for item in shell.get_completions(before, begun):
        click.echo(item.value)
    click.echo(_NO_FILES)
    return 0


def _failed(message: str) -> int:
    click.echo(f"error: {plain(message)}", err=True)
    return FAILED
