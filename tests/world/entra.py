"""Entra in memory: one application on replicas that learn late and forget late."""

from __future__ import annotations

import base64
import hashlib
import itertools
import math
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from appcredential.domain.marker import ClusterIdentity, Owner, attempt_id, build_display_name
from appcredential.domain.observed.entra import Application, Credential
from appcredential.domain.observed.federated import FederatedCredential, FederatedList
from appcredential.domain.proof import PROVEN, UNREACHABLE, SignInResult, classify
from appcredential.domain.secret import pem
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import (
    ClientId,
    CredentialType,
    KeyId,
    ObjectId,
    VerificationScope,
)
from appcredential.domain.spec.trusts import Trust
from appcredential.errors import AppCredentialError, ConflictError, NotFoundError
from appcredential.ports.entra import MintedPassword, NewCertificate, Probe
from tests.support.builders import CLIENT_ID, NOT_YET, application
from tests.support.clock import HandClock
from tests.support.session import MemorySession
from tests.world.ports import Gate, Server

UNMATCHED: Final = classify(400, (700213,))
SHOWN: Final = 3
"""How many characters of a secret Entra shows."""

Held = tuple[Mapping[KeyId, Credential], Mapping[str, FederatedCredential]]


@dataclass(slots=True)
class Entra:
    """What there is, and what the replicas show of it.

    Attributes:
        credentials: client secrets and certificates, by key id.
        trusts: federated credentials, by id.
        makers: the process that made each of them; "" for somebody else.
        values: the SHA-256 of each secret, or of each certificate's DER.
        read_lags: of the replicas that answer Graph's reads, one after another, in seconds.
        token_lags: of those behind the token endpoint.
        tags: of the application; no replica lags behind them.
        is_missing: the application is deleted.
        skew: Entra's clock minus the true time.
        usual_skew: what it is without a fault.
        signed_in: when the value of a credential last signed in.
        refused: when it was refused last.
        removed: by whom each credential was removed, and when.
        looked: which credential was found in a Secret, by the identity of its document, and in
            which edition; see `facts.key_in`.
    """

    now: Callable[[], datetime]
    credentials: dict[KeyId, Credential] = field(default_factory=dict)
    trusts: dict[str, FederatedCredential] = field(default_factory=dict)
    makers: dict[str, str] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)
    read_lags: tuple[float, ...] = (0.0,)
    token_lags: tuple[float, ...] = (0.0,)
    tags: tuple[str, ...] = ()
    is_missing: bool = False
    skew: timedelta = timedelta(0)
    usual_skew: timedelta = timedelta(0)
    signed_in: dict[str, datetime] = field(default_factory=dict)
    refused: dict[str, datetime] = field(default_factory=dict)
    runs: dict[str, int] = field(default_factory=dict)
    removed: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    looked: dict[int, tuple[object, int, KeyId | None]] = field(default_factory=dict)
    numbers: Any = field(default_factory=lambda: itertools.count(1))
    _reads: int = 0
    _tokens: int = 0
    _past: list[tuple[datetime, Held]] = field(default_factory=list)

    def time(self) -> datetime:
        """Return the time by Entra's clock."""
        return self.now() + self.skew

    def changed(self) -> None:
        """Note that something was made, changed or removed."""
        self._past.append((self.now(), (dict(self.credentials), dict(self.trusts))))

    @property
    def edition(self) -> int:
        """How often something was made, changed or removed."""
        return len(self._past)

    def seen(self) -> Held:
        """Return what the replica shows that answers the next read."""
        self._reads += 1
        return self._of(self.read_lags[self._reads % len(self.read_lags)])

    def seen_by_tokens(self) -> Held:
        """Return what the replica knows that answers the next sign-in."""
        self._tokens += 1
        return self._of(self.token_lags[self._tokens % len(self.token_lags)])

    def _of(self, lag: float) -> Held:
        if not lag:
            return self.credentials, self.trusts
        at = self.now() - timedelta(seconds=lag)
        index = bisect_right(self._past, at, key=lambda one: one[0])
        return self._past[index - 1][1] if index else ({}, {})

    def forget(self, id_: str, by: str) -> None:
        """Remove a credential."""
        self.credentials.pop(KeyId(id_), None)
        self.trusts.pop(id_, None)
        self.removed[id_] = (by, self.now())
        self.changed()

    def remark(self, key: KeyId, cluster: ClusterIdentity, owner: Owner) -> None:
        """Have somebody in another cluster have made a credential, from its beginning on."""
        name = build_display_name(cluster, owner, attempt_id(cluster, f"uid-of-{key}", 1), "")
        for credentials in (self.credentials, *(held[0] for _, held in self._past)):
            if key in credentials:
                found = replace(credentials[key], display_name=name)
                credentials[key] = found  # type: ignore[index]  # the past is rewritten
        self.makers[key] = ""
        self.changed()

    def accepts(self, key_id: str) -> bool:
        """Return whether a credential is there and valid, on the newest replica."""
        found = self.credentials.get(KeyId(key_id))
        return found is not None and found.start <= self.time() < found.end

    def key_of(self, value: SecretValue) -> KeyId | None:
        """Return the credential that a value belongs to, whether it is still there or not."""
        digest = digest_of(value)
        found = [KeyId(k) for k, v in self.values.items() if v == digest]
        if not found:
            return None
        ours = [k for k in found if k in self.credentials and self.makers.get(k)]
        there = ours or [k for k in found if k in self.credentials]
        return next(reversed(there or found), None)


def digest_of(value: SecretValue) -> str:
    """Return what a value is known by."""
    return _digest_of(value.reveal())


@lru_cache(maxsize=4096)
def _digest_of(text: str) -> str:
    raw = pem.leaf_der(text) if "-----BEGIN" in text else text.encode()
    return hashlib.sha256(raw).hexdigest()


class EntraSession(MemorySession):
    """The tenant as one process reaches it."""

    def __init__(self, entra: Entra, gate: Gate, clock: HandClock) -> None:
        super().__init__(clock, types=CredentialType)
        self._entra = entra
        self._gate = gate
        self._numbers = entra.numbers
        self.credentials = entra.credentials
        self.trusts = entra.trusts
        self.principal_id = "operator-principal"

    @property
    def _by(self) -> str:
        return self._gate.process.name

    @property
    def tags(self) -> tuple[str, ...]:  # all sessions have those of Entra
        return self._entra.tags

    @tags.setter
    def tags(self, _: tuple[str, ...]) -> None:
        return

    async def probe(self) -> Probe:
        passage = await self._gate.pass_(Server.GRAPH, "probe")
        found: Probe = passage.answer(Probe(policy=self.policy))
        return found

    def skew(self) -> timedelta | None:
        return self._entra.skew - self._gate.process.clock.offset

    # --- reads -------------------------------------------------------------------------------

    async def application(self, client_id: ClientId, max_age: timedelta) -> Application:
        process = self._gate.process
        left = self._clock.now()
        passage = await self._gate.pass_(Server.GRAPH, "read application")
        if self._entra.is_missing or client_id != CLIENT_ID:
            raise NotFoundError("no such application")
        shown = self._entra.seen()[0].values()
        found = application(*shown, read_time=left, tags=self._entra.tags)
        process.world.reads(process, found)
        answer: Application = passage.answer(found)
        return answer

    async def federated(self, object_id: ObjectId, max_age: timedelta) -> FederatedList:
        left = self._clock.now()
        passage = await self._gate.pass_(Server.GRAPH, "read federated")
        if self._entra.is_missing:
            raise NotFoundError("no such application")
        shown = tuple(self._entra.seen()[1].values())
        found = FederatedList(object_id=object_id, credentials=shown, read_time=left)
        answer: FederatedList = passage.answer(found)
        return answer

    # --- writes ------------------------------------------------------------------------------

    async def add_password(
        self, object_id: ObjectId, display_name: str, end: datetime, *, deadline: float = math.inf
    ) -> MintedPassword:
        passage = await self._gate.pass_(Server.GRAPH, "addPassword", is_write=True)
        made = await super().add_password(object_id, display_name, end, deadline=deadline)
        held = made.credential
        start = self._entra.time().replace(microsecond=0)
        shown = replace(held, start=start, shown=made.value.reveal()[:SHOWN])
        self._made(held.key_id, made.value, shown)
        answer: MintedPassword = passage.answer(MintedPassword(shown, made.value))
        return answer

    def _made(self, key_id: KeyId, value: SecretValue, shown: Credential) -> None:
        entra, process = self._entra, self._gate.process
        entra.credentials[key_id] = shown
        entra.values[key_id] = digest_of(value)
        entra.makers[key_id] = self._by
        entra.changed()
        process.world.made(process, key_id)

    async def remove_password(self, object_id: ObjectId, key_id: KeyId) -> None:
        await self._take_away("removePassword", key_id)

    async def _take_away(self, name: str, id_: str) -> None:
        entra, process = self._entra, self._gate.process
        passage = await self._gate.pass_(Server.GRAPH, f"{name} {id_}", is_write=True)
        if id_ not in entra.credentials and id_ not in entra.trusts:
            raise NotFoundError("no such credential")
        process.world.removes(process, id_)
        entra.forget(id_, self._by)
        passage.answer(None)

    async def add_certificate(
        self,
        object_id: ObjectId,
        certificate: NewCertificate,
        known: frozenset[KeyId],
        gone: frozenset[KeyId],
    ) -> None:
        name = f"add certificate {certificate.key_id}"
        passage = await self._gate.pass_(Server.GRAPH, name, is_write=True)
        if certificate.key_id not in self._entra.credentials:
            await super().add_certificate(object_id, certificate, known, gone)
            der = base64.b64decode(certificate.content)
            thumbprint = hashlib.sha1(der, usedforsecurity=False).hexdigest().upper()
            held = replace(self._entra.credentials[certificate.key_id], shown=thumbprint)
            text = pem_of(certificate.content)
            self._made(certificate.key_id, SecretValue(text), held)
        passage.answer(None)

    async def remove_certificate(
        self, object_id: ObjectId, key_id: KeyId, known: frozenset[KeyId]
    ) -> None:
        await self._take_away("remove certificate", key_id)

    async def add_federated(
        self, object_id: ObjectId, name: str, trust: Trust, description: str
    ) -> None:
        entra, process = self._entra, self._gate.process
        passage = await self._gate.pass_(Server.GRAPH, f"add federated {name}", is_write=True)
        before = set(entra.trusts)
        there = entra.trusts.values()
        if any(t.name == name or (t.issuer, t.subject) == trust.pair for t in there):
            raise ConflictError("such a federated credential exists")
        await super().add_federated(object_id, name, trust, description)
        (made,) = entra.trusts.keys() - before
        entra.makers[made] = self._by
        entra.changed()
        process.world.made(process, made)
        passage.answer(None)

    async def update_federated(
        self, object_id: ObjectId, id_: str, trust: Trust, description: str
    ) -> None:
        entra, process = self._entra, self._gate.process
        passage = await self._gate.pass_(Server.GRAPH, f"update federated {id_}", is_write=True)
        if id_ not in entra.trusts:
            raise NotFoundError("no such credential")
        process.world.patches(process, id_)
        await super().update_federated(object_id, id_, trust, description)
        entra.changed()
        passage.answer(None)

    async def remove_federated(self, object_id: ObjectId, id_: str) -> None:
        await self._take_away("remove federated", id_)

    # --- sign-ins ----------------------------------------------------------------------------

    async def with_secret(
        self, client_id: ClientId, secret: SecretValue, scope: VerificationScope, correlation: str
    ) -> SignInResult:
        return await self._sign_in(secret)

    async def with_certificate(
        self, client_id: ClientId, value: SecretValue, scope: VerificationScope, correlation: str
    ) -> SignInResult:
        return await self._sign_in(value)

    async def _sign_in(self, value: SecretValue) -> SignInResult:
        try:
            passage = await self._gate.pass_(Server.TOKEN, "sign in")
            passage.answer(None)
        except AppCredentialError:
            return UNREACHABLE
        entra, key = self._entra, self._entra.key_of(value)
        known = entra.seen_by_tokens()[0].get(key) if key is not None else None
        if known is None or not known.start <= entra.time() < known.end:
            if key is not None:
                entra.refused[key] = entra.now()
            return NOT_YET
        entra.signed_in[known.key_id] = entra.now()
        entra.runs[known.key_id] = entra.runs.get(known.key_id, 0) + 1
        return PROVEN

    async def with_assertion(
        self,
        client_id: ClientId,
        assertion: SecretValue,
        scope: VerificationScope,
        correlation: str,
    ) -> SignInResult:
        try:
            passage = await self._gate.pass_(Server.TOKEN, "exchange")
            passage.answer(None)
        except AppCredentialError:
            return UNREACHABLE
        trusts = self._entra.seen_by_tokens()[1].values()
        subject = "system:serviceaccount:shop:orders"
        return PROVEN if any(t.subject == subject for t in trusts) else UNMATCHED


def pem_of(content: str) -> str:
    """Return base64 of DER as PEM."""
    lines = [content[i : i + 64] for i in range(0, len(content), 64)]
    return "\n".join(["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""])
