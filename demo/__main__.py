"""`python -m demo`: run the story. `up` and `down`: start and stop the installation alone."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from typing import Final

from demo.observing import StoryError
from demo.playground import down, hold, up
from demo.processes import StackError
from demo.reporting import Reporter, reporter
from demo.seed import seed
from demo.showing import show
from demo.stack import QUICK, Stack
from demo.story import Story
from localcluster.errors import ClusterError

_SETTINGS: Final = {**QUICK, "APPCREDENTIAL_GONE_WINDOW": "3s"}
"""Replicas of the emulator agree within 3 s; by default refusals count after half a minute."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit status."""
    command = (arguments if arguments is not None else sys.argv[1:]) or ["story"]
    commands = {"story": _story, "up": up, "down": down, "hold": hold}
    if command[0] not in commands:
        sys.stderr.write("usage: python -m demo [story|up|down]\n")
        return 2
    try:
        return commands[command[0]]()
    except (StackError, StoryError, ClusterError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return 130


def _story() -> int:
    # The story waits for refusals, so azure-identity must not warn about them.
    logging.getLogger("azure").setLevel(logging.CRITICAL)
    # On SIGTERM, leave through the with blocks below: they stop the child processes.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with reporter() as report:
        report.chapter("A complete installation on this machine")
        with Stack(seed(lag=True), _SETTINGS, report.waiting) as stack:
            Story(stack, report).run()
            show(stack, report)
            report.chapter("Every step succeeded")
            if os.environ.get("DEMO_KEEP"):
                _keep(stack, report)
    return 0


def _keep(stack: Stack, report: Reporter) -> None:
    env = stack.cluster.env()
    report.say("The installation stays up until you press Ctrl-C. In another shell:")
    report.say(f"export KUBECONFIG={env['KUBECONFIG']}")
    report.say(f"export PATH={stack.cluster.binaries.folder}:$PATH")
    report.say("kubectl get appcred -n shop -w")
    report.say("kubectl describe appcred orders -n shop")
    report.say("kubectl delete secret orders-entra -n shop   # the operator issues a new one")
    threading.Event().wait()


if __name__ == "__main__":
    sys.exit(main())
