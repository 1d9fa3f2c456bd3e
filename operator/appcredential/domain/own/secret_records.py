"""What the Secret records of the client secrets that the operator makes for itself.

Graph shows a client secret only in the answer of addPassword. So the attempt is recorded before
the call: if the answer is lost, the mark of that attempt tells which entry nobody can use.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Final, TypeAlias

import msgspec
from msgspec.structs import replace

from appcredential.domain.marker import UNIQUE_HASH, short_hash
from appcredential.domain.own.secret import ANNOTATION
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import KeyId
from appcredential.domain.times import is_summable

NEXT_SECRET: Final = "appcredential-next"
"""Where the successor of a client secret stands."""
MOST_MADE: Final = 8
"""Client secrets of its own that the operator keeps track of."""
MOST_ASKED: Final = 5
"""Attempts without a known outcome, until the entries that they may have left are removed."""

_PREFIX: Final = "appcred1-identity"
"""Not that of the markers of AppCredentials: no other part takes these for its own."""

_Aware: TypeAlias = Annotated[datetime, msgspec.Meta(tz=True)]


class MadeSecret(msgspec.Struct, frozen=True):
    """A client secret that this cluster made, by its SHA-256 (hexadecimal)."""

    key_id: str
    digest: str
    start: _Aware
    end: _Aware


class AskedSecret(msgspec.Struct, frozen=True):
    """A call of addPassword whose answer is not here, or a successor that was dropped.

    Attributes:
        attempt: the end of its mark; of a successor its key id.
    """

    attempt: str
    at: _Aware


class SecretRecords(msgspec.Struct, frozen=True, kw_only=True):
    """What an installation recorded.

    Attributes:
        cluster: which cluster recorded it, as `ClusterIdentity.whole`.
        tenant: for which EntraTenant.
        main: key id of the one in use; empty for one that somebody else made.
        since: since when.
        made: it removes no others.
        asked: oldest first.
        is_borrowed: another installation made the one in use, and may remove it.
        digest: SHA-256 of the one in use, by which another one that a person puts there shows.
        client: client id of the app registration that it made them on; empty by a version of the
            operator that did not record it.
    """

    cluster: str
    tenant: str
    main: str
    since: _Aware
    made: tuple[MadeSecret, ...]
    asked: tuple[AskedSecret, ...]
    is_borrowed: bool = False
    digest: str = ""
    client: str = ""

    def text(self) -> str:
        """Return the records as the annotation holds them."""
        return msgspec.json.encode(self).decode()

    def times(self) -> Iterator[datetime]:
        """Yield each time in the records."""
        yield self.since
        for made in self.made:
            yield from (made.start, made.end)
        for asked in self.asked:
            yield asked.at

    def of(self, digest: str) -> MadeSecret | None:
        """Return what is recorded of a value; None when this cluster did not make it."""
        return next((one for one in self.made if one.digest == digest), None)

    def key_id_of(self, digest: str) -> str:
        """Return the key id of a value; empty when this cluster did not make it."""
        found = self.of(digest)
        return found.key_id if found is not None else ""

    def holds(self, attempt: str) -> bool:
        """Return whether an attempt is still waited for."""
        return any(one.attempt == attempt for one in self.asked)

    def with_main(self, digest: str, now: datetime) -> SecretRecords:
        """Return the records once another client secret is in use."""
        key_id = self.key_id_of(digest)
        is_borrowed = self.is_borrowed and key_id == self.main
        return replace(self, main=key_id, digest=digest, since=now, is_borrowed=is_borrowed)

    def with_asked(self, attempt: str, now: datetime) -> SecretRecords:
        """Return the records before a client secret is asked for."""
        return replace(self, asked=(*self.asked, AskedSecret(attempt, now)))

    def with_made(self, attempt: str, made: MadeSecret) -> SecretRecords:
        """Return the records once the answer to an attempt is stored."""
        return replace(self.without(frozenset({attempt})), made=(*self.made, made))

    def with_dropped(self, key_id: str, now: datetime) -> SecretRecords:
        """Return the records once a successor was dropped: one more attempt for nothing."""
        return self.without(frozenset({key_id})).with_asked(key_id, now)

    def without(self, gone: frozenset[str]) -> SecretRecords:
        """Return the records without client secrets that are gone, by key id or attempt."""
        made = tuple(one for one in self.made if one.key_id not in gone)
        asked = tuple(one for one in self.asked if one.attempt not in gone)
        return replace(self, made=made, asked=asked)


def recorded(annotations: Mapping[str, str]) -> SecretRecords | None:
    """Return what is recorded; None when nothing is, or it cannot be read."""
    try:
        found = msgspec.json.decode(annotations.get(ANNOTATION, ""), type=SecretRecords)
    except msgspec.MsgspecError:
        return None
    return found if all(map(is_summable, found.times())) else None


def mark_of(cluster: str, tenant: str, attempt: str) -> str:
    """Return the displayName of a client secret, at most 90 characters.

    Args:
        cluster: which cluster makes it, as `ClusterIdentity.whole`.
        tenant: name of the EntraTenant.
        attempt: random; empty for what the marks of all attempts begin with.
    """
    return f"{_PREFIX}.{cluster}.{short_hash(tenant, length=UNIQUE_HASH)}.{attempt}"


def with_next(data: Mapping[str, SecretValue], value: SecretValue) -> dict[str, SecretValue]:
    """Return the data with a successor beside the client secret in use."""
    return {**data, NEXT_SECRET: value}


def without_next(data: Mapping[str, SecretValue]) -> dict[str, SecretValue]:
    """Return the data without a successor."""
    return {key: value for key, value in data.items() if key != NEXT_SECRET}


def made_of(key_id: KeyId, value: SecretValue, start: datetime, end: datetime) -> MadeSecret:
    """Return what is recorded of a new client secret."""
    return MadeSecret(key_id, value.sha256(), start, end)
