"""A Secret that would become too large is never rendered: what works stays, and status says why."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NoReturn

import pytest

from appcredential.domain.conditions import Reason
from appcredential.domain.facts.content import TOO_LARGE, content_problem
from appcredential.domain.facts.facts import Facts
from appcredential.domain.lifecycle import decide
from appcredential.domain.observed.certificate import CertificateInputs, SuppliedCertificate
from appcredential.domain.observed.memory import Memory
from appcredential.domain.observed.target import HandedOver, Target
from appcredential.domain.rules import issuing
from appcredential.domain.rules import target as target_rules
from appcredential.domain.secret.size import MAX_SECRET, secret_bytes
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import AppCredentialSpec, CredentialType
from appcredential.domain.spec.secret import GenerateOnce, Template
from tests.support.builders import (
    DAY,
    HOUR,
    NEXT,
    NEXT_ATTEMPT,
    NOW,
    SECOND,
    application,
    credential,
    facts,
    minted,
    observation,
    pending,
    proven,
    resource,
    retiring,
    spec,
    target,
    tenant,
)
from tests.support.keys import make_certificate

MADE = make_certificate("orders")
PAIR = SecretValue(MADE.bundle.decode())
NEXT_PAIR = SecretValue(make_certificate("next").bundle.decode())
MODEST = {"both": Template("$(privateKey)$(certificate)")}
LARGE = {f"key-{n}": Template("$(privateKey)$(certificate)" * 8) for n in range(32)}
JWKS = {f"key-{n}": Template("$(jwk)" * 16) for n in range(32)}


def asking(data: Any) -> AppCredentialSpec:
    wanted = replace(spec(), type=CredentialType.CERTIFICATE)
    return replace(wanted, secret=replace(wanted.secret, data=data))


def held(**words: Any) -> Target:
    """Return the target Secret as it was before the spec asked for more."""
    return target(minted(value=PAIR), value=PAIR, spec=asking({}), **words)


def seen(data: Any, **words: Any) -> Facts:
    words.setdefault("target", held())
    return facts(observation(resource=resource(asking(data)), **words))


def _never(*_: object, **__: object) -> NoReturn:
    raise AssertionError("it was rendered")


@pytest.mark.parametrize("data", [LARGE, JWKS])
def test_nothing_is_issued_for_it(data: Any) -> None:
    words: dict[str, Any] = {"target": None, "application": application()}
    assert content_problem(seen(data, **words)) is TOO_LARGE
    assert issuing.successor_is_needed(seen(data, **words)) is None
    assert content_problem(seen(MODEST, **words)) is None
    assert issuing.successor_is_needed(seen(MODEST, **words)) is not None


def test_nothing_is_proven_or_published_for_it() -> None:
    coming = pending(
        minted_as=minted(NEXT, attempt=NEXT_ATTEMPT, value=NEXT_PAIR, not_before=NOW - 5 * SECOND),
        value=NEXT_PAIR,
    )
    listed = application(credential(), credential(NEXT, attempt=NEXT_ATTEMPT, start=NOW))
    for data, is_small in ((LARGE, False), (MODEST, True)):
        unproven = seen(data, pending=coming, application=listed)
        assert (issuing.successor_sign_in_is_due(unproven) is not None) is is_small
        memory = Memory(pending_proof=proven(times=20))
        f = seen(data, pending=coming, application=listed, memory=memory)
        assert (issuing.successor_is_publishable(f) is not None) is is_small


def test_what_is_published_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither repaired nor noted in: every write would render it."""
    monkeypatch.setattr(target_rules, "render", _never)
    f = seen(LARGE, target=held(retiring=(retiring(),)))
    assert target_rules.target_rendering_differs(f) is None
    assert target_rules.removal_was_seen(f) is None
    assert target_rules.removal_was_seen(seen(MODEST, target=held(retiring=(retiring(),))))


def test_status_names_the_remedy_and_what_works_stays_ready(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(target_rules, "render", _never)
    status = decide(observation(resource=resource(asking(LARGE)), target=held())).status
    conditions = {c["type"]: c for c in status["conditions"]}
    assert conditions["Stalled"]["reason"] == Reason.SECRET_TOO_LARGE
    assert "512 KiB" in conditions["Stalled"]["message"]
    assert (
        "refer to fewer or shorter values in spec.secret.data" in conditions["Stalled"]["message"]
    )
    assert (conditions["Ready"]["status"], conditions["Ready"]["reason"]) == (
        "True",
        Reason.ROTATION_FAILING,
    )


def test_a_long_chain_at_the_source_counts() -> None:
    long = SecretValue(PAIR.reveal() + MADE.pem.decode() * 90)
    found = SuppliedCertificate(value=long, start=NOW - DAY, end=NOW + 90 * DAY)
    f = seen({"chain": Template("$(certificate)" * 6)})
    o = replace(f.observation, certificate_inputs=CertificateInputs(supplied=found))
    assert content_problem(facts(o)) is TOO_LARGE
    assert target_rules.target_rendering_differs(facts(o)) is not None, "what is held is small"


def test_a_former_owners_content_counts_while_it_stays() -> None:
    large = {"theirs": SecretValue("x" * MAX_SECRET), **held().data}
    handed = HandedOver(keys=frozenset({"theirs"}), until=NOW + HOUR)
    for until, expected in ((NOW + HOUR, TOO_LARGE), (NOW, None)):
        ours = replace(held(), data=large, handed_over=replace(handed, until=until))
        assert content_problem(seen({}, target=ours)) is expected


def test_what_others_keep_in_the_secret_does_not_count() -> None:
    """Else whoever fills the Secret would stop its renewals."""
    filled = replace(held(), data={"others": SecretValue("x" * MAX_SECRET), **held().data})
    assert content_problem(seen({}, target=filled)) is None


def test_what_is_taken_over_counts() -> None:
    theirs = replace(
        target(spec=replace(spec(), secret=replace(spec().secret, data={"a": GenerateOnce(512)}))),
        owner="shop/former",
    )
    large = replace(theirs, data={**theirs.data, "a": SecretValue("x" * MAX_SECRET)})
    wanted = asking({})
    wanted = replace(wanted, secret=replace(wanted.secret, take_over_from="former"))
    f = facts(observation(resource=resource(wanted), target=large))
    assert f.taken is not None
    assert content_problem(f) is TOO_LARGE


@pytest.mark.parametrize("value", [None, SecretValue("no certificate"), PAIR])
def test_what_is_not_made_yet_counts_as_the_largest(value: SecretValue | None) -> None:
    known = secret_bytes(asking(MODEST), tenant(), PAIR, {})
    assert secret_bytes(asking(MODEST), tenant(), value, {}) >= known
    secret = spec()
    assert secret_bytes(secret, tenant(), None, {}) > secret_bytes(
        secret, tenant(), SecretValue("x" * 40), {}
    )


def test_generated_values_count() -> None:
    data = {"cookie": GenerateOnce(512)}
    both = [secret_bytes(asking(d), tenant(), PAIR, {}) for d in ({}, data)]
    assert both[1] - both[0] == 512 + len("cookie")
