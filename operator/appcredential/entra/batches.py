"""Graph's `$batch` for reads of federated credentials: the request, and what its answers mean.

Source: learn.microsoft.com/graph/json-batching. At most 20 requests; their answers come in any
order, and each has a status of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec
from kiota_abstractions.method import Method
from kiota_abstractions.request_information import RequestInformation

from appcredential.domain.observed.federated import FederatedList
from appcredential.domain.spec.model import ObjectId
from appcredential.entra.answers import UnreadableAnswerError, decoded
from appcredential.entra.federated import decode_federated


class _Answer(msgspec.Struct, frozen=True):
    id: str
    status: int
    headers: dict[str, str] | None = None
    body: msgspec.Raw = msgspec.Raw(b"")


class _Answers(msgspec.Struct, frozen=True):
    responses: list[_Answer]


_ANSWERS: Final = msgspec.json.Decoder(_Answers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What a batch answered.

    Attributes:
        found: by object id; None where Graph knows no such application.
        throttled: the headers of an answer that asks to slow down; None without one.
    """

    found: Mapping[ObjectId, FederatedList | None]
    throttled: Mapping[str, str] | None = None


def batch_request(base_url: str, object_ids: Sequence[ObjectId]) -> RequestInformation:
    """Return a batch that reads the federated credentials of some applications."""
    requests = [
        {
            "id": str(number),
            "method": "GET",
            "url": f"/applications/{object_id}/federatedIdentityCredentials",
        }
        for number, object_id in enumerate(object_ids)
    ]
    info = RequestInformation(Method.POST)
    info.url = f"{base_url}/$batch"
    info.headers.try_add("Content-Type", "application/json")
    info.content = msgspec.json.encode({"requests": requests})
    return info


def decode_batch(body: bytes, object_ids: Sequence[ObjectId], left: datetime) -> Batch:
    """Read the answer to that batch; reads that failed otherwise than by a 404 are left out.

    Args:
        body: the answer.
        object_ids: in the order of the requests.
        left: when the batch left.

    Raises:
        UnreadableAnswerError: it is no answer to a batch.
    """
    by_id = {str(number): object_id for number, object_id in enumerate(object_ids)}
    found: dict[ObjectId, FederatedList | None] = {}
    throttled: Mapping[str, str] | None = None
    for answer in decoded(_ANSWERS, body, "an answer to a batch").responses:
        object_id = by_id.get(answer.id)
        if object_id is None:
            continue
        if answer.status == 429:
            throttled = answer.headers or {}
        elif answer.status == 404:
            found[object_id] = None
        elif answer.status == 200:
            _add(found, object_id, answer.body, left)
    return Batch(found=found, throttled=throttled)


def _add(
    found: dict[ObjectId, FederatedList | None],
    object_id: ObjectId,
    body: msgspec.Raw,
    left: datetime,
) -> None:
    try:
        found[object_id] = decode_federated(bytes(body), object_id, left)
    except UnreadableAnswerError:
        return  # as if it had not been answered
