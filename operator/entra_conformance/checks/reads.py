"""G: reads of Graph and their errors; nothing is written."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from entra_conformance.bench import Bench, unknown_id
from entra_conformance.check import Check

_LIST: Final = "v1.0/applications"


async def _no_token(bench: Bench) -> str:
    answer = await bench.client.graph("GET", _LIST, token="")
    challenge = "Bearer" if "Bearer" in answer.headers.get("www-authenticate", "") else "none"
    return f"{answer.told()}, challenge {challenge}"


async def _bad_token(bench: Bench) -> str:
    return (await bench.client.graph("GET", _LIST, token="no.access.token")).told()


async def _unknown(bench: Bench) -> str:
    return (await bench.client.graph("GET", f"{_LIST}/{unknown_id()}")).told(text=True)


async def _unknown_app_id(bench: Bench) -> str:
    return (await bench.client.graph("GET", f"{_LIST}(appId='{unknown_id()}')")).told()


async def _headers(bench: Bench) -> str:
    wanted = unknown_id()
    answer = await bench.client.graph("GET", f"{_LIST}?$top=1", client_request_id=wanted)
    own = "request-id" if answer.headers.get("request-id") else "no request-id"
    echoed = answer.headers.get("client-request-id") == wanted
    return f"{own}, client-request-id {'echoed' if echoed else 'not echoed'}"


async def _error_shape(bench: Bench) -> str:
    answer = await bench.client.graph("GET", f"{_LIST}/{unknown_id()}")
    inner = answer.member("error")["innerError"]
    return " ".join(sorted({"date", "request-id", "client-request-id"} & set(inner)))


async def _filtered(bench: Bench) -> str:
    query = f"$filter=appId eq '{unknown_id()}'"
    answer = await bench.client.graph("GET", f"{_LIST}?{query}")
    return f"{answer.status}, {len(answer.member('value'))} found"


async def _selected(bench: Bench) -> str:
    query = f"$filter=appId eq '{bench.target.client_id}'&$select=id,appId"
    answer = await bench.client.graph("GET", f"{_LIST}?{query}")
    names = {name for row in answer.member("value") for name in row if "@" not in name}
    return f"{answer.status} {' '.join(sorted(names))}"


async def _own_principal(bench: Bench) -> str:
    path = f"v1.0/servicePrincipals(appId='{bench.target.client_id}')"
    answer = await bench.client.graph("GET", path)
    own = str(answer.member("appId")).lower() == bench.target.client_id.lower()
    return f"{answer.status}, {'own' if own else 'another'} appId"


async def _unknown_select(bench: Bench) -> str:
    answer = await bench.client.graph("GET", f"{_LIST}?$top=1&$select=noSuchProperty")
    return str(answer.status)


async def _bad_page(bench: Bench) -> str:
    return str((await bench.client.graph("GET", f"{_LIST}?$top=1000")).status)


async def _batch(bench: Bench) -> str:
    request = {"id": "1", "method": "GET", "url": f"/applications/{unknown_id()}"}
    answer = await bench.client.graph("POST", "v1.0/$batch", {"requests": [request]})
    (inner,) = answer.member("responses")
    return f"{answer.status}, inside {inner['status']} {inner['body']['error']['code']}"


async def _double_id(bench: Bench) -> str:
    request = {"id": "1", "method": "GET", "url": f"/applications/{unknown_id()}"}
    answer = await bench.client.graph("POST", "v1.0/$batch", {"requests": [request, request]})
    return str(answer.status)


async def _large_batch(bench: Bench) -> str:
    url = f"/applications/{unknown_id()}"
    requests = [{"id": str(n), "method": "GET", "url": url} for n in range(21)]
    answer = await bench.client.graph("POST", "v1.0/$batch", {"requests": requests})
    return str(answer.status)


async def _context(bench: Bench) -> str:
    answer = await bench.client.graph("GET", f"{_LIST}?$top=1&$select=id")
    context = urlsplit(str(answer.member("@odata.context")))
    return f"{context.path}#{context.fragment}"


async def _counted(bench: Bench) -> str:
    return await _count(bench, ConsistencyLevel="eventual")


async def _uncounted(bench: Bench) -> str:
    """Graph ignores `$count=true` without the header (concepts/aad-advanced-queries)."""
    return await _count(bench)


async def _count(bench: Bench, **headers: str) -> str:
    answer = await bench.client.graph("GET", f"{_LIST}?$top=1&$count=true", **headers)
    number = (answer.body or {}).get("@odata.count")
    return f"{answer.told()}, {'no count' if number is None else 'a count'}"


async def _number(bench: Bench) -> str:
    answer = await bench.client.graph("GET", f"{_LIST}/$count", ConsistencyLevel="eventual")
    kind, _, _ = answer.headers.get("content-type", "").partition(";")
    return f"{answer.status} {kind}"


async def _plain_number(bench: Bench) -> str:
    return str((await bench.client.graph("GET", f"{_LIST}/$count")).status)


_MISSING: Final = (
    "404 Request_ResourceNotFound: Resource '<guid>' does not exist or one of its queried"
    " reference-property objects are not present."
)

CHECKS: tuple[Check, ...] = (
    Check(
        "G1",
        "no access token",
        "401 InvalidAuthenticationToken, challenge Bearer",
        _no_token,
        writes=False,
    ),
    Check(
        "G2",
        "an access token that is none",
        "401 InvalidAuthenticationToken",
        _bad_token,
        writes=False,
    ),
    Check("G3", "an unknown object id", _MISSING, _unknown, writes=False),
    Check("G4", "an unknown appId", "404 Request_ResourceNotFound", _unknown_app_id, writes=False),
    Check(
        "G5",
        "headers of an answer",
        "request-id, client-request-id echoed",
        _headers,
        writes=False,
    ),
    Check(
        "G6",
        "innerError of an error",
        "client-request-id date request-id",
        _error_shape,
        writes=False,
    ),
    Check("G7", "$filter by an unknown appId", "200, 0 found", _filtered, writes=False),
    Check("G8", "$filter and $select", "200 appId id", _selected, writes=False),
    Check("G9", "the caller's service principal", "200, own appId", _own_principal, writes=False),
    Check("G10", "$select of an unknown property", "400", _unknown_select, writes=False),
    Check("G11", "$top=1000", "400", _bad_page, writes=False),
    Check(
        "G12",
        "$batch with a request that fails",
        "200, inside 404 Request_ResourceNotFound",
        _batch,
        writes=False,
    ),
    Check("G13", "$batch with an id twice", "400", _double_id, writes=False),
    Check("G14", "$batch with 21 requests", "400", _large_batch, writes=False),
    Check(
        "G15",
        "@odata.context of a list",
        "/v1.0/$metadata#applications(id)",
        _context,
        writes=False,
    ),
    Check("G16", "$count=true, ConsistencyLevel eventual", "200, a count", _counted, writes=False),
    Check("G17", "$count=true without the header", "200, no count", _uncounted, writes=False),
    Check("G18", "/$count, ConsistencyLevel eventual", "200 text/plain", _number, writes=False),
    Check("G19", "/$count without the header", "400", _plain_number, writes=False),
)
