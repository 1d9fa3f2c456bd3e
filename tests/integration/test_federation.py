"""Federated identities on a real cluster; the stories are told at the same time."""

from __future__ import annotations

import pytest

from tests.integration import stories_adoption as adoption
from tests.integration import stories_exchange as exchange
from tests.integration import stories_federation as federation
from tests.integration import stories_lists as lists
from tests.integration.at_once import at_once

pytestmark = [pytest.mark.cluster, pytest.mark.process]

test_life = at_once(federation.a_service_account_is_trusted_told_and_let_go)
test_grant = at_once(federation.another_issuer_is_trusted_only_where_it_is_granted)
test_change = at_once(federation.a_changed_account_is_made_before_the_old_one_goes)
test_conflict = at_once(federation.what_others_made_is_left_alone)
test_lost_cluster = at_once(adoption.a_trust_of_a_lost_cluster_is_used_as_it_is)
test_drift = at_once(federation.an_edit_in_the_portal_is_mended)
test_quota = at_once(federation.the_twenty_first_is_counted_before_it_is_asked_for)
test_later = at_once(federation.a_service_account_may_appear_later)
test_move = at_once(federation.another_resource_takes_over_without_a_gap)
test_swap = at_once(federation.a_subject_moves_between_living_resources_without_a_gap)
test_observe = at_once(federation.who_observes_writes_nothing)
test_lost = at_once(federation.a_lost_answer_makes_no_second_one)
test_default = at_once(federation.the_default_account_needs_a_word)
test_lists = at_once(lists.a_list_is_made_told_and_changed)
test_room = at_once(lists.a_list_that_does_not_fit_is_counted_before_the_first)
test_lists_example = at_once(lists.the_example_comes_to_be_ready)
test_part = at_once(lists.a_part_that_is_not_granted_keeps_all_away)
test_examples = at_once(exchange.every_example_comes_to_be_ready_and_is_exchanged)
test_workloads = at_once(exchange.only_who_is_named_signs_in)
test_repositories = at_once(exchange.every_form_of_a_repository_is_exchanged)
test_githubs = at_once(exchange.every_github_is_exchanged_with_its_own_issuer)
test_service_connections = at_once(exchange.both_forms_of_a_service_connection_are_exchanged)
test_customer_keys = at_once(exchange.a_key_for_customers_needs_an_application_for_them)
test_principals = at_once(exchange.a_client_id_is_no_principal)
test_proof = at_once(exchange.a_proof_is_had_before_anybody_is_told)
