"""`rotation` in `spec.identity`: how the operator renews its own certificate or client secret."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from appcredential.domain.spec.identity_rotation import IdentityRotation
from appcredential.domain.spec.model import CertificateIdentity, ClientSecretIdentity
from appcredential.domain.spec.parse import parse_entra_tenant
from appcredential.errors import InvalidSpecError
from tests.support.builders import DAY, OPERATOR_CLIENT_ID, TENANT_ID


def parsed(
    rotation: dict[str, Any] | None, member: str = "certificate"
) -> CertificateIdentity | ClientSecretIdentity:
    identity: dict[str, Any] = {"clientId": OPERATOR_CLIENT_ID, "secretRef": {"name": "own"}}
    if rotation is not None:
        identity["rotation"] = rotation
    spec = {"tenantId": TENANT_ID, "cloud": "Public", "identity": {member: identity}}
    found = parse_entra_tenant({"metadata": {"name": "default"}, "spec": spec}).identity
    assert isinstance(found, CertificateIdentity | ClientSecretIdentity)
    return found


MEMBERS = ["certificate", "clientSecret"]


@pytest.mark.parametrize("member", MEMBERS)
def test_it_is_read_with_its_defaults(member: str) -> None:
    assert parsed(None, member).rotation is None
    assert parsed({}, member).rotation == IdentityRotation(lifetime=90 * DAY)
    wanted = IdentityRotation(lifetime=10 * DAY, renew_before=timedelta(hours=1))
    assert parsed({"lifetime": "10d", "renewBefore": "1h"}, member).rotation == wanted


@pytest.mark.parametrize("member", MEMBERS)
def test_as_whom_the_operator_signs_in_does_not_depend_on_it(member: str) -> None:
    assert parsed(None, member) == parsed({"lifetime": "10d"}, member)


@pytest.mark.parametrize("member", MEMBERS)
@pytest.mark.parametrize(
    ("rotation", "words"),
    [
        ({"lifetime": "23h"}, "rotation.lifetime: must be at least"),
        ({"lifetime": "366d"}, "rotation.lifetime: must be at most"),
        ({"renewBefore": "59m"}, "rotation.renewBefore: must be at least"),
        ({"renewBefore": "90d"}, "rotation.renewBefore: must be less than lifetime"),
    ],
)
def test_what_cannot_be_is_refused(rotation: dict[str, str], words: str, member: str) -> None:
    with pytest.raises(InvalidSpecError, match=words):
        parsed(rotation, member)
