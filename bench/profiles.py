"""Profiles beside the targets that were missed. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from bench.figures import Figure

_ROWS: Final = 6


def told(figures: Iterable[Figure], profiles: Mapping[str, Mapping[str, Any]]) -> str:
    """Return, for each scene that missed a target, where the operator's time went."""
    missed: dict[str, list[str]] = {}
    for figure in figures:
        if figure.is_missed:
            scene = f"{figure.size} {figure.kind}: {figure.scene}"
            missed.setdefault(scene, []).append(figure.what)
    parts = [
        _part(scene, what, profiles[scene]) for scene, what in missed.items() if scene in profiles
    ]
    return "".join(parts)


def _part(scene: str, missed: Iterable[str], profile: Mapping[str, Any]) -> str:
    lines = [f"\n{scene}: missed {'; '.join(missed)}"]
    samples = max(1, profile.get("samples", 0))
    for title, kind in (("for", "owners"), ("in", "leaves")):
        rows = list(profile.get(kind, {}).items())[:_ROWS]
        lines += [f"  {100 * n / samples:5.1f} % {title} {name}" for name, n in rows]
    return "\n".join(lines) + "\n"
