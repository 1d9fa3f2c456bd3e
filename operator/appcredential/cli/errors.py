"""What the tool tells a person in one line.

CliError
├── NotThereError        the object does not exist
├── NoSuchKindError      the API server does not know the kind
├── ChangedError         it was changed since it was read
├── ForbiddenError       the person may not do that
├── ExpiredListError     a list of many pages took too long
└── NoAnswerError        no answer, or one that asks to come again
"""

from __future__ import annotations


class CliError(Exception):
    """Something that the person who runs the tool has to know."""


class NotThereError(CliError):
    """The object does not exist."""


class NoSuchKindError(CliError):
    """The API server does not know the kind."""


class ChangedError(CliError):
    """The object was changed since it was read."""


class ForbiddenError(CliError):
    """The person may not do that."""


class ExpiredListError(CliError):
    """The pages of a list were read too slowly."""


class NoAnswerError(CliError):
    """No answer of the API server, or one that asks to come again."""
