"""Each setting from its environment variable; each bad value refused by its variable's name."""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta
from typing import Any

import pytest

from appcredential.__main__ import _settings as read_settings
from appcredential.__main__ import main
from appcredential.domain.lifecycle_settings import LifecycleSettings
from appcredential.domain.spec.durations import format_duration
from appcredential.setting_values import CONSTANTS, PREFIX, variable
from appcredential.settings import (
    FIELDS,
    Settings,
    SettingsError,
)

# One value other than the default for each setting that is no duration.
OTHERS: dict[str, tuple[str, Any]] = {
    "watch_secrets": ("true", True),
    "namespace": ("entra", "entra"),
    "pod_name": ("appcredential-0", "appcredential-0"),
    "watch_namespaces": (" shop, ,orders", ("shop", "orders")),
    "cluster_id": ("blue", "blue"),
    "adopt_cluster_ids": (" blue, /subscriptions/x/aks,", ("blue", "/subscriptions/x/aks")),
    "allowed_secret_keys": (" example.com/, team", ("example.com/", "team")),
    "installation": ("entra.prod", "entra.prod"),
    "claim_namespace": ("ops", "ops"),
    "replace_claim": ("old/appcredential@blue", "old/appcredential@blue"),
    "secret_labels": (
        " team=platform, app.kubernetes.io/name=entra,empty=",
        (("team", "platform"), ("app.kubernetes.io/name", "entra"), ("empty", "")),
    ),
    "checked_issuers": (
        " https://a.example, https://b.example/x",
        ("https://a.example", "https://b.example/x"),
    ),
    "ca_file": ("/extra.pem", "/extra.pem"),
    "custom_authority": ("https://login.test", "https://login.test"),
    "custom_graph": ("https://graph.test", "https://graph.test"),
    "custom_ca_file": ("/ca.pem", "/ca.pem"),
    "service_account_token_file": ("/own", "/own"),
    "allow_private_issuers": ("true", True),
    "custom_token_audience": ("api://own", "api://own"),
    "identity_token_file": ("/token", "/token"),
    "health_address": ("127.0.0.1", "127.0.0.1"),
    "health_port": ("0", 0),
    "metrics_address": ("", ""),
    "metrics_port": ("9090", 9090),
    "report": ("true", True),
    "report_team_label": ("example.com/team", "example.com/team"),
    "log_level": ("DEBUG", "DEBUG"),
    "workers": ("7", 7),
    "cluster_looks_per_second": ("50", 50),
    "inventory_rate": ("50", 50),
    "published_sign_in_rate": ("0", 0),
    "first_proof_count": ("4", 4),
    "next_proof_count": ("9", 9),
    "trial": ("true", True),
    "max_open_revocations": ("50", 50),
    "shards": ("16", 16),
    "shard": ("1", 1),
}
# What a value needs beside it.
BESIDE: dict[str, dict[str, str]] = {"shard": {variable("shards"): "2"}}
# A second less than its default suits every duration but these, which would fall below another.
SPECIAL = {"next_proof_spread_max": timedelta(minutes=2), "lease_duration": timedelta(minutes=2)}


def value(settings: Settings, name: str) -> Any:
    return getattr(settings if hasattr(settings, name) else settings.lifecycle, name)


def names() -> list[str]:
    own = [field.name for field in fields(Settings) if field.name != "lifecycle"]
    return own + [field.name for field in fields(LifecycleSettings)]


DURATIONS = [name for name in names() if isinstance(value(Settings(), name), timedelta)]


def faults(environ: dict[str, str]) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env(environ)
    assert str(caught.value) == "\n".join(caught.value.faults)
    return caught.value.faults


def test_the_samples_here_cover_every_setting() -> None:
    assert sorted((*OTHERS, *DURATIONS)) == sorted(names())
    assert [variable(name) for name in names()] == list(FIELDS)


def test_without_variables_all_is_default() -> None:
    assert Settings.from_env({"PATH": "/bin", "KUBECONFIG": "x"}) == Settings()


@pytest.mark.parametrize("name", OTHERS)
def test_a_value_is_parsed(name: str) -> None:
    text, wanted = OTHERS[name]
    assert value(Settings(), name) != wanted
    environ = {variable(name): text, **BESIDE.get(name, {})}
    assert value(Settings.from_env(environ), name) == wanted


@pytest.mark.parametrize("name", DURATIONS)
def test_a_duration_is_parsed(name: str) -> None:
    default = value(Settings(), name)
    wanted = SPECIAL.get(name) or max(default - timedelta(seconds=1), timedelta(seconds=2))
    assert wanted != default
    text = f"{int(wanted.total_seconds())}s"
    assert value(Settings.from_env({variable(name): text}), name) == wanted


@pytest.mark.parametrize("text", ["", "90", "1.5h", "-5m", "5 m", "5M", "1m1h", "forever", "٣s"])
@pytest.mark.parametrize("name", DURATIONS)
def test_a_bad_duration_is_refused(name: str, text: str) -> None:
    remedy = "must be a duration such as 90d, 12h30m or 45s"
    assert faults({variable(name): text}) == [f"{variable(name)}: {remedy}"]


@pytest.mark.parametrize("text", ["", "-1", "1.0", "0x10", "1e3", "many", "1000000", "٣", "1\n"])
@pytest.mark.parametrize("name", ["workers", "health_port", "first_proof_count"])
def test_a_bad_number_is_refused(name: str, text: str) -> None:
    remedy = "must be a whole number from 0 to 999999"
    assert faults({variable(name): text}) == [f"{variable(name)}: {remedy}"]


@pytest.mark.parametrize("text", ["", "debug", "TRACE", "10"])
def test_a_bad_level_is_refused(text: str) -> None:
    remedy = "must be DEBUG, INFO, WARNING or ERROR"
    assert faults({variable("log_level"): text}) == [f"{variable('log_level')}: {remedy}"]


@pytest.mark.parametrize("text", ["Shop", "shop;orders", "shop/x", "-a", "a" * 64, "a.b"])
def test_bad_namespaces_are_refused(text: str) -> None:
    name = variable("watch_namespaces")
    assert faults({name: text}) == [f"{name}: must be namespace names separated by commas"]


@pytest.mark.parametrize("text", ["Example.com/", "a;b", "/", "/x", "a//", "a/b/", "-"])
def test_keys_that_no_object_can_have_are_refused(text: str) -> None:
    (fault,) = faults({variable("allowed_secret_keys"): text})
    assert "must be keys of labels and annotations, or prefixes that end in a slash" in fault


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        (
            "team",
            "must be labels as KEY=VALUE, separated by commas, such as team=platform, and team",
        ),
        ("team=a b", "team=a b is none"),
        ("=a", "=a is none"),
        ("team=" + "a" * 64, "is none"),
        ("team=a,team=b", "may not contain a label twice"),
        ("app.kubernetes.io/managed-by=shop", "other tools act on it; remove it"),
        ("owner=helm", "other tools act on it; remove it"),
    ],
)
def test_labels_that_no_secret_may_have_are_refused(text: str, remedy: str) -> None:
    (fault,) = faults({variable("secret_labels"): text})
    assert fault.startswith(f"{variable('secret_labels')}: ")
    assert remedy in fault


@pytest.mark.parametrize("text", ["owner", "helm.sh/", "sub.appcredential.io/", "a,kubernetes.io/"])
def test_keys_that_no_setting_allows_are_refused(text: str) -> None:
    (fault,) = faults({variable("allowed_secret_keys"): text})
    assert "other tools act on it; remove it" in fault


@pytest.mark.parametrize(
    "text",
    [
        "http://issuer.example",
        "https://Issuer.example",
        "https://issuer.example/?a",
        "issuer.example",
        "https://user@issuer.example",
        ",".join(f"https://i{n}.example" for n in range(33)),
    ],
)
def test_what_is_no_issuer_is_refused(text: str) -> None:
    (fault,) = faults({variable("checked_issuers"): text})
    assert "must be at most 32 issuers separated by commas" in fault


@pytest.mark.parametrize(
    "text", ["*", "a b", "-a", "a,%", "a" * 121, ",".join("abcdefghi")], ids=lambda t: t[:9]
)
def test_no_more_than_a_few_named_clusters_are_adopted_from(text: str) -> None:
    (fault,) = faults({variable("adopt_cluster_ids"): text})
    assert fault.startswith("APPCREDENTIAL_ADOPT_CLUSTER_IDS: must be at most 8 ids of clusters")
    assert "uid of its namespace kube-system" in fault


@pytest.mark.parametrize("text", ["", "Entra", "a,b", "a/../b", "a" * 64])
def test_a_bad_namespace_of_its_own_is_refused(text: str) -> None:
    name = variable("namespace")
    assert faults({name: text}) == [f"{name}: must be one namespace name"]


def test_an_unknown_variable_of_ours_is_refused_and_another_s_is_not() -> None:
    environ = {"APPCREDENTIAL_WORKER": "3", "APPCREDENTIALS": "x", "APPCREDENTIAL_CACHE": "/c"}
    assert faults(environ) == ["APPCREDENTIAL_WORKER: is not a setting of this operator"]


@pytest.mark.parametrize("name", CONSTANTS)
def test_a_setting_that_became_a_constant_is_refused_and_named(name: str) -> None:
    always = format_duration(getattr(LifecycleSettings, name))
    (fault,) = faults({variable(name): always})
    assert fault.startswith(f"{variable(name)}: is no setting any more: it is always {always},")
    assert fault.endswith("remove the variable")


def test_a_pause_longer_than_its_longest_is_refused() -> None:
    name = variable("mint_backoff")
    assert faults({name: "16m"}) == [f"{name}: must be at most 15m, to which it doubles"]
    assert value(Settings.from_env({name: "15m"}), "mint_backoff") == timedelta(minutes=15)


def test_the_process_prints_every_fault_and_ends_with_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(f"{PREFIX}WORKERS", "none")
    monkeypatch.setenv(f"{PREFIX}RELIST", "often")
    monkeypatch.setenv(f"{PREFIX}SURPRISE", "1")
    assert main(["run"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert [text.split(":")[0] for text in printed.err.splitlines()] == [
        f"{PREFIX}WORKERS",
        f"{PREFIX}RELIST",
        f"{PREFIX}SURPRISE",
    ]


@pytest.mark.parametrize(
    "audience", ["api://AzureADTokenExchange", "API://azureadtokenexchangechina"]
)
def test_a_custom_cloud_s_tokens_are_good_for_no_public_one(audience: str) -> None:
    (fault,) = faults({f"{PREFIX}CUSTOM_TOKEN_AUDIENCE": audience})
    assert fault.startswith("APPCREDENTIAL_CUSTOM_TOKEN_AUDIENCE: must not be the audience of")


@pytest.mark.parametrize(
    ("environ", "path"),
    [
        ({}, "/var/run/secrets/azure/tokens/azure-identity-token"),
        ({"AZURE_FEDERATED_TOKEN_FILE": "/webhook"}, "/webhook"),
        ({"AZURE_FEDERATED_TOKEN_FILE": ""}, "/var/run/secrets/azure/tokens/azure-identity-token"),
        (
            {"AZURE_FEDERATED_TOKEN_FILE": "/webhook", f"{PREFIX}IDENTITY_TOKEN_FILE": "/own"},
            "/own",
        ),
    ],
)
def test_the_webhook_s_token_file_is_taken_unless_another_is_named(
    environ: dict[str, str], path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AZURE_FEDERATED_TOKEN_FILE", raising=False)
    for name, text in environ.items():
        monkeypatch.setenv(name, text)
    assert read_settings().identity_token_file == path


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("SSLKEYLOGFILE", "every secret that is sent; remove the variable"),
        ("IDENTITY_ENDPOINT", "the token of its managed identity; remove the variable"),
        ("MSI_ENDPOINT", "the token of its managed identity; remove the variable"),
        ("AZURE_POD_IDENTITY_AUTHORITY_HOST", "identity; remove the variable"),
    ],
)
def test_what_libraries_would_obey_to_our_harm_is_refused(name: str, remedy: str) -> None:
    (fault,) = faults({name: "x"})
    assert fault.startswith(f"{name}: ")
    assert fault.endswith(remedy)


@pytest.mark.parametrize(
    "name", ["HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "AZURE_AUTHORITY_HOST", "PATH"]
)
def test_what_an_administrator_or_the_webhook_sets_is_not_refused(name: str) -> None:
    assert Settings.from_env({name: "x"}) == Settings()


@pytest.mark.parametrize("shard", ["0", "20"])
def test_a_number_of_shards_out_of_range_is_refused(shard: str) -> None:
    names = variable("shards"), variable("shard")
    none = f"{names[0]}: must not be 0; set at least 1"
    many = f"{names[0]}: must be from 1 to 16"
    assert faults({names[0]: "0", names[1]: shard}) == [none]
    assert faults({names[0]: "17", names[1]: shard}) == [many]


@pytest.mark.parametrize("shards", [1, 2, 16])
def test_a_shard_that_does_not_exist_is_refused(shards: int) -> None:
    (told,) = faults({variable("shards"): str(shards), variable("shard"): str(shards)})
    assert told == (
        f"APPCREDENTIAL_SHARD: must be from 0 to {shards - 1}, because APPCREDENTIAL_SHARDS is "
        f"{shards}; lower it, or raise APPCREDENTIAL_SHARDS for all operators"
    )


@pytest.mark.parametrize("text", ["-1", "", "a", "1.0"])
def test_what_is_no_shard_is_refused(text: str) -> None:
    remedy = "must be a whole number from 0 to 999999"
    assert faults({variable("shard"): text}) == [f"{variable('shard')}: {remedy}"]
