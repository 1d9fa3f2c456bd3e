"""`spec.identity.certificate.rotation`: how the operator renews its own certificate."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from appcredential.domain.spec.identity_rotation import IdentityRotation
from appcredential.domain.spec.model import CertificateIdentity
from appcredential.domain.spec.parse import parse_entra_tenant
from appcredential.errors import InvalidSpecError
from tests.support.builders import DAY, OPERATOR_CLIENT_ID, TENANT_ID


def parsed(rotation: dict[str, Any] | None) -> CertificateIdentity:
    certificate: dict[str, Any] = {"clientId": OPERATOR_CLIENT_ID, "secretRef": {"name": "own"}}
    if rotation is not None:
        certificate["rotation"] = rotation
    spec = {"tenantId": TENANT_ID, "cloud": "Public", "identity": {"certificate": certificate}}
    found = parse_entra_tenant({"metadata": {"name": "default"}, "spec": spec}).identity
    assert isinstance(found, CertificateIdentity)
    return found


def test_it_is_read_with_its_defaults() -> None:
    assert parsed(None).rotation is None
    assert parsed({}).rotation == IdentityRotation(lifetime=90 * DAY)
    wanted = IdentityRotation(lifetime=10 * DAY, renew_before=timedelta(hours=1))
    assert parsed({"lifetime": "10d", "renewBefore": "1h"}).rotation == wanted


def test_as_whom_the_operator_signs_in_does_not_depend_on_it() -> None:
    assert parsed(None) == parsed({"lifetime": "10d"})


@pytest.mark.parametrize(
    ("rotation", "words"),
    [
        ({"lifetime": "23h"}, "rotation.lifetime: must be at least"),
        ({"lifetime": "366d"}, "rotation.lifetime: must be at most"),
        ({"renewBefore": "59m"}, "rotation.renewBefore: must be at least"),
        ({"renewBefore": "90d"}, "rotation.renewBefore: must be less than lifetime"),
    ],
)
def test_what_cannot_be_is_refused(rotation: dict[str, str], words: str) -> None:
    with pytest.raises(InvalidSpecError, match=words):
        parsed(rotation)
