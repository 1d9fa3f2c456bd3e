"""What status says of a trust outlives the process, and no more than that."""

from __future__ import annotations

from typing import Any

import pytest

from appcredential.domain.facts.told import is_told
from appcredential.domain.published_sign_ins import EXCHANGED_BEFORE
from tests.support.federated import listed

TRUST = listed("id-1")
REFUSED = f"The application is disabled in Entra. {EXCHANGED_BEFORE}"


def status(ready: str, reason: str = "Proven", message: str = "", **entry: str) -> dict[str, Any]:
    told = {"id": "id-1", "issuer": TRUST.issuer, "subject": TRUST.subject}
    verified = "True" if reason == "Proven" else "False"
    return {
        "federatedIdentities": [{**told, "audience": TRUST.audiences[0], **entry}],
        "conditions": [
            {"type": "Verified", "status": verified, "reason": reason, "message": message},
            {"type": "Ready", "status": ready, "message": message},
        ],
    }


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (status("True"), True),
        (status("False"), False),
        (status("False", "ApplicationDisabled", REFUSED), True),
        (status("False", "ApplicationDisabled", "The application is disabled in Entra."), False),
        (status("False", "FederationMismatch", REFUSED, id="id-2"), False),
        (status("False", "FederationMismatch", REFUSED, audience="api://edited"), False),
        (status("True", subject="another"), False),
        ({}, False),
    ],
)
def test_a_trust_is_told_if_it_was_usable(given: dict[str, Any], *, expected: bool) -> None:
    assert is_told(given, TRUST) is expected
