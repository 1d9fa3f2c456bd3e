"""Foreign certificates are read in threads: each within a time limit, and none again that broke it.

No time is measured here: a read that never ends stands for a slow one.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest

from appcredential.domain.observed.certificate import SuppliedCertificate
from appcredential.domain.secret_value import SecretValue
from appcredential.errors import NotYetError, UnusableCertificateError
from appcredential.x509 import reading
from appcredential.x509.read import CertificateFiles
from appcredential.x509.reading import CertificateReader
from tests.support.builders import NOW
from tests.support.keys import make_certificate


def files(text: str) -> CertificateFiles:
    return CertificateFiles(content=SecretValue(text))


SLOW, QUICK = files("slow"), files("quick")
FOUND = SuppliedCertificate(value=SecretValue("quick"), start=NOW, end=NOW + timedelta(days=1))


class Reads:
    """Reads at once, but what is slow only when it may."""

    def __init__(self) -> None:
        self.may_end = threading.Event()
        self.read: list[str] = []

    def __call__(self, found: CertificateFiles) -> SuppliedCertificate:
        self.read.append(found.content.reveal())
        if self.read[-1].startswith("slow"):
            self.may_end.wait(30)
        return FOUND

    async def begun(self, count: int) -> None:
        """Wait until so many reads began: a thread may begin after its time is over."""
        for _ in range(1000):
            if len(self.read) >= count:
                return
            await asyncio.sleep(0.01)
        pytest.fail(f"of {count} reads only {len(self.read)} began")


@pytest.fixture
def reads() -> Iterator[Reads]:
    found = Reads()
    yield found
    found.may_end.set()


async def test_what_takes_too_long_is_refused_and_not_read_again(reads: Reads) -> None:
    reader = CertificateReader(reads, seconds=0.01)
    for _ in range(3):
        with pytest.raises(UnusableCertificateError, match="takes longer than 0 seconds"):
            await reader.read(SLOW)
    await reads.begun(1)
    assert reads.read == ["slow"]
    reads.may_end.set()
    assert await CertificateReader(reads).read(QUICK) is FOUND


async def test_slow_ones_never_take_more_threads_than_two(reads: Reads) -> None:
    reader = CertificateReader(reads, seconds=0.01, wait=30)
    for text in ("slow 1", "slow 2"):
        with pytest.raises(UnusableCertificateError):
            await reader.read(files(text))
    waiting = asyncio.ensure_future(reader.read(QUICK))
    await asyncio.sleep(0)
    await reads.begun(2)
    assert sorted(reads.read) == ["slow 1", "slow 2"]
    reads.may_end.set()
    assert await waiting is FOUND


async def test_nobody_waits_long_for_a_place(reads: Reads) -> None:
    """A worker that waits is missing to all other resources."""
    reader = CertificateReader(reads, seconds=0.01, wait=0.01)
    for text in ("slow 1", "slow 2"):
        with pytest.raises(UnusableCertificateError):
            await reader.read(files(text))
    for _ in range(20):
        with pytest.raises(NotYetError, match="take long") as caught:
            await asyncio.wait_for(reader.read(QUICK), 30)
        assert caught.value.retry_after > timedelta(0)
    await reads.begun(2)
    assert sorted(reads.read) == ["slow 1", "slow 2"]


async def test_a_place_that_was_waited_for_in_vain_is_not_lost(reads: Reads) -> None:
    reader = CertificateReader(reads, wait=0.01)
    slow = [asyncio.ensure_future(reader.read(files(f"slow {n}"))) for n in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(NotYetError):
        await reader.read(QUICK)
    reads.may_end.set()
    assert await asyncio.gather(*slow) == [FOUND, FOUND]
    assert [await reader.read(QUICK) for _ in range(3)] == [FOUND] * 3


async def test_few_are_remembered(reads: Reads, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_REMEMBERED", 1)
    reader = CertificateReader(reads, seconds=0.0)
    reads.may_end.set()
    for text in ("slow 1", "slow 2", "slow 1"):
        with pytest.raises(UnusableCertificateError):
            await reader.read(files(text))
    await reads.begun(3)
    assert reads.read.count("slow 1") == 2


async def test_a_failure_of_a_read_nobody_waits_for_is_no_news(reads: Reads) -> None:
    def fail(found: CertificateFiles) -> SuppliedCertificate:
        reads.may_end.wait(30)
        raise UnusableCertificateError("is odd: mend it")

    reader = CertificateReader(fail, seconds=0.0)
    with pytest.raises(UnusableCertificateError, match="takes longer"):
        await reader.read(SLOW)
    reads.may_end.set()


@pytest.mark.parametrize("has_key", [False, True])
async def test_a_certificate_is_read_alone_or_with_its_key(has_key: bool) -> None:
    made = make_certificate("orders")
    content = SecretValue(made.pem.decode())
    private = SecretValue(made.key_pem.decode()) if has_key else None
    found = await CertificateReader().read(CertificateFiles(content=content, private=private))
    assert found.value.reveal() == (made.bundle if has_key else made.pem).decode()
