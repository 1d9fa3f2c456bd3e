"""One Graph request and its answer, alone over HTTP or as part of a batch."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from entra_emulator.errors.graph import GraphError
from entra_emulator.faults.effects import HtmlFault
from entra_emulator.graph.call import GraphAnswer
from entra_emulator.graph.pipeline import Trace
from entra_emulator.request_log import LogEntry
from entra_emulator.responses import dated, new_id
from entra_emulator.world import World

_LOGGER = logging.getLogger(__name__)
_CREATED_TYPE = (
    "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;"
    "charset=utf-8"
)
_DIAGNOSTIC = (
    '{"ServerInfo":{"DataCenter":"Emulator","Slice":"E","Ring":"1","ScaleUnit":"001",'
    '"RoleInstance":"EMULATOR000001"}}'
)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: status, headers and body, which is JSON, a text, or None.

    The `Content-Type` of a text is among the headers.
    """

    status: int
    headers: Mapping[str, str]
    body: Any


class Exchange:
    """A request, and the facts about it that are found on the way.

    Args:
        world: the state of the emulator.
        method: the HTTP method.
        path: the path with the version and without the query.
        client_request_id: the client's id of this request, if it sent one.
    """

    def __init__(
        self, world: World, method: str, path: str, client_request_id: str | None = None
    ) -> None:
        self.world = world
        self.trace = Trace()
        self.error = ""
        self._method = method
        self._path = path
        self._request_id = new_id()
        self._client_request_id = client_request_id or self._request_id

    def success(self, answer: GraphAnswer) -> Reply:
        """Return the reply to a successful operation."""
        kind = {"Content-Type": _CREATED_TYPE} if answer.status == 201 else {}
        headers = {**self._headers(), **kind, **answer.headers}
        if answer.text is not None:
            return Reply(answer.status, {**headers, "Content-Type": "text/plain"}, answer.text)
        return Reply(answer.status, headers, answer.body)

    def failure(self, error: GraphError) -> Reply:
        """Return the reply for an error, in Graph's form."""
        self.error = error.code
        inner = {
            "date": self.world.clock.now().strftime("%Y-%m-%dT%H:%M:%S"),
            "request-id": self._request_id,
            "client-request-id": self._client_request_id,
        }
        body: dict[str, Any] = {"code": error.code, "message": error.message}
        if error.details is not None:
            body["details"] = error.details
        body["innerError"] = inner
        return Reply(error.status, {**self._headers(), **error.headers}, {"error": body})

    def gateway_failure(self, fault: HtmlFault) -> Reply:
        """Return the HTML reply of a gateway in place of Graph's."""
        self.error = "html"
        retry = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
        kind = {"Content-Type": "text/html; charset=utf-8"}
        return Reply(fault.status, {**self._headers(), **kind, **retry}, fault.html)

    def defect(self) -> Reply:
        """Return the reply for a bug of the emulator, which must not look like an emulated 500."""
        return self.failure(GraphError(500, "Emulator_Defect", "See the emulator's log."))

    def record(self, status: int) -> None:
        """Add the request to the log; status 0 means that there was no answer."""
        trace = self.trace
        entry = LogEntry(
            time=self.world.clock.now(),
            operation=trace.operation,
            method=self._method,
            path=self._path,
            status=status,
            tenant=trace.tenant,
            app_id=trace.app_id,
            caller_app_id=trace.caller_app_id,
            client_request_id=self._client_request_id,
            error=self.error,
            fault=trace.fault,
        )
        self.world.log.add(entry)
        _LOGGER.info("%s %s %s", entry.status, entry.operation, entry.path)

    def _headers(self) -> dict[str, str]:
        return {
            **dated(self.world),
            "request-id": self._request_id,
            "client-request-id": self._client_request_id,
            "x-ms-ags-diagnostic": _DIAGNOSTIC,
            "x-ms-resource-unit": str(self.trace.units),
            "OData-Version": "4.0",
            "Cache-Control": "no-cache",
        }
