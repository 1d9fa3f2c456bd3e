"""`python -m entra_emulator`: run the emulator as a process of its own."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from entra_emulator.admin.errors import AdminError
from entra_emulator.admin.seed import IssuerSeed, Seed, read_document, read_file
from entra_emulator.faults.documents import Faults
from entra_emulator.files import write_public
from entra_emulator.server import EmulatorServer


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT; return the exit status: 2 for a bad option, seed or address."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO if options.verbose else logging.WARNING)
    try:
        asyncio.run(_serve(options))
    except (ValueError, TypeError, OSError, AdminError) as error:
        sys.stderr.write(f"entra_emulator: {error}\n")
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="entra_emulator",
        description="A stand-in for Microsoft Graph and the Entra token endpoint.",
    )
    parser.add_argument(
        "--listen",
        type=_address,
        default=("127.0.0.1", 8443),
        metavar="HOST:PORT",
        help="where to listen (default 127.0.0.1:8443; port 0 takes a free one)",
    )
    parser.add_argument(
        "--tls-dir",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder of the certificate authority; ca.pem is written there",
    )
    parser.add_argument(
        "--hostname",
        action="append",
        default=[],
        metavar="NAME",
        help="another name for the certificate; may be repeated",
    )
    parser.add_argument(
        "--issuer",
        type=_issuer,
        action="append",
        default=[],
        metavar="URL=CAFILE",
        help="an issuer whose tokens may be exchanged, and the authority of its TLS certificate;"
        " may be repeated",
    )
    parser.add_argument("--seed", type=Path, metavar="FILE", help="what exists from the beginning")
    parser.add_argument(
        "--faults", type=Path, metavar="FILE", help="replaces the faults of the seed"
    )
    parser.add_argument(
        "--ready-file", type=Path, metavar="FILE", help="gets the URL once it listens"
    )
    parser.add_argument("--verbose", action="store_true", help="log one line per request")
    return parser


def _address(text: str) -> tuple[str, int]:
    host, separator, port = text.rpartition(":")
    if not separator or not port.isdigit() or int(port) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT")
    return host.strip("[]") or "127.0.0.1", int(port)


def _issuer(text: str) -> IssuerSeed:
    url, separator, file = text.rpartition("=")
    if not separator or not file:
        raise argparse.ArgumentTypeError(f"{text!r} is not URL=CAFILE")
    try:
        return read_document(IssuerSeed, {"url": url, "caFile": file})
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{url!r}: {error}") from error


async def _serve(options: argparse.Namespace) -> None:
    host, port = options.listen
    server = EmulatorServer(
        tls_dir=options.tls_dir,
        seed=read_file(Seed, options.seed) if options.seed else None,
        faults=read_file(Faults, options.faults) if options.faults else None,
        host=host,
        port=port,
        hostnames=options.hostname,
        issuers=options.issuer,
    )
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with server:
        sys.stdout.write(f"listening on {server.url}, trust {server.ca_file}\n")
        sys.stdout.flush()
        if options.ready_file:
            write_public(options.ready_file, f"{server.url}\n".encode())
        await stop.wait()


if __name__ == "__main__":
    sys.exit(main())
