"""What every schema of ours has, read from the files alone."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, Final

import pytest
import yaml

from appcredential.domain.demanded import SCHEMA_VERSION, schema_version
from appcredential.domain.spec.model import CredentialType
from appcredential.domain.spec.presets import PRESET_KEYS
from appcredential.domain.spec.reserved import (
    ALLOWED_KEYS,
    RESERVED_CONFIG_MAPS,
    RESERVED_DOMAINS,
    RESERVED_KEYS,
    RESERVED_NAMES,
    RESERVED_NAMESPACES,
    RESERVED_SECRETS,
)
from appcredential.domain.spec.secret import Preset
from tests.crds.manifests import APP, CRDS, GRANT, PLURALS, ROOT

KINDS: Final = sorted(PLURALS)
_IMPLICIT: Final = {"apiVersion", "kind", "metadata"}
"""What the API server itself fills in; it allows no description of metadata."""


@cache
def _crd(kind: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((CRDS / f"{PLURALS[kind]}.yaml").read_text())
    return found


def _schema(kind: str) -> dict[str, Any]:
    found: dict[str, Any] = _crd(kind)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return found


def _fields(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    for name, field in schema.get("properties", {}).items():
        if path or name not in _IMPLICIT:
            yield f"{path}.{name}", field
            yield from _fields(field, f"{path}.{name}")
    for inner in ("items", "additionalProperties"):
        if inner in schema:
            yield f"{path}[]", schema[inner]
            yield from _fields(schema[inner], f"{path}[]")


def _bounds(field: dict[str, Any]) -> tuple[str, ...]:
    """Return the keywords of which the field needs one."""
    if field["type"] == "string":
        return ("maxLength", "enum")
    if field["type"] == "array":
        return ("maxItems",)
    return ("maxProperties",) if "additionalProperties" in field else ()


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_is_described(kind: str) -> None:
    bare = [path for path, field in _fields(_schema(kind)) if not field.get("description")]
    assert bare == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_stands_in_the_reference(kind: str) -> None:
    section = (ROOT / "docs" / "api.md").read_text().split(f"\n## {kind}\n")[1].split("\n## ")[0]
    leaves = [path[1:] for path, field in _fields(_schema(kind)) if "properties" not in field]
    # A condition's fields are Kubernetes' own, and a list or map is explained as a whole.
    named = [path for path in leaves if ".conditions[]" not in path and not path.endswith("[]")]
    wanted = [path.replace("data[]", "data.KEY") for path in named]
    # A list of objects is explained by their fields.
    federation = {"spec.federation.gitHub", "spec.federation.azureDevOps"}
    git_hub = {f"spec.federatedIdentity.gitHub.{name}" for name in ("repositories", "entities")}
    trusts = {"status.federatedIdentities", "status.federatedIdentityProblems"}
    lists = {"status.retiring", *trusts, *federation, *git_hub}
    plain = [path for path in wanted if path not in lists]
    assert [path for path in plain if f"| `{path}` |" not in section] == []


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_unbounded(kind: str) -> None:
    fields = [(path, field, _bounds(field)) for path, field in _fields(_schema(kind))]
    assert [path for path, field, any_of in fields if any_of and not set(any_of) & set(field)] == []
    lists = [(path, field) for path, field in _fields(_schema(kind)) if field["type"] == "array"]
    assert [path for path, field in lists if "x-kubernetes-list-type" not in field] == []


@pytest.mark.parametrize("kind", KINDS)
def test_durations_have_one_form(kind: str) -> None:
    found = [field for _, field in _fields(_schema(kind)) if field.get("format") == "duration"]
    forms = {(field["minLength"], field["maxLength"], field["pattern"]) for field in found}
    assert len(forms) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_formats_are_confirmed_by_a_rule(kind: str) -> None:
    """The API server takes `[]` for a string with a format unless a rule looks at it."""
    spec = _schema(kind)["properties"]["spec"]
    formats = ("duration", "date-time")
    found = [
        (path, field) for path, field in _fields(spec, ".spec") if field.get("format") in formats
    ]
    assert [path for path, field in found if "x-kubernetes-validations" not in field] == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_rule_has_a_message(kind: str) -> None:
    fields = [field for _, field in _fields(_schema(kind))]
    rules = [rule for field in fields for rule in field.get("x-kubernetes-validations", ())]
    assert rules
    assert [rule["rule"] for rule in rules if not rule.get("message")] == []


@pytest.mark.parametrize("kind", KINDS)
def test_what_may_be_empty_has_no_defaults_inside(kind: str) -> None:
    """Who changes to server-side apply takes them away, and is refused: null would be left.

    An object that has a default itself gets it instead of null.
    """
    spec = _schema(kind)["properties"]["spec"]
    objects = [(p, f) for p, f in _fields(spec) if f.get("properties") and not f.get("required")]
    assert objects
    inner = {
        path: [name for name, member in field["properties"].items() if "default" in member]
        for path, field in objects
        if "default" not in field
    }
    assert {path: names for path, names in inner.items() if names} == {}


@pytest.mark.parametrize("kind", KINDS)
def test_lists_of_objects_have_keys(kind: str) -> None:
    """In an atomic list every default is a difference to what another manager applies."""
    lists = [f for _, f in _fields(_schema(kind)) if f["type"] == "array"]
    atomic = [f for f in lists if f["x-kubernetes-list-type"] == "atomic"]
    assert [f for f in atomic if "properties" in f["items"]] == []


@pytest.mark.parametrize("kind", KINDS)
def test_schema_version(kind: str) -> None:
    crd = _crd(kind)
    assert schema_version(crd) == SCHEMA_VERSION
    assert crd["metadata"]["name"] == f"{PLURALS[kind]}.appcredential.io"


@pytest.mark.parametrize("kind", KINDS)
def test_a_fresh_status_is_not_current(kind: str) -> None:
    status = _schema(kind)["properties"]["status"]
    assert status["default"] == {}
    assert status["properties"]["observedGeneration"]["default"] == -1


def _secret_field(name: str) -> dict[str, Any]:
    spec = _schema(APP)["properties"]["spec"]
    found: dict[str, Any] = spec["properties"]["secret"]["properties"][name]
    return found


def _rules(schema: dict[str, Any]) -> str:
    return " ".join(rule["rule"] for rule in schema["x-kubernetes-validations"])


@pytest.mark.parametrize("name", ["labels", "annotations"])
def test_reserved_keys_are_those_of_the_parser(name: str) -> None:
    rules = _rules(_secret_field(name))
    domains = "|".join(domain.replace(".", "[.]") for domain in RESERVED_DOMAINS)
    allowed = ", ".join(f"'{key}'" for key in ALLOWED_KEYS)
    never = ", ".join(f"'{key}'" for key in RESERVED_KEYS)
    refused = f"!(k in [{never}] || k.matches('^([^/]*[.])?({domains})/'))"
    assert f"self.all(k, k in [{allowed}] || {refused})" in rules


def test_reserved_names_are_those_of_the_parser() -> None:
    starts = " || ".join(f"self.startsWith('{name}')" for name in RESERVED_NAMES)
    listed = ", ".join(f"'{name}'" for name in RESERVED_SECRETS)
    assert f"!({starts} || self in [{listed}])" in _rules(_secret_field("name"))


def test_reserved_config_maps_are_those_of_the_parser() -> None:
    spec = _schema(APP)["properties"]["spec"]["properties"]["federatedIdentity"]
    name = spec["properties"]["configMap"]["properties"]["name"]
    listed = ", ".join(f"'{reserved}'" for reserved in RESERVED_CONFIG_MAPS)
    assert f"!(self in [{listed}])" in _rules(name)


def test_reserved_namespaces_are_those_of_the_parser() -> None:
    spec = _schema(GRANT)["properties"]["spec"]
    names = spec["properties"]["namespaces"]["properties"]["names"]
    listed = ", ".join(f"'{reserved}'" for reserved in RESERVED_NAMESPACES)
    assert f"!self.exists(name, name in [{listed}])" in _rules(names)


def test_preset_keys_are_those_of_the_parser() -> None:
    rules = _rules(_schema(APP)["properties"]["spec"])
    for preset in Preset:
        listed = {
            kind: "[" + ", ".join(f"'{key}'" for key in PRESET_KEYS[preset, kind]) + "]"
            for kind in CredentialType
            if (preset, kind) in PRESET_KEYS
        }
        keys = listed[CredentialType.CLIENT_SECRET]
        if CredentialType.CERTIFICATE in listed:
            keys = f"(self.type == 'Certificate' ? {listed[CredentialType.CERTIFICATE]} : {keys})"
        assert (
            f"self.secret.?preset.orValue('AzureIdentity') == '{preset}' ? "
            f"self.secret.data.all(k, !(k in {keys})) : true"
        ) in rules


@pytest.mark.parametrize("kind", KINDS)
def test_every_id_says_how_it_is_written(kind: str) -> None:
    """A pattern alone is no remedy for who pastes an id in upper case."""
    spec = _schema(kind)["properties"]["spec"]
    ids = [(p, f) for p, f in _fields(spec) if f.get("pattern", "").startswith("^[0-9a-f]{8}-")]
    assert ids
    silent = [p for p, f in ids if "self.lowerAscii()" not in _rules(f)]
    assert silent == []
