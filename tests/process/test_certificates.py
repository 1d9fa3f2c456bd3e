"""Killed at any effect of a certificate's life: never a second key, never an orphan."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import pytest

from tests.process.conftest import NewSite
from tests.process.installation import Site
from tests.process.waiting import wait_for
from tests.process.workloads import Certified

pytestmark = [pytest.mark.cluster, pytest.mark.process]

AT_ONCE: Final = 4
PATIENCE: Final = 75.0
ISSUE: Final = (
    ("intent", "kill"),
    ("intent", "kill in flight"),
    ("addCertificate", "kill"),
    ("addCertificate", "kill in flight"),
    ("minted", "kill"),
    ("minted", "kill in flight"),
    ("target", "kill in flight"),
)
ROTATION: Final = (
    ("addCertificate", "kill"),
    ("addCertificate", "kill in flight"),
    ("minted", "kill"),
    ("target", "kill"),
    ("removeCertificate", "kill"),
    ("removeCertificate", "kill in flight"),
    ("intent", "kill"),
)


def live(site: Site, issue: tuple[str, str], rotation: tuple[str, str]) -> list[str]:
    """Issue and rotate with one crash in each; return what went wrong."""
    wrong: list[str] = []
    with site.operator() as operator:
        workload = Certified(site, "orders")

        def crash(point: tuple[str, str], act: Callable[[], None]) -> None:
            operator.arm(point[0], 1, point[1])
            act()
            wait_for(lambda: not operator.is_alive(), "the crash", PATIENCE, workload.describe)
            operator.disarm()
            operator.restart()

        def expect(kept: bool, what: str) -> None:
            if not kept:
                wrong.append(f"{issue}, {rotation}: {what}")

        crash(issue, workload.create)
        workload.settle(PATIENCE)
        first = workload.values()
        expect(workload.is_signed_in(first), "the first certificate does not sign in")
        expect(workload.has_foreign(), "a foreign credential is gone")
        crash(rotation, workload.rotate)
        wait_for(workload.published_key, "a published key", PATIENCE, workload.describe)
        workload.settle(PATIENCE)
        expect(workload.values() != first, "it was not rotated")
        expect(workload.is_signed_in(workload.values()), "the successor does not sign in")
        registered = workload.ours()
        expect(len(registered) == 1, f"{len(registered)} certificates are left")
    return wrong


def test_killed_at_any_effect_there_is_one_certificate(new_site: NewSite) -> None:
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        lives = [
            pool.submit(live, new_site(), issue, rotation)
            for issue, rotation in zip(ISSUE, ROTATION, strict=True)
        ]
        wrong = [text for one in lives for text in one.result()]
    assert not wrong, "\n".join(wrong)
