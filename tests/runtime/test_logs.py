"""The log: one JSON object a line, no secret value in it, and libraries that stay quiet."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from appcredential.domain.secret_value import SecretValue
from appcredential.runtime import logs

CANARY = "Xy48Q~canary-that-must-not-be-seen.0123456"


def line(message: str, *args: object, **extra: object) -> dict[str, Any]:
    record = logging.getLogger("appcredential.test").makeRecord(
        "appcredential.test", logging.INFO, "f.py", 1, message, args, None, extra=extra
    )
    text = logs.JsonFormatter().format(record)
    assert "\n" not in text
    found = json.loads(text)
    assert isinstance(found, dict)
    return found


def test_a_line_holds_time_level_logger_event_and_the_extra_keys() -> None:
    found = line("published", key_id="k", ns="shop")
    time = found.pop("time")
    assert found == {
        "level": "info",
        "logger": "appcredential.test",
        "event": "published",
        "key_id": "k",
        "ns": "shop",
    }
    assert time[10] == "T"
    assert time.endswith("+00:00")
    assert len(time) == len("2026-11-22T10:00:00.000+00:00")


def test_line_breaks_and_quotes_stay_inside_the_line() -> None:
    found = line('a\n"b" %s', "c\r\nd", note="e\nf")
    assert found["event"] == 'a\n"b" c\r\nd'
    assert found["note"] == "e\nf"


def test_a_trace_is_part_of_the_line() -> None:
    text = trace_of(ValueError("two\nlines"))
    assert "\n" not in text
    found = json.loads(text)
    assert "ValueError: two\nlines" in found["trace"]
    assert found["level"] == "error"


@pytest.mark.parametrize("key", ["time", "level", "logger", "event", "trace"])
def test_an_extra_key_replaces_none_of_the_line_s_own(key: str) -> None:
    found = line("published", **{key: "other"})
    assert found["event"] == "published"
    assert found["level"] == "info"
    assert found["logger"] == "appcredential.test"
    assert "other" not in str(found["time"])


@pytest.mark.parametrize(
    "extra",
    [
        {"value": SecretValue(CANARY)},
        {"value": [SecretValue(CANARY)]},
        {"value": {"clientSecret": SecretValue(CANARY)}},
        {"value": {"deep": ({"er": SecretValue(CANARY)},)}},
    ],
)
def test_a_secret_value_is_redacted_wherever_it_stands(extra: dict[str, Any]) -> None:
    text = json.dumps(line("made", **extra))
    assert CANARY not in text
    assert "***" in text


def test_a_secret_value_is_redacted_in_messages_and_traces() -> None:
    value = SecretValue(CANARY)
    assert line("%s %r", value, value)["event"] == "*** ***"
    assert CANARY not in trace_of(ValueError(value))


def test_what_json_cannot_hold_does_not_lose_the_line() -> None:
    found = line("seen", thing=object(), many={1, 2})
    assert found["event"] == "seen"
    assert found["thing"].startswith("<object")


@contextmanager
def configured(level: str) -> Iterator[None]:
    """The log of the process at that level, and everything as before afterwards."""
    root, ours = logging.getLogger(), logging.getLogger("appcredential")
    before = root.handlers[:], root.level, ours.level
    limited = [logging.getLogger(name) for name in ("asyncio", "aiohttp.server")]
    filters = [logger.filters[:] for logger in limited]
    for handler in before[0]:
        root.removeHandler(handler)  # pytest's own, which must stay open
    try:
        logs.configure(level)
        yield
    finally:
        root.handlers[:] = before[0]
        root.setLevel(before[1])
        ours.setLevel(before[2])
        for logger, former in zip(limited, filters, strict=True):
            logger.filters = former


def test_at_debug_only_our_own_loggers_say_more(capsys: pytest.CaptureFixture[str]) -> None:
    with configured("DEBUG"):
        # A library that nobody thought of as well as those whose DEBUG lines hold bodies.
        for name in ("httpx", "httpcore.http11", "msal.token_cache", "kopf.objects", "new.library"):
            logging.getLogger(name).debug("Authorization: Bearer %s", CANARY)
            logging.getLogger(name).info("POST https://login.example %s", CANARY)
        logging.getLogger("appcredential.effects.dispatch").debug("ours")
        logging.getLogger("new.library").warning("a warning")
    assert events(capsys) == ["ours", "a warning"]


@pytest.mark.parametrize(
    ("level", "wanted"),
    [
        ("DEBUG", ["debug", "info", "warning", "error"]),
        ("INFO", ["info", "warning", "error"]),
        ("WARNING", ["warning", "error"]),
        ("ERROR", ["error"]),
    ],
)
def test_the_level_is_the_setting_s(
    level: str, wanted: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    log = logging.getLogger("appcredential.test")
    with configured(level):
        for method in ("debug", "info", "warning", "error"):
            getattr(log, method)(method)
    assert events(capsys) == wanted


def test_at_error_libraries_do_not_say_more_than_we_do(capsys: pytest.CaptureFixture[str]) -> None:
    with configured("ERROR"):
        logging.getLogger("new.library").warning("a warning")
    assert events(capsys) == []


def events(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [json.loads(text)["event"] for text in capsys.readouterr().out.splitlines()]


async def test_lines_from_far_below_say_what_they_are_about(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log = logging.getLogger("appcredential.entra.translate")

    async def ask(name: str) -> None:
        with logs.within(ns="shop", obj=name), logs.within(application="app"):
            await asyncio.sleep(0)
            log.warning("HTTP 503")
            log.warning("its own", extra={"obj": "another"})

    with configured("INFO"):
        await asyncio.gather(ask("orders"), ask("invoices"))
        log.warning("outside")
    found = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    told = {(f["event"], f.get("ns"), f.get("obj"), f.get("application")) for f in found}
    assert told == {
        ("HTTP 503", "shop", "orders", "app"),
        ("HTTP 503", "shop", "invoices", "app"),
        ("its own", "shop", "another", "app"),
        ("outside", None, None, None),
    }


def trace_of(error: Exception) -> str:
    """Return the line that logging an exception gives."""
    info = (type(error), error, None)
    record = logging.LogRecord("x", logging.ERROR, "f.py", 1, "failed", (), info)
    return logs.JsonFormatter().format(record)


def test_what_any_client_can_cause_is_said_five_times_a_minute() -> None:
    """At its limit of open files, asyncio logs an error for each connection that it refuses."""
    now = 0.0
    limit = logs.RateLimit(lambda: now)

    def record(first: str, rest: str) -> logging.LogRecord:
        return logging.LogRecord("asyncio", logging.ERROR, "f.py", 1, f"{first}\n{rest}", (), None)

    passed = [limit.filter(record("out of system resource", str(n))) for n in range(1000)]
    assert sum(passed) == 5
    assert limit.filter(record("another", ""))
    now = 60.0
    again = record("out of system resource", "")
    assert limit.filter(again)
    assert vars(again)["suppressed"] == 995


@pytest.mark.parametrize("name", ["asyncio", "aiohttp.server"])
def test_the_loggers_that_clients_can_fill_are_limited(name: str) -> None:
    with configured("INFO"):
        (limit,) = logging.getLogger(name).filters
        assert isinstance(limit, logs.RateLimit)


def failure(resource: int, code: str) -> logging.LogRecord:
    record = logging.LogRecord("x", logging.INFO, "f.py", 1, "directory call failed", (), None)
    vars(record).update(obj=f"app-{resource}", operation="mint", reason="Refused", code=code)
    return record


def test_10_000_failing_resources_cause_few_lines_and_hide_no_other_failure() -> None:
    limit = logs.RateLimit(lambda: 0.0, kind=logs.failure_of, lines=30)

    assert sum(limit.filter(failure(n, "Outage")) for n in range(10_000)) == 30
    assert limit.filter(failure(1, "Another"))


def test_an_adapters_line_counts_by_operation_status_and_code_and_not_by_text() -> None:
    limit = logs.RateLimit(lambda: 0.0, kind=logs.failure_of, lines=30)
    line_ = "%s: HTTP %d %s: %s"

    def told(code: str, text: str) -> bool:
        arguments = ("application.get", 403, code, text)
        record = logging.LogRecord("x", logging.WARNING, "f.py", 1, line_, arguments, None)
        return limit.filter(record)

    assert sum(told("Denied", f"for application {n}") for n in range(10_000)) == 30
    assert told("Full", "")


def test_who_asks_for_debug_gets_all_of_it() -> None:
    limit = logs.RateLimit(lambda: 0.0)
    record = logging.LogRecord("x", logging.DEBUG, "f.py", 1, "looked", (), None)
    assert all(limit.filter(record) for _ in range(100))


@pytest.mark.parametrize("name", ["effects.application", "effects.signin", "entra.translate"])
def test_the_loggers_that_all_resources_fill_are_limited(name: str) -> None:
    with configured("INFO"):
        (limit,) = logging.getLogger(f"appcredential.{name}").filters
        assert isinstance(limit, logs.RateLimit)


def test_changes_of_credentials_are_logged_at_every_level() -> None:
    with configured("ERROR"):
        assert logging.getLogger(logs.AUDIT).isEnabledFor(logging.INFO)
