"""`audit`: what was done to credentials, read back from the operator's Events."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import click

from appcredential.cli.api import event_time
from appcredential.cli.app_credential import Document
from appcredential.cli.options import Duration, Session, complete_names, output, with_session
from appcredential.cli.styles import Line, Part, Style
from appcredential.cli.tables import Narrower, tabulated
from appcredential.cli.text import when
from appcredential.domain.audit import ANNOTATION, VERSION, Result
from appcredential.domain.times import format_time, parse_time

_REPORTER: Final = "appcredential.io/operator"
_MOST: Final = 1000
_LONGEST: Final = 16_384
_KEPT: Final = (
    "Events last an hour unless the cluster keeps them for longer, and who may write Events may "
    "forge them: the operator's log has all changes, by the logger appcredential.audit."
)
_NAMES: Final = ("TIME", "RESOURCE", "CHANGE", "RESULT", "TYPE", "KEY ID", "BY")
_WIDE: Final = ("APPLICATION", "TENANT", "ATTEMPT", "OBJECT", "CAUSE", "REQUEST ID")
_NARROWER: Final = Narrower(left_out=("BY", "TYPE", "RESULT", "KEY ID"), cut=("RESOURCE",))


@dataclass(frozen=True, slots=True)
class Entry:
    """One change: the Event that tells of it, and the record that it holds."""

    time: datetime
    event: Document
    record: Document

    @property
    def resource(self) -> str:
        """Namespace and name of the AppCredential, as the API server has them."""
        at = "involvedObject"
        return f"{self.event.text(at, 'namespace')}/{self.event.text(at, 'name')}"


def entries(events: Iterable[Mapping[str, Any]], since: datetime | None) -> list[Entry]:
    """Return the changes that Events tell of, the latest last.

    Whatever is no record of an operator is left out: anybody may write an Event.
    """
    found = (_entry(Document(event)) for event in events)
    read = [e for e in found if e is not None and (since is None or e.time >= since)]
    return sorted(read, key=lambda e: (e.time, e.resource))


def _entry(event: Document) -> Entry | None:
    if event.at("reportingComponent") != _REPORTER:
        return None
    text, time = event.at("metadata", "annotations", ANNOTATION), parse_time(event_time(event))
    if not isinstance(text, str) or len(text) > _LONGEST or time is None:
        return None
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        return None
    is_record = isinstance(record, dict) and isinstance(record.get("version"), int)
    return Entry(time, event, Document(record)) if is_record else None


def lines(
    found: Sequence[Entry], now: datetime, names: Sequence[str], width: int | None
) -> Iterator[Line]:
    """Yield the table, the header first."""
    return tabulated(names, [_cells(entry, now) for entry in found], width, _NARROWER)


def _cells(entry: Entry, now: datetime) -> dict[str, Part]:
    record = entry.record
    result = record.text("result")
    actors = (actor.text("manager") for actor in record.entries("actors"))
    return {
        "TIME": Part(when(entry.time, now), Style.DIM),
        "RESOURCE": Part(entry.resource),
        "CHANGE": Part(record.text("change")),
        "RESULT": Part(result, Style.WARN if result == Result.UNKNOWN else Style.PLAIN),
        "TYPE": Part(record.text("credential", "type")),
        "KEY ID": Part(record.text("credential", "keyId") or record.text("credential", "name")),
        "BY": Part(", ".join(actors)),
        "APPLICATION": Part(record.text("application", "clientId")),
        "TENANT": Part(record.text("application", "tenant")),
        "ATTEMPT": Part(record.text("credential", "attempt")),
        "OBJECT": Part(record.text("object")),
        "CAUSE": Part(record.text("cause")),
        "REQUEST ID": Part(record.text("graph", "requestId")),
    }


def document(found: Sequence[Entry]) -> str:
    """Return the changes as JSON, with what the Events say besides."""
    items = [
        {
            "time": format_time(entry.time),
            "reason": entry.event.text("reason"),
            "message": entry.event.text("message"),
            "record": entry.record.document,
        }
        for entry in found
    ]
    return json.dumps({"version": VERSION, "items": items}, indent=4)


@click.command("audit")
@click.argument("name", required=False, shell_complete=complete_names)
@click.option("-A", "--all-namespaces", is_flag=True, help="Those of all namespaces.")
@click.option("--since", type=Duration(), metavar="TIME", help="No older ones, such as 30m.")
@output("json", "wide")
@with_session
def audit_command(
    session: Session,
    *,
    name: str | None,
    all_namespaces: bool,
    since: timedelta | None,
    form: str | None,
) -> None:
    """Show what was done to credentials, by whom and when, the latest last.

    It reads Events, which the API server keeps for an hour unless it is set up otherwise.
    """
    if name and all_namespaces:
        raise click.UsageError("A name is of one namespace: leave -A out.")
    api, terminal = session.api, session.terminal
    namespace = "" if all_namespaces else api.namespace
    bare = (name or "").rpartition("/")[2]
    with terminal.progress("Reading Events") as show:
        events = api.all_events(namespace, bare, lambda read, _left: show(f"{read} Events read"))
    begin = api.now() - since if since is not None else None
    found = entries(events, begin)
    shown = found[-_MOST:]
    if form == "json":
        terminal.text(document(shown))
    elif shown:
        names = (*_NAMES, *_WIDE) if form == "wide" else _NAMES
        width = None if form == "wide" else terminal.width
        terminal.lines(lines(shown, api.now(), names, width))
    else:
        where = f"in {namespace} namespace" if namespace else "in any namespace"
        terminal.note(f"No Event tells of a change {where}.")
    if len(found) > len(shown):
        terminal.note(f"{len(found) - len(shown)} earlier changes are left out: use --since.")
    terminal.note(_KEPT)
