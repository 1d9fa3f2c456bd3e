"""The commands `suspend`, `resume` and `check`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Final

import click

from appcredential.cli import changes
from appcredential.cli.app_credential import AppCredential
from appcredential.cli.applying import change, for_each, tell, warn
from appcredential.cli.conditions import present
from appcredential.cli.options import (
    Session,
    output,
    selected,
    timeout,
    with_selection,
    with_session,
)
from appcredential.cli.waiting import Waiting
from appcredential.domain.spec.durations import format_duration

_OUTPUT: Final = output("json", "yaml", "name")


@click.command("suspend")
@with_selection
@_OUTPUT
@with_session
def suspend_command(
    session: Session,
    *,
    names: tuple[str, ...],
    selector: str | None,
    all_namespaces: bool,
    form: str | None,
) -> None:
    """Pause all work on AppCredentials.

    What is published stays, and still expires.
    """
    found = selected(session, names, selector, all_namespaces=all_namespaces)
    _set_suspended(session, found, form, value=True)


@click.command("resume")
@with_selection
@_OUTPUT
@with_session
def resume_command(
    session: Session,
    *,
    names: tuple[str, ...],
    selector: str | None,
    all_namespaces: bool,
    form: str | None,
) -> None:
    """Go on with what was suspended."""
    found = selected(session, names, selector, all_namespaces=all_namespaces)
    _set_suspended(session, found, form, value=False)


def _set_suspended(
    session: Session, found: list[AppCredential], form: str | None, *, value: bool
) -> None:
    verb = "suspended" if value else "resumed"

    def set_it(resource: AppCredential) -> None:
        if resource.is_suspended is value:
            tell(session, resource, f"{verb} already", form)
            return
        warn(session, changes.undone(resource, f"spec.suspend: {str(value).lower()}"))
        changed = change(session, resource, changes.suspended(value=value), lambda *_: True)
        tell(session, changed, verb, form)

    for_each(session, found, set_it)


@click.command("check")
@with_selection
@click.option("--wait", is_flag=True, help="Until status changes, or --timeout is over.")
@timeout("30s", "With --wait: how long.")
@_OUTPUT
@with_session
def check_command(
    session: Session,
    *,
    names: tuple[str, ...],
    selector: str | None,
    all_namespaces: bool,
    wait: bool,
    timeout: timedelta,
    form: str | None,
) -> None:
    """Have the operator look now.

    It reads everything anew, in Entra and in the cluster.
    """
    found = selected(session, names, selector, all_namespaces=all_namespaces)

    def ask(resource: AppCredential) -> None:
        patch = changes.checked(session.api.now())
        changed = change(session, resource, patch, lambda *_: True)
        tell(session, changed, "look asked for", form)

    for_each(session, found, ask)
    if wait:
        _wait_for_look(session, found, timeout)


def _has_other_status(before: AppCredential) -> Callable[[AppCredential | None], bool]:
    was = before.at("status")
    return lambda r: r is None or r.at("status") != was


def _wait_for_look(session: Session, found: list[AppCredential], time: timedelta) -> None:
    """Wait for what a look may change. One that finds all as it was changes nothing."""
    with session.terminal.progress("Waiting") as show:
        waiting = Waiting(session.api, time, show)
        for before in found:
            has_changed, last = waiting.until(before, _has_other_status(before))
            told = (
                "status changed"
                if has_changed
                else f"status did not change within {format_duration(time)}"
            )
            session.terminal.note(f"{before.full_name}: {told}; {present(last)}")
            if not has_changed:
                session.terminal.note(
                    "A look that finds everything as it was writes nothing. So all is as status "
                    "says, or no operator has looked yet: status cannot tell which."
                )
