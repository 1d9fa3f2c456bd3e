"""A Secret that somebody deletes or edits is noticed within a minute, with all settings default."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import pytest

from tests.process.installation import Site
from tests.process.metrics import is_leading
from tests.process.waiting import wait_for
from tests.process.workloads import Workload

pytestmark = [pytest.mark.cluster, pytest.mark.process]

WITHIN: Final = 60.0
ISSUED_WITHIN: Final = 120.0
QUIET: Final = 5.0
EDITED: Final = base64.b64encode(b"edited").decode()


def test_a_lost_secret_is_said_within_a_minute_and_written_anew(
    site: Site, record_property: Callable[[str, object], None]
) -> None:
    with site.operator(settings={}) as operator:
        wait_for(lambda: is_leading(operator), "leading", 30, operator.child.tail)
        workload = Workload(site, "orders")

        def is_well() -> bool:
            return workload.is_ready() and operator.is_quiet(QUIET)

        def says(reason: str) -> bool:
            found = workload.condition("Ready")
            return (found.get("status"), found.get("reason")) == ("False", reason)

        workload.create()
        for harm, reason in ((_delete, "SecretMissing"), (_edit, "SecretEdited")):
            wait_for(is_well, "ready and quiet", ISSUED_WITHIN, operator.child.tail)
            began = time.monotonic()
            harm(site, f"/api/v1/namespaces/{site.namespace}/secrets/{workload.name}")
            wait_for(partial(says, reason), reason, WITHIN, operator.child.tail)
            record_property(reason, f"{time.monotonic() - began:.1f} s")
        wait_for(is_well, "ready again", ISSUED_WITHIN, operator.child.tail)
        data: dict[str, Any] = workload.target()["data"]
        assert data["AZURE_CLIENT_SECRET"] != EDITED


def _delete(site: Site, path: str) -> None:
    site.kube.delete(path)


def _edit(site: Site, path: str) -> None:
    found = site.cluster.api.call("GET", path)
    site.cluster.api.call("PUT", path, {**found, "data": {"AZURE_CLIENT_SECRET": EDITED}})
