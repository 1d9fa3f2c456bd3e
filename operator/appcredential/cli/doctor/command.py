"""The command `doctor`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Final

import click

from appcredential.cli.doctor.findings import Finding, Gravity
from appcredential.cli.doctor.gathering import Reader
from appcredential.cli.doctor.judge import judge
from appcredential.cli.options import Session, output, with_session
from appcredential.cli.styles import Line, Part, Style
from appcredential.cli.text import plain, wrapped

_STYLES: Final = {
    Gravity.BROKEN: Style.BAD,
    Gravity.WRONG: Style.BAD,
    Gravity.RISK: Style.WARN,
    Gravity.ADVICE: Style.PLAIN,
    Gravity.UNCHECKED: Style.DIM,
    Gravity.FINE: Style.GOOD,
}
_MARKS: Final = {
    True: dict(zip(Gravity, "✗✗✗·?✓", strict=True)),
    False: dict(zip(Gravity, ("x", "x", "x", "-", "?", "ok"), strict=True)),
}
_ARROWS: Final = {True: "→", False: "->"}
_INDENT: Final = 4


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
        terminal.text(json.dumps([_as_json(finding) for finding in found], indent=4))
    else:
        terminal.lines(_told(found, terminal.width, unicode=terminal.unicode))
    return int(any(finding.gravity.is_wrong for finding in found))


def _as_json(finding: Finding) -> dict[str, str]:
    return {
        "gravity": finding.gravity.word,
        "about": plain(finding.about),
        "text": plain(finding.text),
        "remedy": plain(finding.remedy),
    }


def _told(found: Sequence[Finding], width: int | None, *, unicode: bool) -> Iterator[Line]:
    arrow = _ARROWS[unicode]
    for finding in found:
        mark, style = _MARKS[unicode][finding.gravity], _STYLES[finding.gravity]
        about, text = plain(finding.about), plain(finding.text)
        if finding.gravity.is_wrong:
            yield from _paragraph(f"{mark} {about}", width, style)
            yield from _paragraph(text, width, Style.PLAIN, _INDENT)
        else:
            yield from _paragraph(f"{mark} {about}: {text}", width, style)
        if finding.remedy:
            yield from _paragraph(f"{arrow} {plain(finding.remedy)}", width, Style.HEAD, _INDENT)
    wrong = sum(finding.gravity.is_wrong for finding in found)
    unknown = sum(finding.gravity is Gravity.UNCHECKED for finding in found)
    yield (Part(f"{wrong} wrong, {unknown} not checked."),)


def _paragraph(text: str, width: int | None, style: Style, indent: int = 0) -> Iterator[Line]:
    left = None if width is None else width - indent
    return ((Part(f"{' ' * indent}{line}", style),) for line in wrapped(text, left))
