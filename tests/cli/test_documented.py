"""docs/cli.md shows commands that exist, with options that they have, and leaves none out."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from appcredential.cli.main import FAILED, INTERRUPTED, PIPE_CLOSED, commands
from tests.docs.reading import blocks, rows

TEXT = (Path(__file__).parents[2] / "docs" / "cli.md").read_text()
TYPED = [
    shlex.split(words.strip(" ()"))
    for words in re.findall(r"kubectl appcredential ([a-z].*)", "\n".join(blocks(TEXT, "sh")))
]


@pytest.mark.parametrize("words", TYPED, ids=" ".join)
def test_each_command_is_understood(words: list[str]) -> None:
    name, *rest = words
    command = commands.commands[name]

    assert isinstance(command.make_context(name, rest), click.Context)


def test_every_command_is_shown() -> None:
    assert {words[0] for words in TYPED} == set(commands.commands)


def test_every_option_is_in_the_table() -> None:
    told = "\n".join(row[0] for row in rows(TEXT, "option", "meaning")) + TEXT
    options = {
        name
        for command in commands.commands.values()
        for parameter in command.params
        if isinstance(parameter, click.Option)
        for name in parameter.opts
        if name.startswith("--")
    }
    assert {option for option in options if option not in told} == set()


def test_every_exit_status_is_told() -> None:
    told = [row[0] for row in rows(TEXT, "status", "meaning")]

    assert told == ["0", *map(str, (FAILED, INTERRUPTED, PIPE_CLOSED))]
