"""Where the clouds are, and what a custom one may not be."""

from __future__ import annotations

from pathlib import Path

import pytest

from appcredential.domain.spec.model import Cloud
from appcredential.entra.clouds import ENDPOINTS, Endpoints, check_custom, endpoints_for


@pytest.mark.parametrize(
    ("cloud", "authority", "graph"),
    [
        (Cloud.PUBLIC, "https://login.microsoftonline.com", "https://graph.microsoft.com"),
        (Cloud.US_GOVERNMENT, "https://login.microsoftonline.us", "https://graph.microsoft.us"),
        (
            Cloud.US_GOVERNMENT_DOD,
            "https://login.microsoftonline.us",
            "https://dod-graph.microsoft.us",
        ),
        (
            Cloud.CHINA,
            "https://login.chinacloudapi.cn",
            "https://microsoftgraph.chinacloudapi.cn",
        ),
    ],
)
def test_each_cloud_has_its_own_endpoints(cloud: Cloud, authority: str, graph: str) -> None:
    found = endpoints_for(cloud, Endpoints("https://a", "https://b"))
    assert found == Endpoints(authority, graph)
    assert found.graph_scope == f"{graph}/.default"
    assert found.token_url("t") == f"{authority}/t/oauth2/v2.0/token"


def test_every_cloud_but_custom_is_in_the_table() -> None:
    assert set(ENDPOINTS) == set(Cloud) - {Cloud.CUSTOM}


def test_custom_comes_from_the_settings_alone() -> None:
    custom = Endpoints("https://entra.test", "https://graph.test")
    assert endpoints_for(Cloud.CUSTOM, custom) == custom
    assert endpoints_for(Cloud.CUSTOM, None) is None


def test_a_trailing_slash_is_dropped() -> None:
    endpoints = Endpoints("https://entra.test/", "https://graph.test:8443/")
    assert endpoints.token_url("t") == "https://entra.test/t/oauth2/v2.0/token"
    assert endpoints.graph_scope == "https://graph.test:8443/.default"


def test_no_known_cloud_passes_as_custom() -> None:
    for endpoints in ENDPOINTS.values():
        assert len(check_custom(endpoints.authority, endpoints.graph, None)) == 2


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("http://entra.test", "must start with https://"),
        ("entra.test", "must start with https://"),
        ("https://", "must name a host"),
        ("https://user:word@entra.test", "must not hold user info"),
        ("https://entra.test?x=1", "must not hold a query"),
        ("https://entra.test#x", "must not hold a query or fragment"),
        ("https://entra.test/path", "must not hold a path"),
        ("https://entra.test:99999", "must be a URL"),
        ("https://entra.test:0", "port 0"),
        ("https://[::1", "must be a URL"),
        ("https://login.microsoftonline.com", "host of Microsoft"),
        ("https://LOGIN.MicrosoftOnline.com:443", "host of Microsoft"),
        ("https://login.microsoftonline.com.", "host of Microsoft"),
        ("https://eu.login.microsoftonline.us", "host of Microsoft"),
        ("https://login.windows.net", "host of Microsoft"),
        ("https://sts.windows.net", "host of Microsoft"),
        ("https://graph.windows.net", "host of Microsoft"),
        ("https://login.microsoft.com", "host of Microsoft"),
        ("https://login.partner.microsoftonline.cn", "host of Microsoft"),
        ("https://login.sovcloud-identity.fr", "host of Microsoft"),
        ("https://login.microsoftonline%2ecom", "plain ASCII"),
        ("https://login。microsoftonline.com", "plain ASCII"),
        ("https://ｌogin.microsoftonline.com", "plain ASCII"),
    ],
)
def test_unusable_custom_addresses_are_named(url: str, fault: str) -> None:
    faults = check_custom(url, "https://graph.test", None)
    assert any(text.startswith("authority: ") and fault in text for text in faults), faults
    assert any(text.startswith("graph: ") for text in check_custom("https://a.test", url, None))
    assert "word" not in "".join(faults)


def test_look_alikes_are_not_ours_to_judge() -> None:
    assert check_custom("https://notmicrosoft.com", "https://microsoft.com.test:8443/", None) == []
    assert check_custom("https://127.0.0.1:8443", "https://[::1]:8443", None) == []


def test_a_ca_file_must_hold_a_certificate(tmp_path: Path) -> None:
    empty = tmp_path / "ca.pem"
    empty.write_text("nothing")
    for path in (empty, tmp_path / "missing.pem"):
        faults = check_custom("https://a.test", "https://b.test", str(path))
        assert [text.split(":")[0] for text in faults] == ["caFile"]
