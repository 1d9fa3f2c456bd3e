"""The life of a credential on a real Kubernetes, from its issue to its retirement."""

from __future__ import annotations

import pytest

from tests.integration import stories_adoption as adoption
from tests.integration import stories_issue as issue
from tests.integration import stories_repair as repair
from tests.integration import stories_rotation as rotation
from tests.integration import stories_windows as windows
from tests.integration.at_once import at_once

pytestmark = [pytest.mark.cluster, pytest.mark.process]

test_issue = at_once(issue.an_issue_is_complete)
test_policy = at_once(issue.the_policy_of_the_tenant_shortens_what_is_asked)
test_unread_policy = at_once(issue.the_policy_that_may_not_be_read_is_unknown)
test_raw_preset = at_once(issue.the_raw_preset_signs_in)
test_proof_before_publication = at_once(issue.nothing_unproven_is_published)
test_withdrawn_grant = at_once(issue.a_withdrawn_grant_lets_it_expire)
test_immutable_fields = at_once(issue.what_is_immutable_is_refused)
test_changed_manifest = at_once(issue.a_changed_manifest_is_followed_in_place)

test_due_renewal = at_once(rotation.a_due_renewal_overlaps)
test_retirement_by_expiry = at_once(rotation.an_expiring_one_is_left_to_expire)
test_rotate_issued_before = at_once(rotation.rotation_by_a_time_is_stateless)
test_leak = at_once(rotation.a_leak_is_closed_once_its_successor_works)
test_foreign_credentials = at_once(rotation.what_others_made_is_untouched)
test_shared_application = at_once(rotation.two_resources_of_one_application_keep_apart)
test_window = at_once(windows.a_renewal_waits_for_its_window)
test_leak_outside_windows = at_once(windows.a_leak_waits_for_no_window)
test_suspend = at_once(rotation.a_suspended_resource_is_left_alone)

test_lost_cluster = at_once(adoption.what_a_lost_cluster_issued_serves_and_stays)
test_leak_of_a_lost_cluster = at_once(adoption.what_should_be_revoked_and_may_not_is_named)

test_deleted_secret = at_once(repair.a_deleted_secret_is_written_anew)
test_damaged_value = at_once(repair.a_damaged_value_is_replaced)
test_edited_secret = at_once(repair.an_edited_secret_is_put_right)
test_generated_value = at_once(repair.a_generated_value_that_changes_is_told)
test_lost_pending = at_once(repair.a_lost_pending_secret_is_no_lost_time)
test_damaged_pending = at_once(repair.a_pending_secret_with_damaged_records_is_let_go)
test_removed_in_the_portal = at_once(repair.a_credential_that_is_gone_is_replaced)
test_immutable_secret = at_once(repair.an_immutable_secret_loses_no_sign_in)
test_adopted_secret = at_once(repair.an_adopted_secret_keeps_its_other_keys)
test_foreign_secret = at_once(repair.a_secret_of_somebody_else_is_untouched)
test_secret_in_place_of_ours = at_once(repair.a_secret_put_in_place_of_ours_is_untouched)
