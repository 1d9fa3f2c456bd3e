"""What is remembered of a supplied certificate that somebody removed from the application."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import pytest

from appcredential.domain.actions import Action, Fence, Register
from appcredential.domain.facts.removed_certificate import is_refused, removed_certificate
from appcredential.domain.facts.successor import needs_successor
from appcredential.domain.observed.certificate import CertificateInputs
from appcredential.domain.observed.observation import Observation
from appcredential.domain.observed.target import PendingState, Target
from appcredential.domain.rules.pending import intent_was_interrupted
from appcredential.domain.secret import pem
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import CredentialType, KeyId
from appcredential.domain.status.source import source_problem
from appcredential.domain.times import format_time
from tests.domain.rules.test_sources import (
    NEW_PAIR,
    OURS,
    PAIR,
    brought_spec,
    holding,
    key,
    lacking,
    seen,
    supplied,
)
from tests.support.builders import (
    DAY,
    HOUR,
    KEY,
    MINUTE,
    NEXT,
    NEXT_ATTEMPT,
    NOW,
    OLD,
    application,
    facts,
    minted,
    pending,
    resource,
    spec,
    target,
)

SINCE: Final = format_time(NOW - DAY)
LOST: Final = lacking(3, HOUR)


def told(key_id: KeyId = KEY, **words: Any) -> dict[str, Any]:
    """Return a status that remembers the removal."""
    removed = {"keyId": key_id, "thumbprintSHA256": pem.sha256_thumbprint(OURS.der), "time": SINCE}
    known = {"application": {"objectId": application().object_id}, "removedCertificate": removed}
    return {**known, **words}


def after(status: dict[str, Any] | None = None, **words: Any) -> Observation:
    """Return a look after the removal, at which the target Secret is lost."""
    said = words.pop("said", "")
    wanted = words.pop("spec", brought_spec())
    words.setdefault("target", None)
    words.setdefault("application", application())
    o = seen(words.pop("source", None), spec=wanted, **words)
    found = resource(wanted, status=told() if status is None else status)
    return replace(o, resource=replace(found, register_again=said))


MOVED: Final = replace(
    holding(), annotations={**holding().annotations, "appcredential.io/cluster": "other"}
)
GENERATED: Final = replace(spec(), type=CredentialType.CERTIFICATE)


@pytest.mark.parametrize(
    ("o", "since"),
    [
        (after(), SINCE),
        (after(target=target(damaged=True)), SINCE),
        (after(target=replace(holding(), published=None)), SINCE),
        (after(target=holding()), SINCE),
        (after(target=holding(), memory=LOST), SINCE),
        (after({}, target=holding(), memory=LOST), format_time(NOW)),
        (after(told(OLD), target=holding(), memory=LOST), format_time(NOW)),
        (after(source=CertificateInputs()), SINCE),
        (after({}), None),
        (after({}, target=holding()), None),
        (after({}, target=MOVED, memory=LOST), None),
        (after({}, target=target(damaged=True), memory=LOST), None),
        (after(told(application=None)), None),
        (after(told(application={"objectId": "another"})), None),
        (after(spec=GENERATED), None),
        (after(source=supplied(NEW_PAIR)), None),
        (after(source=supplied(SecretValue("no certificate"))), None),
        (after(application=application(key())), None),
        (after(told(OLD), target=holding(), application=application(key())), None),
    ],
    ids=[
        "the Secret is gone",
        "its value is lost",
        "its records are lost",
        "nothing confirmed it since",
        "it is confirmed again",
        "status was lost",
        "it was registered again and removed again",
        "the source cannot be read",
        "nothing is known",
        "nothing is confirmed yet",
        "another cluster registered it",
        "nothing tells of the value",
        "status names no application",
        "of another application",
        "the operator makes the certificate now",
        "the source was renewed",
        "the source holds something else",
        "the entry is listed after all",
        "it is registered again",
    ],
)
def test_what_is_remembered(o: Observation, since: str | None) -> None:
    found = removed_certificate(facts(o))
    assert (found.time if found is not None else None) == since


@pytest.mark.parametrize(
    ("o", "value", "expected"),
    [
        (after(), PAIR, True),
        (after(said="another"), PAIR, True),
        (after(said=KEY), PAIR, False),
        (after(), NEW_PAIR, False),
        (after({}), PAIR, False),
    ],
)
def test_it_is_refused_until_a_person_names_the_entry(
    o: Observation, value: SecretValue, expected: bool
) -> None:
    assert is_refused(facts(o), value) is expected


FENCED: Final = Fence("somebody removed the certificate from the application")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ({}, FENCED),
        ({"target": holding(), "memory": LOST, "status": {}}, FENCED),
        ({"said": KEY}, Register()),
        ({"application": application(key(NEXT, NEXT_ATTEMPT))}, Register()),
    ],
    ids=["remembered", "seen now", "a person said so", "it is registered already"],
)
def test_what_the_pending_secret_holds_is_not_registered_either(
    words: dict[str, Any], expected: Action
) -> None:
    made = minted(NEXT, attempt=NEXT_ATTEMPT, value=PAIR, not_before=NOW)
    held = pending(PendingState.INTENT, minted_as=made, value=PAIR, intent_time=NOW - MINUTE)
    assert intent_was_interrupted(facts(after(pending=held, **words))) == expected


@pytest.mark.parametrize(("said", "expected"), [("", False), ("another", False), (KEY, True)])
@pytest.mark.parametrize("held", [holding(), None])
def test_a_person_has_it_registered_again(held: Target | None, said: str, expected: bool) -> None:
    o = after(target=held, memory=LOST, said=said)
    assert needs_successor(facts(o)) is expected
    problem = source_problem(facts(o))
    assert (problem is None) is expected
    assert problem is None or f"appcredential.io/register-again={KEY}." in problem.message
