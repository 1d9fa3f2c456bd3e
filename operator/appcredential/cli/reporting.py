"""The command `report`: a page about all AppCredentials, to open in a browser or to send on."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import click

from appcredential.cli.options import Session, with_session
from appcredential.cli.reading import read_listed
from appcredential.report.page import Origin, render
from appcredential.report.rows import row_of

_STDOUT: Final = "-"


@click.command("report")
@click.option(
    "--html", "target", required=True, metavar="FILE", help="Write it there; - is stdout."
)
@click.option("-A", "--all-namespaces", is_flag=True, help="Those of all namespaces.")
@click.option("-l", "--selector", metavar="LABELS", help="Those with these labels.")
@click.option(
    "--team-label", default="team", show_default=True, metavar="KEY",
    help="The label that names teams; empty counts by namespace.",
)  # fmt: skip
@with_session
def report_command(
    session: Session,
    *,
    target: str,
    all_namespaces: bool,
    selector: str | None,
    team_label: str,
) -> None:
    """Write a page about all AppCredentials: what is stuck and why, what ends when, whose it is.

    It needs nothing else, holds no value of any credential, and can be printed.
    """
    found = read_listed(session, selector, all_namespaces=all_namespaces)
    scope = "all namespaces" if all_namespaces else f"namespace {session.api.namespace}"
    origin = Origin(
        scope=f"{scope} with labels {selector}" if selector else scope,
        is_whole=all_namespaces and not selector,
        team_label=team_label,
        told="Made by kubectl appcredential report.",
    )
    rows = (row_of(resource.document, team_label) for resource in found)
    page = render(rows, origin, session.api.now()).encode()
    if target == _STDOUT:
        sys.stdout.buffer.write(page)  # UTF-8, whatever the terminal has
        return
    Path(target).write_bytes(page)
    session.terminal.note(f"A report on {len(found)} AppCredentials is in {target}")
