"""Waiting ends with what was waited for, or with its time, and outlives an API server's silence."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import cast

import pytest

from appcredential.cli.api import Api
from appcredential.cli.app_credential import AppCredential
from appcredential.cli.conditions import Wanted
from appcredential.cli.errors import ForbiddenError, NoAnswerError, NotThereError
from appcredential.cli.waiting import Waiting
from appcredential.domain.conditions import ConditionType
from tests.cli.scenes import published, resource
from tests.support.clock import HandClock

Answer = Callable[[], AppCredential]
READY = Wanted(ConditionType.READY)


def answer(found: AppCredential) -> Answer:
    return lambda: found


def failure(error: Exception) -> Answer:
    def fail() -> AppCredential:
        raise error

    return fail


class Script:
    """Answers one after the other; the last one stays."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)
        self.reads = 0

    def get(self, _namespace: str, _name: str) -> AppCredential:
        self.reads += 1
        return (self._answers.pop(0) if len(self._answers) > 1 else self._answers[0])()


def waited(
    clock: HandClock, script: Script, seconds: float, wanted: Wanted = READY
) -> tuple[bool, AppCredential | None, list[str]]:
    shown: list[str] = []
    waiting = Waiting(
        cast("Api", script),
        timedelta(seconds=seconds),
        shown.append,
        monotonic=clock.monotonic,
        sleep=lambda s: clock.advance(timedelta(seconds=s)),
    )
    return *waiting.until(resource("orders"), wanted.is_met), shown


def test_it_ends_with_what_was_waited_for(clock: HandClock) -> None:
    script = Script(answer(resource("orders")), answer(resource("orders", published())))

    is_met, last, shown = waited(clock, script, 30)

    assert is_met
    assert last == resource("orders", published())
    assert shown == ["shop/orders: the operator has not looked at it yet"]


def test_it_ends_with_its_time_and_asks_more_and_more_seldom(clock: HandClock) -> None:
    began, script = clock.monotonic(), Script(answer(resource("orders")))

    is_met, _, _ = waited(clock, script, 60)

    assert not is_met
    assert clock.monotonic() - began == 60
    assert script.reads == 16


def test_without_time_it_looks_once(clock: HandClock) -> None:
    script = Script(answer(resource("orders", published())))

    assert waited(clock, script, 0)[0]
    assert script.reads == 1


def test_an_api_server_without_an_answer_is_asked_again(clock: HandClock) -> None:
    silent = failure(NoAnswerError("no answer"))

    assert waited(clock, Script(silent, silent, answer(resource("orders", published()))), 30)[0]
    with pytest.raises(NoAnswerError):
        waited(clock, Script(silent), 30)


def test_a_refusal_ends_it(clock: HandClock) -> None:
    with pytest.raises(ForbiddenError):
        waited(clock, Script(failure(ForbiddenError("no"))), 30)


def test_one_that_goes_and_comes_again_is_gone(clock: HandClock) -> None:
    gone = Wanted(None)
    other = resource("orders", uid="another")

    assert waited(clock, Script(failure(NotThereError("gone"))), 30, gone)[0]
    assert waited(clock, Script(answer(other)), 30, gone)[0]
    assert not waited(clock, Script(answer(resource("orders"))), 30, gone)[0]
