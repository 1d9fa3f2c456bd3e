"""An event loop in virtual time. Nothing in it waits: the world says which timer is next."""

from __future__ import annotations

import asyncio
import contextvars
import heapq
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Final

from tests.world.observer import BrokenPromiseError

PROCESS: Final[contextvars.ContextVar[Any]] = contextvars.ContextVar("PROCESS", default=None)
"""The operator process that the running task belongs to."""
_BEGIN: Final = 1000.0
_MOST: Final = 100_000
_ENDS: Final = 5
"""A task may bear so many cancellations before it ends."""


class VirtualLoop(asyncio.AbstractEventLoop):
    """Runs what is ready, and keeps timers until the world fires them.

    Attributes:
        now: the time by `time`, in seconds.
        faults: what tasks raised that nobody waited for.
    """

    def __init__(self) -> None:
        self.now = _BEGIN
        self.faults: list[dict[str, Any]] = []
        self._ready: deque[asyncio.Handle] = deque()
        self._timers: list[tuple[float, int, Any, asyncio.TimerHandle]] = []
        self._count = 0
        self._tasks: list[asyncio.Task[Any]] = []
        self._before: list[asyncio.AbstractEventLoop | None] = []

    # --- what the world does -----------------------------------------------------------------

    def __enter__(self) -> None:
        """Be the running loop of this thread."""
        self._before.append(asyncio._get_running_loop())
        asyncio._set_running_loop(self)

    def __exit__(self, *_: object) -> None:
        asyncio._set_running_loop(self._before.pop())

    def drain(self) -> None:
        """Run all that is ready until each task waits."""
        ready = self._ready
        for _ in range(_MOST):
            if not ready:
                return
            handle = ready.popleft()
            if not handle._cancelled:
                handle._run()
        raise BrokenPromiseError("Liveness", f"{_MOST} callbacks in a row, and no task waits")

    def close(self) -> None:
        """End all tasks, each in its own context."""
        with self:
            for _ in range(_ENDS):
                for task in self._tasks:
                    if not task.done():
                        task.cancel()
                self.drain()
            for task in self._tasks:
                if task.done() and not task.cancelled():
                    task.exception()  # somebody has seen it now
        self._tasks.clear()
        self._timers.clear()

    def next_timer(self, is_held: Callable[[Any], bool]) -> float | None:
        """Return when the next timer is due; None without one. Timers of dead processes go.

        Args:
            is_held: whether a process is paused, so that its timers wait.
        """
        times = [
            when
            for when, _, process, handle in self._timers
            if not handle._cancelled and not is_held(process)
        ]
        return min(times, default=None)

    def fire(self, is_held: Callable[[Any], bool]) -> bool:
        """Make ready what is due; return whether anything was."""
        timers, found = self._timers, False
        held = []
        while timers and timers[0][0] <= self.now:
            entry = heapq.heappop(timers)
            if entry[3]._cancelled:
                continue
            if is_held(entry[2]):
                held.append(entry)
                continue
            self._ready.append(entry[3])
            found = True
        for entry in held:
            heapq.heappush(timers, entry)
        return found

    # --- what asyncio asks of a loop ---------------------------------------------------------

    def time(self) -> float:
        return self.now

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False

    def call_soon(  # type: ignore[override]
        self, callback: Any, *args: Any, context: Any = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    call_soon_threadsafe = call_soon  # type: ignore[assignment]

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Any, *args: Any, context: Any = None
    ) -> asyncio.TimerHandle:
        return self.call_at(self.now + delay, callback, *args, context=context)

    def call_at(  # type: ignore[override]
        self, when: float, callback: Any, *args: Any, context: Any = None
    ) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        self._count += 1
        heapq.heappush(self._timers, (when, self._count, PROCESS.get(), handle))
        return handle

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        return

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(  # type: ignore[override]
        self, coro: Coroutine[Any, Any, Any], *, name: Any = None, context: Any = None
    ) -> asyncio.Task[Any]:
        task = asyncio.Task(coro, loop=self, name=name, context=context)
        self._tasks.append(task)
        return task

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Any, *args: Any
    ) -> asyncio.Future[Any]:
        done = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as exc:  # noqa: BLE001 - as a thread hands it over
            done.set_exception(exc)
        return done

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        self.faults.append(context)
