"""Become a command that belongs to the node's cgroups.

Run as a script: `joining.py FOLDER… -- COMMAND ARGUMENT…`. It uses only the standard library,
because it starts without site packages.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


def main() -> None:
    """Join each group, then become the command."""
    split = sys.argv.index("--")
    for folder in sys.argv[1:split]:
        Path(folder, "cgroup.procs").write_text(str(os.getpid()))
    command = sys.argv[split + 1 :]
    os.execvp(command[0], command)  # noqa: S606 - no shell wanted


if __name__ == "__main__":
    main()
