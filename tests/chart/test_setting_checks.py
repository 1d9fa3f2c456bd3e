"""The chart refuses the settings that the operator would not start with, and takes all others."""

from __future__ import annotations

from typing import Final

import pytest

from appcredential.setting_values import PREFIX
from appcredential.settings import FIELDS, ORDERED, POSITIVE, Settings, SettingsError
from charts.generate import SET_BY_THE_CHART, camel, schema
from tests.chart.helming import Helm, flags

REFUSED: Final[list[tuple[dict[str, str], str]]] = [
    (
        {"LEASE_DURATION": "30s"},
        (
            "settings.leaseRenew (10s by default) and settings.effectMargin (30s by default) must "
            "be at most settings.leaseDuration (30s): raise that, or lower what is before it."
        ),
    ),
    ({"LEASE_RENEW": "1m", "LEASE_DURATION": "01m44s"}, "settings.mintMargin (45s by default)"),
    ({"MINT_MARGIN": "1h30m"}, "settings.mintMargin (1h30m) must be at most"),
    ({"NEXT_PROOF_SPREAD_MIN": "2m"}, "settings.nextProofSpreadMax (60s by default)"),
    ({"MINT_BACKOFF": "16m"}, "settings.mintBackoff is 16m, and must be at most 900s"),
    ({"ALLOWED_SECRET_KEYS": "team, helm.sh/x"}, "allowedSecretKeys has helm.sh/x, by which"),
    ({"ALLOWED_SECRET_KEYS": "x.argoproj.io/"}, "allowedSecretKeys has x.argoproj.io/, by which"),
    ({"ALLOWED_SECRET_KEYS": "owner"}, "allowedSecretKeys has owner, by which"),
    ({"ALLOWED_SECRET_KEYS": "a b"}, "/settings/allowedSecretKeys"),
    ({"CUSTOM_TOKEN_AUDIENCE": "API://AzureADTokenExchange"}, "the audience of a public cloud"),
    ({"CLAIM_NAMESPACE": "Home"}, "/settings/claimNamespace"),
    ({"CHECKED_ISSUERS": "http://a.test"}, "/settings/checkedIssuers"),
    ({"CHECKED_ISSUERS": "https://a.test?x=1"}, "/settings/checkedIssuers"),
    ({"ADOPT_CLUSTER_IDS": "*"}, "/settings/adoptClusterIds"),
    ({"ADOPT_CLUSTER_IDS": "a b"}, "/settings/adoptClusterIds"),
    ({"ADOPT_CLUSTER_IDS": "a" * 121}, "/settings/adoptClusterIds"),
    ({"ADOPT_CLUSTER_IDS": ",".join("abcdefghi")}, "/settings/adoptClusterIds"),
    ({"LOG_LEVEL": "TRACE"}, "/settings/logLevel"),
]
TAKEN: Final[dict[str, str]] = {
    "LEASE_DURATION": "01m45s",
    "LEASE_RENEW": "1m",
    "MINT_BACKOFF": "15m",
    "NEXT_PROOF_SPREAD_MIN": "1m",
    "ALLOWED_SECRET_KEYS": "team, example.com/,app.kubernetes.io/part-of,myhelm.sh/x",
    "CUSTOM_TOKEN_AUDIENCE": "api://ours",
    "CLAIM_NAMESPACE": "home",
    "CHECKED_ISSUERS": "https://a.test/x, https://b.test:8443",
    "ADOPT_CLUSTER_IDS": f"{'a' * 120}, /subscriptions/x, b,c,d,e,f,g,",
}
"""As much as is allowed: beside it lies what is refused."""


def as_variables(found: dict[str, str]) -> dict[str, str]:
    return {PREFIX + name: value for name, value in found.items()}


def as_values(found: dict[str, str]) -> list[str]:
    return list(flags({f"settings.{camel(name)}": v for name, v in as_variables(found).items()}))


@pytest.mark.parametrize(("found", "told"), REFUSED, ids=lambda v: str(v)[:40])
def test_what_the_operator_refuses_the_chart_refuses(
    helm: Helm, found: dict[str, str], told: str
) -> None:
    with pytest.raises(SettingsError):
        Settings.from_env(as_variables(found))
    assert told in helm.refusal(*as_values(found))


def test_what_the_operator_takes_the_chart_takes(helm: Helm) -> None:
    Settings.from_env(as_variables(TAKEN))
    assert helm.template(*as_values(TAKEN))


def test_labels_of_every_secret_are_checked_likewise(helm: Helm) -> None:
    with pytest.raises(SettingsError, match="owner"):
        Settings.from_env({PREFIX + "SECRET_LABELS": "owner=me"})
    assert "secretLabels has owner, by which" in helm.refusal(*flags({"secretLabels.owner": "me"}))


def test_no_check_of_the_operator_is_left_out() -> None:
    """Zeros by the schema; each pair, and each parser of a string, by a row above."""
    shapes = schema()["properties"]["settings"]["properties"]
    for name in POSITIVE:
        variable = PREFIX + name.upper()
        if variable not in SET_BY_THE_CHART:
            shape = shapes[camel(variable)]
            assert shape.get("minimum") == 1 or {"pattern": "[1-9]"} in shape["allOf"], name
    rows = {name for found, _ in REFUSED for name in found}
    assert {low.upper() for low, _ in ORDERED} <= rows
    free = {camel(v) for v in FIELDS if v not in SET_BY_THE_CHART} - {
        camel(PREFIX + name) for name in rows
    }
    strings = {name for name in free if shapes[name] == {"type": "string"}}
    accepted_as_they_are = {"clusterId", "replaceClaim", "serviceAccountTokenFile"}
    assert strings - {"identityTokenFile"} == accepted_as_they_are


def test_an_operator_that_never_runs_is_refused(helm: Helm) -> None:
    assert "minimum: got 0, want 1" in helm.refusal("--set", "replicas=0")
