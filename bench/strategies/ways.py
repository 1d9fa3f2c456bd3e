"""The ways themselves: how each issues one client secret. None of them signs in with it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeAlias

from bench.fleet import Member


class Directory(Protocol):
    """Graph and the Secrets of the cluster."""

    async def read(self, client_id: str) -> dict[str, Any]:
        """Read an application by its client id."""

    async def add_password(self, client_id: str) -> dict[str, Any]:
        """Add a client secret; return it with its value."""

    async def publish(self, member: Member, made: Mapping[str, Any], prefix: str) -> None:
        """Write the value into a Secret of a name of its own."""


Issue: TypeAlias = Callable[[Directory, Member], Awaitable[None]]
_PAUSE: Final = 10.0
_SEEN: Final = 5
_BETWEEN: Final = 1.0
_LOOKS: Final = 60


async def after_a_pause(directory: Directory, member: Member) -> None:
    """Wait ten seconds before the write, so that an earlier one has reached all replicas."""
    await directory.read(member.client_id)
    await asyncio.sleep(_PAUSE)
    made = await directory.add_password(member.client_id)
    await directory.publish(member, made, "pause")


async def at_once(directory: Directory, member: Member) -> None:
    """Read, write and publish; whether the credential works already is not asked."""
    await directory.read(member.client_id)
    made = await directory.add_password(member.client_id)
    await directory.publish(member, made, "resync")


async def seen_five_times(directory: Directory, member: Member) -> None:
    """Publish once five reads in a row, a second apart, list the credential."""
    await directory.read(member.client_id)
    made = await directory.add_password(member.client_id)
    seen = looks = 0
    while seen < _SEEN:
        looks += 1
        if looks > _LOOKS:
            raise RuntimeError(f"{member.client_id}: not listed in {_LOOKS} reads")
        await asyncio.sleep(_BETWEEN)
        found = await directory.read(member.client_id)
        seen = seen + 1 if _lists(found, made["keyId"]) else 0
    await directory.publish(member, made, "seen")


def _lists(application: dict[str, Any], key_id: str) -> bool:
    return any(one["keyId"] == key_id for one in application["passwordCredentials"])


@dataclass(frozen=True, slots=True)
class Way:
    """A way to issue, and how many resources are worked on at a time."""

    name: str
    issue: Issue
    workers: int


WAYS: Final = (
    Way("a pause of 10 s before each write, ten workers", after_a_pause, 10),
    Way("no proof, one read per resource and resync", at_once, 20),
    Way("reads until seen five times in a row", seen_five_times, 20),
)
RESYNC: Final = 600.0
"""Seconds from one resync to the next that are assumed of each way."""


async def resync(directory: Directory, member: Member) -> None:
    """Look whether all is as it was: one read of the resource's application."""
    await directory.read(member.client_id)
