"""The options that several commands have, named as kubectl names them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Any, Final

import click

from appcredential.cli.api import Api
from appcredential.cli.app_credential import AppCredential
from appcredential.cli.conditions import Wanted, parse_wanted
from appcredential.cli.connection import Access, Connection
from appcredential.cli.errors import CliError, NotThereError
from appcredential.cli.terminal import Terminal
from appcredential.domain.spec.checks import is_guid
from appcredential.domain.spec.durations import parse_duration
from appcredential.domain.spec.model import ClientId

Command = Callable[..., int | None]
_NAMES_SHOWN: Final = 200
_FOREVER: Final = timedelta(weeks=1)


@dataclass(frozen=True, slots=True)
class Session:
    """What a command works with."""

    api: Api
    terminal: Terminal


def complete_names(context: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
    """Return the names of AppCredentials that begin so; none if the API server cannot be asked."""
    known = context.params
    access = {f.name: known[f.name] for f in fields(Access) if known.get(f.name)}
    try:
        api = Api(Connection(Access(**access)))
        names = (resource.name for resource in api.some(api.namespace))
        return [name for name in names if name.startswith(begun)][:_NAMES_SHOWN]
    except CliError:
        return []


def with_session(command: Command) -> Command:
    """Add the options that say as whom and where, and hand a `Session` to the command."""

    @functools.wraps(command)
    def run(**options: Any) -> int | None:
        given: dict[str, Any] = {f.name: options.pop(f.name) for f in fields(Access)}
        access = Access(**{name: value for name, value in given.items() if value})
        return command(Session(Api(Connection(access)), Terminal()), **options)

    return access_options(run)


def with_access(command: Command) -> Command:
    """Add the options that say as whom and where; nothing is asked of a cluster by that."""

    @functools.wraps(command)
    def run(**options: Any) -> int | None:
        given: dict[str, Any] = {f.name: options.pop(f.name) for f in fields(Access)}
        return command(
            access=Access(**{name: value for name, value in given.items() if value}), **options
        )

    return access_options(run)


def access_options(command: Command) -> Command:
    """Add the options that say as whom and where; they have the names of `Access`."""
    added = (
        click.option("-n", "--namespace", metavar="NAMESPACE", help="Instead of the context's."),
        click.option("--context", metavar="NAME", help="Of the kubeconfig."),
        click.option("--kubeconfig", metavar="FILE", help="Instead of KUBECONFIG."),
        click.option("--as", "user", metavar="USER", help="Impersonate this user."),
        click.option(
            "--as-group", "groups", multiple=True, metavar="GROUP", help="Impersonate this group."
        ),
    )
    return functools.reduce(lambda made, option: option(made), reversed(added), command)


def with_selection(command: Command) -> Command:
    """Add names and what selects by label; see `selected`."""
    added = (
        click.argument("names", nargs=-1, shell_complete=complete_names),
        click.option("-l", "--selector", metavar="LABELS", help="Those with these labels."),
        click.option(
            "-A", "--all-namespaces", is_flag=True, help="With -l: those of all namespaces."
        ),
    )
    return functools.reduce(lambda made, option: option(made), reversed(added), command)


def selected(
    session: Session,
    names: Sequence[str],
    selector: str | None,
    *,
    all_namespaces: bool,
    may_miss: bool = False,
) -> list[AppCredential]:
    """Return the resources that a command is about.

    Args:
        session: of the command.
        names: of resources, with or without their kind.
        selector: labels in place of names.
        all_namespaces: whether those with the labels may be in any namespace.
        may_miss: whether one that does not exist is left out; else it is an error.

    Raises:
        click.UsageError: neither names nor labels are given, or both.
        CliError: one cannot be read, or no resource has the labels.
    """
    if bool(names) == bool(selector):
        raise click.UsageError("Give names, or a selector with -l.")
    if names and all_namespaces:
        raise click.UsageError("A name is of one namespace: leave -A out.")
    if names:
        bare = dict.fromkeys(name.rpartition("/")[2] for name in names)
        read = (_read(session.api, name, may_miss=may_miss) for name in bare)
        return [resource for resource in read if resource is not None]
    namespace = "" if all_namespaces else session.api.namespace
    found = session.api.find(namespace, selector or "")
    if not found and not may_miss:
        raise CliError(f"No AppCredential has the labels {selector}.")
    return found


def _read(api: Api, name: str, *, may_miss: bool) -> AppCredential | None:
    try:
        return api.get(api.namespace, name)
    except NotThereError:
        if not may_miss:
            raise
        return None


def output(*forms: str) -> Callable[[Command], Command]:
    """Return the option -o with these forms."""
    return click.option("-o", "--output", "form", type=click.Choice(forms), help="Another form.")


class Duration(click.ParamType[timedelta]):
    """A duration such as `90s` or `5m`; a negative one, as kubectl has it, is a week."""

    name = "duration"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        """Read it; a wrong form ends the command."""
        if isinstance(value, timedelta):
            return value
        if value.startswith("-"):
            return _FOREVER
        try:
            return timedelta(0) if value == "0" else parse_duration(value)
        except ValueError as exc:
            self.fail(f"{value} {exc}", param, ctx)


class ClientIds(click.ParamType[ClientId]):
    """A client id, in any case."""

    name = "guid"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> ClientId:
        """Read it; a wrong form ends the command."""
        text = str(value).lower()
        if not is_guid(text):
            self.fail("a client id is a GUID.", param, ctx)
        return ClientId(text)


class For(click.ParamType[Wanted]):
    """What `wait` waits for."""

    name = "condition"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Wanted:
        """Read it; a wrong form ends the command."""
        try:
            return value if isinstance(value, Wanted) else parse_wanted(value)
        except ValueError as exc:
            self.fail(str(exc), param, ctx)


def timeout(default: str, what: str) -> Callable[[Command], Command]:
    """Return the option --timeout."""
    return click.option(
        "--timeout", type=Duration(), default=default, show_default=True, metavar="TIME", help=what
    )


client_id_option = click.option(
    "--client-id", "client_ids", type=ClientIds(), multiple=True, metavar="GUID",
    help="Of the application; may be repeated.",
)  # fmt: skip
