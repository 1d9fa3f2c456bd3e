"""WritePermitted says what the token names, and never that Graph refuses."""

from __future__ import annotations

import pytest

from appcredential.domain.conditions import ConditionType, Reason
from appcredential.domain.status.write_permitted import write_permitted
from appcredential.domain.write_permission import (
    OF_ALL,
    OF_OWNED,
    WritePermission,
    write_permission,
)


@pytest.mark.parametrize(
    ("roles", "permission"),
    [
        (None, WritePermission.UNKNOWN),
        ((), WritePermission.NONE),
        (("Application.Read.All",), WritePermission.NONE),
        ((OF_OWNED,), WritePermission.OWNED),
        ((OF_ALL,), WritePermission.ALL),
        ((OF_OWNED, OF_ALL), WritePermission.ALL),
    ],
)
def test_a_token_lets_the_operator_change(
    roles: tuple[str, ...] | None, permission: WritePermission
) -> None:
    assert write_permission(frozenset(roles) if roles is not None else None) is permission


@pytest.mark.parametrize(
    ("permission", "status", "reason"),
    [
        (WritePermission.ALL, "True", Reason.PERMITTED),
        (WritePermission.OWNED, "True", Reason.PERMITTED),
        (WritePermission.NONE, "Unknown", Reason.PERMISSION_MISSING),
        (WritePermission.UNKNOWN, "Unknown", Reason.PERMISSION_UNKNOWN),
    ],
)
def test_what_is_said_of_it(permission: WritePermission, status: str, reason: Reason) -> None:
    found = write_permitted(permission, None, ())
    assert (found.type, found.status) == (ConditionType.WRITE_PERMITTED, status)
    assert found.reason is reason


def test_who_lacks_the_permission_reads_what_to_do_and_of_directory_roles() -> None:
    message = write_permitted(WritePermission.NONE, 0, ()).message
    assert OF_OWNED in message
    assert "directory role" in message
    assert "docs/guides/entra-permissions.md#consent" in message


@pytest.mark.parametrize(
    ("unowned", "number"),
    [(1, "1"), (20, "20"), (21, "at least 20"), (99, "at least 90"), (1234, "at least 1000")],
)
def test_applications_that_are_not_owned_are_counted(unowned: int, number: str) -> None:
    found = write_permitted(WritePermission.OWNED, unowned, ())
    assert (found.status, found.reason) == ("Unknown", Reason.NOT_OWNER)
    assert f"does not own {number} of the applications" in found.message


def test_what_was_told_stays_until_somebody_has_looked() -> None:
    before = write_permitted(WritePermission.OWNED, 3, ())
    told = [{"type": str(before.type), "reason": str(before.reason), "message": before.message}]
    assert write_permitted(WritePermission.OWNED, None, told) == before
    assert write_permitted(WritePermission.OWNED, 0, told).status == "True"
    assert write_permitted(WritePermission.ALL, None, told).status == "True"
