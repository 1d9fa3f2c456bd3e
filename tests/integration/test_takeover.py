"""Secrets that change hands on a real cluster; the stories are told at the same time."""

from __future__ import annotations

import pytest

from tests.integration import stories_import as imported
from tests.integration import stories_takeover as takeover
from tests.integration.at_once import at_once

pytestmark = [pytest.mark.cluster, pytest.mark.process]

test_migration = at_once(takeover.the_example_migrates_without_a_failure)
test_back = at_once(takeover.what_is_asked_back_goes_back)
test_rename = at_once(takeover.a_renamed_resource_inherits_and_gives_back)
test_adoption = at_once(takeover.a_secret_made_by_hand_is_adopted)
test_import = at_once(imported.six_credentials_made_by_hand_come_under_management)
test_third = at_once(takeover.a_third_one_s_secret_is_untouched)
test_two_at_once = at_once(takeover.two_for_one_secret_at_once)
test_early_deletion = at_once(takeover.deleting_it_before_it_published_changes_nothing)
