"""`make faults-report`: write the tables of docs/reliability.md from `build/faults.json`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

from bench.report import replaced
from demo.stack import ROOT
from tests.world.events import EVENTS
from tests.world.oracles import ORACLES
from tests.world.search import Count

PAGE: Final = ROOT / "docs" / "reliability.md"


def main(source: Path) -> int:
    """Write the page anew; return the exit status."""
    if not source.exists():
        sys.stderr.write(f"error: {source} does not exist; run `make faults` first\n")
        return 1
    found, page = json.loads(source.read_text()), PAGE.read_text()
    for name, part in parts(found).items():
        page = replaced(page, name, part)
    PAGE.write_text(page)
    return 0


def parts(found: dict[str, Any]) -> dict[str, str]:
    """Return the tables by their names."""
    return {
        "runs": _runs(found),
        "oracles": _oracles(),
        "faults": _faults(found),
        "variants": _variants(found),
        "story": _story(found),
    }


def _runs(found: dict[str, Any]) -> str:
    small, walks, pure = found["small"], found["walks"], found["pure"]
    both = [[played[n] for n in ("histories", "states", "broken")] for played in (small, walks)]
    rows = [
        ("small worlds, breadth first", *both[0]),
        ("random histories", *both[1]),
        ("the real controllers, together", *map(sum, zip(*both, strict=True))),
        ("random histories, rules alone", pure["histories"], pure["decisions"], pure["broken"]),
    ]
    lines = [f"| {what} | {n:,} | {states:,} | {broken} |" for what, n, states, broken in rows]
    about = f"Seed {found['seed']}, {found['minutes']} minutes, {found['cores']} cores."
    head = ["| run | histories | states | broken |", "|---|---:|---:|---:|"]
    return "\n".join([about, "", *head, *lines])


def _oracles() -> str:
    lines = ["| oracle | what must hold after each step |", "|---|---|"]
    lines += [f"| `{name}` | {_says(name)} |" for name in ORACLES]
    lines.append(
        "| `Liveness` | Once faults end, all is well within twelve hours, stays so, and nothing is "
        "left over. |"
    )
    return "\n".join(lines)


def _says(name: str) -> str:
    from tests.world import oracles

    return str(getattr(oracles, name).__doc__).split("\n")[0]


def _faults(found: dict[str, Any]) -> str:
    total = Count()
    for played in (found["small"], found["walks"]):
        total.take(Count(events=played["events"], judged=played["judged"]))
    names = list(ORACLES)
    lines = [
        f"| fault or edit | histories | {' | '.join(names)} |",
        f"|---|---:|{'---:|' * len(names)}",
    ]
    for event, number in sorted(total.events.items()):
        judged = total.judged.get(event, {})
        told = " | ".join(_short(judged.get(name, 0)) for name in names)
        says = (EVENTS[event].__doc__ or "").split("\n")[0].rstrip(".")
        lines.append(f"| {says} (`{event}`) | {number:,} | {told} |")
    return "\n".join(lines)


def _short(number: int) -> str:
    return f"{number / 1000:,.0f}k" if number >= 10_000 else f"{number:,}"


def _variants(found: dict[str, Any]) -> str:
    lines = ["| wrong operator | caught by | history |", "|---|---|---|"]
    for one in found["variants"]:
        caught = f"`{one['oracle']}`" if one["oracle"] else "**not caught**"
        lines.append(f"| {one['name']}: it {one['says']} | {caught} | `{one['history']}` |")
    return "\n".join(lines)


def _story(found: dict[str, Any]) -> str:
    story = next(one["story"] for one in found["variants"] if one["story"])
    return f"```text\n{story}\n```"
