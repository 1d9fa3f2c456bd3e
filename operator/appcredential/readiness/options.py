"""The options of `check`, and its exit statuses. It imports nothing that takes time."""

from __future__ import annotations

import argparse
from typing import Final

FINE: Final = 0
MISSING: Final = 1
NOT_LOOKED: Final = 2


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument(
        "--tenant-ref", default="default", metavar="NAME", help="the EntraTenant (default: default)"
    )
    parser.add_argument("-o", "--output", choices=("json",), help="another form")
