"""The condition WritePermitted of an EntraTenant. It changes no other condition."""

from __future__ import annotations

from typing import assert_never

from appcredential.domain.conditions import Condition, ConditionType, Reason
from appcredential.domain.write_permission import OF_ALL, OF_OWNED, WritePermission

_KIND = ConditionType.WRITE_PERMITTED
_GUIDE = "See docs/guides/entra-permissions.md"


def write_permitted(permission: WritePermission) -> Condition:
    """Return WritePermitted: whether the operator may change the applications that it serves.

    It is never False: a directory role, which no token names, may allow it all the same.

    Args:
        permission: by the operator's token.
    """
    match permission:
        case WritePermission.ALL:
            message = f"The operator has {OF_ALL}, so that it needs to own no application."
            return Condition.true(_KIND, Reason.PERMITTED, message)
        case WritePermission.OWNED:
            message = f"The operator has {OF_OWNED}: it may change the applications that it owns."
            return Condition.true(_KIND, Reason.PERMITTED, message)
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
