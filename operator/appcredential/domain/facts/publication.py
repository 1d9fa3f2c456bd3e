"""What the target Secret is to record about the credential that it holds."""

from __future__ import annotations

from appcredential.domain.facts.facts import Facts
from appcredential.domain.facts.handover import still_handed_over
from appcredential.domain.secret.records import Publication, cluster_of


def publication(facts: Facts) -> Publication:
    """Return what T records about the credential it holds now."""
    t, published = facts.target, facts.published
    assert t is not None  # noqa: S101 - callers checked
    assert published is not None  # noqa: S101
    return Publication(
        owner=str(facts.resource.owner),
        cluster=cluster_of(t.annotations) or facts.identity.cluster,
        tenant_id=facts.tenant.tenant_id,
        object_id=facts.application.object_id,
        credential=published,
        verified_time=t.verified_time,
        published_time=t.published_time or t.creation_time,
        retiring=t.retiring,
        abandoned=t.abandoned,
        taken_from=t.taken_from,
        handed_over=still_handed_over(t, facts.now),
    )
