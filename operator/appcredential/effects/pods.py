"""Looks at the pods that may still use a replaced credential."""

from __future__ import annotations

from appcredential.domain import actions as act
from appcredential.domain.facts.rolled_out import secrets_in_use
from appcredential.domain.status.retiring import failing_pods
from appcredential.effects.context import Context, Step
from appcredential.errors import NotYetError


async def read_pods(action: act.ReadPods, step: Step) -> None:
    """Note which pods use the Secrets, or why nobody knows.

    Raises:
        NotYetError: the list is long, and its rest is to come.
    """
    looks = step.tools.kube.pods
    step.state.pods = await looks.look(step.owner.namespace, action.secrets)


async def whom_it_concerns(action: act.Remove, context: Context) -> str:
    """Return a sentence about the pods that a revocation has taken their credential from.

    Returns:
        It begins with a blank; empty when there is none.
    """
    facts = context.facts
    try:
        seen = await context.kube.pods.look(context.owner.namespace, secrets_in_use(facts))
    except NotYetError:
        seen = None
    return failing_pods(facts, action.key_id, seen)
