"""The reference tables agree with the code and the CRDs, in both directions."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from typing import Any, Final

import pytest
import yaml

from appcredential.domain import conditions
from appcredential.domain.conditions import ConditionType, Reason
from appcredential.domain.spec.durations import format_duration
from appcredential.domain.spec.manifest import (
    Certificate,
    GenerateOnce,
    PrivateKey,
    Secret,
    Verification,
)
from appcredential.domain.spec.manifest_rotation import Rotation
from appcredential.domain.spec.model import DEFAULT_LIFETIME
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
from tests.docs.reading import ROOT, blocks, rows

CONDITIONS: Final = (ROOT / "docs" / "conditions.md").read_text()
API: Final = (ROOT / "docs" / "api.md").read_text()
README: Final = (ROOT / "README.md").read_text()
KINDS: Final = {
    "AppCredential": "appcredentials",
    "EntraTenant": "entratenants",
    "ApplicationGrant": "applicationgrants",
}

BY_THE_PARSER: Final = {
    "spec.identity.certificate.rotation.lifetime": "90d",
    "spec.identity.clientSecret.rotation.lifetime": "90d",
    "spec.certificate.keystore.pkcs12.profile": "Modern2023",
    # Grant and tenant may shorten it.
    "spec.lifetime": format_duration(DEFAULT_LIFETIME),
    # In an object that may be {} a default of the schema breaks server-side apply.
    "spec.certificate.source": str(Certificate().source),
    "spec.certificate.privateKey.algorithm": PrivateKey().algorithm,
    "spec.certificate.privateKey.size": str(PrivateKey().size),
    "spec.rotation.retireWhen": str(Rotation().retire_when),
    "spec.verification.mode": str(Verification().mode),
    "spec.verification.scope": str(Verification().scope),
    "spec.secret.preset": str(Secret().preset),
    "spec.secret.mountPath": Secret().mount_path,
    "spec.secret.data.KEY.generateOnce.length": str(GenerateOnce().length),
}
"""Defaults that the schema cannot give."""


def sentences() -> dict[str, str]:
    """Return each reason with the sentence that stands under it in the code."""
    module = ast.parse((ROOT / str(conditions.__file__)).read_text())
    (reasons,) = (n for n in module.body if isinstance(n, ast.ClassDef) and n.name == "Reason")
    found: dict[str, str] = {}
    name = ""
    for node in reasons.body[1:]:
        if isinstance(node, ast.Assign):
            name = str(ast.literal_eval(node.value))
        elif isinstance(node, ast.Expr):
            found[name] = str(ast.literal_eval(node.value))
    return found


def crd(kind: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "crds" / f"{KINDS[kind]}.yaml").read_text())
    return found


def version(kind: str) -> dict[str, Any]:
    (served,) = crd(kind)["spec"]["versions"]
    assert isinstance(served, dict)
    return served


def fields(schema: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, schema
    for name, inner in schema.get("properties", {}).items():
        yield from fields(inner, f"{path}.{name}")
    if "items" in schema:
        yield from fields(schema["items"], f"{path}[]")
    if isinstance(schema.get("additionalProperties"), dict):
        yield from fields(schema["additionalProperties"], f"{path}.KEY")


def section(kind: str) -> str:
    return API.split(f"\n## {kind}\n")[1].split("\n## ")[0]


def schema_of(kind: str) -> dict[str, dict[str, Any]]:
    top = version(kind)["schema"]["openAPIV3Schema"]["properties"]
    return {path: schema for part in ("spec", "status") for path, schema in fields(top[part], part)}


# --- conditions.md --------------------------------------------------------------------------


def test_the_table_lists_every_reason_and_no_other() -> None:
    listed = [cells[0].strip("`") for cells in rows(CONDITIONS, "reason", "meaning", "remedy")]
    assert len(listed) == len(set(listed))
    assert sorted(listed) == sorted(Reason)


def test_a_reason_means_in_the_table_what_it_means_in_the_code() -> None:
    told = {c[0].strip("`"): c[1] for c in rows(CONDITIONS, "reason", "meaning", "remedy")}
    assert told == sentences()


def test_every_reason_has_a_remedy_or_says_that_none_is_needed() -> None:
    for reason, _, remedy in rows(CONDITIONS, "reason", "meaning", "remedy"):
        assert remedy == "–" or remedy.endswith("."), reason


def test_the_types_are_those_of_the_code() -> None:
    prose = CONDITIONS.split("| reason |")[0]
    assert set(re.findall(r"\*\*(\w+)\*\*", prose)) == set(ConditionType)


def test_every_reason_is_used() -> None:
    source = "".join(p.read_text() for p in (ROOT / "operator" / "appcredential").rglob("*.py"))
    assert [reason.name for reason in Reason if f"Reason.{reason.name}" not in source] == []


def emitted(tree: ast.Module) -> Iterator[str]:
    """Yield the reasons that stand as words in the calls that emit an Event."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
            reason = node.args[1] if name == "emit" else ast.Pass()
            # Either word of a choice; the words of its condition are none.
            choices = [reason.body, reason.orelse] if isinstance(reason, ast.IfExp) else [reason]
            yield from (str(c.value) for c in choices if isinstance(c, ast.Constant))


def test_every_event_that_the_operator_emits_is_told() -> None:
    source = (ROOT / "operator" / "appcredential").rglob("*.py")
    found = {reason for path in source for reason in emitted(ast.parse(path.read_text()))}
    prose = CONDITIONS.split("Events on an AppCredential:")[1].split("\n\n")[0]
    assert found == set(re.findall(r"`(\w+)`", prose))


# --- api.md; tests/crds holds the other direction, that every field stands there ------------


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_in_the_reference_is_in_the_schema(kind: str) -> None:
    known = schema_of(kind)
    spec = rows(section(kind), "field", "default", "meaning")
    status = rows(section(kind), "field", "meaning")
    assert spec
    assert status
    for cells in (*spec, *status):
        assert cells[0].strip("`") in known, cells[0]


@pytest.mark.parametrize("kind", KINDS)
def test_defaults_in_the_reference_are_those_of_the_schema(kind: str) -> None:
    known = schema_of(kind)
    for field, default, _ in rows(section(kind), "field", "default", "meaning"):
        schema = known[field.strip("`")]
        if "default" in schema and schema["default"] != {}:
            wanted = schema["default"]
            text = wanted if isinstance(wanted, str) and wanted else json.dumps(wanted)
            assert default == f"`{text}`", field
        elif default.startswith("`"):
            assert default.strip("`") == BY_THE_PARSER[field.strip("`")], field


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_reference_calls_required_is_required(kind: str) -> None:
    known = schema_of(kind)
    for field, default, _ in rows(section(kind), "field", "default", "meaning"):
        parent, _, name = field.strip("`").rpartition(".")
        needed = name in known[parent].get("required", ())
        if default == "required":
            rules = json.dumps(known[parent].get("x-kubernetes-validations", []))
            assert needed or f"has(self.{name})" in rules, field
        else:
            assert not needed, field


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_reference_calls_immutable_is_immutable(kind: str) -> None:
    told = {
        cells[0].strip("`")
        for cells in rows(section(kind), "field", "default", "meaning")
        if "*Immutable.*" in cells[2]
    }
    rules = json.dumps(version(kind)["schema"]["openAPIV3Schema"])
    assert bool(told) == ("oldSelf" in rules)
    for path in told:
        assert path.split(".")[-1] in rules


def test_the_columns_are_those_that_kubectl_prints() -> None:
    columns = version("AppCredential")["additionalPrinterColumns"]
    wanted = ["NAME", *(c["name"].upper() for c in columns if not c.get("priority"))]
    for text in (API, README):
        (header,) = (
            line
            for block in blocks(text, "console")
            for line in block.splitlines()
            if line.startswith("NAME ")
        )
        assert re.split(r"\s{2,}", header.strip()) == wanted


def test_the_keys_of_each_preset_are_told() -> None:
    found = {c[0]: sorted(re.findall(r"`([\w.]+)`", c[1])) for c in rows(API, "preset", "keys")}
    assert found == {
        f"`{preset}`, {kind}": sorted(keys) for (preset, kind), keys in PRESET_KEYS.items()
    }


def test_what_is_reserved_is_told() -> None:
    paragraph = API.split("No setting allows")[1].split("except those above")[0]
    assert set(re.findall(r"`([\w.]+)`", paragraph)) == {*RESERVED_DOMAINS, *RESERVED_KEYS}
    for name in (*RESERVED_SECRETS, *RESERVED_CONFIG_MAPS, *RESERVED_NAMESPACES):
        assert f"`{name}`" in API
    allowed = "".join(cells[0] for cells in rows(API, "key", "for"))
    assert {key.split(":")[0] for key in re.findall(r"`([^`]+)`", allowed)} == set(ALLOWED_KEYS)
    for name in RESERVED_NAMES:
        assert f"`{name}`" in API
