"""How the commands change a resource: at the version that was read, and with a word about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from appcredential.cli import changes
from appcredential.cli.app_credential import AppCredential
from appcredential.cli.changes import Patch
from appcredential.cli.errors import ChangedError, CliError
from appcredential.cli.options import Session
from appcredential.cli.shown import name_of, rendered

_TRIES: Final = 5


def change(
    session: Session,
    resource: AppCredential,
    patch: Patch,
    is_as_before: Callable[[AppCredential, AppCredential], bool],
) -> AppCredential:
    """Change what was read. If the operator wrote meanwhile, read anew and try again.

    Raises:
        CliError: it was refused, or what the person decided upon is no longer so.
    """
    read = resource
    for _ in range(_TRIES):
        try:
            return session.api.patch(read, changes.at_version(read, patch))
        except ChangedError:
            read = session.api.get(resource.namespace, resource.name)
            if not is_as_before(resource, read):
                break
    raise CliError("It was changed meanwhile: look at it and try again.")


def for_each(
    session: Session, found: Sequence[AppCredential], do: Callable[[AppCredential], None]
) -> None:
    """Do something to each resource; one that fails does not keep the others from it.

    Raises:
        CliError: the last failure; those before it are written.
    """
    failures: list[CliError] = []
    for resource in found:
        try:
            do(resource)
        except CliError as exc:
            failures.append(CliError(f"{resource.full_name}: {exc}"))
    for failure in failures[:-1]:
        session.terminal.note(f"error: {failure}")
    if failures:
        raise failures[-1]


def warn_idle(session: Session, resource: AppCredential) -> None:
    """Warn that the operator does not work on a resource, if it is so."""
    if resource.is_suspended:
        warn(session, f"{resource.full_name} is suspended: nothing happens until it is resumed.")
    elif resource.at("spec", "mode") == "Observe":
        warn(session, f"{resource.full_name} has mode Observe: the operator only reports.")


def warn(session: Session, text: str) -> None:
    """Write a warning, unless it is empty."""
    if text:
        session.terminal.note(f"warning: {text}")


def tell(session: Session, resource: AppCredential, what: str, form: str | None) -> None:
    """Write what was done to a resource, or the resource itself in a form for programs."""
    if form is None:
        session.terminal.text(f"{name_of(resource)} {what}")
    else:
        session.terminal.text(rendered(form, [resource], as_list=False))
