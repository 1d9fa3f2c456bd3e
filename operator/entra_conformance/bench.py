"""Where checks work: the client, the applications that the suite made, waiting, cleaning up."""

from __future__ import annotations

import asyncio
import secrets
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

from entra_conformance.client import Answer, Client
from entra_conformance.keys import OwnKey
from entra_conformance.outcome import CannotCheckError
from entra_conformance.redacted import Vault
from entra_conformance.target import Target

PREFIX: Final = "entra-conformance-"


@dataclass(frozen=True, slots=True)
class Made:
    """An application that the suite made."""

    id: str
    app_id: str
    name: str

    @property
    def path(self) -> str:
        """Its address below Graph's root."""
        return f"v1.0/applications/{self.id}"


@dataclass(slots=True)
class Bench:
    """What one run shares; checks run one after the other in their order."""

    target: Target
    client: Client
    vault: Vault
    run: str = field(default_factory=lambda: secrets.token_hex(4))
    _made: list[Made] = field(default_factory=list)
    _rooms: dict[str, Made] = field(default_factory=dict)
    _keys: dict[str, OwnKey] = field(default_factory=dict)
    _count: int = 0

    @property
    def prefix(self) -> str:
        """The beginning of the names of all that this run makes."""
        return f"{PREFIX}{self.run}"

    def new_name(self) -> str:
        """Return a name for one more object."""
        self._count += 1
        return f"{self.prefix}{self._count:02x}"

    async def key(self, name: str = "own") -> OwnKey:
        """Return one of the run's keys, made at the first use."""
        if name not in self._keys:
            self._keys[name] = await asyncio.to_thread(OwnKey.make, f"{self.prefix}-{name}")
        return self._keys[name]

    async def application(self, purpose: str = "shared") -> Made:
        """Return the run's application for a purpose, made and visible.

        Raises:
            CannotCheckError: it could not be made.
        """
        if purpose not in self._rooms:
            made, _ = await self.create()
            await self.measure(lambda: self._is_there(made), "a new application can be read")
            self._rooms[purpose] = made
        return self._rooms[purpose]

    async def signing_in(self) -> Made:
        """Return the run's application with a service principal, which can sign in.

        Raises:
            CannotCheckError: it could not be made.
        """
        known = "sign-in" in self._rooms
        made = await self.application("sign-in")
        if not known:
            body = {"appId": made.app_id}
            answer = await self.client.graph("POST", "v1.0/servicePrincipals", body)
            if answer.status != 201:
                raise CannotCheckError(f"no service principal: {answer.told(text=True)}")
        return made

    async def create(self, **members: Any) -> tuple[Made, Answer]:
        """Make an application, of which a body may have more members; return it and the answer."""
        name = self.new_name()
        body = {"displayName": name, **members}
        answer = await self.client.graph("POST", "v1.0/applications", body)
        return self.adopted(name, answer), answer

    def adopted(self, name: str, answer: Answer) -> Made:
        """Return the application that an answer made, which the end of the run removes.

        Raises:
            CannotCheckError: the answer is no 201.
        """
        if answer.status != 201:
            raise CannotCheckError(f"no application: {answer.told(text=True)}")
        made = Made(str(answer.member("id")), str(answer.member("appId")), name)
        self._made.append(made)
        self.client.existing.add(made.id)
        return made

    async def measure(self, probe: Callable[[], Awaitable[bool]], what: str) -> float:
        """Return after how many seconds a probe holds, several times in a row.

        Raises:
            CannotCheckError: it did not in all that time.
        """
        patience = self.target.patience
        start, first, row = patience.now(), 0.0, 0
        for _ in range(patience.attempts):
            begun = patience.now()
            row = row + 1 if await probe() else 0
            if row == 1:
                first = begun
            if row >= patience.in_a_row:
                return first - start
            await patience.sleep(patience.pause)
        raise CannotCheckError(f"not within {patience.now() - start:.0f} s: {what}")

    async def eventually(self, look: Callable[[], Awaitable[str]], wanted: str) -> str:
        """Return what was seen last: what is wanted, or something else in all that time."""
        seen = ""
        for _ in range(self.target.patience.attempts):
            seen = await look()
            if seen == wanted:
                break
            await self.target.patience.sleep(self.target.patience.pause)
        return seen

    async def _is_there(self, made: Made) -> bool:
        return (await self.client.graph("GET", made.path)).status == 200

    async def clean_up(self) -> list[str]:
        """Delete and purge all that this run made; return what stayed, in words."""
        left: list[str] = []
        for made in await self._all_made():
            left += await self._removed(made)
        self._made.clear()
        return left

    async def _all_made(self) -> list[Made]:
        """Return what was made, also where the answer to its creation was lost."""
        query = f"$filter=startswith(displayName,'{self.prefix}')&$select=id,appId,displayName"
        found = {made.id: made for made in self._made}
        try:
            answer = await self.client.graph("GET", f"v1.0/applications?{query}")
            rows = answer.member("value") if answer.status == 200 else []
        except CannotCheckError:
            rows = []
        for row in rows if isinstance(rows, list) else []:
            name = str(row.get("displayName")) if isinstance(row, dict) else ""
            if name.startswith(self.prefix):
                made = Made(str(row.get("id")), str(row.get("appId")), name)
                found.setdefault(made.id, made)
        return list(found.values())

    async def _removed(self, made: Made) -> list[str]:
        try:
            gone = await self.client.graph("DELETE", made.path)
            self.client.existing.discard(made.id)
            if gone.status not in {204, 404}:
                return [f"application {made.name} (object id {made.id}): {gone.told()}"]
            purged = await self._purged(made)
        except CannotCheckError as error:
            return [f"application {made.name} (object id {made.id}): {error}"]
        if purged.status == 204:
            return []
        return [f"deleted application {made.name} ({made.id}), for 30 days: {purged.told()}"]

    async def _purged(self, made: Made) -> Answer:
        """Purge what was deleted just now, which a replica may not know yet."""
        place = f"v1.0/directory/deletedItems/{made.id}"
        answer = await self.client.graph("DELETE", place)
        for _ in range(self.target.patience.attempts):
            if answer.status != 404:
                break
            await self.target.patience.sleep(self.target.patience.pause)
            answer = await self.client.graph("DELETE", place)
        return answer

    def made(self) -> list[str]:
        """Return the names of the applications that are to be removed."""
        return [one.name for one in self._made]

    def forget(self, made: Made) -> None:
        """Note that an application is gone for good."""
        self._made.remove(made)


def unknown_id() -> str:
    """Return an id that no object has."""
    return str(uuid.uuid4())
