"""What the rules do with a certificate, whose value is ours before Entra knows of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from appcredential.domain import pem
from appcredential.domain.actions import Fence, Register
from appcredential.domain.lifecycle import decide, intent_interrupted
from appcredential.domain.needs import known_keys
from appcredential.domain.observed import Memory, Minted, Observation, Pending, PendingState
from appcredential.domain.secret_data import find_value
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec import AppCredentialSpec, CredentialType, KeyId
from appcredential.domain.status import project
from tests.support.builders import (
    ATTEMPT,
    DAY,
    KEY,
    MINUTE,
    NEXT,
    NEXT_ATTEMPT,
    NEXT_SECRET,
    NOT_YET,
    NOW,
    OLD,
    SECOND,
    application,
    credential,
    facts,
    minted,
    observation,
    pending,
    problem,
    proof,
    resource,
    retiring,
    rotation,
    spec,
    target,
)
from tests.support.keys import make_certificate

MADE = make_certificate()
VALUE = SecretValue(MADE.bundle.decode())


def certificate(rotate_issued_before: datetime | None = None) -> AppCredentialSpec:
    wanted = spec(rotation=rotation(rotate_issued_before=rotate_issued_before))
    return replace(wanted, type=CredentialType.CERTIFICATE)


def staged(
    *,
    holder: str | None = None,
    age: timedelta = SECOND,
    value: SecretValue | None = NEXT_SECRET,
    made: Minted | None = None,
) -> Pending:
    """Return an intent that holds its value already."""
    wanted = made or minted(NEXT, attempt=NEXT_ATTEMPT, value=NEXT_SECRET, not_before=NOW)
    p = pending(PendingState.INTENT, intent_time=NOW - age, minted_as=wanted, value=value)
    return p if holder is None else replace(p, holder=holder)


def seen(p: Pending, wanted: AppCredentialSpec | None = None, **words: object) -> Observation:
    o = observation(resource=resource(wanted or certificate()), target=None, pending=p)
    return replace(o, **words)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("o", "expected"),
    [
        (seen(staged()), Register()),
        (seen(staged(holder="another", age=MINUTE)), Register()),
        (seen(staged(holder="another", age=59 * SECOND)), None),
        (seen(staged(), grant=problem()), None),
        (seen(staged(), memory=Memory(retry_time=NOW + SECOND)), None),
        (seen(staged(value=None)), Fence("its value is damaged")),
        (
            seen(staged(), certificate(rotate_issued_before=NOW + SECOND), now=NOW + MINUTE),
            Fence("issued before rotateIssuedBefore"),
        ),
        (
            seen(
                staged(
                    made=minted(
                        NEXT,
                        attempt=NEXT_ATTEMPT,
                        value=NEXT_SECRET,
                        not_before=NOW - 89 * DAY,
                        expires=NOW + DAY,
                    )
                )
            ),
            Fence("too little of its life is left"),
        ),
        (seen(pending(PendingState.INTENT)), Fence("minting was interrupted")),
        (seen(pending()), None),
    ],
    ids=[
        "of this process: register",
        "of one that has gone: register, under the same key id",
        "of one that may be at it: wait",
        "not granted any more: wait",
        "Graph asked for a pause: wait",
        "its value is damaged",
        "a person asked for a younger one",
        "it lay there for too long",
        "an intent without a value is a client secret's",
        "registered already",
    ],
)
def test_a_staged_certificate_is_registered(o: Observation, expected: object) -> None:
    assert intent_interrupted(facts(o)) == expected


def test_credentials_of_the_other_type_are_none_of_its_own() -> None:
    """A resource of the same name may have had a client secret before."""
    o = seen(staged(), application=application(credential()))
    assert facts(o).exact == {}
    key = replace(credential(), type=CredentialType.CERTIFICATE)
    assert set(facts(seen(staged(), application=application(key))).exact) == {KEY}


def test_what_is_recorded_must_be_in_a_list_before_it_is_replaced() -> None:
    gone = retiring(KeyId("key-gone"), removed=NOW)
    t = target(retiring=(retiring(OLD), gone))
    o = observation(resource=resource(certificate()), target=t, pending=pending())
    assert known_keys(facts(o)) == {KEY, OLD, NEXT}


def test_what_an_administrator_removed_is_not_demanded() -> None:
    """Else nothing could ever be registered again."""
    refused = proof(ATTEMPT, NOT_YET, NOT_YET, NOT_YET, every=20)
    o = observation(
        resource=resource(certificate()),
        application=application(),
        memory=Memory(published_proof=refused),
    )
    assert known_keys(facts(o)) == set()


def test_the_secret_holds_key_and_certificate_in_every_form() -> None:
    wanted = certificate()
    t = target(minted(value=VALUE), value=VALUE, spec=wanted)
    values = {k: v.reveal() for k, v in t.data.items()}
    assert values["client.pem"] == VALUE.reveal()
    assert values["tls.key"] + values["tls.crt"] == VALUE.reveal()
    assert values["AZURE_CLIENT_CERTIFICATE_PATH"].endswith("/client.pem")
    assert "AZURE_CLIENT_SECRET" not in values
    without = {k: v for k, v in t.data.items() if k != "client.pem"}
    assert find_value(without, VALUE.sha256()) == VALUE
    assert find_value({k: without[k] for k in ("tls.crt",)}, VALUE.sha256()) is None


@pytest.mark.parametrize("damage", ["", "gone", "no certificate"])
def test_status_shows_the_thumbprints(damage: str) -> None:
    wanted = certificate()
    t = target(minted(value=VALUE), value=VALUE, spec=wanted)
    data = dict(t.data)
    if damage == "gone":
        del data["tls.crt"]
    elif damage:
        data["tls.crt"] = SecretValue(damage)
    o = observation(resource=resource(wanted), target=replace(t, data=data))
    shown = project(o, facts(o), None)["credential"]
    assert shown["type"] == "Certificate"
    expected = None if damage else MADE.thumbprint
    assert shown.get("thumbprint") == expected
    assert shown.get("thumbprintSHA256") == (None if damage else pem.sha256_thumbprint(MADE.der))


def test_registering_is_what_decide_asks_for() -> None:
    key = replace(credential(), type=CredentialType.CERTIFICATE)
    assert decide(seen(staged(), application=application(key))).action == Register()
