"""Stories that run at the same time: they mostly wait, and a minute each would be an hour."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from tests.integration.installation import Installation

Story = Callable[[Installation], None]
T = TypeVar("T")


class Stories:
    """Those of one module that were asked for, all begun at once."""

    def __init__(self, installation: Installation, stories: Iterable[Story]) -> None:
        wanted = list(dict.fromkeys(stories))
        self._pool = ThreadPoolExecutor(max_workers=max(len(wanted), 1))
        self._futures: dict[Story, Future[None]] = {
            story: self._pool.submit(story, installation) for story in wanted
        }

    def result(self, story: Story) -> None:
        """Wait for one; raises what it raised."""
        self._futures[story].result()

    def close(self) -> None:
        """Begin nothing more, and wait for those that run."""
        self._pool.shutdown(cancel_futures=True)


def at_once(story: Story) -> Callable[[Stories], None]:
    """Make a test of a story; the fixture `stories` begins it together with the others."""

    def test(stories: Stories) -> None:
        stories.result(story)

    test.__name__ = story.__name__
    test.__doc__ = story.__doc__
    test.story = story  # type: ignore[attr-defined] # read by `stories_of`
    return test


def stories_of(items: Iterable[Any]) -> list[Story]:
    """Return the stories of collected tests."""
    found = (getattr(getattr(item, "function", None), "story", None) for item in items)
    return [story for story in found if story is not None]


def all_at_once(calls: Iterable[Callable[[], T]]) -> list[T]:
    """Make calls that mostly wait, in threads; raises the first failure."""
    wanted = list(calls)
    with ThreadPoolExecutor(max_workers=max(len(wanted), 1)) as pool:
        return [future.result() for future in [pool.submit(call) for call in wanted]]
