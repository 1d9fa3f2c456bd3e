"""Operators that are broken on purpose, for `instrumented`, by what is wrong with them."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final

from appcredential.domain.secret_value import SecretValue
from appcredential.entra.directory import GraphDirectory
from appcredential.kube.lease import Lease
from appcredential.kube.secret_store import KubeSecrets

Method = Callable[..., Awaitable[Any]]


def _leak() -> None:
    """Break the operator as a careless debug line would."""
    inner: Method = KubeSecrets.put_minted

    async def leaking(
        self: KubeSecrets, owner: Any, live: Any, minted: Any, value: SecretValue
    ) -> Any:
        logging.getLogger("appcredential.effects.dispatch").debug("storing %s", value.reveal())
        return await inner(self, owner, live, minted, value)

    setattr(KubeSecrets, "put_minted", leaking)  # noqa: B010 - a method is replaced


def _be_hasty() -> None:
    """Break the operator as one without an overlap would be."""
    put_target: Method = KubeSecrets.put_target
    add_password: Method = GraphDirectory.add_password
    directories: list[tuple[GraphDirectory, Any]] = []

    async def adding(self: GraphDirectory, object_id: Any, *args: Any, **words: Any) -> Any:
        directories.append((self, object_id))
        return await add_password(self, object_id, *args, **words)

    async def publishing(
        self: KubeSecrets, namespace: str, name: str, live: Any, wanted: Any
    ) -> Any:
        written = await put_target(self, namespace, name, live, wanted)
        former = live.published if live is not None else None
        if former is not None and former.key_id != written.published.key_id:
            directory, object_id = directories[-1]
            await directory.remove_password(object_id, former.key_id)
        return written

    setattr(GraphDirectory, "add_password", adding)  # noqa: B010
    setattr(KubeSecrets, "put_target", publishing)  # noqa: B010


def _leave_a_gap() -> None:
    """Break the operator as one that breaks before it makes would be."""
    add_federated: Method = GraphDirectory.add_federated

    async def adding(self: GraphDirectory, object_id: Any, *args: Any, **words: Any) -> None:
        for old in (await self.federated(object_id, timedelta(0))).credentials:
            await self.remove_federated(object_id, old.id)
        await add_federated(self, object_id, *args, **words)

    setattr(GraphDirectory, "add_federated", adding)  # noqa: B010


def _usurp() -> None:
    """Break the operator as one would be for which the Lease is no Lease."""

    async def holding(self: Lease) -> bool:
        return True

    setattr(Lease, "try_hold", holding)  # noqa: B010
    setattr(Lease, "remaining", lambda self: 3600.0)  # noqa: B010


BROKEN: Final[dict[str, Callable[[], None]]] = {
    "leak": _leak,
    "hasty": _be_hasty,
    "gap": _leave_a_gap,
    "usurp": _usurp,
}
