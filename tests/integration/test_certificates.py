"""Certificates on a real cluster; the stories are told at the same time."""

from __future__ import annotations

import pytest

from tests.integration import stories_adoption as adoption
from tests.integration import stories_certificates as certificates
from tests.integration.at_once import at_once

pytestmark = [pytest.mark.cluster, pytest.mark.process]

test_life = at_once(certificates.a_certificate_lives_like_a_secret)
test_lost_answer = at_once(certificates.a_lost_answer_is_no_second_key)
test_lost_cluster = at_once(adoption.a_certificate_of_a_lost_cluster_serves_and_stays)
test_leak = at_once(certificates.a_leaked_key_is_revoked_at_once)
test_known_policy = at_once(certificates.the_policy_of_the_tenant_shortens_what_is_asked)
test_policy = at_once(certificates.a_policy_refuses_and_the_one_in_use_stays)
test_subject = at_once(certificates.a_subject_that_no_certificate_can_have_is_told)
test_damage = at_once(certificates.a_damaged_secret_is_mended_or_replaced)
