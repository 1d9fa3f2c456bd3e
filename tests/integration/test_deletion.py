"""A deletion is finished by its ticket, whatever happens meanwhile."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.integration import stories_deletion as deletion
from tests.integration.at_once import at_once
from tests.integration.installation import Installation, parse

pytestmark = [pytest.mark.cluster, pytest.mark.process]

test_revoke_after_grace = at_once(deletion.a_revocation_waits_out_the_grace)
test_return_within_grace = at_once(deletion.a_return_within_the_grace_changes_nothing)
test_retain = at_once(deletion.retain_leaves_a_working_credential)
test_retain_with_a_successor_under_way = at_once(deletion.retain_clears_what_was_never_published)
test_graph_outage = at_once(deletion.a_deletion_never_waits_for_graph)
test_not_granted = at_once(deletion.what_is_not_granted_causes_no_call)
test_never_granted = at_once(deletion.what_was_never_granted_is_deleted_without_a_call)
test_suspended = at_once(deletion.a_suspended_resource_is_deleted_all_the_same)
test_entra_tenant = at_once(deletion.an_entra_tenant_stays_until_all_is_revoked)
test_namespace = at_once(deletion.a_deleted_namespace_is_not_held_up)


def test_tickets_survive_the_operator(installation: Installation) -> None:
    """Nothing is remembered in the process alone: another one finishes what this one began."""
    i = installation
    team = i.team("survives")
    team.apply(deletionGracePeriod="6s")
    team.ready()
    key = team.key()
    team.delete()
    i.operator.child.kill()
    (ticket,) = i.tickets(team.namespace)
    i.operator.restart()
    i.pass_time(parse(ticket["data"]["due"]) - timedelta(seconds=1))
    assert team.key_ids() == [key]
    team.until(lambda: team.key_ids() == [], "the credential is revoked")
    i.until(lambda: i.tickets(team.namespace) == [], "the deletion is finished")
    assert team.secret() is None
