"""Manifests for a plan mean what kubectl takes them for."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from appcredential.cli.api import Api
from appcredential.cli.app_credential import AppCredential
from appcredential.cli.errors import CliError, ForbiddenError
from appcredential.cli.plan import manifests
from appcredential.cli.plan.applied import as_applied
from appcredential.cli.plan.manifests import documents, tried_out

LAST = "kubectl.kubernetes.io/last-applied-configuration"
HEAD = "{kind: AppCredential, apiVersion: appcredential.io/v1alpha1, spec: "


def read(folder: Path, text: str) -> object:
    file = folder / "manifest.yaml"
    file.write_text(text)
    (found,) = documents(str(file), lambda _: None)
    return found["spec"]


def test_times_are_the_strings_that_kubectl_sends(tmp_path: Path) -> None:
    """Python takes the first one for a datetime, and the second one for the number 1320."""
    found = read(tmp_path, HEAD + "{at: 2026-11-22T10:00:00Z, from: 22:00, day: 2026-11-22, n: 3}}")

    assert found == {"at": "2026-11-22T10:00:00Z", "from": "22:00", "day": "2026-11-22", "n": 3}


@pytest.mark.parametrize("text", ["!!timestamp 2026-99-99", "!!int x", "2026-99-99: ["])
def test_what_python_cannot_construct_is_one_line(tmp_path: Path, text: str) -> None:
    with pytest.raises(CliError, match="is no YAML"):
        read(tmp_path, text)


def test_a_file_is_never_cut_off_silently(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = HEAD + "{}}"
    monkeypatch.setattr(manifests, "_LARGEST", len(text))
    assert read(tmp_path, text) == {}
    with pytest.raises(CliError, match="is larger than"):
        read(tmp_path, text + "\n---\n")


LIVE: dict[str, Any] = {
    "metadata": {
        "name": "orders",
        "namespace": "shop",
        "uid": "u",
        "resourceVersion": "7",
        "managedFields": [{}],
        "labels": {"by": "another"},
        "annotations": {"appcredential.io/check": "1", LAST: json.dumps({
            "metadata": {"name": "orders", "annotations": {}},
            "spec": {"lifetime": "60d", "rotation": {"overlap": "1d", "renewBefore": "9d"}},
        })},
    },
    "spec": {
        "lifetime": "60d",
        "suspend": True,
        "rotation": {"overlap": "1d", "renewBefore": "9d", "revokeIssuedBefore": "2026-11-22"},
    },
    "status": {"x": 1},
}  # fmt: skip


def test_an_apply_takes_back_only_what_an_apply_brought() -> None:
    """What `suspend` and `revoke` set stays, as with kubectl: a plan must not hide it."""
    spec = {"type": "ClientSecret", "rotation": {"overlap": "2d"}}
    metadata = {"name": "orders", "namespace": "shop"}

    found = as_applied({"metadata": metadata, "spec": spec}, AppCredential(LIVE))

    assert found["spec"] == {
        "type": "ClientSecret",
        "suspend": True,
        "rotation": {"overlap": "2d", "revokeIssuedBefore": "2026-11-22"},
    }
    assert "status" not in found
    live = dict(LIVE["metadata"])
    del live["managedFields"]
    assert found["metadata"] == live


@pytest.mark.parametrize("last", ["{", "[]", "1", None])
def test_whatever_the_last_apply_is_said_to_be_no_field_is_invented(last: object) -> None:
    metadata = {"name": "orders", "namespace": "shop"}
    live = {"metadata": {**metadata, "annotations": {LAST: last}}, "spec": {"suspend": True}}

    found = as_applied({"metadata": metadata, "spec": {"suspend": None}}, AppCredential(live))

    assert found["spec"] == {}


def test_a_manifest_of_one_that_exists_is_tried_out_as_it_would_be_applied() -> None:
    class Tried:
        namespace = "shop"
        now = staticmethod(lambda: datetime(2026, 11, 22, tzinfo=UTC))

        def get(self, *_: str) -> AppCredential:
            return AppCredential(LIVE)

        def try_out(self, document: Any, live: AppCredential | None) -> AppCredential:
            assert live is not None
            return AppCredential(document)

    manifest = {"metadata": {"name": "orders"}, "spec": {"lifetime": "90d"}}

    found = tried_out(cast("Api", Tried()), manifest, lambda _: None)

    assert found.is_suspended
    assert found.text("spec", "lifetime") == "90d"
    assert found.at("status") == {"x": 1}


class Unable:
    """An API server at which the person may do nothing."""

    namespace = "shop"
    now = staticmethod(lambda: datetime(2026, 11, 22, tzinfo=UTC))

    def get(self, *_: str) -> AppCredential:
        raise ForbiddenError("no")

    try_out = get


def test_what_generators_write_for_the_server_counts_for_nothing() -> None:
    """`kubectl create --dry-run=client -o yaml` writes `creationTimestamp: null`."""
    metadata = {"name": "orders", "creationTimestamp": None, "managedFields": 5, "generation": "x"}

    found = tried_out(cast("Api", Unable()), {"metadata": metadata}, lambda _: None)

    assert found.time("metadata", "creationTimestamp") == Unable.now()
    assert found.generation == 1
    assert found.at("metadata", "managedFields") is None


@pytest.mark.parametrize("namespace", [5, [1], {"a": 1}, True, "Shop", "a/b"])
def test_an_odd_namespace_is_told(namespace: object) -> None:
    manifest = {"metadata": {"name": "orders", "namespace": namespace}}

    with pytest.raises(CliError, match="is no name of a namespace"):
        tried_out(cast("Api", Unable()), manifest, lambda _: None)
