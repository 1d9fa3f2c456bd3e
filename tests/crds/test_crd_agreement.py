"""The parser and the API server give the same verdict on manifests nobody thought of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appcredential.domain.reserved import ALLOWED_KEYS, RESERVED_DOMAINS, RESERVED_NAMES
from appcredential.errors import InvalidSpecError
from tests.crds.cases import patch
from tests.crds.manifests import (
    APP,
    BASES,
    GRANT,
    GUID,
    OTHER_GUID,
    PARSERS,
    TENANT,
    manifest,
    merge,
)
from tests.crds.server import Server

pytestmark = pytest.mark.cluster

# Derandomized: a run that fails here fails everywhere, and the same way.
_BOUNDED: Final = settings(
    max_examples=100,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)

_EDGES: Final = ("0s", "1s", "59s", "60s", "30d", "45d", "90d", "731d", "732d", "17544h", "365d")
_FAULTY: Final = ("", "90", "-90d", "1.5d", "90d garbage", " 90d", "90d\n", "90D", "1h1d", "٣d")
_DURATION: Final = r"([0-9]{1,4}w)?([0-9]{1,4}d)?([0-9]{1,5}h)?([0-9]{1,6}m)?([0-9]{1,8}s)?"
_TIME: Final = r"[12][0-9]{3}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\.[0-9]{1,3})?"

_noise: st.SearchStrategy[Any] = st.one_of(
    st.text(max_size=8), st.integers(-5, 600), st.booleans(), st.just([])
)
_durations = st.one_of(
    st.sampled_from(_EDGES + _FAULTY), st.from_regex(_DURATION, fullmatch=True), _noise
)
_times = st.one_of(
    st.tuples(
        st.from_regex(_TIME, fullmatch=True), st.sampled_from(("Z", "z", "+14:00", "-24:00"))
    ).map("".join),
    _noise,
)
_names = st.one_of(
    st.sampled_from((*(f"{n}x" for n in RESERVED_NAMES), "a.b", "a..b", "-a", "kube-system", ".")),
    st.text("aA1.-_/", max_size=6),
    _noise,
)
_ids = st.one_of(st.sampled_from((GUID, OTHER_GUID, GUID.upper(), f"{GUID}\n")), _noise)
_templates = st.lists(
    st.sampled_from(("$", "$(", "(", ")", ":", ":json", ":x", "clientId", "mountPath", "\n", "ö")),
    max_size=9,
).map("".join)
_prefixes = st.sampled_from(("", "a/", "A/", "a.b/", "a./", "/", "x", ".", *RESERVED_DOMAINS))
_keys = st.one_of(
    st.tuples(
        st.sampled_from(("", "x.", "x", ".")), _prefixes, st.sampled_from(("", "/", "/a", "a-"))
    ).map("".join),
    st.sampled_from(ALLOWED_KEYS),
    st.text(max_size=5),
)
_data_keys = st.one_of(
    st.sampled_from(("AZURE_CLIENT_ID", "clientId", ".", "..", ".a", "a" * 254, "a b", "a\n")),
    st.text("aZ0._-/", min_size=1, max_size=4),
)
_entries = st.one_of(
    st.fixed_dictionaries({}, optional={"value": _templates, "generateOnce": st.just({})}),
    st.builds(lambda text: {"value": text}, st.one_of(_templates, _noise)),
    st.builds(lambda n: {"generateOnce": {"length": n}}, st.one_of(st.integers(14, 514), _noise)),
    st.none(),
)
_words = st.one_of(
    st.sampled_from(("Raw", "AzureIdentity", "Expired", "OverlapElapsed", "Required", "Graph")),
    st.sampled_from(("Self", "Disabled", "Revoke", "Retain", "ClientSecret", "Custom", "China")),
    _noise,
)
_types = st.lists(st.one_of(st.just("ClientSecret"), _noise), max_size=2)
_values = st.dictionaries(
    _keys, st.one_of(st.text(max_size=4), st.sampled_from(("a", "-", "a" * 64))), max_size=2
)

FIELDS: Final[dict[str, dict[str, st.SearchStrategy[Any]]]] = {
    APP: {
        "tenantRef.name": _names,
        "application.clientId": _ids,
        "type": _words,
        "clientSecret.description": st.one_of(st.text(max_size=50), _noise),
        "lifetime": _durations,
        "rotation.renewBefore": _durations,
        "rotation.overlap": _durations,
        "rotation.retireWhen": _words,
        "rotation.rotateIssuedBefore": _times,
        "verification.mode": _words,
        "verification.scope": _words,
        "secret.name": _names,
        "secret.preset": _words,
        "secret.mountPath": st.one_of(st.text("/.a~", max_size=9), _noise),
        "secret.data": st.dictionaries(_data_keys, _entries, max_size=2),
        "secret.labels": _values,
        "secret.annotations": _values,
        "deletionPolicy": _words,
        "deletionGracePeriod": _durations,
        "suspend": _noise,
    },
    TENANT: {
        "tenantId": _ids,
        "cloud": _words,
        "identity.clientSecret.clientId": _ids,
        "identity.clientSecret.secretRef.name": _names,
        "identity.clientSecret.secretRef.key": _data_keys,
        "limits.types": _types,
        "limits.maxLifetime": _durations,
    },
    GRANT: {
        "tenantRef.name": _names,
        "applications.clientIds": st.lists(_ids, max_size=3),
        "namespaces.names": st.lists(_names, max_size=3),
        "types": _types,
        "maxLifetime": _durations,
        "allowOperatorIdentity": _noise,
    },
}


@st.composite
def _manifests(draw: st.DrawFn, kind: str) -> dict[str, Any]:
    """A right manifest with up to four fields drawn anew, or removed."""
    fields = draw(st.lists(st.sampled_from(sorted(FIELDS[kind])), max_size=4, unique=True))
    spec: dict[str, Any] = {}
    for field in fields:
        merge(spec, patch(field, draw(st.one_of(FIELDS[kind][field], st.none()))))
    name = draw(st.sampled_from(("orders", f"{RESERVED_NAMES[0]}x"))) if kind == APP else "orders"
    return manifest(kind, spec, name)


@_BOUNDED
@given(found=_manifests(APP))
def test_app_credentials(server: Server, namespace: str, found: dict[str, Any]) -> None:
    _compare(server, namespace, found)


@_BOUNDED
@given(found=_manifests(TENANT))
def test_tenants(server: Server, namespace: str, found: dict[str, Any]) -> None:
    _compare(server, namespace, found)


@_BOUNDED
@given(found=_manifests(GRANT))
def test_grants(server: Server, namespace: str, found: dict[str, Any]) -> None:
    _compare(server, namespace, found)


@pytest.mark.parametrize("kind", [APP, TENANT, GRANT])
def test_null_fields(server: Server, namespace: str, kind: str) -> None:
    for field in FIELDS[kind]:
        spec: dict[str, Any] = {}
        merge(spec, BASES[kind])
        _set(spec, field, None)
        _compare(server, namespace, {**manifest(kind, {}), "spec": spec})


def _set(spec: dict[str, Any], field: str, value: Any) -> None:
    *parents, last = field.split(".")
    for part in parents:
        spec = spec.setdefault(part, {})
    spec[last] = value


def _compare(server: Server, namespace: str, found: Mapping[str, Any]) -> None:
    status, message = server.try_create(namespace, found)
    assert status in {201, 400, 422}, message
    said = _parser_says(found)
    assert (status == 201) == (said == ""), f"API server: {message!r}, parser: {said!r}"


def _parser_says(found: Mapping[str, Any]) -> str:
    try:
        PARSERS[found["kind"]](found)
    except InvalidSpecError as error:
        return str(error)
    return ""
