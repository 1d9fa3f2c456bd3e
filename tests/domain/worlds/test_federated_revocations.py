"""What a deleted FederatedIdentity leaves: a door, until its ticket has closed it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from appcredential.domain.marker import Attempt
from appcredential.domain.observed.federated import FederatedList
from appcredential.domain.observed.observation import Application
from appcredential.domain.revocation import (
    DeleteOutput,
    DeleteTicket,
    ReadTicketApplication,
    RemoveForTicket,
    TicketAction,
    TicketObservation,
    Unwire,
    Wait,
    as_credentials,
    decide_ticket,
)
from appcredential.domain.spec.model import CredentialType, DeletionPolicy, KeyId
from tests.domain.test_scheduled_revocations import CLEAN, seen, ticket
from tests.domain.worlds.federated_world import federated_spec, listed, output_map
from tests.support.builders import (
    MINUTE,
    NOW,
    OBJECT_ID,
    OTHER_OWNER,
    application,
    credential,
)

TICKET = replace(
    ticket(secret_uid=""),
    type=CredentialType.FEDERATED_IDENTITY,
    service_account="orders",
    config_map="out",
)
RETAIN = replace(TICKET, policy=DeletionPolicy.RETAIN)
OURS, THEIRS = KeyId("ours"), KeyId("theirs")


def holding(*owners: str) -> Application:
    """Return an application with a client secret of ours and these federated credentials."""
    found = {"ours": listed("ours"), "theirs": listed("theirs", owner=OTHER_OWNER)}
    read = FederatedList(
        object_id=OBJECT_ID, credentials=tuple(found[o] for o in owners), read_time=NOW
    )
    return application(credential(), *as_credentials(read))


def looking(at: Any = TICKET, **fields: Any) -> TicketObservation:
    given = {"application": holding("ours", "theirs"), "target": None, "clean_reads": ()}
    more = {k: fields.pop(k) for k in ("inherited", "is_unwired", "output") if k in fields}
    return replace(seen(at, **{**given, **fields}), **more)


@pytest.mark.parametrize(
    ("o", "action"),
    [
        (looking(), RemoveForTicket(OURS, Attempt(""))),
        (looking(inherited=frozenset({OURS})), Wait(NOW + 10 * MINUTE)),
        (looking(application=holding("theirs")), ReadTicketApplication()),
        (looking(application=holding("theirs"), clean_reads=CLEAN), Unwire()),
        (
            looking(application=holding(), clean_reads=CLEAN, is_unwired=True, output=None),
            DeleteTicket(),
        ),
        (
            looking(
                application=holding(), clean_reads=CLEAN, is_unwired=True, output=output_map("out")
            ),
            DeleteOutput(),
        ),
        (
            looking(
                replace(TICKET, service_account=""),
                application=holding(),
                clean_reads=CLEAN,
                output=output_map("out", owner="shop/invoices"),
            ),
            DeleteTicket(),
        ),
        (
            looking(
                application=holding(),
                clean_reads=CLEAN,
                is_unwired=True,
                output=output_map("out", data={"AZURE_CLIENT_ID": "of-another-application"}),
            ),
            DeleteTicket(),
        ),
        (
            looking(
                application=holding(),
                clean_reads=CLEAN,
                is_unwired=True,
                output=output_map("out"),
                successor=federated_spec(config_map="out"),
            ),
            DeleteTicket(),
        ),
        (
            looking(
                application=holding(),
                clean_reads=CLEAN,
                is_unwired=True,
                output=output_map("out"),
                successor=federated_spec(config_map="another"),
            ),
            DeleteOutput(),
        ),
        (looking(RETAIN, clean_reads=CLEAN, output=output_map("out")), DeleteTicket()),
    ],
)
def test_what_is_done(o: TicketObservation, action: TicketAction) -> None:
    found = decide_ticket(o)
    if isinstance(action, RemoveForTicket):
        assert isinstance(found, RemoveForTicket)
        assert found.key_id == action.key_id
    else:
        assert found == action


def test_only_what_nobody_inherits_goes() -> None:
    both = holding("ours")
    twin = replace(both.credentials[1], key_id=KeyId("twin"))
    read = replace(both, credentials=(*both.credentials, twin))
    found = decide_ticket(looking(application=read, inherited=frozenset({OURS})))
    assert isinstance(found, RemoveForTicket)
    assert found.key_id == "twin"
