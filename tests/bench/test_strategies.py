"""The other ways count what they are named after."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from bench.fleet import Fleet, Kind, Member
from bench.strategies import ways


class _Directory:
    """Lists a new password in some reads and not in others; notes all that is asked."""

    def __init__(self, shown: str) -> None:
        self._shown = iter(shown)
        self.asked: list[str] = []

    async def read(self, client_id: str) -> dict[str, Any]:
        self.asked.append("read")
        listed = next(self._shown, "1") == "1"
        return {"appId": client_id, "passwordCredentials": [{"keyId": "k"}] if listed else []}

    async def add_password(self, _client_id: str) -> dict[str, Any]:
        self.asked.append("add")
        return {"keyId": "k", "secretText": "value"}

    async def publish(self, _member: Member, _made: Mapping[str, Any], _prefix: str) -> None:
        self.asked.append("publish")


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    seconds: list[float] = []

    async def note(delay: float) -> None:
        seconds.append(delay)

    monkeypatch.setattr(asyncio, "sleep", note)
    return seconds


@pytest.mark.parametrize(
    ("number", "shown", "asked", "seconds"),
    [
        (0, "0", ["read", "add", "publish"], 10.0),
        (1, "0", ["read", "add", "publish"], 0.0),
        (2, "0", ["read", "add", *["read"] * 5, "publish"], 5.0),
        (2, "0" + "1101", ["read", "add", *["read"] * 8, "publish"], 8.0),
    ],
)
async def test_a_way_asks_for_what_it_is_named_after(
    number: int, shown: str, asked: list[str], seconds: float, slept: list[float]
) -> None:
    directory = _Directory(shown)
    await ways.WAYS[number].issue(directory, Fleet(Kind.SECRET, 1).member(0))
    assert directory.asked == asked
    assert sum(slept) == seconds
