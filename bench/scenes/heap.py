"""What remains in the operator's memory, by size."""

from __future__ import annotations

import time
from functools import partial
from typing import Final

from bench.installation import Installation
from bench.scenes.lives import all_looked_at
from bench.scenes.scene import Say, Value, patience, settle, until

_SHOWN: Final = 15


def weigh(site: Installation, say: Say) -> list[Value]:
    """Restart the operator with tracemalloc, let it come to rest, and list what it holds.

    Only what Python allocates is in the list. Code, stacks and what libraries in C allocate by
    themselves are not.
    """
    site.restart({"BENCH_HEAP": "1"})
    site.operator.wait_until_ready(300)
    began = time.monotonic()
    until(partial(all_looked_at, site), began, 4 * patience(site.fleet.size), step=1)
    settle(site, say)
    site.operator.taken("profile.json", 60)
    held = site.operator.taken("heap.json", 300)
    site.restart({"BENCH_HEAP": ""})
    site.operator.wait_until_ready(120)
    whole = held.pop("all", 0.0)
    rows: list[Value] = [(f"held: {place}, MiB", mib, None) for place, mib in held.items()]
    return [("held, MiB", whole, None), *rows[:_SHOWN]]
