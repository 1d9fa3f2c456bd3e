"""`python -m attacks [WORD…]`: mount each attack on a local installation, and print its figures.

With words, only attacks whose name has one of them. The exit status is 1 when a bound is broken.
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Sequence

import yaml

from attacks.field import RENEW, SETTINGS, Field, attacked_seed
from attacks.report import Figures, mebibytes, table
from attacks.scenes import Attack, attacks, tidy
from attacks.watching import Watch
from demo.processes import StackError
from demo.stack import ROOT, Stack
from localcluster.errors import ClusterError

_LONGEST = 600.0


def main(words: Sequence[str]) -> int:
    """Mount the attacks; return the exit status."""
    chosen = [a for a in attacks() if not words or any(word in a.name for word in words)]
    # On SIGTERM, leave through the with block below: it stops the child processes.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with Stack(attacked_seed(), SETTINGS, progress=_say) as stack:
            rows = _mount_all(chosen, Field(stack))
    except (StackError, ClusterError) as error:
        _say(f"error: {error}")
        return 1
    sys.stdout.write(table(rows) + "\n")
    limit = _memory_limit()
    broken = [fault for row in rows for fault in row.broken(limit)]
    for fault in broken:
        sys.stdout.write(f"BROKEN  {fault}\n")
    return 1 if broken else 0


def _mount_all(chosen: Sequence[Attack], field: Field) -> list[Figures]:
    rows: list[Figures] = []
    end = time.monotonic() + _LONGEST
    for attack in chosen:
        if time.monotonic() + attack.seconds > end:
            _say(f"no time left for: {attack.name}")
            continue
        _say(attack.name)
        rows.append(_mount(attack, field))
        _say(table(rows[-1:]).splitlines()[1])
    return rows


def _mount(attack: Attack, field: Field) -> Figures:
    figures = Figures(attack.name)
    with Watch(field, figures, RENEW).running():
        told = attack.mount(field)
        time.sleep(attack.seconds)
        figures.outcome = "; ".join(part for part in (told, attack.end(field)) if part)
    tidy(field)
    return figures


def _memory_limit() -> float:
    """Return the memory limit of the chart's operator in MiB."""
    values = yaml.safe_load((ROOT / "charts" / "appcredential" / "values.yaml").read_text())
    return mebibytes(values["resources"]["limits"]["memory"])


def _say(line: str) -> None:
    sys.stderr.write(f"==> {line}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
