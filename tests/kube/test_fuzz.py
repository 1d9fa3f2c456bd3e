"""Any bytes at all for the parsers of what the API server sends, and of planted revocations."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appcredential.errors import AppCredentialError, UnavailableError
from appcredential.kube.client import _decode
from appcredential.kube.issued_records import KubeIssuedRecords
from appcredential.kube.revocations import KubeRevocations
from appcredential.kube.translate import raise_for_status
from tests.support.api_server import ApiServer

bounded = settings(derandomize=True, max_examples=150, deadline=None)

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)
MEMBERS = ("reason", "message", "details", "code", "causes", "kind")
DATA = {
    "namespace": "shop",
    "name": "orders",
    "resourceUid": "u",
    "tenant": "default",
    "tenantId": "11111111-0000-0000-0000-000000000001",
    "clientId": "33333333-0000-0000-0000-000000000003",
    "objectId": "",
    "type": "ClientSecret",
    "policy": "Revoke",
    "secretName": "orders",
    "secretUid": "",
    "pendingAttempt": "",
    "serviceAccount": "",
    "configMap": "",
    "due": "2026-01-21T12:00:00Z",
    "created": "2026-01-21T12:00:00Z",
    "deletionGracePeriod": "1d",
}
texts = st.text(max_size=30) | st.sampled_from(
    ["../../x", "a\n", "A", "9" * 5000, "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"]
)


@bounded
@given(body=st.binary(max_size=200), status=st.sampled_from([200, 201, 403, 404, 500]))
def test_any_body(body: bytes, status: int) -> None:
    try:
        assert isinstance(_decode(body, status), dict)
    except UnavailableError:
        assert status < 400


@bounded
@given(
    document=st.dictionaries(st.sampled_from(MEMBERS), values, max_size=6),
    status=st.integers(300, 599),
    wait=texts,
    call=st.sampled_from(["GET /x", "PUT /api/v1/namespaces/shop/secrets/orders"]),
)
def test_any_refusal(document: dict[str, Any], status: int, wait: str, call: str) -> None:
    try:
        raise_for_status(status, document, {"Retry-After": wait}, call)
    except AppCredentialError as error:
        pause = getattr(error, "retry_after", timedelta(0))
        assert timedelta(0) <= pause <= timedelta(hours=3)


@pytest.mark.parametrize("kept", [KubeRevocations, KubeIssuedRecords])
@bounded
@given(
    data=st.fixed_dictionaries({}, optional=dict.fromkeys(DATA, texts)),
    lost=st.sets(st.sampled_from(sorted(DATA)), max_size=2),
)
def test_planted_config_maps_are_read_or_left_alone(
    kept: type[KubeRevocations | KubeIssuedRecords], data: dict[str, str], lost: set[str]
) -> None:
    found = {key: value for key, value in {**DATA, **data}.items() if key not in lost}
    metadata = {"name": "appcredential-ticket-x", "uid": "u", "resourceVersion": "1"}
    adapter: Any = kept(ApiServer(), "appcredential-system")
    with suppress(AppCredentialError):
        parsed = adapter._parse({"metadata": metadata, "data": found})
        assert parsed is None, "its name does not match"
