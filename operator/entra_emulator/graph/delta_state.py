"""The state of a delta query, which its links carry: what the client knows, and what it asked for.

Graph, "Use delta query to track changes" (concepts/delta-query-overview): a token is opaque, and
contains the options of the first request.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from datetime import datetime, timedelta
from typing import Annotated

import msgspec

from entra_emulator.directory.replication import ReadKind, ReadPoint
from entra_emulator.errors.graph import GraphError, bad_request
from entra_emulator.graph.call import GraphCall

PATH = "applications/delta"
_LIFETIME = timedelta(days=7)
_CHECKSUM_BYTES = 8


class _Point(msgspec.Struct, frozen=True, array_like=True):
    """A `ReadPoint` of a list."""

    replica: int
    at: Annotated[datetime, msgspec.Meta(tz=True)]
    sequence: int
    settled: int


class Options(msgspec.Struct, frozen=True, array_like=True):
    """What the first request asked for.

    Attributes:
        select: the properties; None for all.
        ids: the only applications to tell of; None for all.
        top: the size of a page.
    """

    select: tuple[str, ...] | None
    ids: tuple[str, ...] | None
    top: int


class DeltaState(msgspec.Struct, frozen=True, array_like=True):
    """Where a client is.

    Attributes:
        generation: the directory that counts the changes.
        tenant: the tenant.
        options: what the first request asked for.
        until: the read that this round tells of, and that the next one begins with.
        since: what the client knew before this round; None if that was nothing.
        after: the position of the last row of a page; None when the round is complete.
    """

    generation: str
    tenant: str
    options: Options
    until: _Point
    since: _Point | None = None
    after: int | None = None

    def known(self) -> ReadPoint | None:
        """Return what the client knew before this round."""
        return _read_point(self.since) if self.since is not None else None


def new_round(call: GraphCall, options: Options, known: DeltaState | None = None) -> DeltaState:
    """Begin a round at a replica; without a known state the client knows nothing."""
    point = call.world.replicas.point(ReadKind.LIST, call.now)
    return DeltaState(
        generation=call.world.directory.generation,
        tenant=call.caller.tenant_id,
        options=options,
        until=_Point(point.replica, point.at, point.sequence, point.settled),
        since=known.until if known is not None else None,
        after=0,
    )


def completed(state: DeltaState) -> DeltaState:
    """Return the state of a client that got all pages of a round."""
    return msgspec.structs.replace(state, since=None, after=None)


def link(call: GraphCall, state: DeltaState) -> str:
    """Return the URL with which a client goes on from a state."""
    name = "$deltatoken" if state.after is None else "$skiptoken"
    return f"{call.root}/{PATH}?{name}={_encoded(state)}"


def resumed(call: GraphCall, token: str, *, is_page: bool) -> DeltaState:
    """Return the state in a token, of a page or of a complete round.

    Raises:
        GraphError: 400 for a text that is no such token, or for one older than seven days
            (developer.microsoft.com blog, "Duration of change tracking tokens"); 410 with the
            address of a new beginning if this directory cannot go on from it.
    """
    state = _decoded(token)
    if state is None or (state.after is not None) is not is_page:
        raise bad_request("Badly formed token.", "BadRequest")
    directory = call.world.directory
    first = state.since or state.until
    is_ours = (state.generation, state.tenant) == (directory.generation, call.caller.tenant_id)
    if not is_ours or first.sequence < directory.forgotten:
        raise _reset(call)
    if first.at < call.now - _LIFETIME:
        raise bad_request(
            "The sync state generation is not found. The delta token is expired and data must be"
            " synchronized again.",
            "syncStateNotFound",
        )
    return state


def _reset(call: GraphCall) -> GraphError:
    return GraphError(
        410,
        "resyncRequired",
        "The delta token is no longer valid, and the app must reset the sync state.",
        headers={"Location": f"{call.root}/{PATH}?$deltatoken="},
    )


def _read_point(point: _Point) -> ReadPoint:
    return ReadPoint(
        kind=ReadKind.LIST,
        replica=point.replica,
        at=point.at,
        sequence=point.sequence,
        settled=point.settled,
    )


def _encoded(state: DeltaState) -> str:
    content = msgspec.msgpack.encode(state)
    return base64.urlsafe_b64encode(content + _checksum(content)).decode().rstrip("=")


def _decoded(token: str) -> DeltaState | None:
    try:
        content = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (binascii.Error, ValueError):
        return None
    state, checksum = content[:-_CHECKSUM_BYTES], content[-_CHECKSUM_BYTES:]
    if checksum != _checksum(state):
        return None
    try:
        return msgspec.msgpack.decode(state, type=DeltaState)
    except msgspec.DecodeError:
        return None


def _checksum(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=_CHECKSUM_BYTES).digest()
