"""What is measured, in this order, on one installation: each scene returns its values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from bench.figures import Figure
from bench.fleet import Kind
from bench.installation import Installation
from bench.scenes import flood, heap, issuing, lives, quiet, truth, watches
from bench.scenes.scene import Play, Say

FLEET: Final[dict[str, Play]] = {
    "applied at once": issuing.apply,
    "steady state": quiet.steady,
    "one change": quiet.change,
    "behind its back": truth.behind_its_back,
    "restart": lives.restart,
    "takeover": lives.takeover,
    "storm": issuing.storm,
    "bare watch": watches.compare,
    "heap": heap.weigh,
    "all deleted": lives.delete,
}
"""The scenes of a fleet. All but the first need the first."""

FLOOD: Final[dict[str, Play]] = {
    "alone": flood.alone,
    "beside a flood": flood.beside_a_flood,
    "beside refused ones": flood.beside_refused,
    "beside an edit loop": flood.beside_edits,
    "beside a mass deletion": flood.beside_a_deletion,
}
"""The scenes of a healthy namespace beside a flood."""

NAMES: Final = (*FLEET, *FLOOD)


def play(site: Installation, skipped: Sequence[str], say: Say) -> Iterator[Figure]:
    """Play the scenes that fit the fleet.

    Args:
        site: an installation without resources.
        skipped: names of scenes to leave out.
        say: tells how far it is.
    """
    fleet = site.fleet
    scenes: dict[str, Play] = FLOOD if fleet.kind is Kind.FLOOD else FLEET
    for name, scene in scenes.items():
        if name in skipped:
            continue
        say(name)
        for what, value, target in scene(site, say):
            yield Figure(name, what, value, target, str(fleet.kind), fleet.size)
