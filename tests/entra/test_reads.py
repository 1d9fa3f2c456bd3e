"""Reading applications through the real SDK."""

from __future__ import annotations

import asyncio
import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from azure.core.credentials import AccessToken

from appcredential.domain.operator_credential import OperatorCredential
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import ClientId
from appcredential.errors import (
    NotFoundError,
    PermissionDeniedError,
    ThrottledError,
    UnavailableError,
)
from tests.support.graph import (
    CLIENT,
    END,
    KEY,
    OBJECT,
    START,
    Graph,
    Tokens,
    World,
    answer,
    application,
    failure,
    html,
    password,
)

FRESH = timedelta(seconds=15)


async def test_a_read_is_one_request_by_the_alternate_key() -> None:
    world = World(Graph(application([password()])))
    found = await world.directory.application(CLIENT, FRESH)
    assert world.graph.paths() == [f"GET /v1.0/applications(appId='{CLIENT}')"]
    assert (found.object_id, found.client_id, found.display_name) == (OBJECT, CLIENT, "Orders")
    assert found.read_time == START
    (credential,) = found.credentials
    assert (credential.key_id, credential.display_name) == (KEY, "marker")
    assert credential.start == datetime(2026, 1, 21, 12, 0, 0, 123456, tzinfo=UTC)
    assert credential.end == END
    assert world.observed == [("application.get", 200)]


async def test_what_graph_leaves_null_does_no_harm() -> None:
    odd = password(displayName=None, startDateTime=None, endDateTime="9999-12-31T23:59:59.9999999Z")
    world = World(Graph(application([odd], name=None)))
    found = await world.directory.application(CLIENT, FRESH)
    assert found.display_name == ""
    assert found.credentials[0].display_name == ""
    assert found.credentials[0].end + timedelta(days=36500) > END
    assert found.credentials[0].start - timedelta(days=36500) < START


@pytest.mark.parametrize(
    ("tags", "kept"),
    [
        (None, ()),
        ([], ()),
        (["HideApp", "WindowsAzureActiveDirectoryIntegratedApp"], ()),
        (
            ["b", "appcredential.io/allow=prod/shop", "AppCredential.IO/allow=prod/*"],
            ("AppCredential.IO/allow=prod/*", "appcredential.io/allow=prod/shop"),
        ),
    ],
)
async def test_of_tags_those_are_kept_that_are_meant_for_grants(
    tags: list[str] | None, kept: tuple[str, ...]
) -> None:
    world = World(Graph(application([password()], tags=tags)))
    assert (await world.directory.application(CLIENT, FRESH)).tags == kept


@pytest.mark.parametrize(
    ("hint", "shown"), [("a~c", "a~c"), (None, ""), ("", ""), ("abcd", ""), ("***more", "")]
)
async def test_a_secrets_hint_counts_in_its_documented_form(hint: str | None, shown: str) -> None:
    world = World(Graph(application([password(hint=hint)])))
    assert (await world.directory.application(CLIENT, FRESH)).credentials[0].shown == shown


@pytest.mark.parametrize(
    ("identifier", "shown"), [("ab" * 20, "AB" * 20), (None, ""), ("cG9ydGFs", ""), ("A" * 64, "")]
)
async def test_a_certificates_identifier_counts_if_it_is_a_thumbprint(
    identifier: str | None, shown: str
) -> None:
    body = json.loads(application().content)
    body["keyCredentials"] = [password(customKeyIdentifier=identifier)]
    world = World(Graph(answer(200, body)))
    assert (await world.directory.application(CLIENT, FRESH)).credentials[0].shown == shown


async def test_control_characters_of_a_name_are_dropped() -> None:
    world = World(Graph(application(name="Or\x1b[31mders\u202e\n")))
    assert (await world.directory.application(CLIENT, FRESH)).display_name == "Or[31mders"


async def test_twenty_readers_share_one_request() -> None:
    world = World(Graph(application()))
    reads = [world.directory.application(CLIENT, FRESH) for _ in range(20)]
    assert len(set(map(id, await asyncio.gather(*reads)))) == 1
    assert len(world.graph.requests) == 1


async def test_each_of_many_readers_asks_for_its_own_application() -> None:
    async def named(request: httpx.Request) -> httpx.Response:
        return application(client=request.url.path.split("'")[1])

    world = World(Graph(named), tokens=_SlowTokens())
    clients = [ClientId(f"33333333-0000-0000-0000-{n:012d}") for n in range(20)]
    reads = [world.directory.application(client, FRESH) for client in clients]
    assert [one.client_id for one in await asyncio.gather(*reads)] == clients


class _SlowTokens(Tokens):
    """As while the operator's first token comes: requests wait for it between their steps."""

    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        await asyncio.sleep(0)
        return await super().get_token(*scopes, **options)


async def test_age_is_honoured() -> None:
    world = World(Graph(application()))
    await world.directory.application(CLIENT, FRESH)
    world.clock.seconds += 15
    await world.directory.application(CLIENT, FRESH)
    assert len(world.graph.requests) == 1
    await world.directory.application(CLIENT, timedelta(seconds=14))
    assert len(world.graph.requests) == 2


async def test_late_readers_share_a_read_that_left_after_they_asked() -> None:
    """A caller that wants the state of now cannot use what left before it asked."""
    release = asyncio.Event()

    async def slow(_: httpx.Request) -> httpx.Response:
        await release.wait()
        return application()

    world = World(Graph(slow))
    early = asyncio.create_task(world.directory.application(CLIENT, FRESH))
    await _until(lambda: world.graph.requests)
    world.clock.seconds += 1
    late = [
        asyncio.create_task(world.directory.application(CLIENT, timedelta(0))) for _ in range(5)
    ]
    await asyncio.sleep(0)
    release.set()
    await asyncio.gather(early, *late)
    assert len(world.graph.requests) == 2


async def test_a_reader_that_gives_up_leaves_the_read_to_the_others() -> None:
    release = asyncio.Event()

    async def slow(_: httpx.Request) -> httpx.Response:
        await release.wait()
        return application()

    world = World(Graph(slow))
    first, second = (
        asyncio.create_task(world.directory.application(CLIENT, FRESH)) for _ in range(2)
    )
    await _until(lambda: world.graph.requests)
    first.cancel()
    release.set()
    assert (await second).object_id == OBJECT
    assert len(world.graph.requests) == 1


async def test_a_write_of_ours_ends_the_shared_read() -> None:
    world = World(Graph(application(), httpx.Response(204), application()))
    await world.directory.application(CLIENT, FRESH)
    await world.directory.remove_password(OBJECT, KEY)
    await world.directory.application(CLIENT, FRESH)
    assert len(world.graph.requests) == 3


async def test_a_read_that_left_before_a_write_does_not_answer_after_it() -> None:
    release = asyncio.Event()

    async def either(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return httpx.Response(204)
        await release.wait()
        return application()

    world = World(Graph(either))
    early = asyncio.create_task(world.directory.application(CLIENT, FRESH))
    await _until(lambda: world.graph.requests)
    await world.directory.remove_password(OBJECT, KEY)
    late = asyncio.create_task(world.directory.application(CLIENT, FRESH))
    await asyncio.sleep(0)
    release.set()
    await asyncio.gather(early, late)
    assert [r.method for r in world.graph.requests] == ["GET", "POST", "GET"]


async def test_failures_are_shared_and_not_kept() -> None:
    world = World(Graph(failure(404, "Request_ResourceNotFound"), application()))
    reads = [world.directory.application(CLIENT, FRESH) for _ in range(3)]
    results = await asyncio.gather(*reads, return_exceptions=True)
    assert [type(result) for result in results] == [NotFoundError] * 3
    assert (await world.directory.application(CLIENT, FRESH)).object_id == OBJECT
    assert len(world.graph.requests) == 2


@pytest.mark.parametrize(
    "response",
    [
        html(503),
        html(200),
        answer(200, {"id": OBJECT}),
        answer(200, []),
        answer(200, {"id": OBJECT, "appId": "another"}),
        application([password(endDateTime="yesterday")]),
        httpx.Response(204),
        httpx.Response(302, headers={"Location": "https://elsewhere.test/"}),
        httpx.ReadTimeout("x"),
        httpx.ConnectError("x"),
    ],
)
async def test_unusable_answers(response: httpx.Response | httpx.HTTPError) -> None:
    world = World(Graph(response))
    with pytest.raises(UnavailableError):
        await world.directory.application(CLIENT, FRESH)
    assert len(world.graph.requests) == 1


async def test_a_429_pauses_the_tenant_without_calling() -> None:
    world = World(Graph(failure(429, "TooManyRequests", Retry_After="20"), application()))
    with pytest.raises(ThrottledError):
        await world.directory.application(CLIENT, FRESH)
    world.clock.seconds += 19
    with pytest.raises(ThrottledError) as read:
        await world.directory.application(CLIENT, FRESH)
    with pytest.raises(ThrottledError):
        await world.directory.add_password(OBJECT, "marker", END)
    assert read.value.retry_after == timedelta(seconds=1)
    assert len(world.graph.requests) == 1
    world.clock.seconds += 1
    assert (await world.directory.application(CLIENT, FRESH)).object_id == OBJECT


async def test_an_expired_token_is_renewed_once() -> None:
    expired = failure(401, "InvalidAuthenticationToken", "Lifetime validation failed")
    world = World(Graph(expired, application()))
    assert (await world.directory.application(CLIENT, FRESH)).object_id == OBJECT
    sent = [request.headers["Authorization"] for request in world.graph.requests]
    assert sent == ["Bearer token-1", "Bearer token-2"]
    assert world.tokens.closed == 1


async def test_a_token_refused_twice_is_a_missing_right() -> None:
    world = World(Graph(failure(401, "InvalidAuthenticationToken")))
    with pytest.raises(PermissionDeniedError):
        await world.directory.application(CLIENT, FRESH)
    assert len(world.graph.requests) == 2


def challenge(claims: str) -> httpx.Response:
    """A 401 of continuous access evaluation."""
    words = f'Bearer realm="", error="insufficient_claims", claims="{claims}"'
    return failure(401, "InvalidAuthenticationToken", WWW_Authenticate=words)


async def test_a_claims_challenge_is_answered() -> None:
    claims = base64.b64encode(b'{"access_token":{"nbf":{"essential":true}}}').decode()
    world = World(Graph(challenge(claims), application()))
    assert (await world.directory.application(CLIENT, FRESH)).object_id == OBJECT
    assert world.tokens.claims == ['{"access_token":{"nbf":{"essential":true}}}']


async def test_a_challenge_nobody_can_read_is_no_answer() -> None:
    world = World(Graph(challenge("no base64")))
    with pytest.raises(UnavailableError):
        await world.directory.application(CLIENT, FRESH)
    assert len(world.graph.requests) == 1


async def test_the_clock_of_entra_is_seen() -> None:
    world = World(Graph(answer(404, {}, Date="Wed, 21 Jan 2026 12:02:00 GMT")))
    assert world.directory.skew() is None
    with pytest.raises(NotFoundError):
        await world.directory.application(CLIENT, FRESH)
    assert world.directory.skew() == timedelta(minutes=2)


async def test_one_wrong_date_of_graph_is_not_believed() -> None:
    wrong = answer(404, {}, Date="Wed, 21 Jan 2026 15:00:00 GMT")
    right = answer(404, {}, Date="Wed, 21 Jan 2026 12:00:01 GMT")
    world = World(Graph(wrong, right, wrong, wrong))
    skews = []
    for _ in range(4):
        with pytest.raises(NotFoundError):
            await world.directory.application(CLIENT, FRESH)
        skews.append(world.directory.skew())
        world.clock.seconds += 1
    second, hours = timedelta(seconds=1), timedelta(hours=3)
    assert skews[:3] == [None, timedelta(0), timedelta(0)]
    assert skews[3] is not None
    assert abs(skews[3] - hours) < 10 * second
    world.clock.seconds += 2 * 3600
    assert world.directory.skew() is None


OWN = OperatorCredential(value=SecretValue("abc8Q~the-rest-of-the-secret"))
UNTIL = "2027-02-20T10:00:00Z"
CERTIFICATE_END = datetime(2027, 3, 1, tzinfo=UTC)
THUMBPRINT = "52ED9B5038A47B9E2E2190715CC238359D4F8F73"


@pytest.mark.parametrize(
    ("applications", "end"),
    [
        ([[("abc", UNTIL)]], datetime(2027, 2, 20, 10, tzinfo=UTC)),
        (
            [[("xyz", "2026-12-01T00:00:00Z"), ("abc", UNTIL)]],
            datetime(2027, 2, 20, 10, tzinfo=UTC),
        ),
        ([], None),  # the operator's application belongs to another tenant
        ([[]], None),
        ([[("xyz", UNTIL), (None, UNTIL), ("", UNTIL)]], None),
        ([[("abc", UNTIL), ("abc", "2026-12-01T00:00:00Z")]], None),  # which of the two is unknown
    ],
)
async def test_a_probe_reads_the_operator_s_own_application_and_its_end(
    applications: list[list[tuple[str | None, str]]], end: datetime | None
) -> None:
    value = [
        {
            "id": "x",
            "passwordCredentials": [
                {"keyId": KEY, "hint": hint, "endDateTime": time} for hint, time in passwords
            ],
        }
        for passwords in applications
    ]
    world = World(Graph(answer(200, {"value": value})))
    assert await world.directory.probe(CLIENT, OWN) == end
    (path,) = world.graph.paths()
    assert path == (
        f"GET /v1.0/applications?$filter=appId%20eq%20%27{CLIENT}%27&$select=id,passwordCredentials"
    )


@pytest.mark.parametrize(
    ("keys", "end"),
    [
        ([(THUMBPRINT, "2027-02-01T10:00:00Z")], datetime(2027, 2, 1, 10, tzinfo=UTC)),
        ([(THUMBPRINT.lower(), "2028-02-01T10:00:00Z")], CERTIFICATE_END),
        ([(None, "2027-02-01T10:00:00Z"), ("AB", "2027-02-01T10:00:00Z")], CERTIFICATE_END),
        ([], CERTIFICATE_END),
    ],
)
async def test_a_certificate_ends_with_itself_or_with_its_entry(
    keys: list[tuple[str | None, str]], end: datetime
) -> None:
    listed = [
        {"keyId": KEY, "customKeyIdentifier": thumbprint, "endDateTime": time}
        for thumbprint, time in keys
    ]
    value = [{"id": "x", "passwordCredentials": [], "keyCredentials": listed}]
    world = World(Graph(answer(200, {"value": value})))
    own = OperatorCredential(value=SecretValue("k"), end=CERTIFICATE_END, thumbprint=THUMBPRINT)
    assert await world.directory.probe(CLIENT, own) == end
    # Selected, certificates would count against a small quota of the tenant.
    assert world.graph.paths() == [f"GET /v1.0/applications?$filter=appId%20eq%20%27{CLIENT}%27"]


async def test_a_probe_of_somebody_unknown_asks_for_nobody() -> None:
    world = World(Graph(answer(200, {"value": []})))
    assert await world.directory.probe(None, OperatorCredential()) is None
    (path,) = world.graph.paths()
    assert "00000000-0000-0000-0000-000000000000" in path


@pytest.mark.parametrize(
    "found",
    [
        html(200),
        answer(200, {}),
        answer(200, {"values": 1}),
        answer(200, []),
        answer(200, {"value": [{"passwordCredentials": [{"keyId": "k"}]}]}),
        answer(
            200, {"value": [{"passwordCredentials": [password(hint="abc", endDateTime="soon")]}]}
        ),
        httpx.Response(200),
    ],
)
async def test_a_success_of_somebody_else_shows_nothing(found: httpx.Response) -> None:
    """A portal that asks for a sign-in answers 200: its page must make no tenant Ready."""
    with pytest.raises(UnavailableError):
        await World(Graph(found)).directory.probe(CLIENT, OWN)


async def test_a_probe_that_is_refused_says_so() -> None:
    world = World(Graph(failure(403, "Authorization_RequestDenied")))
    with pytest.raises(PermissionDeniedError):
        await world.directory.probe(CLIENT, OWN)


async def test_close_closes_transport_and_tokens() -> None:
    world = World(Graph(application()))
    closed: list[bool] = []

    async def aclose() -> None:
        closed.append(True)

    world.transport.aclose = aclose  # type: ignore[method-assign]
    await world.session.close()
    assert closed == [True]
    assert world.tokens.closed == 1


async def _until(condition: object) -> None:
    assert callable(condition)
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0)
    pytest.fail("never came about")
