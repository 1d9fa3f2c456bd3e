"""Restarts of workloads, on a real Kubernetes with Deployments that have no pods."""

from __future__ import annotations

import pytest

from tests.integration import stories_restart as restarts
from tests.integration.at_once import at_once

pytestmark = [pytest.mark.cluster, pytest.mark.process]

test_rotation = at_once(restarts.a_rotation_ends_by_itself)
