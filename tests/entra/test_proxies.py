"""Proxies that the environment names: read once for a server, not for each request."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from appcredential.domain.proof import PROVEN
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import VerificationScope
from appcredential.entra.clouds import Endpoints
from appcredential.entra.signin import TokenEndpoint
from appcredential.kube.client import KubeClient
from appcredential.transport import Proxy, environment_proxy
from tests.support.clock import HandClock
from tests.support.connectproxy import connect_proxy
from tests.support.graph import CANARY, CLIENT, TENANT
from tests.support.tokenserver import token_server

_SERVER = "https://login.microsoftonline.com/x"
_CREDENTIALS = base64.b64encode(b"us/er:p@ss").decode()


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, Proxy()),
        ({"HTTPS_PROXY": "http://proxy:3128"}, Proxy("http://proxy:3128")),
        ({"https_proxy": "http://proxy:3128"}, Proxy("http://proxy:3128")),
        ({"HTTP_PROXY": "http://proxy:3128"}, Proxy()),
        ({"HTTPS_PROXY": "http://proxy:1", "NO_PROXY": ".microsoftonline.com"}, Proxy()),
        ({"HTTPS_PROXY": "http://proxy:1", "NO_PROXY": "*"}, Proxy()),
        ({"HTTPS_PROXY": "http://proxy:1", "NO_PROXY": "example.com"}, Proxy("http://proxy:1")),
        (
            {"HTTPS_PROXY": "http://us%2Fer:p%40ss@proxy:3128"},
            Proxy("http://proxy:3128", {"Proxy-Authorization": f"Basic {_CREDENTIALS}"}),
        ),
    ],
)
def test_what_the_environment_names(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], expected: Proxy
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert environment_proxy(_SERVER) == expected


def test_the_credentials_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://us%2Fer:p%40ss@proxy:3128")
    told = repr(environment_proxy(_SERVER))
    assert "p@ss" not in told
    assert _CREDENTIALS not in told


async def test_a_sign_in_goes_through_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with token_server(tmp_path) as server, connect_proxy() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://us%2Fer:p%40ss@127.0.0.1:{proxy.port}")
        endpoints = Endpoints(server.url, "https://graph.test")
        target = TokenEndpoint(TENANT, endpoints, ca_file=server.ca_file, clock=HandClock())
        monkeypatch.delenv("HTTPS_PROXY")  # read when the endpoint became known
        secret = SecretValue(CANARY)
        assert await target.with_secret(CLIENT, secret, VerificationScope.GRAPH, "id") == PROVEN
    (head,) = proxy.heads
    assert f"Proxy-Authorization: Basic {_CREDENTIALS}" in head
    assert CANARY not in head
    assert "Proxy-Authorization" not in server.seen[0].headers


async def test_the_api_server_is_reached_through_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with token_server(tmp_path) as server, connect_proxy() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        kubeconfig = tmp_path / "kubeconfig"
        kubeconfig.write_text(_KUBECONFIG.format(server=server.url, ca=server.ca_file))
        kube = await KubeClient.connect(HandClock(), str(kubeconfig))
        try:
            await kube.request("GET", "/version")
        finally:
            await kube.close()
    assert len(proxy.heads) == 1
    assert server.seen[0].path == "/version"


_KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: it
contexts: [{{name: it, context: {{cluster: it, user: it}}}}]
clusters: [{{name: it, cluster: {{server: "{server}", certificate-authority: "{ca}"}}}}]
users: [{{name: it, user: {{}}}}]
"""
