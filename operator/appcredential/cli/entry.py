"""Where the console scripts and `python -m appcredential ctl` come in, also without the extra."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Final

_NEEDED: Final = ("click", "rich", "yaml", "kubernetes")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command of `kubectl appcredential`; return the exit status.

    Args:
        arguments: without the program's name; None takes those of the process.
    """
    if not _is_complete():
        return 1
    from appcredential.cli.main import run  # noqa: PLC0415 - needs the extra

    return run(arguments)


def complete() -> int:
    """Print candidates for what kubectl has on its command line; return the exit status."""
    if not _is_complete():
        return 1
    from appcredential.cli.main import complete as print_candidates  # noqa: PLC0415 - same

    return print_candidates(sys.argv[1:])


def _is_complete() -> bool:
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        sys.stderr.write(
            f"error: {', '.join(missing)} not found: the command-line tool needs the package's "
            "extra, as with pipx install '.[cli]' in a checkout\n"
        )
    return not missing
