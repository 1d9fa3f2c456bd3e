"""What is known of an application, and from what."""

from __future__ import annotations

from dataclasses import replace

from appcredential.domain.observed.entra import NEVER_READ
from tests.support.builders import NOW, SECOND, application


def test_what_only_lists_showed_is_no_direct_read() -> None:
    read = application()
    assert not read.is_listed_only
    listed = replace(read, read_time=NEVER_READ, confirmed=NOW)
    assert listed.is_listed_only
    assert listed.known_time == NOW
    assert replace(listed, doubted=NOW + SECOND).is_doubted
