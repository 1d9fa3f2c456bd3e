"""Graph for one tenant, in memory: the `Directory` port with one application."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NoReturn

from appcredential.domain.observed.entra import Application, Credential
from appcredential.domain.observed.federated import FederatedCredential, FederatedList
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import ClientId, KeyId, ObjectId
from appcredential.errors import AppCredentialError, NotFoundError, TooLateError
from appcredential.ports.entra import MintedPassword
from tests.support.builders import CLIENT_ID, NOW, application
from tests.support.clock import HandClock


class MemoryDirectory:
    """One application. Every change shows in the next read.

    A call about certificates fails the test, and so does one about federated credentials
    unless `trusts` is set: a world that has none is never asked for them.

    Attributes:
        credentials: what the application has.
        trusts: its federated credentials by id; None where nobody may ask for them.
        is_missing: the application cannot be found.
        error: what every call raises, or None.
        add_errors: what the next calls of `add_password` raise, one each.
        skew_now: Entra's clock minus ours.
        before_add: called just before a password is added.
        after_add: called once it is there, before the answer is returned.
        after_read: called once the trusts were read, and then no more.
        calls: the calls so far: `read`, `add`, `remove`.
        reads: when the application was read.
        removed: the keys that were removed.
        removed_trusts: the ids of federated credentials that were removed.
        is_made: whether a password was added.
        deadline: of the last call of `add_password`, by the clock's `monotonic`.
        end: that was asked for in that call.
    """

    def __init__(self, clock: HandClock, *credentials: Credential) -> None:
        self._clock = clock
        self._numbers = itertools.count(1)
        self.credentials = {c.key_id: c for c in credentials}
        self.trusts: dict[str, FederatedCredential] | None = None
        self.is_missing = False
        self.error: AppCredentialError | None = None
        self.add_errors: list[AppCredentialError] = []
        self.skew_now: timedelta | None = timedelta(0)
        self.before_add: Callable[[], None] = lambda: None
        self.after_add: Callable[[], None] = lambda: None
        self.after_read: Callable[[], None] = lambda: None
        self.calls: list[str] = []
        self.reads: list[datetime] = []
        self.removed: list[KeyId] = []
        self.removed_trusts: list[str] = []
        self.is_made = False
        self.deadline = 0.0
        self.end = NOW

    async def application(self, client_id: ClientId, max_age: timedelta) -> Application:
        self.reads.append(self._clock.now())
        self._call("read")
        if self.is_missing or client_id != CLIENT_ID:
            raise NotFoundError("no such application")
        return application(*self.credentials.values(), read_time=self._clock.now())

    async def add_password(
        self, object_id: ObjectId, display_name: str, end: datetime, *, deadline: float = math.inf
    ) -> MintedPassword:
        """Add `key-1`, `key-2` and so on, with the values `canary-key-1`, `canary-key-2`."""
        self._call("add")
        self.deadline, self.end = deadline, end
        self.before_add()
        if self._clock.monotonic() > deadline:
            raise TooLateError("too late")
        if self.add_errors:
            raise self.add_errors.pop(0)
        key = KeyId(f"key-{next(self._numbers)}")
        start = self._clock.now().replace(microsecond=0)
        made = Credential(key_id=key, display_name=display_name, start=start, end=end)
        self.credentials[key], self.is_made = made, True
        self.after_add()
        return MintedPassword(made, SecretValue(f"canary-{key}"))

    async def remove_password(self, object_id: ObjectId, key_id: KeyId) -> None:
        self._call("remove")
        if key_id not in self.credentials:
            raise NotFoundError("no such credential")
        self.removed.append(key_id)
        del self.credentials[key_id]

    async def federated(self, object_id: ObjectId, max_age: timedelta) -> FederatedList:
        found = FederatedList(
            object_id=object_id,
            credentials=tuple(self._known_trusts().values()),
            read_time=self._clock.now(),
        )
        after, self.after_read = self.after_read, lambda: None
        after()
        return found

    async def remove_federated(self, object_id: ObjectId, id_: str) -> None:
        if id_ not in self._known_trusts():
            raise NotFoundError("no such credential")
        del self._known_trusts()[id_]
        self.removed_trusts.append(id_)

    def _known_trusts(self) -> dict[str, FederatedCredential]:
        return fail_test() if self.trusts is None else self.trusts

    def skew(self) -> timedelta | None:
        return self.skew_now

    def take_losses(self, object_id: ObjectId) -> tuple[()]:
        return ()

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if self.error is not None:
            raise self.error

    # --- what no world asks for ------------------------------------------------------------

    async def add_certificate(self, *_: object, **__: object) -> NoReturn:
        fail_test()

    async def remove_certificate(self, *_: object, **__: object) -> NoReturn:
        fail_test()

    async def add_federated(self, *_: object, **__: object) -> NoReturn:
        fail_test()

    async def update_federated(self, *_: object, **__: object) -> NoReturn:
        fail_test()

    async def is_client_id(self, *_: object, **__: object) -> NoReturn:
        fail_test()


def fail_test() -> NoReturn:
    """Fail a test because of a call that nobody should make in its world."""
    raise AssertionError("nothing in this world asks for that")
