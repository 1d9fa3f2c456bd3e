"""Every example is applied on a real cluster and becomes Ready; all at the same time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.at_once import Stories
from tests.integration.installation import Installation
from tests.integration.stories_examples import EXAMPLES, story

pytestmark = [pytest.mark.cluster, pytest.mark.process]

_STORIES = {name: story(name) for name in EXAMPLES}


@pytest.fixture(scope="module")
def begun(installation: Installation) -> Iterator[Stories]:
    told = Stories(installation, _STORIES.values())
    yield told
    told.close()


@pytest.mark.parametrize("name", EXAMPLES)
def test_it_becomes_ready(begun: Stories, name: str) -> None:
    begun.result(_STORIES[name])
