"""Certificates that others issue, on a real cluster; the stories are told at the same time."""

from __future__ import annotations

import pytest

from tests.integration import stories_sources as sources
from tests.integration.at_once import at_once

pytestmark = [pytest.mark.cluster, pytest.mark.process]

test_pair = at_once(sources.a_pair_reaches_workloads_only_after_it_was_proven)
test_upload = at_once(sources.a_certificate_without_its_key_is_registered)
test_file = at_once(sources.one_file_with_both_is_followed)
test_inline = at_once(sources.a_certificate_written_out_is_registered)
test_removed = at_once(sources.what_an_administrator_removed_stays_removed)
test_keystore = at_once(sources.a_keystore_follows_its_password)
test_unusable = at_once(sources.what_cannot_be_used_is_named)
test_broken = at_once(sources.a_broken_source_leaves_what_works)
