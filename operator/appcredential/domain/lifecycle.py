"""When a credential is issued, proven, published, retired and removed.

`decide` walks ordered lists, named as in docs/lifecycle.md, and the first rule that matches wins.
One that only waits does not, so a stuck proof never blocks a removal. Nearly every clause prevents
a lost sign-in. What acts on a list of Entra asks for a fresh one: an old one proves no absence.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from appcredential.domain.actions import Action, ApplyStatus, Hold, ReadFederated, Sleep
from appcredential.domain.conditions import Problem
from appcredential.domain.facts.assessment import assess
from appcredential.domain.facts.believed import believed
from appcredential.domain.facts.facts import Facts
from appcredential.domain.facts.federated import assess_federated
from appcredential.domain.observed.observation import Observation
from appcredential.domain.rules import (
    discard,
    federated,
    gates,
    gates_application,
    gates_deletion,
    gates_secret,
    issuing,
    next_look,
    pending,
    reading,
    removal,
    restart,
    target,
)
from appcredential.domain.status.projection import needs_write, project

GATES: Final = (
    gates.effects_are_blocked,  # 0
    gates_deletion.resource_is_being_deleted,  # 1
    gates_deletion.deletion_is_unprepared,  # 2
    gates_deletion.revocation_is_scheduled,  # 3
    gates.spec_tenant_or_grant_is_unusable,  # 4
    gates_secret.secret_is_not_ours_to_write,  # 5
    gates_application.application_is_unknown,  # 6
)
"""For every type. Where one matches, no rule is asked."""

RULES: Final = (
    issuing.revocation_is_still_open,  # 6a
    pending.pending_secret_is_a_copy,  # 7
    pending.pending_secret_is_done,  # 8
    target.retiring_entry_is_done,  # 9
    target.credential_is_stranded,  # 10
    target.target_rendering_differs,  # 11
    removal.older_credential_is_revoked,  # 12
    removal.abandoned_attempt_is_listed,  # 13
    pending.intent_was_interrupted,  # 14
    pending.successor_is_useless,  # 15
    issuing.successor_sign_in_is_due,  # 16
    issuing.successor_is_publishable,  # 17
    issuing.published_credential_seems_gone,  # 18a
    issuing.successor_is_needed,  # 18
    pending.pending_secret_is_unneeded,  # 19
    target.removal_was_seen,  # 20
    removal.credential_has_expired,  # 21
    restart.workloads_are_to_be_restarted,  # 21a
    removal.retirement_is_due,  # 22
    target.absence_is_unconfirmed,  # 9b
)
"""For client secrets and certificates."""

LOOKS: Final = (issuing.published_credential_seems_gone,)  # 18a
"""Of these rules, those that write nothing: also for a suspended resource or mode Observe."""

FEDERATED_RULES: Final = (
    federated.federated_credentials_are_unread,  # F1
    federated.application_is_not_in_status,  # F2
    federated.deleted_neighbour_left_a_credential,  # F3
    federated.federated_credential_was_edited,  # F4
    federated.federated_credential_is_missing,  # F5
    federated.exchange_is_due,  # F6
    federated.service_account_is_not_annotated,  # F7
    federated.output_config_map_differs,  # F8
    federated.federated_credential_is_superseded,  # F9
    federated.superseded_credential_is_due,  # F10
)
"""For federated credentials, which keep nothing in a Secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One action, the status that is true now, when to look again, and what that rests on."""

    action: Action
    status: dict[str, Any]
    look_again: datetime
    facts: Facts | None = None


def decide(observation: Observation) -> Decision:
    """Return the one thing to do next for an observation, which holds the time as well. Pure."""
    observation = believed(observation)
    for gate in GATES:
        if (action := gate(observation)) is not None:
            return _at_gate(observation, action)
    facts = assess(observation)
    if facts.spec.type.is_federated:
        return _decide_federated(facts)
    for rule in LOOKS if facts.observes else discard.RULES if facts.conflict else RULES:
        if (action := rule(facts)) is not None:
            return _act(action, facts)
    return _settle(facts, next_look.next_look(facts))


def _decide_federated(common: Facts) -> Decision:
    facts = assess_federated(common)
    if isinstance(facts, Problem):
        read = reading.read_to_cure(common, facts)
        return _act(read, common) if read else _settle(common, reading.cure_time(common))
    for rule in FEDERATED_RULES:
        if (action := rule(facts)) and (not common.observes or isinstance(action, ReadFederated)):
            return _act(action, common)
    return _settle(common, federated.next_federated_look(facts))


def _act(action: Action, facts: Facts) -> Decision:
    status = project(facts.observation, facts, gates.observing(facts))
    return Decision(action=action, status=status, look_again=facts.now, facts=facts)


def _settle(facts: Facts, look_again: datetime) -> Decision:
    """23: write status if it differs, else sleep."""
    settled = replace(_act(Sleep(), facts), look_again=look_again)
    return replace(settled, action=_apply(facts.observation, settled.status))


def _at_gate(observation: Observation, action: Action) -> Decision:
    status = dict(observation.resource.status)
    if not isinstance(action, Hold):
        return Decision(action=action, status=status, look_again=observation.now)
    look_again = gates.next_gate_look(observation)
    if gates.is_silent(observation, action.problem):
        return Decision(action=Sleep(), status=status, look_again=look_again)
    status = project(observation, None, gates.told(observation, action.problem))
    return Decision(action=_apply(observation, status), status=status, look_again=look_again)


def _apply(observation: Observation, status: dict[str, Any]) -> Action:
    return ApplyStatus() if needs_write(observation.resource.status, status) else Sleep()
