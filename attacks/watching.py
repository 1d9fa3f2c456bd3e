"""Watches the operator while it is attacked: its probe, its Lease, its memory, a neighbour."""

from __future__ import annotations

import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

from attacks.field import NEIGHBOUR, Field
from attacks.report import Figures
from demo.processes import OPERATOR_NAMESPACE
from demo.weighing import family, resident

LEASE: Final = f"/apis/coordination.k8s.io/v1/namespaces/{OPERATOR_NAMESPACE}/leases/appcredential"
_LATE: Final = 2.0
"""How many periods may pass between two renewals that are in time."""
_PATIENCE: Final = 30.0


class Watch:
    """Fills the figures of one attack, from the start to the end of a `with` block."""

    def __init__(self, field: Field, figures: Figures, renew: float) -> None:
        self._field = field
        self._figures = figures
        self._renew = renew
        self._stop = threading.Event()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Watch until the block ends."""
        jobs: tuple[Callable[[], None], ...] = (
            self._probe,
            self._hold_lease,
            self._weigh,
            self._be_a_neighbour,
        )
        threads = [threading.Thread(target=job, daemon=True) for job in jobs]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in threads:
                thread.join(_PATIENCE + 5)

    def _probe(self) -> None:
        while not self._stop.wait(0.2):
            if self._field.is_restarting:
                continue
            began = time.monotonic()
            try:
                with urllib.request.urlopen(f"{self._field.health_url}/livez", timeout=60):
                    pass
            except (urllib.error.URLError, OSError):
                if self._field.is_restarting:
                    continue
            self._figures.answer = max(self._figures.answer, time.monotonic() - began)

    def _hold_lease(self) -> None:
        """Compare renewals; a restarted operator takes the Lease anew, which is no loss."""
        last: tuple[str, datetime] | None = None
        while not self._stop.wait(0.3):
            spec: dict[str, Any] = self._field.get(LEASE).get("spec") or {}
            if self._field.is_restarting or not spec.get("renewTime"):
                last = None
                continue
            holder = str(spec.get("holderIdentity") or "")
            renewed = datetime.fromisoformat(str(spec["renewTime"]))
            if last is not None and renewed > last[1]:
                gap = (renewed - last[1]).total_seconds()
                self._figures.missed += max(0, int(gap / self._renew - _LATE + 1))
                ran_out = gap > float(spec.get("leaseDurationSeconds") or 0)
                self._figures.is_lease_lost |= ran_out or holder != last[0]
            last = holder, renewed

    def _weigh(self) -> None:
        while not self._stop.wait(0.1):
            found = sum(map(resident, family(self._field.pid)))
            self._figures.rss = max(self._figures.rss, found)

    def _be_a_neighbour(self) -> None:
        """Apply one resource after the other, each on an application of its own."""
        while not self._stop.is_set():
            name, began = self._field.next_neighbour(), time.monotonic()
            while not self._field.is_ready(NEIGHBOUR, name):
                if time.monotonic() - began > _PATIENCE:
                    self._figures.unserved += 1
                    break
                time.sleep(0.05)
            else:
                self._figures.neighbour.append(time.monotonic() - began)
            self._stop.wait(1.0)
