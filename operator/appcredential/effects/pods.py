"""Looks at the pods that may still use a replaced credential."""

from __future__ import annotations

from appcredential.domain import actions as act
from appcredential.domain.facts.pods_kept import only_laggards
from appcredential.domain.facts.rolled_out import secrets_in_use
from appcredential.domain.promised import required
from appcredential.domain.status.retiring import failing_pods
from appcredential.effects.context import Context, Step


async def read_pods(action: act.ReadPods, step: Step) -> None:
    """Note which pods use the Secrets, or why nobody knows, or that the answer is to come."""
    seen = await step.tools.kube.pods.look(step.owner, action.secrets)
    step.state.awaits_pods = seen is None
    if seen is not None:
        step.state.pods = only_laggards(required(step.decision.facts), seen)


def ask_whom_it_concerns(context: Context) -> None:
    """Have the pods listed while a revocation goes on, which waits for none of them."""
    context.kube.pods.ask(context.owner, secrets_in_use(context.facts))


async def whom_it_concerns(action: act.Remove, context: Context) -> str:
    """Return a sentence about the pods that a revocation has taken their credential from.

    Returns:
        It begins with a blank; empty when there is none.
    """
    facts = context.facts
    seen = await context.kube.pods.look(context.owner, secrets_in_use(facts))
    return failing_pods(facts, action.key_id, seen)
