"""Do a `$batch`: each of its requests has its own authentication, quota, fault and log entry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web

from entra_emulator.errors.graph import GraphError
from entra_emulator.faults.effects import HtmlFault, Silence, commits_first, graph_effect
from entra_emulator.graph.batch import Step, failed_dependency, read_batch, stages
from entra_emulator.graph.call import GraphAnswer
from entra_emulator.graph.exchange import Exchange, Reply
from entra_emulator.graph.pipeline import Admitted, GraphRequest, admit, perform
from entra_emulator.responses import wait

_SHOWN = frozenset(
    {"Location", "Retry-After", "x-ms-resource-unit", "OData-Version", "Cache-Control"}
)


async def answer_batch(
    http: web.Request, request: GraphRequest, admitted: Admitted, exchange: Exchange
) -> GraphAnswer:
    """Do all requests of a batch; the answer is 200 whatever their results are.

    Args:
        http: the connection, which may end during a latency.
        request: the batch as it arrived; its token applies to all its requests.
        admitted: the batch as a request; only rules that name `batch` apply to it.
        exchange: collects the facts about the batch.

    Raises:
        GraphError: the batch itself is invalid, and none of its requests was done.
        Silence: a rule gives no answer to a request of the batch.
    """
    world, trace = exchange.world, exchange.trace
    steps = read_batch(request.body)
    active = world.faults.decide(admitted.incoming)
    if active is not None:
        trace.fault = active.rule.id
        if not commits_first(active):
            raise graph_effect(active, trace.tenant, trace.caller_app_id)
    exchanges = {step.id.lower(): _exchange(exchange, step) for step in steps}
    replies: dict[str, Reply] = {}
    for group in stages(steps):
        await _run(http, request, group, exchanges, replies)
    if active is not None:
        raise graph_effect(active, trace.tenant, trace.caller_app_id)
    trace.units = sum(one.trace.units for one in exchanges.values())
    # Graph promises no order, so reverse it: a client that relies on the order must fail.
    rows = [_row(step.id, replies[step.id.lower()]) for step in reversed(steps)]
    return GraphAnswer(status=200, body={"responses": rows})


async def _run(
    http: web.Request,
    request: GraphRequest,
    steps: Sequence[Step],
    exchanges: Mapping[str, Exchange],
    replies: dict[str, Reply],
) -> None:
    """Do independent requests, all at one instant after the longest latency."""
    ready: list[tuple[str, Admitted]] = []
    delay = 0.0
    for step in steps:
        name = step.id.lower()
        exchange = exchanges[name]
        try:
            admitted = _admit(request, step, exchange, replies)
        except GraphError as error:
            replies[name] = exchange.failure(error)
            exchange.record(replies[name].status)
        else:
            ready.append((name, admitted))
            delay = max(delay, exchange.world.faults.latency(admitted.incoming))
    await wait(http, delay)
    for name, admitted in ready:
        replies[name] = _perform(exchanges[name], admitted)
        exchanges[name].record(replies[name].status)


def _admit(
    request: GraphRequest, step: Step, exchange: Exchange, replies: Mapping[str, Reply]
) -> Admitted:
    words = step.headers.get("prefer", "").lower().split(",")
    inner = GraphRequest(
        method=step.method,
        path=step.path,
        root=request.root,
        query=step.query,
        body=step.body,
        authorization=request.authorization,
        preferences=frozenset(word.strip() for word in words),
        consistency=step.headers.get("consistencylevel", ""),
    )
    admitted = admit(exchange.world, inner, exchange.trace)
    if any(replies[name].status >= 400 for name in step.depends_on):
        raise failed_dependency()
    return admitted


def _perform(exchange: Exchange, admitted: Admitted) -> Reply:
    try:
        return exchange.success(perform(exchange.world, admitted, exchange.trace))
    except GraphError as error:
        return exchange.failure(error)
    except HtmlFault as fault:
        return exchange.gateway_failure(fault)
    except Silence:
        exchange.error = "silence"
        exchange.record(0)
        raise


def _exchange(outer: Exchange, step: Step) -> Exchange:
    name = step.headers.get("client-request-id")
    return Exchange(outer.world, step.method, f"/v1.0/{step.path}", name)


def _row(name: str, reply: Reply) -> dict[str, Any]:
    headers = {
        header: text
        for header, text in reply.headers.items()
        if header in _SHOWN or header.startswith("x-ms-throttle")
    }
    if reply.body is not None:
        is_text = isinstance(reply.body, str)
        kind = reply.headers["Content-Type"] if is_text else "application/json"
        headers["Content-Type"] = kind.partition(";")[0]
    return {"id": name, "status": reply.status, "headers": headers, "body": reply.body}
