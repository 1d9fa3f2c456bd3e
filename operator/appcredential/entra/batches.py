"""Batches of reads in Graph's JSON: many applications with one request.

Source: learn.microsoft.com/graph/json-batching. Each answer has a status of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

import msgspec
from kiota_abstractions.method import Method
from kiota_abstractions.request_information import RequestInformation

from appcredential.entra.answers import UnreadableAnswerError, decoded

K = TypeVar("K", bound=str)
V = TypeVar("V")


class _Answer(msgspec.Struct, frozen=True):
    id: str
    status: int
    headers: dict[str, str] | None = None
    body: msgspec.Raw = msgspec.Raw(b"")


class _Answers(msgspec.Struct, frozen=True):
    responses: list[_Answer]


_ANSWERS: Final = msgspec.json.Decoder(_Answers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch(Generic[K, V]):
    """What a batch answered.

    Attributes:
        found: by the application; None where Graph knows no such application.
        throttled: the headers of an answer that asks to slow down; None without one.
    """

    found: Mapping[K, V | None]
    throttled: Mapping[str, str] | None = None


def batch_request(base_url: str, paths: Sequence[str]) -> RequestInformation:
    """Return a batch that reads some addresses below the root."""
    requests = [
        {"id": str(number), "method": "GET", "url": path} for number, path in enumerate(paths)
    ]
    info = RequestInformation(Method.POST)
    info.url = f"{base_url}/$batch"
    info.headers.try_add("Content-Type", "application/json")
    info.content = msgspec.json.encode({"requests": requests})
    return info


def decode_batch(body: bytes, asked: Sequence[K], read: Callable[[K, bytes], V]) -> Batch[K, V]:
    """Read the answer to that batch; reads that failed otherwise than by a 404 are left out.

    Args:
        body: the answer.
        asked: the applications, in the order of the requests.
        read: returns what the answer about one of them says; raises UnreadableAnswerError.

    Raises:
        UnreadableAnswerError: it is no answer to a batch.
    """
    by_id = {str(number): application for number, application in enumerate(asked)}
    found: dict[K, V | None] = {}
    throttled: Mapping[str, str] | None = None
    for answer in decoded(_ANSWERS, body, "an answer to a batch").responses:
        application = by_id.get(answer.id)
        if application is None:
            continue
        if answer.status == 429:
            throttled = answer.headers or {}
        elif answer.status == 404:
            found[application] = None
        elif answer.status == 200:
            try:
                found[application] = read(application, bytes(answer.body))
            except UnreadableAnswerError:
                continue  # as if it had not been answered
    return Batch(found=found, throttled=throttled)
