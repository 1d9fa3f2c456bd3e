"""Grants by tag, by labels and with an end."""

from __future__ import annotations

import pytest

from tests.integration import stories_grants as grants
from tests.integration.at_once import at_once

pytestmark = [pytest.mark.cluster, pytest.mark.process]

test_fleet = at_once(grants.forty_namespaces_need_four_grants)
test_lost_tag = at_once(grants.a_tag_taken_away_stops_what_is_new)
test_inexact_tag = at_once(grants.a_tag_has_to_be_exact)
test_no_tagged_grant = at_once(grants.without_a_tagged_grant_nothing_is_asked)
test_labels = at_once(grants.a_label_decides)
test_end = at_once(grants.a_grant_ends_by_itself)
test_reserved_namespaces = at_once(grants.kubernetes_own_namespaces_are_never_selected)
