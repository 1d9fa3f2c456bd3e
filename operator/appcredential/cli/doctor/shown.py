"""How findings are shown: for people, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from appcredential.cli.doctor.findings import Finding, Gravity
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


def as_json(finding: Finding) -> dict[str, str]:
    """Return a finding as programs read it."""
    return {
        "gravity": finding.gravity.word,
        "about": plain(finding.about),
        "text": plain(finding.text),
        "remedy": plain(finding.remedy),
    }


def told(found: Sequence[Finding], width: int | None, *, unicode: bool) -> Iterator[Line]:
    """Yield the lines that tell of findings, and at last how many there are.

    Args:
        found: in the order to show them.
        width: of the terminal; None for lines of any length.
        unicode: whether it shows more than ASCII.
    """
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
