"""Writes the target Secret, and ends a pending Secret."""

from __future__ import annotations

import logging
import secrets as randomness
import string
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from appcredential.domain import actions as act
from appcredential.domain.audit import Change, newly_removed
from appcredential.domain.facts.facts import Facts
from appcredential.domain.facts.publication import next_publication, publication
from appcredential.domain.facts.windows import override
from appcredential.domain.observed.target import Target
from appcredential.domain.promised import required
from appcredential.domain.rules.target import REPAIRED, unrecorded
from appcredential.domain.secret.content import render
from appcredential.domain.secret.generated import changed_values, generated_keys
from appcredential.domain.secret.records import Publication
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import KeyId
from appcredential.effects import audit, restart
from appcredential.effects.context import Context
from appcredential.effects.events import about, emit
from appcredential.errors import ConflictError
from appcredential.gather.derived import derive

log = logging.getLogger(__name__)

_ALPHABET: Final = string.ascii_letters + string.digits


async def delete_pending(context: Context) -> None:
    """Delete the pending Secret."""
    pending = required(context.state.pending.value)
    await context.kube.secrets.delete_pending(context.owner, pending)
    context.state.pending.set(None, context.clock.monotonic())


async def fence(action: act.Fence, context: Context) -> None:
    """Write into the pending Secret that its attempt is never published."""
    pending = required(context.state.pending.value)
    written = await context.kube.secrets.put_abandoned(context.owner, pending)
    context.state.pending.set(written, context.clock.monotonic())
    log.warning("attempt fenced", extra={"cause": action.reason, **about(context.owner)})
    key = pending.credential.key_id if pending.credential is not None else ""
    audit.write(
        audit.record(
            context, Change.FENCED, key_id=key, attempt=pending.attempt, cause=action.reason
        )
    )


async def write_target(action: act.WriteTarget, context: Context) -> None:
    """Write the target Secret with the credential that it holds."""
    records = replace(
        publication(context.facts), retiring=action.retiring, abandoned=action.abandoned
    )
    if action.is_restarted:
        records = replace(records, restart_since=None)
    held = required(context.state.target.value)
    await _put_target(context, records, required(held.value))
    for entry in newly_removed(held.retiring, action.retiring):
        audit.write(audit.record(context, Change.GONE, key_id=entry.key_id, cause=str(entry.cause)))
    if action.is_restarted:
        await restart.tell_end(context)
    key = {"key_id": records.credential.key_id}
    log.info("target written", extra={"cause": action.reason, **key, **about(context.owner)})
    if action.reason == REPAIRED:
        context.state.memory = context.state.memory.repaired(context.clock.now())
        note = f"The Secret was written again with credential {records.credential.key_id}, which "
        await emit(context, "Changed", f"{note}it held before: its rendering was not as wanted.")


async def publish(context: Context) -> None:
    """Write the pending Secret's value into the target Secret, if it is still the same.

    Raises:
        ConflictError: the target Secret, or the keystore's password, changed meanwhile.
    """
    facts, state = context.facts, context.state
    held, live = required(state.pending.value), await context.kube.secrets.pending(context.owner)
    state.pending.set(live, context.clock.monotonic())
    if live != held or live.value is None:
        return  # the next pass decides about what it is now
    if facts.spec.has_keystore and state.held_inputs.password is None:
        raise ConflictError("the keystore's password went meanwhile")
    now = state.clock.since_looked(facts.now, context.clock)
    records = next_publication(facts, now)
    made, state.made = state.made, None  # a lost answer may hide that it was published
    try:
        await _put_target(context, records, live.value)
    except ConflictError:
        state.made = made
        raise
    credential = records.credential
    found = audit.record(
        context,
        _publication(facts),
        key_id=credential.key_id,
        attempt=credential.attempt,
        cause="Proven" if records.verified_time is not None else "NotProven",
        object_=f"Secret/{facts.spec.secret.name}",
    )
    note = _published_note(facts, credential.key_id)
    await emit(context, "Published", note, found=found)
    if (cause := override(facts)) is not None:
        note = f"The new credential was published outside spec.rotation.windows, because {cause}."
        await emit(context, "WindowOverridden", note, warning=True)


async def _put_target(context: Context, records: Publication, value: SecretValue) -> None:
    state, spec = context.state, context.facts.spec
    live = state.target.value
    derived = await derive(spec, value, live, state.held_inputs.password)
    wanted = render(spec, context.facts.tenant, value, records, live, _generate, derived=derived)
    written = await context.kube.secrets.put_target(
        context.owner.namespace, spec.secret.name, live, wanted
    )
    state.target.set(written, context.clock.monotonic())
    await _tell_changed_values(context, live)


async def _tell_changed_values(context: Context, before: Target | None) -> None:
    """Emit a Warning for values of `generateOnce` that are others than they were."""
    spec = context.facts.spec
    if before is None:
        # What a former Secret held may be in use, as the credential that it held may be.
        keys = generated_keys(spec) if unrecorded(context.facts) else []
        await _tell_regenerated(context, "The Secret is written anew", keys)
        return
    changed = changed_values(spec, before)
    await _tell_regenerated(context, "The Secret had lost keys", changed.missing)
    if changed.edited:
        note = f"Somebody changed {', '.join(changed.edited)} in the Secret. It stays as it is."
        await emit(context, "ValueChanged", note, warning=True)


async def _tell_regenerated(context: Context, cause: str, keys: Sequence[str]) -> None:
    if keys:
        note = (
            f"{cause}: new random values were generated for {', '.join(keys)}. What was made "
            "with former ones, such as signed sessions, is no longer valid."
        )
        await emit(context, "ValueRegenerated", note, warning=True)


def _publication(facts: Facts) -> Change:
    """Return what a publish was: into the resource's own Secret, or into one of another owner."""
    if facts.taken is None or facts.taken.owner == str(facts.resource.owner):
        return Change.PUBLISHED
    return Change.ADOPTED if facts.observation.target_owner is None else Change.TAKEN_OVER


def _published_note(facts: Facts, key: KeyId) -> str:
    if facts.taken is None:
        return f"The new credential {key} is in the Secret; workloads may use it."
    if facts.taken.owner == str(facts.resource.owner):
        return (
            f"The new credential {key} replaces that of a deleted AppCredential of this name for "
            "another application."
        )
    if facts.observation.target_owner is not None:  # that name was looked up: it may be told
        owner = facts.observation.target_owner.owner
        return f"The Secret was taken over from {owner} and holds the new credential {key}."
    return f"The Secret was adopted and holds the new credential {key}."


def _generate(length: int) -> SecretValue:
    return SecretValue("".join(randomness.choice(_ALPHABET) for _ in range(length)))
