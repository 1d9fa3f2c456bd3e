"""Examples are applied and pages of docs/ are typed on a real cluster; all at the same time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.at_once import Stories, Story
from tests.integration.installation import Installation
from tests.integration.stories_examples import EXAMPLES, story
from tests.integration.stories_pages import PAGES

pytestmark = [pytest.mark.cluster, pytest.mark.process]


@pytest.fixture(scope="module")
def begun(installation: Installation, request: pytest.FixtureRequest) -> Iterator[Stories]:
    """Those that were selected."""
    items = [item for item in request.session.items if item.path == request.path]
    specs = [getattr(item, "callspec", None) for item in items]
    told = Stories(installation, [s.params["told"] for s in specs if s is not None])
    yield told
    told.close()


@pytest.mark.parametrize("told", [story(name) for name in EXAMPLES], ids=EXAMPLES)
def test_it_becomes_ready(begun: Stories, told: Story) -> None:
    begun.result(told)


@pytest.mark.parametrize("told", list(PAGES.values()), ids=PAGES)
def test_what_a_page_says_is_seen(begun: Stories, told: Story) -> None:
    begun.result(told)
