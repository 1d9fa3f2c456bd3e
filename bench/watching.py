"""`python -m bench.watching plain|kopf`: watch all AppCredentials and do nothing.

Writes to the file `BENCH_TOLD` what the process held before it listed them, and how many it has
seen.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import ssl
import sys
from pathlib import Path
from typing import Any, Final

import aiohttp
import yaml

from appcredential.handlers.watch import Watches
from demo.weighing import resident

_PATH: Final = "/apis/appcredential.io/v1alpha1/appcredentials"
_PERIOD: Final = 0.2
_LONG: Final = aiohttp.ClientTimeout(total=3600)


class _Seen:
    """What was seen, and where it is told."""

    def __init__(self, told: Path) -> None:
        self._told = told
        self._idle = resident(os.getpid())
        self.versions: dict[tuple[str, str], str] = {}

    def note(self, metadata: Any) -> None:
        self.versions[metadata["namespace"], metadata["name"]] = metadata["resourceVersion"]

    async def tell(self) -> None:
        while True:
            found = {"idle": self._idle, "seen": len(self.versions)}
            whole = self._told.with_suffix(".tmp")
            whole.write_text(json.dumps(found))
            whole.rename(self._told)
            await asyncio.sleep(_PERIOD)


async def _plain(seen: _Seen, config: Path) -> None:
    """List in pages as small as kopf's, then watch; keep nothing of an object but its version."""
    found = yaml.safe_load(config.read_text())  # noqa: ASYNC240 - before anything else runs
    server, token = found["clusters"][0]["cluster"], found["users"][0]["user"]["token"]
    authority = base64.b64decode(server["certificate-authority-data"]).decode()
    trust = ssl.create_default_context(cadata=authority)
    connector = aiohttp.TCPConnector(ssl=trust)
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(
        server["server"], connector=connector, headers=headers, read_bufsize=2**24
    ) as session:
        page: dict[str, Any] = {"metadata": {"continue": ""}}
        while True:
            query = {"limit": "10", "continue": page["metadata"]["continue"]}
            async with session.get(_PATH, params=query) as answer:
                page = await answer.json()
            for item in page["items"]:
                seen.note(item["metadata"])
            if not page["metadata"].get("continue"):
                break
        query = {"watch": "true", "resourceVersion": page["metadata"]["resourceVersion"]}
        async with session.get(_PATH, params=query, timeout=_LONG) as answer:
            async for line in answer.content:
                seen.note(json.loads(line)["object"]["metadata"])


async def _kopf(seen: _Seen) -> None:
    """Watch as the operator does, in a thread of its own."""
    watches = Watches((), lambda kind, _, found: _note_of(seen, kind, found))
    watches.start()
    await asyncio.Event().wait()


def _note_of(seen: _Seen, kind: str, found: dict[str, Any]) -> None:
    if kind == "appcredentials":
        seen.note(found["metadata"])


async def _main(way: str) -> None:
    seen = _Seen(Path(os.environ["BENCH_TOLD"]))
    telling = asyncio.create_task(seen.tell())
    await (_kopf(seen) if way == "kopf" else _plain(seen, Path(os.environ["KUBECONFIG"])))
    telling.cancel()


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1]))
