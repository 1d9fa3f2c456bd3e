"""The command itself: look, judge, print."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from collections.abc import Sequence

from appcredential.cli.doctor.findings import Finding, in_order
from appcredential.cli.doctor.shown import as_json, told
from appcredential.cli.text import plain
from appcredential.readiness.judge import judge
from appcredential.readiness.looking import NotLookedError, look
from appcredential.readiness.options import FINE, MISSING, NOT_LOOKED
from appcredential.runtime.clock import SystemClock
from appcredential.settings import Settings


def run(settings: Settings, tenant_ref: str, form: str) -> int:
    """Check one EntraTenant as the operator with these settings, and print what was found.

    Args:
        settings: of the operator.
        tenant_ref: name of the EntraTenant.
        form: `json`, or empty for people.

    Returns:
        The exit status: 0 fine, 1 something is missing, 2 it could not look.
    """
    logging.getLogger().addHandler(logging.NullHandler())  # what is found is printed, not logged
    clock = SystemClock()
    try:
        seen = asyncio.run(look(settings, clock, tenant_ref, os.environ.get("KUBECONFIG", "")))
    except NotLookedError as exc:
        sys.stderr.write(f"error: {plain(str(exc))}\n")
        return NOT_LOOKED
    found = in_order(judge(seen, settings.lifecycle, clock.now()))
    sys.stdout.write(_text(found, form))
    return MISSING if any(finding.gravity.is_wrong for finding in found) else FINE


def _text(found: Sequence[Finding], form: str) -> str:
    if form == "json":
        return json.dumps([as_json(finding) for finding in found], indent=4) + "\n"
    is_unicode = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    lines = ("".join(part.text for part in line) for line in told(found, None, unicode=is_unicode))
    return "".join(f"{line.rstrip()}\n" for line in lines)
