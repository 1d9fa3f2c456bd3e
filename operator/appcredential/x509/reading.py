"""Reads foreign certificates off the event loop, a few at a time and each within a time limit."""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable
from datetime import timedelta
from typing import Final, TypeAlias

from appcredential.domain.observed.certificate import SuppliedCertificate
from appcredential.errors import NotYetError, UnusableCertificateError
from appcredential.x509.read import CertificateFiles, read_files

_AT_ONCE: Final = 2
_SECONDS: Final = 10.0
_WAIT: Final = 1.0
_AGAIN: Final = timedelta(seconds=5)
_REMEMBERED: Final = 1024

Read: TypeAlias = Callable[[CertificateFiles], SuppliedCertificate]


class CertificateReader:
    """Reads certificates in threads.

    A thread is good enough: `bounds` refuses what could hold the interpreter for longer than
    one signature. The time limit is for what nobody thought of. A read that exceeds it keeps
    its place until it ends, so that such reads never take more threads than two. Its bytes are
    remembered by their digest and not read again. Who finds no place soon is sent away: a
    worker that waited would be missing to all others, and one namespace could hold them all.

    Args:
        read: reads one, in a thread.
        seconds: how long one may take.
        wait: how many seconds to wait for a place.
    """

    def __init__(
        self, read: Read = read_files, seconds: float = _SECONDS, wait: float = _WAIT
    ) -> None:
        self._read = read
        self._wait = wait
        self._seconds = seconds
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._too_slow: OrderedDict[str, None] = OrderedDict()

    async def read(self, files: CertificateFiles) -> SuppliedCertificate:
        """Read a certificate.

        Raises:
            UnusableCertificateError: it cannot be used, or took too long once.
            NotYetError: others are being read; nothing is known of this one.
        """
        digest = digest_of(files)
        if digest in self._too_slow:
            raise self._refusal()
        await self._take_place()
        work = asyncio.ensure_future(asyncio.to_thread(self._read, files))
        work.add_done_callback(self._ended)
        done, _ = await asyncio.wait({work}, timeout=self._seconds)
        if not done:
            self._remember(digest)
            raise self._refusal()
        return work.result()

    async def _take_place(self) -> None:
        try:
            async with asyncio.timeout(self._wait):
                await self._places.acquire()
        except TimeoutError:
            raise NotYetError(
                "other certificates are being read that take long", retry_after=_AGAIN
            ) from None

    def _ended(self, work: asyncio.Future[SuppliedCertificate]) -> None:
        self._places.release()
        if not work.cancelled():
            work.exception()  # seen, also when nobody waits for it any more

    def _remember(self, digest: str) -> None:
        self._too_slow[digest] = None
        if len(self._too_slow) > _REMEMBERED:
            self._too_slow.popitem(last=False)

    def _refusal(self) -> UnusableCertificateError:
        return UnusableCertificateError(
            f"takes longer than {self._seconds:.0f} seconds to read: issue an ordinary one with an "
            "RSA key of 2048 bits"
        )


def digest_of(files: CertificateFiles) -> str:
    """Return what tells two sources' bytes apart."""
    found = hashlib.sha256(files.content.sha256().encode())
    found.update(f"{files.may_hold_key} {files.password.sha256()}".encode())
    if files.private is not None:
        found.update(files.private.sha256().encode())
    return found.hexdigest()
