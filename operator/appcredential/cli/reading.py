"""The commands that only read: `list` and `status`."""

from __future__ import annotations

from datetime import datetime

import click

from appcredential.cli.api import event_time
from appcredential.cli.app_credential import AppCredential, Document
from appcredential.cli.columns import TableForm, table
from appcredential.cli.errors import ForbiddenError
from appcredential.cli.options import Session, complete_names, output, with_session
from appcredential.cli.shown import rendered
from appcredential.cli.story import Chapter, chapters, lines
from appcredential.cli.text import when
from appcredential.domain.attention import in_order
from appcredential.domain.times import parse_time


@click.command("list")
@click.option("-A", "--all-namespaces", is_flag=True, help="Those of all namespaces.")
@click.option("-l", "--selector", metavar="LABELS", help="Those with these labels.")
@output("wide", "json", "yaml", "name")
@with_session
def list_command(
    session: Session, *, all_namespaces: bool, selector: str | None, form: str | None
) -> None:
    """List AppCredentials, what needs attention first."""
    api, terminal = session.api, session.terminal
    found = in_order(read_listed(session, selector, all_namespaces=all_namespaces), api.now())
    if form is not None and form != "wide":
        if found or form != "name":
            terminal.text(rendered(form, found, as_list=True))
        return
    if not found:
        where = "in any namespace" if all_namespaces else f"in {api.namespace} namespace"
        terminal.note(f"No AppCredentials found {where}.")
        return
    terminal.lines(
        table(
            found,
            api.now(),
            TableForm(
                namespaces=all_namespaces,
                wide=form == "wide",
                width=terminal.width,
                unicode=terminal.unicode,
            ),
        )
    )


def read_listed(
    session: Session, selector: str | None, *, all_namespaces: bool
) -> list[AppCredential]:
    """Read the AppCredentials of the namespace or of all, and show how far that is.

    Raises:
        CliError: as `Api.find`.
    """
    namespace = "" if all_namespaces else session.api.namespace
    with session.terminal.progress("Reading AppCredentials") as show:

        def tell(read: int, remaining: int | None) -> None:
            show(f"Reading AppCredentials: {read} of {read + (remaining or 0)}")

        try:
            return session.api.find(namespace, selector or "", tell)
        except ForbiddenError as exc:
            hint = " Name a namespace with -n." if all_namespaces else ""
            raise ForbiddenError(f"{exc}.{hint}".replace("..", ".")) from exc


@click.command("status")
@click.argument("name", shell_complete=complete_names)
@output("json", "yaml", "name")
@with_session
def status_command(session: Session, *, name: str, form: str | None) -> None:
    """Tell the story of one AppCredential.

    What is published, proven, pending and retiring, who still uses it, and what happens next.
    """
    api, terminal = session.api, session.terminal
    resource = api.get(api.namespace, name.rpartition("/")[2])
    if form is not None:
        terminal.text(rendered(form, [resource], as_list=False))
        return
    told = chapters(resource, api.now(), unicode=terminal.unicode)
    terminal.lines(lines([*told, _events(session, resource)], terminal.width))


def _events(session: Session, resource: AppCredential) -> Chapter:
    try:
        found = session.api.events(resource)
    except ForbiddenError:
        return Chapter("Events", ("not shown, because you may not read them here",))
    now = session.api.now()
    return Chapter("Events", tuple(_event(event, now) for event in found))


def _event(event: Document, now: datetime) -> str:
    time = when(parse_time(event_time(event)), now)
    return f"{time}: {event.text('reason')}: {event.text('message')}"
