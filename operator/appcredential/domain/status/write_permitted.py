"""The condition WritePermitted of an EntraTenant. It changes no other condition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, assert_never

from appcredential.domain.conditions import Condition, ConditionType, Reason
from appcredential.domain.write_permission import OF_ALL, OF_OWNED, WritePermission

_KIND: Final = ConditionType.WRITE_PERMITTED
_GUIDE: Final = "See docs/guides/entra-permissions.md"
_COUNTED: Final = 20


def write_permitted(
    permission: WritePermission, unowned: int | None, told: Sequence[Mapping[str, Any]]
) -> Condition:
    """Return WritePermitted: whether the operator may change the applications that it serves.

    It is never False: a directory role, which no token names, may allow it all the same.

    Args:
        permission: by the operator's token.
        unowned: how many of these applications the operator does not own; None while nobody
            knows, and what status says of it stays.
        told: the conditions in status.
    """
    match permission:
        case WritePermission.ALL:
            message = f"The operator has {OF_ALL}, so that it needs to own no application."
            return Condition.true(_KIND, Reason.PERMITTED, message)
        case WritePermission.OWNED:
            return _of_owned(unowned, told)
        case WritePermission.NONE:
            return Condition.unknown(
                _KIND,
                Reason.PERMISSION_MISSING,
                f"The operator's token has neither {OF_OWNED} nor {OF_ALL}. Without a directory "
                "role that allows it, the operator can change no application: nothing is issued, "
                f"renewed or removed. Consent to {OF_OWNED}, unless it is only to observe. "
                f"{_GUIDE}#consent.",
            )
        case WritePermission.UNKNOWN:
            return Condition.unknown(
                _KIND,
                Reason.PERMISSION_UNKNOWN,
                "The operator's token does not say what it may change. Look at the app roles of "
                f"its service principal. {_GUIDE}#consent.",
            )
        case _:
            assert_never(permission)


def _of_owned(unowned: int | None, told: Sequence[Mapping[str, Any]]) -> Condition:
    if unowned is None:
        before = next((c for c in told if c.get("type") == _KIND), {})
        if before.get("reason") == Reason.NOT_OWNER:
            return Condition.unknown(_KIND, Reason.NOT_OWNER, str(before.get("message")))
    if unowned:
        return Condition.unknown(
            _KIND,
            Reason.NOT_OWNER,
            f"The operator has {OF_OWNED}, and does not own {_number(unowned)} of the applications "
            "that AppCredentials use. Unless a directory role allows it, it can change nothing "
            "there. Ready of their AppCredentials tells the command, where it has nothing worse to "
            "tell. "
            f"{_GUIDE}#ownership.",
        )
    message = f"The operator has {OF_OWNED}: it may change the applications that it owns."
    return Condition.true(_KIND, Reason.PERMITTED, message)


def _number(count: int) -> str:
    """Return a number that changes seldom while many are looked at one after the other."""
    if count <= _COUNTED:
        return str(count)
    step: int = 10 ** (len(str(count)) - 1)
    return f"at least {count // step * step}"
