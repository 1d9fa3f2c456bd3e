"""`python -m demo`: the story; `up`, `down`: the same installation to play with."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence

from demo.playground import down, hold, up
from demo.processes import StackError
from demo.reporting import Reporter, reporter
from demo.seed import seed
from demo.stack import Stack
from demo.story import Story, StoryError
from localcluster.errors import ClusterError


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
    # The refusals that the story waits for are no warnings here.
    logging.getLogger("azure").setLevel(logging.CRITICAL)
    # A polite end also takes the child processes away.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with reporter() as told:
        told.chapter("A whole installation on this machine")
        with Stack(seed(lag=True), progress=told.waiting) as stack:
            Story(stack, told).run()
            told.chapter("Every step was seen")
            if os.environ.get("DEMO_KEEP"):
                _keep(stack, told)
    return 0


def _keep(stack: Stack, told: Reporter) -> None:
    env = stack.cluster.env()
    told.say("It stays up until you press Ctrl-C. In another shell:")
    told.say(f"export KUBECONFIG={env['KUBECONFIG']}")
    told.say(f"export PATH={stack.cluster.binaries.folder}:$PATH")
    told.say("kubectl get appcred -n shop -w")
    told.say("kubectl describe appcred orders -n shop")
    told.say("kubectl delete secret orders-entra -n shop     # it is issued anew")
    threading.Event().wait()


if __name__ == "__main__":
    sys.exit(main())
