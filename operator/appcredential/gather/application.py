"""Reads an application, and Entra's clock with it."""

from __future__ import annotations

from datetime import timedelta

from appcredential.domain.observed.entra import Application
from appcredential.domain.spec.model import ClientId
from appcredential.ports.entra import Directory
from appcredential.ports.local import Clock


async def read_application(
    directory: Directory, client_id: ClientId, max_age: timedelta, clock: Clock
) -> Application:
    """Return a read of an application, made at most `max_age` ago.

    A clock that is far from Entra's by one answer is judged by a second one before anything
    rests on it. A shared read from before the clock was set back says nothing of its age.

    Raises:
        NotFoundError: Entra does not know the application.
        AppCredentialError: it could not be read.
    """
    found = await directory.application(client_id, max_age)
    if found.read_time > clock.now() or directory.is_skew_doubted():
        return await directory.application(client_id, timedelta(0))
    return found
