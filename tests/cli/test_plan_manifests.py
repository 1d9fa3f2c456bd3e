"""Which documents of a file are planned, and what stands for a check that may not be made."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from appcredential.cli.api import Api
from appcredential.cli.app_credential import AppCredential
from appcredential.cli.errors import CliError, ForbiddenError, NotThereError
from appcredential.cli.plan.manifests import documents, tried_out
from tests.cli.scenes import NOW, document, published

OURS = "{apiVersion: appcredential.io/v1alpha1, kind: AppCredential, metadata: {name: a}}"


class Scripted:
    """An API server that holds one resource or none, and answers what is tried out."""

    namespace = "shop"

    def __init__(self, live: dict[str, Any] | None = None, error: CliError | None = None) -> None:
        self._live, self._error = live, error
        self.tried: list[tuple[dict[str, Any], bool]] = []

    def now(self) -> Any:
        return NOW

    def get(self, _namespace: str, name: str) -> AppCredential:
        if self._live is None:
            raise NotThereError(f"{name} not found")
        return AppCredential(self._live)

    def try_out(self, found: dict[str, Any], live: AppCredential | None) -> AppCredential:
        self.tried.append((found, live is not None))
        if self._error is not None:
            raise self._error
        return AppCredential({**found, "spec": {**found["spec"], "filled": "in"}})


def test_documents_of_other_kinds_are_left_out_and_named(tmp_path: Path) -> None:
    file, noted = tmp_path / "all.yaml", list[str]()
    listed = (
        f"{{apiVersion: v1, kind: List, items: [{OURS}, {{kind: Pod, metadata: {{name: b}}}}]}}"
    )
    file.write_text(f"{OURS}\n---\n---\n5\n---\n{listed}\n---\nkind: AppCredential\n")

    found = documents(str(file), noted.append)

    assert [d["metadata"]["name"] for d in found] == ["a", "a"]
    assert [line.partition(": ")[2] for line in noted] == ["Pod b", "AppCredential "]


@pytest.mark.parametrize("content", [b"\xff\xfe", None])
def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "x"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(CliError, match="cannot be read"):
        documents(str(file), list[str]().append)


def test_a_new_one_is_tried_out_in_the_namespace_of_the_context() -> None:
    api, made = Scripted(), document()
    del made["metadata"]["namespace"]

    found = tried_out(cast("Api", api), made, list[str]().append)

    ((sent, exists),) = api.tried
    assert (sent["metadata"]["namespace"], "status" in sent, exists) == ("shop", False, False)
    assert found.at("spec", "filled") == "in"
    assert found.at("status") == {}


def test_one_that_exists_keeps_what_only_it_has() -> None:
    live = document(status=published(), uid="its-own")
    api, manifest = Scripted(live), {**document(), "metadata": {"name": "orders"}}

    found = tried_out(cast("Api", api), manifest, list[str]().append)

    assert (found.at("metadata", "uid"), found.key_id) == (
        "its-own",
        published()["credential"]["keyId"],
    )


@pytest.mark.parametrize(
    "error", [ForbiddenError("you may not"), CliError("webhook x does not support dry run")]
)
def test_what_may_not_be_tried_out_is_noted(error: CliError) -> None:
    noted = list[str]()

    found = tried_out(cast("Api", Scripted(error=error)), document(), noted.append)

    assert found.name == "orders"
    assert noted == [f"the manifest was not checked by the API server: {error}"]


def test_a_refusal_and_a_missing_name_end_it() -> None:
    with pytest.raises(CliError, match=r"spec\.x"):
        tried_out(cast("Api", Scripted(error=CliError("spec.x: no"))), document(), print)
    with pytest.raises(CliError, match=r"metadata\.name: is required"):
        tried_out(cast("Api", Scripted()), {"metadata": 5}, print)
