"""`python bench/plots.py`: draw `docs/plots/` from `build/bench.json`, as SVG and PNG.

Needs matplotlib and nothing of this project, so that it runs in an environment of its own
(`make bench-report`).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl

mpl.use("Agg")
mpl.rcParams.update({"svg.hashsalt": "appcredential", "font.size": 9, "axes.grid": True})

from matplotlib import pyplot as plt  # noqa: E402 - after the choice of a backend

ROOT: Final = Path(__file__).resolve().parents[1]
PLOTS: Final = ROOT / "docs" / "plots"
KINDS: Final = ("secret", "certificate", "federated", "mixed")
_LINES: Final[Mapping[str, Sequence[tuple[str, str, str]]]] = {
    "ready": (
        ("applied at once", "first Ready, s", "first"),
        ("applied at once", "p50 Ready, s", "half"),
        ("applied at once", "all Ready, s", "all"),
    ),
    "requests": (
        ("applied at once", "Kubernetes reads each", "Kubernetes reads"),
        ("applied at once", "Kubernetes writes each", "Kubernetes writes"),
        ("applied at once", "Graph reads each", "Graph reads"),
        ("applied at once", "Graph writes each", "Graph writes"),
    ),
    "cost": (
        ("applied at once", "CPU each, ms", "CPU for an issue, ms"),
        ("applied at once", "RSS peak, MiB", "memory at most, MiB"),
        ("steady state", "RSS settled, MiB", "memory at rest, MiB"),
    ),
    "truth": (
        ("behind its back", "removal in the portal, s", "removal in the portal"),
        ("behind its back", "deleted application, s", "deleted application"),
        ("behind its back", "deleted Secret, s", "deleted Secret"),
        ("behind its back", "edited Secret, s", "edited Secret"),
    ),
}
_TITLES: Final = {
    "ready": "Applied at once: seconds until Ready",
    "requests": "Requests for one first issue",
    "cost": "CPU and memory",
    "truth": "Seconds until status tells what somebody did",
}


def main() -> int:
    """Draw all; return the exit status."""
    try:
        figures = json.loads((ROOT / "build" / "bench.json").read_text())["figures"]
    except OSError as error:
        sys.stderr.write(f"error: {error}; run `make bench` first\n")
        return 1
    PLOTS.mkdir(exist_ok=True)
    for name, lines in _LINES.items():
        _draw_lines(figures, name, lines)
    _draw_bars(
        [f for f in figures if f["kind"] == "flood" and f["what"] == "p99, s"],
        "neighbour",
        "Apply to Ready in a healthy namespace, p99 in seconds",
        "scene",
    )
    ways = [f for f in figures if f["scene"] == "strategies"]
    calls = [f for f in ways if f["what"] == "calls an hour at rest"]
    _draw_bars(calls, "ways", "Calls to Entra in an hour at rest", "kind")
    return 0


def _draw_lines(
    figures: Sequence[Mapping[str, Any]], name: str, lines: Sequence[tuple[str, str, str]]
) -> None:
    """Draw one picture with a panel for each kind of fleet, over its sizes."""
    kinds = [kind for kind in KINDS if _points(figures, kind, lines[0])]
    if not kinds:
        return
    picture, panels = plt.subplots(
        1, len(kinds), figsize=(max(4.8, 3.2 * len(kinds)), 3.2), sharey=True, squeeze=False
    )
    for kind, panel in zip(kinds, panels[0], strict=True):
        for line in lines:
            points = _points(figures, kind, line)
            if points:
                panel.plot(*zip(*points, strict=True), marker="o", label=line[2])
        panel.set_xscale("log")
        panel.set_yscale("symlog" if name == "requests" else "log")
        sizes = sorted({size for line in lines for size, _ in _points(figures, kind, line)})
        panel.set_xticks(sizes, [f"{size:,}" for size in sizes])
        panel.minorticks_off()
        panel.yaxis.set_major_formatter("{x:g}")
        panel.set_title(kind)
        panel.set_xlabel("resources")
    panels[0][0].legend(fontsize=7)
    _save(picture, name, _TITLES[name])


def _points(
    figures: Sequence[Mapping[str, Any]], kind: str, line: tuple[str, str, str]
) -> list[tuple[int, float]]:
    scene, what, _ = line
    return sorted(
        (f["size"], f["value"])
        for f in figures
        if (f["kind"], f["scene"], f["what"]) == (kind, scene, what) and f["value"] is not None
    )


def _draw_bars(figures: Sequence[Mapping[str, Any]], name: str, title: str, label: str) -> None:
    """Draw one bar for each figure."""
    if not figures:
        return
    shown = list(reversed(figures))
    picture, panel = plt.subplots(figsize=(7, 0.5 + 0.4 * len(shown)))
    bars = panel.barh([f[label] for f in shown], [f["value"] or 0 for f in shown])
    panel.bar_label(bars, fmt="%.3g", padding=3)
    panel.margins(x=0.12)
    _save(picture, name, title)


def _save(picture: Any, name: str, title: str) -> None:
    picture.suptitle(title)
    picture.tight_layout()
    picture.savefig(PLOTS / f"{name}.svg", metadata={"Date": None})
    picture.savefig(PLOTS / f"{name}.png", dpi=110)
    plt.close(picture)


if __name__ == "__main__":
    sys.exit(main())
