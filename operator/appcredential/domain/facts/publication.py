"""What the target Secret records about the credential that it holds."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from appcredential.domain.facts.clocks import cluster_ahead
from appcredential.domain.facts.facts import Facts
from appcredential.domain.facts.handover import former_owners, handed_over, kept_keys
from appcredential.domain.observed.target import (
    Abandoned,
    IssuedCredential,
    RetireCause,
    Retiring,
    Target,
)
from appcredential.domain.promised import required
from appcredential.domain.secret.entries import MAX_ABANDONED
from appcredential.domain.secret.records import Publication, cluster_of
from appcredential.domain.secret.value import type_of


def publication(facts: Facts) -> Publication:
    """Return what the target Secret records about the credential that it holds now."""
    target, published = facts.target, facts.published
    assert target is not None  # noqa: S101 - callers checked
    assert published is not None  # noqa: S101
    return Publication(
        owner=str(facts.resource.owner),
        cluster=cluster_of(target.annotations) or facts.identity.cluster,
        tenant_id=facts.tenant.tenant_id,
        object_id=facts.application.object_id,
        credential=published,
        verified_time=target.verified_time,
        published_time=target.published_time or target.creation_time,
        retiring=target.retiring,
        abandoned=target.abandoned,
        taken_from=target.taken_from,
        handed_over=kept_keys(facts, facts.entra_now, target.value),
        restart_since=target.restart_since if facts.spec.rotation.restart is not None else None,
    )


def next_publication(facts: Facts, now: datetime) -> Publication:
    """Return what the target Secret records once the successor is published.

    The former credential retires from now on. The last sign-in is the proof, where one is
    required.

    Args:
        facts: what the decision to publish rests on.
        now: the time of the publish.
    """
    pending = required(facts.successor)
    credential = required(pending.credential)
    entra_now = now + (facts.entra_now - facts.now)
    earlier, proof = facts.target, facts.memory.pending_proof
    known = earlier.abandoned if earlier is not None and facts.published is not None else ()
    return Publication(
        owner=str(facts.resource.owner),
        cluster=facts.identity.cluster,
        tenant_id=facts.tenant.tenant_id,
        object_id=facts.application.object_id,
        credential=credential,
        verified_time=proof.last_success if facts.requires_proof and proof is not None else None,
        published_time=now,
        retiring=_retiring(facts, credential, entra_now),
        abandoned=_never_published(facts, (*known, *pending.abandoned), credential),
        taken_from=former_owners(facts),
        handed_over=handed_over(facts, credential, entra_now),
        restart_since=_restart_since(facts, credential, entra_now),
    )


def _restart_since(facts: Facts, successor: IssuedCredential, now: datetime) -> datetime | None:
    """Return the publish for which workloads are to be restarted: the last one that replaced any.

    Who is restarted for it has read this one's predecessors no more, whatever became of earlier
    restarts. A first issue replaces nothing that workloads could hold.
    """
    target = facts.target
    if facts.spec.rotation.restart is None or target is None:
        return None
    is_same = facts.published is not None and facts.published.key_id == successor.key_id
    return target.restart_since if is_same else now


def _retiring(facts: Facts, successor: IssuedCredential, now: datetime) -> tuple[Retiring, ...]:
    """Return what retires next to the successor: what did before, and what it replaces."""
    former, ahead = facts.published, cluster_ahead(facts.observation)
    if former is None:
        # One of these entries may name what a damaged record held until now.
        return tuple(
            replace(r, since=now, ahead=ahead)
            for r in facts.retiring
            if r.key_id != successor.key_id
        )
    begun = {successor.key_id, former.key_id}
    before = tuple(r for r in facts.retiring if r.key_id not in begun)
    if former.key_id == successor.key_id:
        return before
    replaced = Retiring(
        key_id=former.key_id,
        end=former.expires,
        since=now,
        cause=RetireCause.REPLACED,
        secret=_only_secret_with(facts.target),
        ahead=ahead,
    )
    return (*before, replaced)


def _only_secret_with(target: Target | None) -> str:
    """Return the target Secret's name if workloads find what it holds there alone, else nothing.

    A certificate may have come from a source that workloads read as well, and that the spec names
    no more.
    """
    if target is None or target.value is None:
        return ""
    return "" if type_of(target.value).is_certificate else target.name


def _never_published(
    facts: Facts, known: tuple[Abandoned, ...], successor: IssuedCredential
) -> tuple[Abandoned, ...]:
    """Return the last attempts that were given up, without those that this Secret has held."""
    held = {successor.attempt, facts.published.attempt if facts.published is not None else ""}
    return tuple(entry for entry in known if entry.attempt not in held)[-MAX_ABANDONED:]
