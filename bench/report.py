"""`python -m bench.report`: write the tables of `docs/performance.md` from `build/bench.json`.

A table stands between two comments, `<!-- NAME -->` and `<!-- /NAME -->`; the rest of the page is
written by hand.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from bench import quota
from bench.figures import Figure, growth, markdown
from bench.profiles import told
from bench.results import RESULTS, Results
from demo.stack import ROOT

PAGE: Final = ROOT / "docs" / "performance.md"
_STRATEGIES: Final = "strategies"
_FLOOD: Final = "flood"
_TITLES: Final = {
    "secret": "Client secrets",
    "certificate": "Certificates",
    "federated": "Federated identities",
    "mixed": "A mixed fleet: four resources for each application, three tenants",
    "flood": "A healthy namespace beside a flood",
}


def main() -> int:
    """Write the page anew; return the exit status."""
    results = Results(RESULTS, keep=True)
    if not results.figures:
        sys.stderr.write("error: build/bench.json holds nothing; run `make bench` first\n")
        return 1
    page = PAGE.read_text()
    for name, part in parts(results, with_quota=True).items():
        page = replaced(page, name, part)
    PAGE.write_text(page)
    return 0


def replaced(page: str, name: str, part: str) -> str:
    """Return a page with what is between the comments of a name replaced.

    Raises:
        ValueError: the page has no such comments.
    """
    pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
    if not pattern.search(page):
        raise ValueError(f"the page has no part {name}")
    return pattern.sub(lambda found: f"{found[1]}\n{part.strip()}\n\n{found[2]}", page)


def parts(results: Results, *, with_quota: bool) -> dict[str, str]:
    """Return all tables by their names; the simulated years take half a minute."""
    fleets = [f for f in results.figures if f.scene != _STRATEGIES]
    makers: dict[str, Callable[[], str]] = {
        "run": lambda: _run(results.machine),
        "figures": lambda: _by_kind(fleets, lambda f: not f.is_detail),
        "requests": lambda: _by_kind(fleets, _is_request),
        "heap": lambda: _by_kind(fleets, lambda f: f.is_detail and f.scene == "heap"),
        "ways": lambda: _ways([f for f in results.figures if f.scene == _STRATEGIES]),
        "missed": lambda: _missed(fleets, results.profiles),
    }
    if with_quota:
        makers["quota"] = quota.tables
    return {name: make() for name, make in makers.items()}


def _run(machine: Mapping[str, Any]) -> str:
    if not machine:
        return "Not measured yet."
    return (
        f"Measured on {machine['date']} with version {machine['version']} of the operator, "
        f"Python {machine['python']} and {machine['cores']} cores, which the emulator and the "
        "whole cluster use, too."
    )


def _is_request(figure: Figure) -> bool:
    return figure.is_detail and figure.scene != "heap"


def _by_kind(figures: Sequence[Figure], wanted: Callable[[Figure], bool]) -> str:
    """Return a table for each kind of fleet, with a column for each size."""
    parts = []
    for kind, title in _TITLES.items():
        rows = [f for f in figures if f.kind == kind and wanted(f)]
        if rows:
            parts.append(f"### {title}\n\n{_sizes(rows)}")
    return "\n\n".join(parts) or "Not measured yet."


def _sizes(figures: Sequence[Figure]) -> str:
    sizes = sorted({figure.size for figure in figures})
    grown = {figure.what: figure.value for figure in growth(figures)}
    head = ["scene", "what", "target", *(f"{size:,}" for size in sizes), "ratio", "growth"]
    found = {(f.scene, f.what, f.size): f for f in figures}
    rows = []
    for scene, what in dict.fromkeys((f.scene, f.what) for f in figures):
        cells = [found.get((scene, what, size)) for size in sizes]
        last = [cell for cell in cells if cell is not None][-1]
        exponent = grown.get(f"{scene}: {what}")
        rows.append(
            [
                scene,
                what,
                "" if last.target is None else f"≤ {last.target:.3g}",
                *("" if cell is None else cell.shown for cell in cells),
                "" if last.ratio is None or not last.is_seen else f"{last.ratio:.2f}",
                "" if exponent is None else f"{exponent:.2f}",
            ]
        )
    return markdown(head, rows)


def _ways(figures: Sequence[Figure]) -> str:
    if not figures:
        return "Not measured yet."
    names = list(dict.fromkeys(figure.what for figure in figures))
    ways = list(dict.fromkeys((figure.kind, figure.size) for figure in figures))
    found = {(f.kind, f.what): f.shown for f in figures}
    rows = [[way, f"{size:,}", *(found.get((way, n), "") for n in names)] for way, size in ways]
    return markdown(["way", "resources", *names], rows)


def _missed(figures: Sequence[Figure], profiles: Mapping[str, Mapping[str, Any]]) -> str:
    text = told(figures, profiles).strip()
    return f"```text\n{text}\n```" if text else "No target that has a profile was missed."


if __name__ == "__main__":
    sys.exit(main())
