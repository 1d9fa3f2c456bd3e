"""The parser and the API server give the same verdict on manifests nobody thought of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appcredential.domain.spec.reserved import (
    ALLOWED_KEYS,
    RESERVED_DOMAINS,
    RESERVED_KEYS,
    RESERVED_NAMES,
    RESERVED_NAMESPACES,
    RESERVED_SECRETS,
)
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
    st.text(max_size=8), st.integers(-5, 600), st.booleans(), st.just([]), st.just({})
)


def _mostly(good: st.SearchStrategy[Any], bad: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Draw what is right in five of six cases: one fault among many fields is enough."""
    return st.integers(0, 5).flatmap(lambda n: good if n else bad)


def _one(*values: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(values)


def _joined(*parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(*parts).map("".join)


_durations = _mostly(
    st.one_of(
        st.sampled_from(_EDGES),
        st.builds("{}{}".format, st.integers(1, 90), _one("d", "h", "m", "h1s")),
    ),
    st.one_of(st.sampled_from(_FAULTY), st.from_regex(_DURATION, fullmatch=True), _noise),
)
_times = _mostly(
    _joined(
        st.from_regex(_TIME, fullmatch=True), _mostly(_one("Z", "+14:00"), _one("z", "-24:00"))
    ),
    _noise,
)
_names = _mostly(
    st.one_of(_one("a", "a-b", "1"), st.text("a0-", min_size=1, max_size=3)),
    st.one_of(
        st.sampled_from(
            (
                *(f"{n}x" for n in RESERVED_NAMES),
                *RESERVED_SECRETS,
                "a.b",
                "a..b",
                *RESERVED_NAMESPACES,
                ".",
            )
        ),
        st.text("aA1.-_/", max_size=6),
        _noise,
    ),
)
_ids = _mostly(_one(GUID, OTHER_GUID), st.one_of(_one(GUID.upper(), f"{GUID}\n"), _noise))
_references = _joined(
    _one("$(", "$$(", "$"),
    _one("clientId", "mountPath", "x"),
    _one("", ":json", ":x", ":"),
    _one(")", ""),
)
_templates = st.lists(
    st.one_of(_one("$", "$(", ")", "\n", "ö", "$(clientSecret:url)"), _references), max_size=3
).map("".join)
_keys = _mostly(
    st.one_of(_one("a", "a.b/c", "nothelm.sh/a"), st.sampled_from(ALLOWED_KEYS)),
    st.one_of(
        st.sampled_from(RESERVED_KEYS),
        _joined(_one("", "x.", "x", "."), st.sampled_from(RESERVED_DOMAINS), _one("", "/", "/a")),
        st.text("aA0.-_/", max_size=6),
        st.text(max_size=5),
    ),
)
_data_keys = _mostly(
    _one("A_B", ".a", "clientId", "cookie-secret"),
    st.one_of(_one("AZURE_CLIENT_ID", ".", "..", "a" * 254, "a\n"), st.text("aZ0._-/", max_size=4)),
)
_entries = _mostly(
    st.one_of(
        st.builds(lambda text: {"value": text}, _templates),
        st.builds(lambda n: {"generateOnce": {"length": n}}, st.integers(15, 513)),
    ),
    st.one_of(
        st.fixed_dictionaries({}, optional={"value": _noise, "generateOnce": _noise}),
        st.none(),
        _noise,
    ),
)
_clock = _mostly(_one("22:00", "04:00", "00:00"), st.one_of(_one("24:00", "25:00", "4:0"), _noise))
_windows = st.fixed_dictionaries(
    {"from": _clock, "to": _clock},
    optional={
        "days": _mostly(st.just(["Mon", "Sun"]), st.lists(_one("Tue", "Tuesday"), max_size=2)),
        "timeZone": _mostly(_one("UTC", "Europe/Oslo"), _one("", "a b", 1)),
    },
)
_types = _mostly(st.just(["ClientSecret"]), st.lists(_one("ClientSecret", "", None), max_size=2))
_values = st.dictionaries(
    _keys, _mostly(st.text("aA0-._", max_size=4), st.one_of(_one("a" * 64), _noise)), max_size=2
)


def _words(*values: str) -> st.SearchStrategy[Any]:
    return _mostly(st.sampled_from(values), st.one_of(_one("Other", values[0].lower()), _noise))


def _lists(items: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(items, max_size=3)


_operators = _words("In", "NotIn", "Exists", "DoesNotExist")
_expressions = st.fixed_dictionaries(
    {"key": _one("env", "kubernetes.io/metadata.name", "a b"), "operator": _operators},
    optional={"values": _lists(_one("a", "b", "a b", ""))},
)
_selectors = _mostly(
    st.fixed_dictionaries(
        {}, optional={"matchLabels": _values, "matchExpressions": _lists(_expressions)}
    ),
    _noise,
)

FIELDS: Final[dict[str, dict[str, st.SearchStrategy[Any]]]] = {
    APP: {
        "tenantRef.name": _names,
        "application.clientId": _ids,
        "type": _words("ClientSecret"),
        "clientSecret.description": _mostly(st.text("aö", max_size=50), _noise),
        "lifetime": _durations,
        "rotation.renewBefore": _durations,
        "rotation.overlap": _durations,
        "rotation.retireWhen": _words("Expired", "OverlapElapsed", "RolledOut"),
        "rotation.rotateIssuedBefore": _times,
        "rotation.windows": _lists(_windows),
        "verification.mode": _words("Required", "Disabled"),
        "verification.scope": _words("Graph", "Self"),
        "secret.name": _names,
        "secret.preset": _words("Raw", "AzureIdentity"),
        "secret.mountPath": _mostly(
            _one("/a", "/a/..b"), st.one_of(st.text("/.a~", max_size=9), _noise)
        ),
        "secret.data": st.dictionaries(_data_keys, _entries, max_size=2),
        "secret.labels": _values,
        "secret.annotations": _values,
        "deletionPolicy": _words("Revoke", "Retain"),
        "deletionGracePeriod": _durations,
        "suspend": _mostly(st.booleans(), _noise),
    },
    TENANT: {
        "tenantId": _ids,
        "cloud": _words("Public", "China", "Custom"),
        "identity.clientSecret.clientId": _ids,
        "identity.clientSecret.secretRef.name": _names,
        "identity.clientSecret.secretRef.key": _data_keys,
        "identity.certificate": _mostly(
            st.fixed_dictionaries(
                {"clientId": _ids, "secretRef": st.fixed_dictionaries({"name": _names})}
            ),
            _noise,
        ),
        "identity.managedIdentity": st.one_of(st.just({}), _noise),
        "identity.workloadIdentity": st.fixed_dictionaries({"clientId": _ids}),
        "limits.types": _types,
        "limits.maxLifetime": _durations,
    },
    GRANT: {
        "tenantRef.name": _names,
        "applications.clientIds": _lists(_ids),
        "namespaces.names": _lists(_names),
        "applications.tagged": _mostly(st.booleans(), _noise),
        "applications.all": _mostly(st.booleans(), _noise),
        "namespaces.selector": _selectors,
        "expires": _times,
        "types": _types,
        "maxLifetime": _durations,
        "maxCredentials": _mostly(st.integers(0, 6), _noise),
        "allowOperatorIdentity": _mostly(st.booleans(), _noise),
    },
}


@st.composite
def _manifests(draw: st.DrawFn, kind: str) -> dict[str, Any]:
    """A right manifest with up to four fields drawn anew, or removed."""
    fields = draw(st.lists(st.sampled_from(sorted(FIELDS[kind])), max_size=4, unique=True))
    spec: dict[str, Any] = {}
    for field in fields:
        merge(spec, patch(field, draw(_mostly(FIELDS[kind][field], st.none()))))
    name = draw(_mostly(_one("orders"), _one(f"{RESERVED_NAMES[0]}x")))
    # Only an AppCredential gives its own name to a Secret.
    return manifest(kind, spec, name if kind == APP else "orders")


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
