"""Rule 6: the application is known and the one that the published credential belongs to."""

from __future__ import annotations

from datetime import timedelta

from appcredential.domain.actions import Action, Hold, ReadApplication
from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.facts.takeover import is_of_former_life
from appcredential.domain.observed.entra import Application
from appcredential.domain.observed.observation import Observation

_MISSING_READS = 3


def application_is_unknown(observation: Observation) -> Action | None:
    """6: the application is unread, unreadable, unknown to Entra, or another one than before."""
    if observation.application is None or _is_due(observation):
        if (
            observation.memory.retry_time is None
            or observation.now >= observation.memory.retry_time
        ):
            return ReadApplication(_max_age(observation))
        if observation.application is None:
            return Hold(_why_unread(observation))
    return _application_changed(observation, observation.application)


def _application_changed(observation: Observation, application: Application) -> Action | None:
    """Hold if the published credential belongs to another application; an old read will do."""
    target, tenant = observation.own_target, observation.tenant
    if target is None or target.published is None or isinstance(tenant, Problem):
        return None
    if (target.tenant_id, target.object_id) == (tenant.tenant_id, application.object_id):
        return None
    if is_of_former_life(observation, target):
        return None  # the next publish replaces it
    return Hold(
        Problem(
            reason=Reason.APPLICATION_CHANGED,
            message="The Secret holds a credential of another application or tenant. Delete "
            "the Secret to issue a new one, or choose another spec.secret.name.",
        )
    )


def _is_due(observation: Observation) -> bool:
    """Return whether the last read is doubted, or too long ago without a list that confirms it."""
    read = observation.application
    return read is not None and (
        read.is_doubted
        or observation.now - read.known_time >= observation.settings.directory_resync
    )


def _max_age(observation: Observation) -> timedelta:
    """Return how old a shared read may be.

    One from before a doubt does not settle it, and one from before a read that did not find the
    application does not contradict that. Nor does one from before a list showed its tags.
    """
    read, missing = observation.application, observation.memory.application_missing
    period = observation.settings.directory_resync
    # A read that others made will do, but not the one that is old.
    longest = period if read is None else period / 2
    since = read.doubted if read is not None and read.is_doubted else None
    if read is None:
        since = max([*missing[-1:], *filter(None, [observation.tags_seen])], default=None)
    return longest if since is None else min(longest, max(timedelta(0), observation.now - since))


def _why_unread(observation: Observation) -> Problem:
    missing = observation.memory.application_missing
    if missing:
        lasting = missing[-1] - missing[0] >= observation.settings.missing_application_window
        return Problem(
            reason=Reason.APPLICATION_NOT_FOUND,
            message="Entra does not know the application spec.application.clientId in the "
            "tenant. Is this the client id, and not an object id? Check it, or restore the "
            "application.",
            stalled=len(missing) >= _MISSING_READS and lasting,
        )
    return observation.memory.directory_problem or Problem(
        reason=Reason.DIRECTORY_UNAVAILABLE,
        message="The directory was not read yet.",
        stalled=False,
    )
