"""How `make chart` reads kube-score and kubeconform, and what the schemas refuse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from charts import check
from charts.schemas import file_name, write_schemas
from charts.scores import OF_THE_TRIAL, OPINIONS, TRIAL, findings
from localcluster import Cluster
from localcluster.tools import locate_tool
from tests.chart.helming import CHART, Helm

PODS: dict[str, Any] = {
    "definitions": {
        "core.Pod": {
            "type": "object",
            "properties": {"spec": {"$ref": "#/definitions/core.Spec"}, "kind": {"type": "string"}},
            "x-kubernetes-group-version-kind": [{"group": "", "kind": "Pod", "version": "v1"}],
        },
        "core.Spec": {
            "type": "object",
            "properties": {
                "port": {"type": "string", "format": "int-or-string"},
                "labels": {"type": "object", "additionalProperties": {"type": "string"}},
                "any": {
                    "type": "object",
                    "x-kubernetes-preserve-unknown-fields": True,
                    "properties": {},
                },
                "properties": {"type": "object", "properties": {"format": {"type": "string"}}},
            },
        },
        "core.Other": {"type": "object"},
    }
}


def test_a_schema_holds_what_it_refers_to_and_refuses_what_is_not_described(tmp_path: Path) -> None:
    assert write_schemas(PODS, tmp_path) == 1
    schema = json.loads((tmp_path / "pod-v1.json").read_text())
    assert schema["$ref"] == "#/definitions/core.Pod"
    assert set(schema["definitions"]) == {"core.Pod", "core.Spec"}
    spec = schema["definitions"]["core.Spec"]
    assert spec["additionalProperties"] is False
    assert spec["properties"]["port"] == {"type": ["integer", "string"]}
    assert spec["properties"]["labels"]["additionalProperties"] == {"type": "string"}
    assert "additionalProperties" not in spec["properties"]["any"]
    assert spec["properties"]["properties"]["properties"] == {"format": {"type": "string"}}


@pytest.mark.parametrize(
    ("group", "kind", "name"),
    [
        ("", "Secret", "secret-v1.json"),
        ("apps", "Deployment", "deployment-apps-v1.json"),
        ("networking.k8s.io", "NetworkPolicy", "networkpolicy-networking-v1.json"),
    ],
)
def test_a_schema_is_named_as_kubeconform_asks_for_it(group: str, kind: str, name: str) -> None:
    assert file_name({"group": group, "kind": kind, "version": "v1"}) == name


def scorer(folder: Path, answer: object) -> Path:
    """Return a program that answers as kube-score does."""
    (folder / "answer").write_text(answer if isinstance(answer, str) else json.dumps(answer))
    program = folder / "kube-score"
    program.write_text(f"#!/bin/sh\ncat {folder}/answer\nexit 1\n")
    program.chmod(0o755)
    return program


def scores(name: str, *found: tuple[str, str]) -> dict[str, Any]:
    checks = [
        {
            "check": {"id": check, "name": check},
            "grade": 1,
            "skipped": False,
            "comments": [{"summary": summary, "path": ""}],
        }
        for check, summary in found
    ]
    skipped = {"check": {"id": "x"}, "grade": 1, "skipped": True, "comments": None}
    return {"object_name": f"Deployment/apps/v1/ns/{name}", "checks": [*checks, skipped]}


def found(folder: Path, answer: object) -> list[str]:
    return findings(scorer(folder, answer), folder / "manifests", "v1.36")


def test_an_opinion_that_we_do_not_follow_is_no_finding(tmp_path: Path) -> None:
    assert found(tmp_path, [scores("appcredential", *OPINIONS)]) == []
    assert found(tmp_path, [scores(TRIAL, *OPINIONS, *OF_THE_TRIAL)]) == []
    assert found(tmp_path, "null") == []


def test_what_holds_for_the_trial_does_not_for_the_operator(tmp_path: Path) -> None:
    lines = found(tmp_path, [scores("appcredential", *OF_THE_TRIAL)])
    assert len(lines) == len(OF_THE_TRIAL)
    assert lines[0].startswith("Deployment/apps/v1/ns/appcredential: ")


def test_another_finding_of_the_same_check_is_one(tmp_path: Path) -> None:
    lines = found(tmp_path, [scores("x", ("container-resources", "Memory limit is not set"))])
    assert lines == ["Deployment/apps/v1/ns/x: container-resources: Memory limit is not set"]


def test_an_answer_that_is_none_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="did not score"):
        found(tmp_path, "usage: …")


# --- with the programs, which only `make chart` builds ------------------------------------------


@pytest.fixture(scope="module")
def schemas(bare: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Path:
    bare.install_crds(CHART / "crds")
    folder = tmp_path_factory.mktemp("schemas")
    write_schemas(bare.api.call("GET", "/openapi/v2"), folder)
    return folder


@pytest.mark.checkers
@pytest.mark.cluster
@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("replicas: 2", "replcas: 2", "'replcas' not allowed"),
        ("replicas: 2", 'replicas: "2"', "got string, want"),
        ("kind: Deployment", "kind: Deploymend", "could not find schema"),
    ],
)
def test_kubeconform_refuses_what_the_api_server_would(
    helm: Helm, schemas: Path, tmp_path: Path, old: str, new: str, said: str
) -> None:
    program, path = locate_tool("kubeconform"), tmp_path / "manifests.yaml"
    text = helm.template()
    path.write_text(text)
    assert check.refusals(program, path, schemas) == []
    assert old in text
    path.write_text(text.replace(old, new))
    lines = check.refusals(program, path, schemas)
    assert any(said in line for line in lines), lines


@pytest.mark.checkers
def test_kube_score_finds_what_is_worse(helm: Helm, tmp_path: Path) -> None:
    program, path = locate_tool("kube-score"), tmp_path / "manifests.yaml"
    text = helm.template()
    path.write_text(text)
    assert findings(program, path, "v1.36") == []
    assert "readOnlyRootFilesystem: true" in text
    path.write_text(text.replace("readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false"))
    assert any(
        "container-security-context-readonlyrootfilesystem" in line
        for line in findings(program, path, "v1.36")
    )
