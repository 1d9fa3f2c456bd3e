"""Works the facts out from an observation whose gates are open."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final

from appcredential.domain.facts.facts import Facts
from appcredential.domain.facts.limits import allowed_lifetime, limits_problem
from appcredential.domain.facts.secret_conflict import conflict
from appcredential.domain.facts.takeover import Claim, claim, is_lasting_conflict
from appcredential.domain.marker import parse_marker
from appcredential.domain.observed.entra import Application, Credential, Tenant
from appcredential.domain.observed.observation import Observation
from appcredential.domain.rotation import schedule
from appcredential.domain.spec.model import AppCredentialSpec
from appcredential.domain.windows import next_opening

_UNLIMITED: Final = timedelta(days=3650)


def assess(observation: Observation) -> Facts:
    """Return the facts of an observation whose gates are open."""
    spec, tenant, application = (
        observation.resource.spec,
        observation.tenant,
        observation.application,
    )
    assert isinstance(spec, AppCredentialSpec)  # noqa: S101 - gate 4 holds it
    assert isinstance(tenant, Tenant)  # noqa: S101 - gate 4 holds it
    assert isinstance(application, Application)  # noqa: S101 - gate 6 holds it
    found = claim(observation)
    taken = observation.target if found is Claim.TAKES else None
    problem = conflict(observation, found) if is_lasting_conflict(found) else None
    if taken is not None or problem is not None:
        observation = replace(observation, target=None)
    entra_now = observation.now + (observation.directory_skew or timedelta(0))
    refusal = limits_problem(observation, spec, tenant)
    lifetime = allowed_lifetime(observation, spec, tenant)
    published = observation.target.published if observation.target is not None else None
    plan = None
    if published is not None:
        # Nothing is issued by limits that refuse: no renewal comes sooner, no overlap is shorter.
        counted = lifetime if refusal is None else _UNLIMITED
        plan = schedule(
            spec.rotation, counted, published.not_before, published.expires, published.key_id
        )
    return Facts(
        observation=observation,
        spec=spec,
        tenant=tenant,
        application=application,
        entra_now=entra_now,
        lifetime=lifetime,
        published=published,
        schedule=plan,
        opening=next_opening(spec.rotation.windows, entra_now),
        taken=taken,
        conflict=problem,
        refusal=refusal,
        ours={
            c.key_id: c
            for c in application.credentials
            if c.type is spec.type and _is_ours(observation, c)
        },
    )


def _is_ours(observation: Observation, credential: Credential) -> bool:
    marker = parse_marker(credential.display_name)
    return marker is not None and marker.is_removable_by(
        observation.identity, observation.resource.owner
    )
