"""A report for people and for programs."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from itertools import zip_longest
from typing import Final

from entra_conformance.outcome import Result, Verdict
from entra_conformance.run import Report

_WIDTHS: Final = (4, 38, 42, 42, 8)
_HEAD: Final = ("", "check", "expected", "seen", "")


def table(report: Report) -> str:
    """Return a table check x expected x seen, and below it what could not be removed."""
    rows = [_row(_HEAD), "-" * (sum(_WIDTHS) + 2 * len(_WIDTHS))]
    rows += [_row(_cells(result)) for result in report.results]
    rows.append(_summary(report))
    rows += [f"not removed: {one}" for one in report.left]
    if report.stopped:
        rows.append(f"stopped: {report.stopped}")
    return "\n".join(rows) + "\n"


def document(report: Report, target: str) -> str:
    """Return the report as JSON."""
    content = {
        "target": target,
        "results": [asdict(result) for result in report.results],
        "notRemoved": report.left,
        "stopped": report.stopped or None,
    }
    return json.dumps(content, indent=2) + "\n"


def _cells(result: Result) -> tuple[str, ...]:
    seen = f"{result.seen} ({result.note})" if result.note else result.seen
    return (result.number, result.title, result.expected, seen, result.verdict.value)


def _row(cells: Sequence[str]) -> str:
    columns = [textwrap.wrap(cell, width) for cell, width in zip(cells, _WIDTHS, strict=True)]
    lines = zip_longest(*columns, fillvalue="")
    return "\n".join(
        "  ".join(f"{part:<{width}}" for part, width in zip(line, _WIDTHS, strict=True)).rstrip()
        for line in lines
    )


def _summary(report: Report) -> str:
    counts = {one: sum(r.verdict == one for r in report.results) for one in Verdict}
    return ", ".join(f"{count} {verdict.value}" for verdict, count in counts.items() if count)
