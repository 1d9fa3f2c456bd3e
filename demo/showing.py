"""The end of the story: what the person on call sees, by the command-line tool."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Final

from demo.observing import StoryError
from demo.reporting import Reporter
from demo.stack import ROOT, Stack

REPORT: Final = ROOT / "build" / "demo-report.html"


def show(stack: Stack, report: Reporter) -> None:
    """Show all AppCredentials as a list, and leave the page about them in build/.

    Raises:
        StoryError: the tool fails.
    """
    report.chapter("kubectl appcredential list -A")
    for line in _run(stack, "list", "-A").splitlines():
        report.say(line)
    REPORT.parent.mkdir(exist_ok=True)
    _run(stack, "report", "-A", "--html", str(REPORT))
    report.say(f"the same as a page to look at: {REPORT.relative_to(ROOT)}")


def _run(stack: Stack, *words: str) -> str:
    path = os.pathsep.join([str(ROOT / "operator"), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-m", "appcredential", "ctl", *words],
        env={**stack.cluster.env(), "PYTHONPATH": path.rstrip(os.pathsep)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.returncode:
        raise StoryError(f"kubectl appcredential {words[0]}: {done.stderr.strip()}")
    return done.stdout
