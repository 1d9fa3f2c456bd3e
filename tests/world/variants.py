"""Operators that are wrong on purpose, each by one small change, and how the world catches them.

To add one: write the change as a function of a MonkeyPatch, and a line in `VARIANTS`. Its history
is one that shows the fault; `python -m tests.world --find NAME` looks for one and makes it short.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import pytest

from appcredential.domain import lifecycle
from appcredential.domain.actions import Action, Publish
from appcredential.domain.facts import publication, retirement, rolled_out, windows
from appcredential.domain.facts import published as published_facts
from appcredential.domain.facts.deletion import revocation_name
from appcredential.domain.facts.facts import Facts
from appcredential.domain.facts.federated import FederatedFacts
from appcredential.domain.lifecycle import GATES
from appcredential.domain.marker import Marker, Owner
from appcredential.domain.observed.pods import PodUsers
from appcredential.domain.observed.target import PendingState, RetireCause
from appcredential.domain.rules import pending as pending_rules
from appcredential.domain.rules import reading
from appcredential.domain.rules import removal as removal_rules
from appcredential.domain.rules.gates_deletion import revocation_is_scheduled
from appcredential.domain.secret.records import read_target
from appcredential.domain.spec.model import AppCredentialSpec
from appcredential.effects import client_secret, issuing, target
from appcredential.effects import removal as removal_effects
from appcredential.errors import AppCredentialError, OutcomeUnknownError
from appcredential.gather import gatherer, granted
from appcredential.gather.clock_watch import ClockWatch
from appcredential.kube import pods as kube_pods
from appcredential.kube import secret_documents
from appcredential.kube.secret_store import KubeSecrets
from appcredential.runtime.effect_guard import EffectGuard
from tests.support.breaking import in_rules, with_rule, within
from tests.support.builders import OWNER
from tests.world import facts, variants_restart
from tests.world.cluster import SYSTEM

Patch = pytest.MonkeyPatch


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One wrong operator.

    Attributes:
        says: what is wrong with it, as the report says it.
        change: makes the operator so.
        history: shows the fault.
        oracle: the promise that it breaks then.
    """

    says: str
    change: Callable[[Patch], None]
    history: str = ""
    oracle: str = ""


def _nothing(_facts: Any) -> None:
    return None


# --- what is removed ------------------------------------------------------------------------


def _at_once(m: Patch) -> None:
    in_rules(m, "retire_time", lambda _, entry: entry.since)


def _before_publish(m: Patch) -> None:
    def hasty(facts: Facts) -> Action | None:
        """Remove what is published once a successor is there."""
        if facts.successor is None or facts.published is None:
            return None
        found = facts.ours.get(facts.published.key_id)
        return removal_rules.remove_listed(facts, found, RetireCause.REPLACED) if found else None

    with_rule(m, "pending_secret_is_a_copy", hasty)


def _part_of_the_marker(m: Patch) -> None:
    m.setattr(
        Marker,
        "is_removable_by",
        lambda self, identity, owner: (self.cluster, self.owner) == (identity.cluster, owner.hash),
    )


def _any_marker(m: Patch) -> None:
    m.setattr(Marker, "is_removable_by", lambda _self, _identity, _owner: True)


def _what_is_adopted(m: Patch) -> None:
    exact = Marker.is_removable_by
    m.setattr(
        Marker,
        "is_removable_by",
        lambda self, identity, owner: (
            exact(self, identity, owner) or self.is_adopted_by(identity, owner)
        ),
    )


def _stranded_at_once(m: Patch) -> None:
    def hasty(facts: Facts) -> Action | None:
        known = {facts.published.key_id} if facts.published else set()
        lost = (c for k, c in facts.ours.items() if k not in known and not facts.is_pending(c))
        retiring = {r.key_id for r in facts.retiring}
        return reading.first_due(
            removal_rules.remove_listed(facts, c, RetireCause.STRANDED)
            for c in lost
            if c.key_id not in retiring
        )

    with_rule(m, "credential_is_stranded", hasty)


def _no_survivor(m: Patch) -> None:
    m.setattr(removal_rules, "_may_retire", lambda _facts, _entry: True)
    m.setattr(
        removal_rules, "_proven_removal", lambda f, e: removal_rules._removal(f, e.key_id, e.cause)
    )


def _no_last_look(m: Patch) -> None:
    async def trusting(_action: object, _context: object) -> bool:
        return True

    m.setattr(removal_effects, "_may_still_remove", trusting)


def _ticket_is_kept(m: Patch) -> None:
    m.setattr(lifecycle, "GATES", tuple(g for g in GATES if g is not revocation_is_scheduled))


def _nothing_retires(m: Patch) -> None:
    with_rule(m, "retirement_is_due", _nothing)


def _foreign_trusts(m: Patch) -> None:
    m.setattr(FederatedFacts, "is_ours", lambda _facts, _credential: True)


# --- what pods and windows hold -------------------------------------------------------------


def _pods_are_ignored(m: Patch) -> None:
    in_rules(m, "is_rolled_out", lambda _facts, _entry: True)


def _pods_of(m: Patch, path: str) -> None:
    pages = kube_pods.KubePods._pages
    m.setattr(kube_pods.KubePods, "_pages", lambda self, _path: pages(self, path))


def _finished_pods_count(m: Patch) -> None:
    m.setattr(kube_pods, "_FINISHED", frozenset())


def _ending_pods_do_not_count(m: Patch) -> None:
    user = kube_pods._user

    def running(pod: Any, secrets: Any) -> Any:
        return None if "deletionTimestamp" in pod["metadata"] else user(pod, secrets)

    m.setattr(kube_pods, "_user", running)


def _unreadable_is_none(m: Patch) -> None:
    users = kube_pods.KubePods.users

    async def shown(self: Any, namespace: str, asked: Any) -> Any:
        try:
            return await users(self, namespace, asked)
        except AppCredentialError:
            return {secrets: PodUsers(users=(), more=0) for secrets in asked}

    m.setattr(kube_pods.KubePods, "users", shown)


def _kubelets_are_quick(m: Patch) -> None:
    m.setattr(rolled_out, "last_time", lambda _facts, entry: entry.since)


def _windows_are_ignored(m: Patch) -> None:
    in_rules(m, "awaited_opening", _nothing)


def _windows_hold_all(m: Patch) -> None:
    m.setattr(windows, "_emergency", lambda _facts, _opening: None)


# --- what is issued and published -----------------------------------------------------------


def _no_proof(m: Patch) -> None:
    with_rule(m, "successor_is_publishable", lambda f: Publish() if f.successor else None)


def _one_proof(m: Patch) -> None:
    m.setattr(Facts, "proof_count", property(lambda _: 1))


def _retried(m: Patch) -> None:
    once = client_secret._add_password

    async def again(*args: Any) -> Any:
        try:
            return await once(*args)
        except OutcomeUnknownError:
            return await once(*args)

    m.setattr(client_secret, "_add_password", again)


def _not_kept(m: Patch) -> None:
    async def forgetful(_self: Any, _owner: Any, live: Any, minted: Any, value: Any) -> Any:
        return replace(live, state=PendingState.MINTED, credential=minted, value=value)

    m.setattr(KubeSecrets, "put_minted", forgetful)
    m.setattr(target, "publish", _published_from_memory)


async def _published_from_memory(context: Any) -> None:
    records = publication.next_publication(context.facts, context.clock.now())
    await target._put_target(context, records, context.state.pending.value.value)


def _no_intent(m: Patch) -> None:
    async def unwritten(self: Any, intent: Any, live: Any) -> Any:
        from tests.support.builders import pending

        return pending(
            PendingState.INTENT,
            uid="unwritten",
            number=intent.attempt_number,
            holder=intent.holder,
            intent_time=intent.time,
        )

    m.setattr(KubeSecrets, "put_intent", unwritten)


def _no_backoff(m: Patch) -> None:
    in_rules(m, "mint_time", lambda facts: facts.now)


def _one_read_proves(m: Patch) -> None:
    for package in ("facts", "rules"):
        within(m, package, "is_gone", published_facts.seems_gone)


def _never_fenced(m: Patch) -> None:
    with_rule(m, "intent_was_interrupted", _nothing)


def _never_renewed(m: Patch) -> None:
    with_rule(m, "successor_is_needed", lambda f: None if f.published else _needed(f))


_needed = next(r for r in lifecycle.RULES if r.__name__ == "successor_is_needed")


# --- who may act ----------------------------------------------------------------------------


def _no_lease(m: Patch) -> None:
    m.setattr(EffectGuard, "_find_problem", _nothing)
    m.setattr(EffectGuard, "allows_mint", lambda _: True)


def _anothers_secret(m: Patch) -> None:
    read = read_target
    m.setattr(secret_documents, "read_target", lambda a: replace(read(a), owner=str(OWNER)))


def _tag_for_ever(m: Patch) -> None:
    for module in (granted, issuing):
        name = "known_tags" if module is granted else "read_tags"
        m.setattr(module, name, lambda _state: (facts.TAG,))


# --- what is said ---------------------------------------------------------------------------


def _value_in_event(m: Patch) -> None:
    m.setattr(target, "_published_note", lambda f, _key: f.pending.value.reveal())


def _blind(m: Patch) -> None:
    with_rule(m, "published_credential_seems_gone", _nothing)
    for package in ("facts", "rules"):
        within(m, package, "is_gone", lambda _facts: False)


# --- the repairs of earlier faults, taken back ----------------------------------------------


def _records_are_believed(m: Patch) -> None:
    m.setattr(lifecycle, "believed", lambda observation: observation)


def _tickets_by_name(m: Patch) -> None:
    def by_name(
        scheduled: Mapping[str, Any], owner: Owner, spec: AppCredentialSpec, **_: object
    ) -> dict[str, Any]:
        name = revocation_name(owner, spec.tenant, spec.client_id, spec.type)
        return {name: scheduled[name]} if name in scheduled else {}

    m.setattr(gatherer, "own_revocations", by_name)


def _recorded_times_count(m: Patch) -> None:
    for module in (retirement, rolled_out):
        m.setattr(module, "replaced_since", lambda _facts, entry: entry.since)


def _clock_set_before_publish_counts(m: Patch) -> None:
    m.setattr(ClockWatch, "since_looked", lambda _self, _looked, clock: clock.now())
    _recorded_times_count(m)  # what Entra says would make up for it


def _clock_is_not_watched(m: Patch) -> None:
    m.setattr(ClockWatch, "was_set", lambda _self, _clock: False)


def _no_looks_while_paused(m: Patch) -> None:
    m.setattr(lifecycle, "LOOKS", ())


def _all_given_up_goes(m: Patch) -> None:
    m.setattr(
        Facts,
        "is_abandoned",
        lambda facts, c: facts.attempt_of(c) in facts.abandoned_attempts,
    )
    m.setattr(publication, "_never_published", lambda _f, known, _s: known)


def _no_settle(m: Patch) -> None:
    of = retirement.retire_time
    in_rules(m, "retire_time", lambda f, r: of(f, r) - f.settings.settle)


def _every_intent_is_given_up(m: Patch) -> None:
    m.setattr(pending_rules, "_is_known_unpublished", lambda _f, _p: True)


def _registered_again(m: Patch) -> None:
    for package in ("facts", "rules"):
        within(m, package, "is_refused", lambda _facts, _value: False)


def _lost_entries_block(m: Patch) -> None:
    m.setattr(published_facts, "_is_unlisted", lambda _facts: False)


VARIANTS: Final[Mapping[str, Variant]] = {
    "retires-at-once": Variant(
        says="retires without the overlap",
        change=_at_once,
        history="secret:60/wait/0 0/rotate/0",
        oracle="Removals",
    ),
    "recorded-times-count": Variant(
        says="believes when a credential was replaced, whatever Entra says",
        change=_recorded_times_count,
        history="secret:60/wait/0 0/rotate/0 55/forge/4",
        oracle="Removals",
    ),
    "clock-set-before-publish": Variant(
        says="notes the time of a publish by a clock that was set since it looked",
        change=_clock_set_before_publish_counts,
        history="pods:48/wait/0 2/lag/35 35/edit-around/1 30/set-clock/48 36/start-pod/46",
        oracle="Removals",
    ),
    "retires-before-publish": Variant(
        says="removes the old credential before the new one is published",
        change=_before_publish,
        history="secret:60/wait/0 0/rotate/0",
        oracle="Removals",
    ),
    "part-of-marker": Variant(
        says="compares only a part of the marker",
        change=_part_of_the_marker,
        history="secret:40/wait/0 3/write-beside/2 0/wait/3",
        oracle="Ownership",
    ),
    "any-marker": Variant(
        says="takes every marker for its own",
        change=_any_marker,
        history="secret:40/wait/0 3/write-beside/1 0/wait/3",
        oracle="Ownership",
    ),
    "what-is-adopted": Variant(
        says="takes what it may use of a lost cluster for its own",
        change=_what_is_adopted,
        history="adopting:60/wait/0 0/move-here/0 0/rotate/0 0/wait/3 0/wait/3",
        oracle="Ownership",
    ),
    "stranded-at-once": Variant(
        says="removes at once what no Secret records",
        change=_stranded_at_once,
        history="secret:60/wait/0 0/delete-target/0",
        oracle="Removals",
    ),
    "no-survivor": Variant(
        says="retires without a sign-in of what stays",
        change=_no_survivor,
        history="secret:60/wait/0 0/rotate/0 0/wait/1 0/wait/1 0/remove-published-in-portal/0 "
        "0/take-down/2",
        oracle="Removals",
    ),
    "no-last-look": Variant(
        says="removes without a last look at resource and Secrets",
        change=_no_last_look,
        history="secret:60/wait/0 0/rotate/0 76/restore-secret/1",
        oracle="Removals",
    ),
    "ticket-kept": Variant(
        says="does not cancel the scheduled revocation of a resource that is back",
        change=_ticket_is_kept,
        history="secret:60/wait/0 0/delete/0 0/wait/1 0/apply-again/0",
        oracle="Liveness",
    ),
    "nothing-retires": Variant(
        says="never retires anything",
        change=_nothing_retires,
        history="secret:60/wait/0 0/rotate/0",
        oracle="Liveness",
    ),
    "foreign-trusts": Variant(
        says="takes every federated credential for its own",
        change=_foreign_trusts,
        history="federated:60/wait/0 0/add-twin/0",
        oracle="Ownership",
    ),
    "pods-ignored": Variant(
        says="does not ask for the pods under RolledOut",
        change=_pods_are_ignored,
        history="pods:60/wait/0 0/keep-pods/0 0/rotate/0 0/wait/3",
        oracle="Removals",
    ),
    "pods-everywhere": Variant(
        says="counts the pods of other namespaces, too",
        change=lambda m: _pods_of(m, "/api/v1/pods"),
        history="pods:60/wait/0 0/rotate/0",
        oracle="Liveness",
    ),
    "pods-elsewhere": Variant(
        says="counts the pods of its own namespace only",
        change=lambda m: _pods_of(m, f"/api/v1/namespaces/{SYSTEM}/pods"),
        history="pods:60/wait/0 0/keep-pods/0 0/rotate/0 0/wait/3",
        oracle="Removals",
    ),
    "finished-pods": Variant(
        says="counts pods that have finished",
        change=_finished_pods_count,
        history="pods:60/wait/0 0/finish-pod/0 0/rotate/0",
        oracle="Liveness",
    ),
    "ending-pods": Variant(
        says="does not count pods that are being deleted and still run",
        change=_ending_pods_do_not_count,
        history="pods:60/wait/0 0/rotate/0 0/wait/1 0/roll-out/1 0/wait/2",
        oracle="Removals",
    ),
    "unreadable-pods": Variant(
        says="takes pods that it cannot list for none",
        change=_unreadable_is_none,
        history="pods:60/wait/0 0/hide-pods/0 0/keep-pods/0 0/rotate/0 0/wait/3",
        oracle="Removals",
    ),
    "quick-kubelets": Variant(
        says="counts no pods that started right after the publish",
        change=_kubelets_are_quick,
        history="pods:48/wait/0 1/change-lifetime/0 4/start-pod/0 45/keep-pods/0 17/finish-pod/0",
        oracle="Removals",
    ),
    "restart-before-publish": Variant(
        says="restarts workloads before the publish",
        change=variants_restart.before_publish,
        history="restart:60/wait/0 0/rotate/0",
        oracle="Restarts",
    ),
    "restart-at-once": Variant(
        says="restarts workloads while kubelets may hand out the former value",
        change=variants_restart.right_after_publish,
        history="restart:60/wait/0 0/rotate/0",
        oracle="Restarts",
    ),
    "restart-for-first": Variant(
        says="restarts workloads for the first issue",
        change=variants_restart.for_first_issue,
        history="restart:60/wait/0",
        oracle="Restarts",
    ),
    "restart-two-at-once": Variant(
        says="restarts a workload while another one's rollout is under way",
        change=variants_restart.two_at_once,
        history="restart:60/wait/0 0/rotate/0",
        oracle="Restarts",
    ),
    "restart-failure-ignored": Variant(
        says="goes on with the next workload when a rollout fails",
        change=variants_restart.failure_is_ignored,
        history="restart:60/wait/0 0/break-rollouts/0 0/rotate/0 0/wait/3",
        oracle="Restarts",
    ),
    "removal-before-restart": Variant(
        says="removes what was replaced before the restart is complete",
        change=variants_restart.removal_does_not_wait,
        history="restart-overlap:60/wait/0 0/break-rollouts/0 0/rotate/0 0/wait/3",
        oracle="Restarts",
    ),
    "restart-begun-is-done": Variant(
        says="calls a restart complete once the last rollout has begun",
        change=variants_restart.begun_is_complete,
        history="restart-overlap:60/wait/0 0/break-rollouts/0 0/rotate/0 0/wait/3",
        oracle="Restarts",
    ),
    "restart-fought-over": Variant(
        says="restarts again and again what somebody takes back",
        change=variants_restart.fought_over,
        history="restart:60/wait/0 0/take-back/0 0/rotate/0 0/wait/3",
        oracle="Restarts",
    ),
    "restart-time-ahead": Variant(
        says="believes a time of a restart that lies ahead",
        change=variants_restart.time_ahead_counts,
        history="restart-overlap:60/wait/0 0/forge-restart/0 0/rotate/0 0/wait/3",
        oracle="Restarts",
    ),
    "restart-unproven": Variant(
        says="restarts workloads without a sign-in with what they will read",
        change=variants_restart.without_sign_in,
        history="restart:60/wait/0 0/rotate/0",
        oracle="Restarts",
    ),
    "restart-by-kubectl": Variant(
        says="writes another annotation into pod templates than its own",
        change=variants_restart.anothers_annotation,
        history="restart:60/wait/0 0/rotate/0",
        oracle="Restarts",
    ),
    "window-ignored": Variant(
        says="publishes outside windows",
        change=_windows_are_ignored,
        history="windows:",
        oracle="Windows",
    ),
    "window-holds-all": Variant(
        says="waits for a window although what is published ends before",
        change=_windows_hold_all,
        history="windows:0/wait/4 0/wait/4",
        oracle="SignIns",
    ),
    "no-proof": Variant(
        says="publishes without a sign-in",
        change=_no_proof,
        history="secret:",
        oracle="Publishing",
    ),
    "one-proof": Variant(
        says="publishes after one sign-in",
        change=_one_proof,
        history="secret:",
        oracle="Publishing",
    ),
    "retried": Variant(
        says="repeats addPassword after a lost answer",
        change=_retried,
        history="secret:0/lose-answer/2 40/wait/0",
        oracle="Bounds",
    ),
    "not-kept": Variant(
        says="publishes a value before it is kept",
        change=_not_kept,
        history="secret:",
        oracle="Publishing",
    ),
    "no-intent": Variant(
        says="issues without an intent",
        change=_no_intent,
        history="secret:",
        oracle="Bounds",
    ),
    "no-backoff": Variant(
        says="issues again without a pause",
        change=_no_backoff,
        history="secret:0/lose-many/4 40/wait/2",
        oracle="Bounds",
    ),
    "one-read-proves": Variant(
        says="takes one read without a credential for its removal",
        change=_one_read_proves,
        history="secret:0/lag/4 34/kill/0 40/wait/1",
        oracle="Needs",
    ),
    "never-fenced": Variant(
        says="never gives up an interrupted intent",
        change=_never_fenced,
        history="secret:0/lose-answer/2 40/wait/0",
        oracle="SignIns",
    ),
    "never-renewed": Variant(
        says="never renews",
        change=_never_renewed,
        history="secret:60/wait/0",
        oracle="SignIns",
    ),
    "no-lease": Variant(
        says="acts without the Lease",
        change=_no_lease,
        history="replicas:0/pause-and-follow/1",
        oracle="Leadership",
    ),
    "anothers-secret": Variant(
        says="writes Secrets that are somebody else's",
        change=_anothers_secret,
        history="secret:60/wait/0 0/disown/0 0/wait/2",
        oracle="Ownership",
    ),
    "value-in-event": Variant(
        says="tells the value in an Event",
        change=_value_in_event,
        history="secret:",
        oracle="Leaks",
    ),
    "blind": Variant(
        says="does not notice that the published credential was removed",
        change=_blind,
        history="secret:40/remove-published-in-portal/0",
        oracle="Status",
    ),
    "tag-for-ever": Variant(
        says="takes a tag that it saw once for one that is there",
        change=_tag_for_ever,
        history="secret:0/withdraw/1 0/wait/2 0/withdraw/1 0/wait/4 0/rotate/0 0/wait/2",
        oracle="Needs",
    ),
    "I1": Variant(
        says="believes annotations whatever Entra says",
        change=_records_are_believed,
        history="secret:60/wait/0 0/forge/0 0/wait/4",
        oracle="SignIns",
    ),
    "I2": Variant(
        says="finds scheduled revocations by the EntraTenant's name",
        change=_tickets_by_name,
        history="secret:60/wait/0 0/delete/0 0/wait/1 0/apply-elsewhere/0 0/wait/2 0/wait/2",
        oracle="Liveness",
    ),
    "I3": Variant(
        says="keeps times from before its clock was set",
        change=_clock_is_not_watched,
        history="secret:26/set-clock/4 0/wait/1 0/set-clock/0",
        oracle="SignIns",
    ),
    "I4": Variant(
        says="does not look while suspended or observing",
        change=_no_looks_while_paused,
        history="secret:60/wait/0 0/suspend/0 0/remove-published-in-portal/0 0/wait/3",
        oracle="Status",
    ),
    "I5": Variant(
        says="removes whatever the annotations call given up",
        change=_all_given_up_goes,
        history="secret:60/wait/0 0/forge/6 0/wait/2 0/rotate/0",
        oracle="Removals",
    ),
    "I6": Variant(
        says="counts the overlap from before the Secret was written",
        change=_no_settle,
        history="secret:60/wait/0 0/rotate/0 45/slow-down/2 30/wait/0",
        oracle="Removals",
    ),
    "I7": Variant(
        says="takes every intent for one that was never published",
        change=_every_intent_is_given_up,
        history="secret:23/keep-backup/0 0/wait/1 0/wait/2 0/kill-for-long/0 0/restore-cluster/0",
        oracle="Removals",
    ),
    "I8": Variant(
        says="registers a supplied certificate again that was removed",
        change=_registered_again,
        history="brought:60/wait/0 0/remove-published-in-portal/0 0/wait/2 0/delete-target/0 "
        "0/wait/2",
        oracle="Needs",
    ),
    "I9": Variant(
        says="waits for a lost entry before it registers the next certificate",
        change=_lost_entries_block,
        history="brought:60/wait/0 0/register-twin/0 0/remove-published-in-portal/0 0/wait/2 "
        "0/renew-source/0 0/wait/3",
        oracle="Liveness",
    ),
}
