"""Examples are applied and pages of docs/ are typed on a real cluster; all at the same time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.at_once import Stories, Story
from tests.integration.installation import Installation
from tests.integration.stories_examples import EXAMPLES, story
from tests.integration.stories_pages import PAGES

pytestmark = [pytest.mark.cluster, pytest.mark.process]

_STORIES = {name: story(name) for name in EXAMPLES}


@pytest.fixture(scope="module")
def begun(installation: Installation) -> Iterator[Stories]:
    told = Stories(installation, [*_STORIES.values(), *PAGES.values()])
    yield told
    told.close()


@pytest.mark.parametrize("name", EXAMPLES)
def test_it_becomes_ready(begun: Stories, name: str) -> None:
    begun.result(_STORIES[name])


@pytest.mark.parametrize("told", PAGES.values(), ids=PAGES)
def test_what_a_page_says_is_seen(begun: Stories, told: Story) -> None:
    begun.result(told)
