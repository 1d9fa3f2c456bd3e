"""No secret value is seen anywhere but in its Secret, whatever happens in a whole life."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Final

import pytest

from appcredential.domain.audit import ANNOTATION
from tests.process.conftest import NewSite, at_once
from tests.process.installation import READING, SETTINGS, Site
from tests.process.leaks import forms, leaks, secrets_of, texts_of
from tests.process.operators import Operator
from tests.process.waiting import wait_for
from tests.process.workloads import Certified, Workload

pytestmark = [pytest.mark.cluster, pytest.mark.process]

EXTRA: Final = {
    "CONNECTION": {"value": "id=$(clientId);secret=$(clientSecret)"},
    "cookie": {"generateOnce": {"length": 32}},
}
PEM_LINE: Final = 64
MINT: Final = "application.addPassword"
# How Entra may answer, and the fault that makes it.
TROUBLES: Final[dict[str, tuple[str, str, dict[str, object]]]] = {
    "refused": ("token-error", "token", {"code": 7000215, "count": 2}),
    "policy": (
        "graph-error",
        MINT,
        {"status": 400, "code": "CredentialTypeNotAllowedAsPerAppPolicy"},
    ),
    "gateway": ("unavailable", MINT, {"count": 1}),
    "lost": ("timeout-after-commit", MINT, {"count": 1}),
}


def _no_value_leaves_its_secret(new_site: NewSite) -> None:
    site = new_site()
    with site.operator(settings=READING) as operator:
        assert READING["APPCREDENTIAL_LOG_LEVEL"] == "DEBUG"
        texts = _live(site, operator)
        values = secrets_of(site)
        assert len([value for value in values if value.startswith("eyJ")]) >= 2
        assert len([value for value in values if len(value) == PEM_LINE]) >= 20
        records = [text for text in texts.values() if f'"{ANNOTATION}"' in text]
        assert len(records) >= 10, "the Events' records were searched, too"
        assert '"logger": "appcredential.audit"' in texts["the operator's log"]
        assert not leaks(texts, values)


def _a_careless_debug_line_is_caught(new_site: NewSite) -> None:
    site = new_site()
    with site.operator(settings={**SETTINGS, "INSTRUMENTED_BREAK": "leak"}) as operator:
        Workload(site, "orders").issue()
        found = leaks(texts_of(site, operator), secrets_of(site))
        assert ("the operator's log", "itself") in found
        assert {place for place, _ in found} == {"the operator's log"}


test_no_value_leaves_its_secret = at_once(_no_value_leaves_its_secret)
test_a_careless_debug_line_is_caught = at_once(_a_careless_debug_line_is_caught)


def _live(site: Site, operator: Operator) -> dict[str, str]:
    """Let everything happen; return what could be read on the way and at the end."""
    orders = Workload(site, "orders")
    troubled = {name: Workload(site, name) for name in TROUBLES}
    for name, (fault, operation, words) in TROUBLES.items():
        troubled[name].rule(fault, operation, **words)
        troubled[name].create()
    orders.create(secret={"data": EXTRA})
    certified = Certified(site, "certified")
    certified.create()
    wait_for(lambda: orders.pending().get("data"), "a pending Secret", 20, orders.describe)
    texts = _marked("early", texts_of(site, operator))
    orders.settle()
    generated = base64.b64decode(orders.target()["data"]["cookie"]).decode()
    orders.rotate()
    for name in ("refused", "gateway", "lost"):
        troubled[name].settle()
    wait_for(lambda: troubled["policy"].condition("Stalled"), "a refusal", 20, operator.child.tail)
    orders.settle()
    certified.settle()
    orders.delete()
    wait_for(lambda: site.tickets("orders"), "a ticket", 20, operator.child.tail)
    texts |= _marked("late", texts_of(site, operator))
    wait_for(orders.is_gone, "a finished deletion", 30, operator.child.tail)
    texts |= texts_of(site, operator)
    assert not leaks(texts, {generated})
    return texts


def _marked(when: str, texts: Mapping[str, str]) -> dict[str, str]:
    return {f"{place}, {when}": text for place, text in texts.items()}


@pytest.mark.parametrize("form", forms("x"))
def test_every_form_is_found(form: str) -> None:
    value = "Zq7=/+ 'made-up' value~of.a_secret?>"
    texts = {"a log": f'{{"event": "got {forms(value)[form]} from Entra"}}', "another": "nothing"}
    assert ("a log", form) in leaks(texts, {value})
    assert not leaks({"another": "nothing"}, {value})


def test_a_token_is_found_although_nobody_knows_it() -> None:
    assert leaks({"a log": "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"}, ()) == {
        ("a log", "a token")
    }
