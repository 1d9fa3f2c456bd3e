"""A deletion that the operator never saw is finished all the same."""

from __future__ import annotations

import pytest

from tests.integration import stories_unseen as unseen
from tests.integration.at_once import at_once
from tests.integration.installation import Installation

pytestmark = [pytest.mark.cluster, pytest.mark.process]

test_client_secret = at_once(unseen.replaced_and_deleted)
test_certificate = at_once(unseen.a_certificate_goes_too)
test_federated_identity = at_once(unseen.a_trust_goes_too)
test_return = at_once(unseen.one_that_is_back_in_time_keeps_all)
test_retain = at_once(unseen.retain_keeps_all)
test_seen = at_once(unseen.a_deletion_that_is_seen_leaves_no_record)


def test_while_no_operator_runs(installation: Installation) -> None:
    """The next one finds what was left, and the Secret with it."""
    i = installation
    team = i.team("stopped")
    team.apply(**unseen.GRACE)
    team.ready()
    key = team.key()
    assert i.operator.child.stop() == 0
    i.kube.edit(team.path(), lambda found: found["metadata"].update(finalizers=[]))
    team.i.kube.delete(team.path())
    assert i.kube.get(team.path()) is None
    i.operator.restart()
    i.operator.wait_until_ready()
    i.until(lambda: i.tickets(team.namespace), "its revocation is scheduled")
    assert team.key_ids() == [key]
    team.until(lambda: team.key_ids() == [], "the credential is revoked")
    i.until(lambda: i.tickets(team.namespace) == [], "the deletion is finished")
    assert team.secret() is None
    assert i.records(team.namespace) == []
