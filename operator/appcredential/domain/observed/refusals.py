"""What was refused, and may be accepted after a change that no call to Graph tells of."""

from __future__ import annotations

from typing import Final

from appcredential.domain.conditions import Reason

OF_SPEC: Final = frozenset(
    {
        Reason.CREDENTIAL_REFUSED,
        Reason.LIFETIME_OVER_POLICY,
        Reason.TYPE_FORBIDDEN_BY_POLICY,
        Reason.SECRET_REFUSED,
        Reason.INVALID_SPEC,
        Reason.SERVICE_ACCOUNT_FORBIDDEN,
        Reason.OUTPUT_FORBIDDEN,
    }
)
"""What another spec may be spared."""

OF_TIMES: Final = frozenset({Reason.CREDENTIAL_REFUSED, Reason.LIFETIME_OVER_POLICY})
"""What may be refused only because of the times in the request, by a clock that was wrong."""
