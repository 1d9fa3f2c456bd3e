"""Graph for one tenant, in memory: the `Directory` port with one application."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from appcredential.domain.clock_skew import Skew
from appcredential.domain.lifecycle_settings import LifecycleSettings
from appcredential.domain.observed.entra import Application, Credential
from appcredential.domain.observed.federated import FederatedCredential, FederatedList
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import ClientId, CredentialType, KeyId, ObjectId
from appcredential.domain.spec.trusts import Trust
from appcredential.errors import AppCredentialError, NotFoundError, NotYetError, TooLateError
from appcredential.ports.entra import CertificateLoss, MintedPassword, NewCertificate
from tests.support.builders import CLIENT_ID, NOW, application
from tests.support.clock import HandClock


@dataclass(frozen=True)
class Failure:
    """How one write fails.

    Attributes:
        what: how the write begins, see `MemoryDirectory.writes`.
        error: what it raises.
        is_committed: the change was made all the same, and only the answer was lost.
    """

    what: str
    error: AppCredentialError
    is_committed: bool = False


class MemoryDirectory:
    """One application. Every change shows in the next read, except what is `hidden`.

    Attributes:
        types: the types of credentials that this world has; a call about another one fails
            the test.
        credentials: the application's client secrets and certificates, by key id.
        trusts: its federated credentials, by id.
        hidden: ids of federated credentials that reads do not show yet.
        tags: of the application, as far as they are meant for grants.
        clients: ids that are client ids.
        is_missing: the application cannot be found.
        skew_now: Entra's clock minus ours, where no `date` is set.
        date: Entra's own time, which its answers tell.
        losses: certificates of others that are reported once.
        error: what every read, and every call about passwords, raises; or None.
        add_errors: what the next calls of `add_password` raise, one each.
        failures: of writes of certificates and federated credentials to come, each once.
        waits: for how long the next ones that ask for a turn are sent away, one each.
        turns: who had one.
        before_add: called just before a password is added.
        after_add: called once it is there, before the answer is returned.
        after_read: called once, when the next read of federated credentials is answered.
        calls: the calls so far: `read`, `add`, `remove`, `read federated`.
        reads: when the application was read.
        writes: of certificates and federated credentials: a verb, and what it is about.
        removed: the keys that were removed.
        removed_trusts: the ids of federated credentials that were removed.
        is_made: whether a password was added.
        deadline: of the last call of `add_password`, by the clock's `monotonic`.
        end: that was asked for in that call.
    """

    def __init__(
        self,
        clock: HandClock,
        *credentials: Credential,
        types: Iterable[CredentialType] = (CredentialType.CLIENT_SECRET,),
    ) -> None:
        self._clock = clock
        self._skew = Skew()
        self.date: Callable[[], datetime] | None = None
        self._numbers = itertools.count(1)
        self.types = set(types)
        self.credentials = {c.key_id: c for c in credentials}
        self.trusts: dict[str, FederatedCredential] = {}
        self.hidden: set[str] = set()
        self.tags: tuple[str, ...] = ()
        self.clients: set[str] = set()
        self.is_missing = False
        self.skew_now: timedelta | None = timedelta(0)
        self.losses: list[CertificateLoss] = []
        self.error: AppCredentialError | None = None
        self.add_errors: list[AppCredentialError] = []
        self.failures: list[Failure] = []
        self.waits: list[timedelta] = []
        self.turns: list[str] = []
        self.before_add: Callable[[], None] = lambda: None
        self.after_add: Callable[[], None] = lambda: None
        self.after_read: Callable[[], None] = lambda: None
        self.calls: list[str] = []
        self.reads: list[datetime] = []
        self.writes: list[str] = []
        self.removed: list[KeyId] = []
        self.removed_trusts: list[str] = []
        self.is_made = False
        self.deadline = 0.0
        self.end = NOW

    def put(self, *trusts: FederatedCredential) -> None:
        """Make federated credentials as if somebody else had."""
        self.trusts |= {c.id: c for c in trusts}

    def expect(self, kind: CredentialType) -> None:
        """Fail the test unless this world has credentials of a type."""
        assert kind in self.types, f"nobody in this world asks for {kind}"

    @contextmanager
    def turn(self, object_id: ObjectId, who: str) -> Iterator[None]:
        if self.waits:
            raise NotYetError("others go first", retry_after=self.waits.pop(0))
        self.turns.append(who)
        yield

    async def application(self, client_id: ClientId, max_age: timedelta) -> Application:
        self.reads.append(self._clock.now())
        self._call("read")
        if self.is_missing or client_id != CLIENT_ID:
            raise NotFoundError("no such application")
        clock = self._clock
        if self.date is not None:
            limit = LifecycleSettings.max_clock_skew
            self._skew = self._skew.seen(self.date(), clock.now(), clock.monotonic(), limit)
        return application(*self.credentials.values(), read_time=clock.now(), tags=self.tags)

    def skew(self) -> timedelta | None:
        clock = self._clock
        known = self._skew.ahead(clock.now(), clock.monotonic())
        return self.skew_now if self.date is None else known

    def open_anew(self) -> None:
        """Be a session that has had no answer yet, and so knows of no clock but ours."""
        self._skew = Skew()

    def is_skew_doubted(self) -> bool:
        return self._skew.is_doubted

    async def is_client_id(self, principal_id: str) -> bool:
        self.expect(CredentialType.FEDERATED_IDENTITY)
        return principal_id in self.clients

    # --- client secrets --------------------------------------------------------------------

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
        self._remove(key_id)

    # --- certificates ----------------------------------------------------------------------

    async def add_certificate(
        self,
        object_id: ObjectId,
        certificate: NewCertificate,
        known: frozenset[KeyId],
        gone: frozenset[KeyId],
    ) -> None:
        self.expect(CredentialType.CERTIFICATE)
        made = Credential(
            key_id=certificate.key_id,
            display_name=certificate.display_name,
            start=certificate.start,
            end=certificate.end,
            type=CredentialType.CERTIFICATE,
        )
        self._write(f"add {made.key_id}", lambda: self.credentials.update({made.key_id: made}))

    async def remove_certificate(
        self, object_id: ObjectId, key_id: KeyId, known: frozenset[KeyId]
    ) -> None:
        self.expect(CredentialType.CERTIFICATE)
        assert key_id not in known, "nothing waits for what is to be removed"
        self._write(f"remove {key_id}", lambda: self._remove(key_id))

    def take_losses(self, object_id: ObjectId) -> tuple[CertificateLoss, ...]:
        found, self.losses = tuple(self.losses), []
        return found

    # --- federated credentials -------------------------------------------------------------

    async def federated(self, object_id: ObjectId, max_age: timedelta) -> FederatedList:
        self.expect(CredentialType.FEDERATED_IDENTITY)
        self._call("read federated")
        shown = tuple(c for c in self.trusts.values() if c.id not in self.hidden)
        after, self.after_read = self.after_read, lambda: None
        after()
        return FederatedList(object_id=object_id, credentials=shown, read_time=self._clock.now())

    async def add_federated(
        self, object_id: ObjectId, name: str, trust: Trust, description: str
    ) -> None:
        self.expect(CredentialType.FEDERATED_IDENTITY)
        made = FederatedCredential(
            id=f"id-{next(self._numbers)}",
            name=name,
            issuer=trust.issuer,
            subject=trust.subject,
            audiences=(trust.audience,),
            description=description,
        )
        self._write(f"add {trust.subject}", lambda: self.put(made))

    async def update_federated(
        self, object_id: ObjectId, id_: str, trust: Trust, description: str
    ) -> None:
        self.expect(CredentialType.FEDERATED_IDENTITY)
        changed = replace(
            self.trusts[id_],
            issuer=trust.issuer,
            subject=trust.subject,
            audiences=(trust.audience,),
            description=description,
        )
        self._write(f"update {id_}", lambda: self.put(changed))

    async def remove_federated(self, object_id: ObjectId, id_: str) -> None:
        self.expect(CredentialType.FEDERATED_IDENTITY)
        self._write(f"remove {id_}", lambda: self._remove_trust(id_))

    # --- how it is done --------------------------------------------------------------------

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if self.error is not None:
            raise self.error

    def _write(self, what: str, change: Callable[[], None]) -> None:
        """Make a change, unless it is to fail."""
        self.writes.append(what)
        failure = next((f for f in self.failures if what.startswith(f.what)), None)
        if failure is not None:
            self.failures.remove(failure)
        if failure is None or failure.is_committed:
            change()
        if failure is not None:
            raise failure.error

    def _remove(self, key_id: KeyId) -> None:
        if self.credentials.pop(key_id, None) is None:
            raise NotFoundError("no such credential")
        self.removed.append(key_id)

    def _remove_trust(self, id_: str) -> None:
        if self.trusts.pop(id_, None) is None:
            raise NotFoundError("no such credential")
        self.removed_trusts.append(id_)
