from __future__ import annotations

import pytest

from appcredential.domain.spec.model import CredentialType
from tests.support.builders import spec


@pytest.mark.parametrize(
    ("kind", "member", "is_federated", "is_certificate"),
    [
        (CredentialType.CLIENT_SECRET, "clientSecret", False, False),
        (CredentialType.CERTIFICATE, "certificate", False, True),
        (CredentialType.FEDERATED_IDENTITY, "federatedIdentity", True, False),
    ],
)
def test_a_type_answers_what_the_code_asks_of_it(
    kind: CredentialType, member: str, is_federated: bool, is_certificate: bool
) -> None:
    assert kind.member == member
    assert kind.is_federated == is_federated
    assert kind.is_certificate == is_certificate


def test_only_a_certificate_is_supplied_by_others() -> None:
    assert not spec().is_supplied
