"""Looks again and again until something holds, and says meanwhile how things are."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from appcredential.cli.api import Api
from appcredential.cli.app_credential import AppCredential
from appcredential.cli.conditions import present
from appcredential.cli.errors import NoAnswerError, NotThereError
from appcredential.cli.terminal import Show

_FIRST_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 5.0


class Waiting:
    """One wait for several resources, which share its time."""

    def __init__(
        self,
        api: Api,
        timeout: timedelta,
        show: Show,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._api = api
        self._show = show
        self._monotonic = monotonic
        self._sleep = sleep
        self._end = monotonic() + timeout.total_seconds()

    def until(
        self, resource: AppCredential, is_over: Callable[[AppCredential | None], bool]
    ) -> tuple[bool, AppCredential | None]:
        """Look until something holds.

        An API server without an answer is asked again until the time is over. A resource of that
        name that was created meanwhile is another one.

        Args:
            resource: as it was read last.
            is_over: what has to hold; it is called with None once the resource is gone.

        Returns:
            Whether it came to hold in time, and the resource as it was read last.

        Raises:
            CliError: the resource can no longer be read.
        """
        pause, last = _FIRST_PAUSE, self._read(resource, resource)
        while not is_over(last):
            left = self._end - self._monotonic()
            if left <= 0:
                return False, last
            self._show(f"{resource.full_name}: {present(last)}")
            self._sleep(min(pause, left))
            pause = min(2 * pause, _LONGEST_PAUSE)
            last = self._read(resource, last)
        return True, last

    def _read(self, resource: AppCredential, last: AppCredential | None) -> AppCredential | None:
        try:
            found = self._api.get(resource.namespace, resource.name)
        except NotThereError:
            return None
        except NoAnswerError:
            if self._monotonic() >= self._end:
                raise
            return last
        return found if found.at("metadata", "uid") == resource.at("metadata", "uid") else None
