"""The options of the command."""

from __future__ import annotations

import argparse
from pathlib import Path


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    made = argparse.ArgumentParser(
        prog="entra-conformance",
        description="Compare a tenant, or the emulator, with what is known of Entra.",
        epilog="The credential is AZURE_CLIENT_SECRET of the environment, or a certificate."
        " Exit status: 0 all agree, 1 one differs or something was not removed, 2 not finished.",
    )
    made.add_argument("--target", choices=["emulator"], help="start an emulator and ask that")
    made.add_argument("--tenant", help="id or domain of a real tenant")
    made.add_argument("--client-id", help="the application to sign in as")
    made.add_argument(
        "--certificate",
        type=Path,
        metavar="FILE",
        help="PEM with key and certificate (AZURE_CLIENT_CERTIFICATE_PATH)",
    )
    made.add_argument("--authority", default="https://login.microsoftonline.com", metavar="URL")
    made.add_argument("--graph", default="https://graph.microsoft.com", metavar="URL")
    made.add_argument("--ca-file", type=Path, metavar="FILE", help="trust these authorities only")
    made.add_argument(
        "--federated-token",
        type=Path,
        metavar="FILE",
        help="a token of an issuer such as GitHub Actions, to be exchanged",
    )
    made.add_argument("--read-only", action="store_true", help="only checks that write nothing")
    made.add_argument("--yes", action="store_true", help="write without asking")
    made.add_argument("--json", type=Path, metavar="FILE", help="write the report there, too")
    return made
