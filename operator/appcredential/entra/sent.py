"""The calls to Graph that are under way, and the ids by which each is found again."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import httpx

from appcredential.entra.translate import safe_id
from appcredential.graph_call import GraphCall


@dataclass(slots=True)
class Sent:
    """What is known of the last attempt of a call."""

    client_request_id: str = ""
    request_id: str = ""
    status: int = 0
    code: str = ""

    def as_call(self, operation: str) -> GraphCall | None:
        """Return it as others see it; None when nothing was sent."""
        if not self.client_request_id:
            return None
        return GraphCall(operation, self.client_request_id, self.request_id, self.status, self.code)


class SentCalls:
    """Finds the attempt that an answer belongs to, by its client-request-id."""

    def __init__(self) -> None:
        self._under_way: dict[str, Sent] = {}

    def begin(self, sent: Sent) -> str:
        """Begin an attempt; return its client-request-id."""
        made = str(uuid.uuid4())
        sent.client_request_id, sent.request_id, sent.status = made, "", 0
        self._under_way[made] = sent
        return made

    def answered(self, response: httpx.Response) -> None:
        """Note the id that Graph gave the request."""
        made = response.request.headers.get("client-request-id", "")
        sent = self._under_way.get(made)
        if sent is not None:
            sent.request_id = safe_id(response.headers.get("request-id", ""))

    def end(self, sent: Sent) -> None:
        """Forget an attempt that is over."""
        self._under_way.pop(sent.client_request_id, None)
