"""The command `doctor`."""

from __future__ import annotations

import json

import click

from appcredential.cli.doctor.gathering import Reader
from appcredential.cli.doctor.judge import judge
from appcredential.cli.doctor.shown import as_json, told
from appcredential.cli.options import Session, output, with_session


@click.command("doctor")
@click.option(
    "--operator-namespace", default="", metavar="NAMESPACE",
    help="Where the operator runs, if you may not look in all namespaces.",
)  # fmt: skip
@output("json")
@with_session
def doctor_command(session: Session, *, operator_namespace: str, form: str | None) -> int:
    """Find what is wrong with an installation, and say what to do about it.

    The status is 1 if something is wrong. What you may not read is told, and never counts as fine.
    """
    terminal = session.terminal
    with terminal.progress("Looking at the installation") as show:
        reader = Reader(session.api, operator_namespace)
        gathered = reader.gather(lambda read, _: show(f"Reading AppCredentials: {read}"))
    found = judge(gathered)
    if form == "json":
        terminal.text(json.dumps([as_json(finding) for finding in found], indent=4))
    else:
        terminal.lines(told(found, terminal.width, unicode=terminal.unicode))
    return int(any(finding.gravity.is_wrong for finding in found))
