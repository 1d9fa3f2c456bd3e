"""Become a command that dies when the process that started it dies.

Run as a script: `guard.py PARENT_PID COMMAND ARGUMENT…`. A script and not a hook between fork and
exec, because such hooks can deadlock in a process that has threads. It uses only the standard
library, because it starts without site packages.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Ask the kernel for a signal at the parent's death, then become the command."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        sys.exit("cannot tie this process to its parent: prctl failed")
    # If the parent ended before the line above, no signal comes.
    if os.getppid() != parent:
        sys.exit("the parent ended before its child started")
    try:
        os.execv(command[0], command)  # noqa: S606 - no shell wanted
    except OSError as error:
        sys.exit(f"cannot run {command[0]}: {error.strerror}")


if __name__ == "__main__":
    main()
