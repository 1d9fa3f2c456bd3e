"""Applied again, pruned, replaced, renamed: no credential is minted, changed or lost by it."""

from __future__ import annotations

import pytest

from tests.integration import stories_gitops as gitops
from tests.integration import stories_renamed as renamed
from tests.integration.at_once import at_once

pytestmark = [pytest.mark.cluster, pytest.mark.process]

test_applied_again = at_once(gitops.applied_again)
test_deleted = at_once(gitops.deleted_and_applied_again)
test_pruned_by_kubectl = at_once(gitops.pruned_by_kubectl_and_applied_again)
test_pruned_by_tools = at_once(gitops.pruned_by_tools_and_applied_again)
test_forced = at_once(gitops.created_anew_by_force)
test_for_another_application = at_once(gitops.for_another_application_and_back)
test_renamed = at_once(renamed.renamed_and_back)
test_renamed_under_a_kept_secret = at_once(renamed.renamed_under_a_kept_secret_and_back)
