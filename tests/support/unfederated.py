"""For worlds without federated credentials: whoever asks for one is wrong."""

from __future__ import annotations

from typing import Any

_NONE = "this world has no federated credentials"


class NoFederation:
    """The part of a ports.Directory that is about federated credentials."""

    async def federated(self, *_: Any, **__: Any) -> Any:
        raise AssertionError(_NONE)

    async def add_federated(self, *_: Any, **__: Any) -> None:
        raise AssertionError(_NONE)

    async def update_federated(self, *_: Any, **__: Any) -> None:
        raise AssertionError(_NONE)

    async def is_client_id(self, *_: Any, **__: Any) -> bool:
        raise AssertionError(_NONE)

    async def remove_federated(self, *_: Any, **__: Any) -> None:
        raise AssertionError(_NONE)


class NoIssuer:
    """A ports.IssuerSource."""

    async def current(self) -> Any:
        raise AssertionError(_NONE)


async def nothing_wanted(_: Any) -> frozenset[tuple[str, str]]:
    """Nobody asks for what a deleted resource leaves."""
    return frozenset()
