"""Retirement that waits for pods, on a real Kubernetes with Deployments whose pods no node runs."""

from __future__ import annotations

import pytest

from tests.integration import stories_pods as pods
from tests.integration.at_once import at_once

pytestmark = [pytest.mark.cluster, pytest.mark.process]

test_pod_from_before = at_once(pods.a_pod_from_before_keeps_the_old_one)
test_leak = at_once(pods.a_leak_waits_for_no_pod)
