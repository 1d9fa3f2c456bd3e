"""What a deleted FederatedIdentity leaves: a trust, until its revocation has removed it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from appcredential.domain.facts.revocation import as_credentials
from appcredential.domain.marker import Attempt
from appcredential.domain.observed.entra import Application
from appcredential.domain.observed.federated import FederatedList
from appcredential.domain.observed.revocation import RevocationObservation
from appcredential.domain.revocation import decide_revocation
from appcredential.domain.revocation_actions import (
    DeleteOutput,
    DeleteRevocation,
    ReadRevokedApplication,
    RemoveAnnotations,
    RevocationAction,
    RevokeCredential,
    Wait,
)
from appcredential.domain.spec.model import CredentialType, DeletionPolicy, KeyId
from tests.domain.test_scheduled_revocations import CLEAN, revocation, seen
from tests.support.builders import (
    MINUTE,
    NOW,
    OBJECT_ID,
    OTHER_OWNER,
    application,
    credential,
)
from tests.support.federated import (
    federated_spec,
    listed,
    output_map,
)

REVOCATION = replace(
    revocation(secret_uid=""),
    type=CredentialType.FEDERATED_IDENTITY,
    service_account="orders",
    config_map="out",
)
RETAIN = replace(REVOCATION, policy=DeletionPolicy.RETAIN)
OURS, THEIRS = KeyId("ours"), KeyId("theirs")


def holding(*owners: str) -> Application:
    """Return an application with a client secret of ours and these federated credentials."""
    found = {"ours": listed("ours"), "theirs": listed("theirs", owner=OTHER_OWNER)}
    read = FederatedList(
        object_id=OBJECT_ID, credentials=tuple(found[o] for o in owners), read_time=NOW
    )
    return application(credential(), *as_credentials(read))


def looking(at: Any = REVOCATION, **fields: Any) -> RevocationObservation:
    given = {"application": holding("ours", "theirs"), "target": None, "clean_reads": ()}
    more = {
        k: fields.pop(k) for k in ("inherited", "is_annotation_removed", "output") if k in fields
    }
    return replace(seen(at, **{**given, **fields}), **more)


@pytest.mark.parametrize(
    ("observation", "action"),
    [
        (looking(), RevokeCredential(OURS, Attempt(""))),
        (looking(inherited=frozenset({OURS})), Wait(NOW + 10 * MINUTE)),
        (looking(application=holding("theirs")), ReadRevokedApplication()),
        (looking(application=holding("theirs"), clean_reads=CLEAN), RemoveAnnotations()),
        (
            looking(
                application=holding(), clean_reads=CLEAN, is_annotation_removed=True, output=None
            ),
            DeleteRevocation(),
        ),
        (
            looking(
                application=holding(),
                clean_reads=CLEAN,
                is_annotation_removed=True,
                output=output_map("out"),
            ),
            DeleteOutput(),
        ),
        (
            looking(
                replace(REVOCATION, service_account=""),
                application=holding(),
                clean_reads=CLEAN,
                output=output_map("out", owner="shop/invoices"),
            ),
            DeleteRevocation(),
        ),
        (
            looking(
                application=holding(),
                clean_reads=CLEAN,
                is_annotation_removed=True,
                output=output_map("out", data={"AZURE_CLIENT_ID": "of-another-application"}),
            ),
            DeleteRevocation(),
        ),
        (
            looking(
                application=holding(),
                clean_reads=CLEAN,
                is_annotation_removed=True,
                output=output_map("out"),
                successor=federated_spec(config_map="out"),
            ),
            DeleteRevocation(),
        ),
        (
            looking(
                application=holding(),
                clean_reads=CLEAN,
                is_annotation_removed=True,
                output=output_map("out"),
                successor=federated_spec(config_map="another"),
            ),
            DeleteOutput(),
        ),
        (looking(RETAIN, clean_reads=CLEAN, output=output_map("out")), DeleteRevocation()),
    ],
)
def test_what_is_done(observation: RevocationObservation, action: RevocationAction) -> None:
    found = decide_revocation(observation)
    if isinstance(action, RevokeCredential):
        assert isinstance(found, RevokeCredential)
        assert found.key_id == action.key_id
    else:
        assert found == action


def test_only_what_nobody_inherits_goes() -> None:
    both = holding("ours")
    twin = replace(both.credentials[1], key_id=KeyId("twin"))
    read = replace(both, credentials=(*both.credentials, twin))
    found = decide_revocation(looking(application=read, inherited=frozenset({OURS})))
    assert isinstance(found, RevokeCredential)
    assert found.key_id == "twin"
