"""Issuer keys are read over TLS, from allowed addresses only, and with limits."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import web

from entra_emulator.issuers import fetch as issuer_fetch
from entra_emulator.issuers.fetch import RemoteIssuer, UnreachableIssuerError
from entra_emulator.jose.key_set import UnreadableDocumentError, keys_address, published_keys
from entra_emulator.tls import server_context
from tests.support.assertions import ASSERTION_TYPE, code
from tests.support.emulator import Emulator, MadeApplication
from tests.support.graph_user import GraphUser

SUBJECT = "system:serviceaccount:orders:api"
CLAIMS = {"sub": SUBJECT, "aud": "api://AzureADTokenExchange"}


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Emulator]:
    """Another emulator with its own CA, as an issuer that is reached over TLS."""
    with Emulator(tmp_path) as running:
        yield running


def issuer_at(emulator: Emulator, **fields: Any) -> tuple[str, str]:
    """Host an issuer whose URL is its real address; return its name and URL."""
    name = "published"
    url = f"{emulator.url}/emulator/issuers/{name}"
    return emulator.add_issuer(url, name=name, **fields), url


def trusting(user: GraphUser, url: str, **fields: Any) -> MadeApplication:
    user.emulator.add_issuer(url, **fields)
    given = [{"name": "remote", "issuer": url, "subject": SUBJECT}]
    return user.emulator.create_application(user.tenant, federatedIdentityCredentials=given)


def exchange(user: GraphUser, app: MadeApplication, token: str) -> int:
    caller = GraphUser(user.emulator, user.http, user.tenant, app.app_id, "")
    return code(caller.sign_in(client_assertion=token, client_assertion_type=ASSERTION_TYPE))


def test_keys_are_read_where_the_issuer_publishes_them(
    user: GraphUser, elsewhere: Emulator
) -> None:
    """R4."""
    name, url = issuer_at(elsewhere)
    app = trusting(user, url, caFile=str(elsewhere.ca_file))
    assert exchange(user, app, elsewhere.sign(name, claims=CLAIMS)) == 200
    elsewhere.rotate_issuer(name)
    assert exchange(user, app, elsewhere.sign(name, claims=CLAIMS)) == 200


def test_an_issuer_under_another_authority_is_unreachable(
    user: GraphUser, elsewhere: Emulator
) -> None:
    name, url = issuer_at(elsewhere)
    app = trusting(user, url, ca=user.emulator.ca_file.read_text())
    assert exchange(user, app, elsewhere.sign(name, claims=CLAIMS)) == 50166


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"url": "https://i.example", "hosted": True}, 201),
        ({"url": "http://i.example", "hosted": True}, 400),
        ({"url": "https://i.example?a=b", "hosted": True}, 400),
        ({"url": "https://user@i.example", "hosted": True}, 400),
        ({"url": "https://i.example"}, 400),
        ({"url": "https://i.example", "ca": ""}, 400),
        ({"url": "https://i.example", "ca": "none"}, 400),
        ({"url": "https://i.example", "caFile": "/nowhere"}, 400),
        ({"url": "https://i.example", "hosted": True, "caFile": "/nowhere"}, 400),
        ({"url": "https://taken.example", "hosted": True}, 409),
        ({"url": "https://i.example", "name": "taken", "hosted": True}, 409),
        ({"url": "https://i.example", "name": "a/b", "hosted": True}, 400),
    ],
)
def test_what_the_admin_api_takes_for_an_issuer(
    emulator: Emulator, http: httpx.Client, fields: dict[str, Any], status: int
) -> None:
    emulator.add_issuer("https://taken.example", name="taken")
    answer = http.post(f"{emulator.url}/emulator/issuers", json=fields)
    assert answer.status_code == status, answer.text


def test_issuers_in_the_admin_api(emulator: Emulator, http: httpx.Client) -> None:
    root = f"{emulator.url}/emulator/issuers"
    hosted = http.post(root, json={"url": f"{root}/own", "name": "own", "hosted": True}).json()
    remote = {"url": "https://r.example", "name": "r", "ca": emulator.ca_file.read_text()}
    http.post(root, json=remote)
    assert [one["name"] for one in http.get(root).json()] == ["own", "r"]
    found = http.get(f"{root}/own/.well-known/openid-configuration").json()
    assert (found["issuer"], found["jwks_uri"]) == (f"{root}/own", f"{root}/own/jwks")
    keys = http.get(found["jwks_uri"]).json()["keys"]
    assert [key["kid"] for key in keys] == hosted["keys"]
    made = http.post(f"{root}/own/tokens", json={"claims": CLAIMS}).json()["token"]
    assert made.count(".") == 2
    rotated = http.post(f"{root}/own/keys", json={"keepOld": True}).json()["kid"]
    assert http.get(root).json()[0]["keys"] == [*hosted["keys"], rotated]
    for path in ("r/tokens", "r/keys", "none/tokens"):
        assert http.post(f"{root}/{path}", json={"claims": {}}).status_code in {400, 404}
    for path in ("r/jwks", "none/jwks", "r/.well-known/openid-configuration"):
        assert http.get(f"{root}/{path}").status_code == 404
    assert http.post(f"{root}/own/tokens", json={}).status_code == 400
    assert [http.delete(f"{root}/r").status_code for _ in range(2)] == [204, 404]


def test_issuers_in_a_seed(tls_dir: Path) -> None:
    seed: dict[str, Any] = {
        "issuers": [
            {"url": "https://token.actions.githubusercontent.com", "name": "hub", "hosted": True},
            {"url": "https://cluster.example", "caFile": str(tls_dir / "ca.pem")},
        ]
    }
    with Emulator(tls_dir, seed=seed) as emulator:
        urls = emulator.do(lambda world: [one.url for one in world.issuers])
        assert urls == [one["url"] for one in seed["issuers"]]


# --- answers of issuers that are broken or malicious ------------------------------------------

Answer = Callable[[web.Request], Any]


@asynccontextmanager
async def serving(tls_dir: Path, **paths: Answer) -> AsyncIterator[str]:
    """Serve `/issuer/.well-known/openid-configuration` (`discovery`) and `/keys` over TLS."""

    async def answer(request: web.Request) -> web.StreamResponse:
        name = "keys" if request.path == "/keys" else "discovery"
        made = paths[name](request)
        if asyncio.iscoroutine(made):
            made = await made
        return made if isinstance(made, web.StreamResponse) else web.json_response(made)

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=server_context(tls_dir, ())).start()
    try:
        yield f"https://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def remote(base: str, tls_dir: Path, **fields: Any) -> RemoteIssuer:
    import ssl

    trust = ssl.create_default_context(cafile=tls_dir / "ca.pem")
    return RemoteIssuer(name="r", url=f"{base}/issuer", trust=trust, **fields)


def origin(request: web.Request) -> str:
    return f"https://{request.host}"


def document(request: web.Request) -> dict[str, str]:
    return {"issuer": f"{origin(request)}/issuer", "jwks_uri": f"{origin(request)}/keys"}


def no_keys(_: web.Request) -> dict[str, Any]:
    return {"keys": []}


async def test_a_sound_issuer(tls_dir: Path) -> None:
    async with serving(tls_dir, discovery=document, keys=no_keys) as base:
        assert await remote(base, tls_dir).read_keys() == {}


def moved(request: web.Request) -> web.Response:
    return web.Response(status=302, headers={"Location": f"{origin(request)}/elsewhere"})


def huge(_: web.Request) -> web.Response:
    return web.Response(body=b" " * 300_000, content_type="application/json")


def broken(_: web.Request) -> web.Response:
    return web.Response(text="<html>")


def packed(request: web.Request) -> web.Response:
    content = gzip.compress(json.dumps(document(request)).encode())
    return web.Response(body=content, headers={"Content-Encoding": "gzip"})


def failing(_: web.Request) -> web.Response:
    return web.Response(status=503)


UNUSABLE: dict[str, tuple[Answer, Answer, str]] = {
    "redirected discovery": (moved, no_keys, "answered 302"),
    "redirected keys": (document, moved, "answered 302"),
    "huge discovery": (huge, no_keys, "more than"),
    "huge keys": (document, huge, "more than"),
    "discovery that is no JSON": (broken, no_keys, "no JSON object"),
    "keys that are no JSON": (document, broken, "no JSON object"),
    "compressed discovery": (packed, no_keys, "no JSON object"),
    "an error": (failing, no_keys, "answered 503"),
    "another issuer": (
        lambda request: {**document(request), "issuer": f"{origin(request)}/issuer/"},
        no_keys,
        "another issuer",
    ),
    "no address of keys": (
        lambda request: {"issuer": f"{origin(request)}/issuer"},
        no_keys,
        "no jwks_uri",
    ),
    "keys on another host": (
        lambda request: {**document(request), "jwks_uri": "https://localhost/keys"},
        no_keys,
        "not an address that is allowed",
    ),
    "keys without TLS": (
        lambda request: {**document(request), "jwks_uri": f"http://{request.host}/keys"},
        no_keys,
        "not an address that is allowed",
    ),
    "no address at all": (
        lambda request: {**document(request), "jwks_uri": "keys"},
        no_keys,
        "not an address that is allowed",
    ),
}


@pytest.mark.parametrize(("discovery", "keys", "reason"), UNUSABLE.values(), ids=UNUSABLE.keys())
async def test_an_unusable_issuer(
    tls_dir: Path, discovery: Answer, keys: Answer, reason: str
) -> None:
    async with serving(tls_dir, discovery=discovery, keys=keys) as base:
        with pytest.raises(UnreachableIssuerError, match=reason):
            await remote(base, tls_dir).read_keys()


async def test_keys_at_the_one_address_that_was_given(tls_dir: Path) -> None:
    """Then no other address is allowed, not even on the issuer's own host."""
    async with serving(tls_dir, discovery=no_keys, keys=no_keys) as far:

        def pointing(request: web.Request) -> dict[str, str]:
            return {**document(request), "jwks_uri": f"{far}/keys"}

        async with serving(tls_dir, discovery=pointing, keys=no_keys) as base:
            given = remote(base, tls_dir, jwks_uri=f"{far}/keys")
            assert await given.read_keys() == {}
            with pytest.raises(UnreachableIssuerError, match="not an address"):
                await remote(base, tls_dir, jwks_uri=f"{base}/keys").read_keys()


async def test_a_slow_issuer_is_given_up(tls_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(issuer_fetch, "_SECONDS", 0.2)
    released = asyncio.Event()

    async def silent(_: web.Request) -> web.Response:
        await released.wait()
        return web.Response()

    async with serving(tls_dir, discovery=silent, keys=no_keys) as base:
        with pytest.raises(UnreachableIssuerError, match="no whole answer"):
            await remote(base, tls_dir).read_keys()
        released.set()


async def test_nobody_listens(tls_dir: Path) -> None:
    async with serving(tls_dir, discovery=document, keys=no_keys) as base:
        pass
    with pytest.raises(UnreachableIssuerError, match="ClientConnectorError"):
        await remote(base, tls_dir).read_keys()


def test_the_reason_is_in_the_emulators_own_log(
    user: GraphUser, elsewhere: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    """As in Entra, the client learns only that the request failed."""
    name, url = issuer_at(elsewhere)
    app = trusting(user, url, caFile=str(elsewhere.ca_file))
    token = elsewhere.sign(name, claims=CLAIMS)
    elsewhere.do(lambda world: world.issuers.remove(name))
    with caplog.at_level(logging.WARNING, "entra_emulator"):
        assert exchange(user, app, token) == 50166
    assert f"{url} cannot be used: answered 404" in caplog.text


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b'{"keys": {}}', b'{"keys": 1}', b"\xff"])
def test_what_is_no_key_set(text: bytes) -> None:
    with pytest.raises(UnreadableDocumentError):
        published_keys(text)
    with pytest.raises(UnreadableDocumentError):
        keys_address(text, "https://i.example")


def test_keys_that_are_no_use_are_left_out() -> None:
    rows: list[Any] = [
        1,
        {"kty": "EC", "kid": "curve"},
        {"kty": "RSA", "kid": "no numbers"},
        {"kty": "RSA", "kid": "bad numbers", "n": "!", "e": 1},
        {"kty": "RSA", "kid": "small", "n": "AQ", "e": "AQAB"},
        {"kty": "RSA", "kid": "for encryption", "use": "enc", "n": "AQ", "e": "AQAB"},
    ]
    assert published_keys(json.dumps({"keys": rows}).encode()) == {}
