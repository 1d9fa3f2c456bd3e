"""docs/audit.md tells each member, change and result, and its example is what the log has."""

from __future__ import annotations

import ast
import inspect
import json
import logging
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from appcredential.domain import audit as records
from appcredential.domain.audit import (
    ANNOTATION,
    VERSION,
    AuditedApplication,
    AuditedCredential,
    AuditedResource,
    AuditRecord,
    Change,
    Result,
)
from appcredential.domain.observed.actors import Actor
from appcredential.effects import audit
from appcredential.graph_call import GraphCall
from appcredential.runtime.logs import JsonFormatter
from tests.docs.reading import ROOT, blocks, rows

PAGE: Final = (ROOT / "docs" / "audit.md").read_text()
RECORD: Final = AuditRecord(
    change=Change.ISSUED,
    resource=AuditedResource(
        namespace="shop",
        name="orders",
        uid="6b0e8a52-92a1-4c2f-9d33-0f6f7f1a8f11",
        generation=3,
        actors=(Actor("argocd-controller", "Apply", datetime(2026, 11, 22, 10, tzinfo=UTC)),),
    ),
    application=AuditedApplication(
        tenant="default",
        tenant_id="44444444-4444-4444-8444-444444444444",
        client_id="33333333-3333-4333-8333-333333333333",
        object_id="55555555-5555-4555-8555-555555555555",
        operator="66666666-6666-4666-8666-666666666666",
    ),
    credential=AuditedCredential(
        type="ClientSecret",
        key_id="11111111-1111-4111-8111-111111111111",
        attempt="k3qjx2m5d7b4ta",
    ),
    graph=GraphCall(
        "application.addPassword",
        "88888888-8888-4888-8888-888888888888",
        "77777777-7777-4777-8777-777777777777",
        200,
    ),
)


def sentences(name: str) -> dict[str, str]:
    """Return each value of a closed set with the sentence under it in the code."""
    module = ast.parse(inspect.getsource(records))
    (found,) = (n for n in module.body if isinstance(n, ast.ClassDef) and n.name == name)
    values = [n for n in found.body if isinstance(n, ast.Assign)]
    told = [n for n in found.body[1:] if isinstance(n, ast.Expr)]
    pairs = zip(values, told, strict=True)
    return {ast.literal_eval(v.value): ast.literal_eval(t.value) for v, t in pairs}


def members(document: dict[str, Any], within: str = "") -> Iterator[str]:
    for name, value in document.items():
        if isinstance(value, dict):
            yield from members(value, f"{within}{name}.")
        elif isinstance(value, list):
            yield from members(value[0], f"{within}{name}[].")
        else:
            yield f"{within}{name}"


def test_the_example_is_what_the_log_has(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    audit.write(RECORD)
    (line,) = caplog.records
    line.created = datetime(2026, 11, 22, 10, 0, 5, tzinfo=UTC).timestamp()
    (example,) = blocks(PAGE, "json")
    assert json.loads(example) == json.loads(JsonFormatter().format(line))
    assert list(json.loads(example)["audit"]) == list(RECORD.document())


def test_each_member_is_told_and_no_other() -> None:
    credential = replace(RECORD.credential, name="n")
    whole = replace(RECORD, credential=credential, cause="c", object="o").document()
    cells = [row[0] for row in rows(PAGE, "member", "meaning")]
    assert sorted(re.findall(r"`([^`]+)`", " ".join(cells))) == sorted(members(whole))
    assert f"of this form: {VERSION}." in PAGE
    assert f"`{ANNOTATION}`" in PAGE


def test_each_change_means_what_it_means_in_the_code() -> None:
    told = {row[0].strip("`"): row[1] for row in rows(PAGE, "change", "meaning", "Event")}
    assert told == sentences("Change")
    assert list(told) == list(Change)


def test_each_result_means_what_it_means_in_the_code() -> None:
    told = {row[0].strip("`"): row[1] for row in rows(PAGE, "result", "meaning")}
    assert told == sentences("Result")
    assert list(told) == list(Result)
