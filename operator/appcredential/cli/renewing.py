"""The commands `rotate` and `revoke`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Final

import click

from appcredential.cli import changes
from appcredential.cli.app_credential import AppCredential
from appcredential.cli.applying import change, for_each, tell, warn, warn_idle
from appcredential.cli.changes import IssuedBefore
from appcredential.cli.conditions import Renewal, present
from appcredential.cli.errors import CliError, ForbiddenError
from appcredential.cli.options import (
    Session,
    output,
    selected,
    timeout,
    with_selection,
    with_session,
)
from appcredential.cli.waiting import Waiting

_WAIT: Final = click.option("--wait", is_flag=True, help="Until it is done, or --timeout is over.")
_OUTPUT: Final = output("json", "yaml", "name")


@click.command("rotate")
@with_selection
@_WAIT
@timeout("5m", "With --wait: how long.")
@_OUTPUT
@with_session
def rotate_command(
    session: Session,
    *,
    names: tuple[str, ...],
    selector: str | None,
    all_namespaces: bool,
    wait: bool,
    timeout: timedelta,
    form: str | None,
) -> None:
    """Replace the credential now.

    The old one stays valid for its overlap, and until no pod from before uses the Secret.
    """
    found = selected(session, names, selector, all_namespaces=all_namespaces)
    _renew(session, found, IssuedBefore.ROTATE, form)
    if wait:
        _wait_for_renewal(session, found, timeout)


@click.command("revoke")
@with_selection
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@_WAIT
@timeout("5m", "With --wait: how long.")
@_OUTPUT
@with_session
def revoke_command(
    session: Session,
    *,
    names: tuple[str, ...],
    selector: str | None,
    all_namespaces: bool,
    yes: bool,
    wait: bool,
    timeout: timedelta,
    form: str | None,
) -> None:
    """Replace a leaked credential at once.

    The old ones are removed as soon as the new one is published, whatever still uses them. It
    says who that is, and asks first.
    """
    found = selected(session, names, selector, all_namespaces=all_namespaces)
    now = session.api.now()
    for resource in found:
        # Who may not, or asks for what the schema refuses, is told before any question.
        patch = changes.issued_before(IssuedBefore.REVOKE, now)
        session.api.patch(resource, patch, dry_run=True)
        for line in changes.consequences(resource, _pods(session, resource)):
            session.terminal.note(line)
    if not yes:
        _ask(len(found))
    _renew(session, found, IssuedBefore.REVOKE, form)
    if wait:
        _wait_for_renewal(session, found, timeout)


def _pods(session: Session, resource: AppCredential) -> list[str] | None:
    try:
        return session.api.pods_using(resource.namespace, resource.secret_name)
    except ForbiddenError:
        return None


def _ask(number: int) -> None:
    if not sys.stdin.isatty():
        raise CliError("revoke asks first, and nobody can answer here: say --yes.")
    what = "these credentials" if number == 1 else f"the credentials of {number} AppCredentials"
    if not click.confirm(f"Revoke {what}?", err=True):
        raise CliError("Nothing was changed.")


def _renew(
    session: Session, found: list[AppCredential], field: IssuedBefore, form: str | None
) -> None:
    patch = changes.issued_before(field, session.api.now())
    time = patch["spec"]["rotation"][field.value]
    verb = "rotation" if field is IssuedBefore.ROTATE else "revocation"

    def ask(resource: AppCredential) -> None:
        warn(session, changes.undone(resource, f"spec.rotation.{field}: {time}"))
        warn_idle(session, resource)
        changed = change(session, resource, patch, _same_credentials)
        tell(session, changed, f"{verb} asked for", form)

    for_each(session, found, ask)


def _same_credentials(before: AppCredential, now: AppCredential) -> bool:
    return changes.revoked_keys(before) == changes.revoked_keys(now)


def _wait_for_renewal(session: Session, found: list[AppCredential], time: timedelta) -> None:
    with session.terminal.progress("Waiting") as show:
        waiting = Waiting(session.api, time, show)
        for before in found:
            asked = session.api.get(before.namespace, before.name)
            renewal = Renewal(replaced=before.key_id, generation=asked.generation)
            is_over, last = waiting.until(asked, _is_over(renewal))
            if not is_over or last is None or not renewal.is_done(last):
                raise CliError(f"{before.full_name} is not done: {present(last)}")
            session.terminal.note(f"{before.full_name}: {last.key_id} is published.")


def _is_over(renewal: Renewal) -> Callable[[AppCredential | None], bool]:
    return lambda r: r is None or renewal.is_done(r) or renewal.needs_a_person(r)
