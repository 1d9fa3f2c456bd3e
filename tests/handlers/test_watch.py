"""What the watches hold of objects whose size users decide."""

from __future__ import annotations

import json
import string
import tracemalloc
from itertools import islice, product
from typing import Any, Final

import kopf
import pytest

from appcredential.handlers import watch

MIB: Final = 1024 * 1024
LARGEST: Final = 1_500_000
"""Bytes of the largest object that etcd takes."""
FEW_MIB: Final = 256
"""Half of the chart's limit."""


def largest() -> str:
    """Return the list of one object that is as large in memory as a user can make it."""
    names = ("".join(letters) for letters in product(string.ascii_letters, repeat=3))
    labels = dict.fromkeys(islice(names, LARGEST // len('"abc":"",')), "")
    return json.dumps({"items": [{"metadata": {"labels": labels}}]}, separators=(",", ":"))


def mib_of(text: str) -> float:
    """Return how much more memory the text takes as text and as objects."""
    tracemalloc.start()
    try:
        held: list[Any] = [text.encode(), text.encode().decode(), json.loads(text)]
        return tracemalloc.get_traced_memory()[0] / MIB if held else 0
    finally:
        tracemalloc.stop()


def test_a_page_of_the_largest_objects_fits_into_memory() -> None:
    text = largest()
    assert LARGEST - 500_000 < len(text) < LARGEST
    assert (watch._settings().watching.chunk_size or LARGEST) * mib_of(text) < FEW_MIB


def test_ten_thousand_are_listed_before_the_first_pages_token_expires() -> None:
    """It expires after five minutes; a page of a loaded API server takes a quarter of a second."""
    assert 10_000 / (watch._settings().watching.chunk_size or 1) * 0.25 < 300


def test_no_object_is_kept_for_long_after_its_event() -> None:
    assert 0 < watch._settings().queueing.idle_timeout < 1


UNREADABLE: Final = kopf.Body(
    {"metadata": {"annotations": {"kopf.zalando.org/last-handled-configuration": "{"}}}
)
"""As anybody may write it who may annotate the object."""


def test_nothing_is_read_of_what_people_write_into_annotations_of_kopf() -> None:
    storage = watch._settings().persistence.diffbase_storage
    assert storage.fetch(body=UNREADABLE) is None


def test_kopf_by_itself_gives_such_an_event_up() -> None:
    storage = kopf.OperatorSettings().persistence.diffbase_storage
    with pytest.raises(json.JSONDecodeError):
        storage.fetch(body=UNREADABLE)


def test_no_object_is_copied() -> None:
    storage = watch._settings().persistence.diffbase_storage
    assert storage.build(body=kopf.Body({"spec": {"type": "ClientSecret"}})) == {}
