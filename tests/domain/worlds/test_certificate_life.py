"""What the rules do with a certificate, whose value is ours before Entra knows of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from appcredential.domain.actions import (
    ApplyStatus,
    DeletePending,
    Fence,
    ReadApplication,
    Register,
)
from appcredential.domain.facts.published import gone_keys, known_keys
from appcredential.domain.lifecycle import decide
from appcredential.domain.observed.memory import Memory
from appcredential.domain.observed.observation import Observation
from appcredential.domain.observed.target import IssuedCredential, Pending, PendingState
from appcredential.domain.rules.pending import intent_was_interrupted
from appcredential.domain.secret import pem
from appcredential.domain.secret.value import find_value
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import AppCredentialSpec, CredentialType, KeyId
from appcredential.domain.status.projection import project
from tests.support.builders import (
    ATTEMPT,
    DAY,
    KEY,
    MINUTE,
    NEXT,
    NEXT_ATTEMPT,
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
BROKEN = "-----BEGIN CERTIFICATE-----\nAAA\n-----END CERTIFICATE-----\n"


def certificate(rotate_issued_before: datetime | None = None) -> AppCredentialSpec:
    wanted = spec(rotation=rotation(rotate_issued_before=rotate_issued_before))
    return replace(wanted, type=CredentialType.CERTIFICATE)


def certificate_for(lifetime: timedelta) -> AppCredentialSpec:
    return replace(certificate(), lifetime=lifetime)


def staged(
    *,
    holder: str | None = None,
    age: timedelta = SECOND,
    value: SecretValue | None = VALUE,
    made: IssuedCredential | None = None,
) -> Pending:
    """Return an intent that holds its value already."""
    wanted = made or minted(NEXT, attempt=NEXT_ATTEMPT, value=VALUE, not_before=NOW)
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
            Fence("issued before what the spec's …IssuedBefore asks for"),
        ),
        (
            seen(
                staged(
                    made=minted(
                        NEXT,
                        attempt=NEXT_ATTEMPT,
                        value=VALUE,
                        not_before=NOW - 89 * DAY,
                        expires=NOW + DAY,
                    )
                )
            ),
            Fence("too little of its life is left"),
        ),
        (seen(staged(), certificate_for(30 * DAY)), Fence("longer than what is allowed now")),
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
        "a shorter one is asked for now",
        "an intent without a value is a client secret's",
        "registered already",
    ],
)
def test_a_staged_certificate_is_registered(o: Observation, expected: object) -> None:
    assert intent_was_interrupted(facts(o)) == expected


@pytest.mark.parametrize(
    ("read", "expected"),
    [(NOW, None), (NOW - MINUTE, ReadApplication(timedelta(seconds=15)))],
    ids=["a fresh read: others find out first", "an old one: read again"],
)
def test_nothing_is_registered_while_a_recorded_one_is_not_listed(
    read: datetime, expected: object
) -> None:
    t = target(minted(value=VALUE), value=VALUE, spec=certificate())
    o = replace(seen(staged()), target=t, application=application(read_time=read))
    assert intent_was_interrupted(facts(o)) == expected


def test_a_secret_whose_value_was_lost_demands_nothing() -> None:
    """Else nothing could be registered after an administrator removed everything."""
    t = target(damaged=True, retiring=(retiring(OLD),))
    o = observation(resource=resource(certificate()), target=t, application=application())
    assert known_keys(facts(o)) == set()


@pytest.mark.parametrize("value", [SecretValue("a client secret"), SecretValue(BROKEN)])
def test_a_secret_of_another_type_is_left_as_it_is(value: SecretValue) -> None:
    """Made anew with another type under the same name: its workloads go on with what they have."""
    t = target(minted(value=value), value=value)
    o = observation(resource=resource(certificate()), target=t, application=application())
    decision = decide(o)
    assert isinstance(decision.action, ApplyStatus)
    told = {c["type"]: c["reason"] for c in decision.status["conditions"]}
    assert told["Stalled"] == "SecretConflict"
    back = target(minted(value=VALUE), value=VALUE, spec=certificate())
    decision = decide(observation(target=back, application=application()))
    told = {c["type"]: c["reason"] for c in decision.status["conditions"]}
    assert told["Stalled"] == "SecretConflict"


def test_a_successor_of_another_type_is_deleted() -> None:
    o = observation(resource=resource(certificate()), target=None, pending=pending())
    assert decide(o).action == DeletePending("of another type")


def test_credentials_of_the_other_type_are_none_of_its_own() -> None:
    """A resource of the same name may have had a client secret before."""
    o = seen(staged(), application=application(credential()))
    assert facts(o).ours == {}
    key = replace(credential(), type=CredentialType.CERTIFICATE)
    assert set(facts(seen(staged(), application=application(key))).ours) == {KEY}


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
    assert gone_keys(facts(o)) == {KEY}
    assert gone_keys(facts(replace(o, memory=Memory()))) == set()


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
