"""The one place where bytes of Graph and of the token endpoint become values.

Whatever is odd about an answer, too many values, too deep, another type, raises the same error,
and every caller says by it that nothing was learned. Source of the ids: in Graph they are Edm.Guid.
"""

from __future__ import annotations

from typing import Annotated, Final, TypeVar

import msgspec

T = TypeVar("T")

Guid = Annotated[
    str, msgspec.Meta(pattern=r"\A[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")
]
"""An id of Graph. It goes into addresses, Secrets and status, so it is checked when it is read."""

_MOST_VALUES: Final = 100_000
"""An application with the 1,200 entries that Entra allows has a tenth."""


class UnreadableAnswerError(Exception):
    """A success whose body is not as Graph documents it. The message holds nothing of the body."""


def decoded(decoder: msgspec.json.Decoder[T], body: bytes, what: str) -> T:
    """Decode an answer.

    Args:
        decoder: of its type.
        body: at most some MiB.
        what: it should be, for the message, such as `an application`.

    Raises:
        UnreadableAnswerError: it is something else.
    """
    # Each value but the first needs a comma. The decoder takes longest to make many small ones,
    # and nothing else runs meanwhile, whatever the thread.
    if body.count(b",") >= _MOST_VALUES:
        raise UnreadableAnswerError("more values than an answer has")
    try:
        return decoder.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise UnreadableAnswerError(f"not {what}") from None
