"""What another cluster issued, and this one uses because a setting names that cluster. Pure.

A Secret that is restored into another cluster holds a credential that works. If the cluster that
issued it is lost, nobody will remove that credential, and it may serve until its renewal is due.
Only its use is widened: its marker names another cluster, so that no rule here ever removes it.

As soon as this cluster has issued something itself, that is what counts: then all is as if the
setting named no cluster.
"""

from __future__ import annotations

from appcredential.domain.facts.facts import Facts
from appcredential.domain.marker import ClusterIdentity, Owner, parse_marker
from appcredential.domain.observed.entra import Credential
from appcredential.domain.observed.federated import FederatedCredential
from appcredential.domain.observed.observation import Observation
from appcredential.domain.observed.revocation import RevocationObservation
from appcredential.domain.secret.records import cluster_of
from appcredential.domain.spec.model import DeletionPolicy, KeyId


def is_of_adopted_cluster(observation: Observation) -> bool:
    """Return whether our target Secret's records say that a cluster we adopt from wrote it.

    Records may be edited: by them alone nothing is done, and something may be said.
    """
    target = observation.own_target
    if target is None or target.published is None:
        return False
    return cluster_of(target.annotations) in observation.identity.adopted


def is_adopted(facts: Facts) -> bool:
    """Return whether a credential of another cluster serves here until its renewal is due.

    Whether Entra still has one that a read lacks is found out as for one of this cluster.
    """
    published = facts.published
    if published is None or not is_of_adopted_cluster(facts.observation) or _has_issued(facts):
        return False
    listed = (c for c in facts.application.credentials if c.key_id == published.key_id)
    return all(is_adopted_credential(facts, c) for c in listed)


def is_adopted_credential(facts: Facts, credential: Credential) -> bool:
    """Return whether a cluster that we adopt from issued it for the resource."""
    return _is_of(facts.identity, facts.resource.owner, credential.display_name)


def needs_own_credential(facts: Facts) -> bool:
    """Return whether what another cluster issued has to be replaced at once.

    That cluster may remove it: nobody has said that it is lost.
    """
    return facts.is_from_another_cluster and not is_adopted(facts)


def is_adopted_trust(facts: Facts, credential: FederatedCredential) -> bool:
    """Return whether a cluster that we adopt from made this trust for the resource.

    Issuer and subject exist once per application, so that it is used as it is: the resource
    cannot have one of its own beside it.
    """
    return _is_of(facts.identity, facts.resource.owner, credential.description)


def adopted_left(observation: RevocationObservation) -> list[KeyId]:
    """Return what a deletion leaves in Entra because another cluster issued it."""
    revocation, application = observation.revocation, observation.application
    if application is None or revocation.policy is DeletionPolicy.RETAIN:
        return []
    return [
        c.key_id
        for c in application.credentials
        if c.type is revocation.type
        and (c.type.is_federated or c.end > observation.now)
        and _is_of(observation.identity, revocation.owner, c.display_name)
    ]


def _is_of(identity: ClusterIdentity, owner: Owner, text: str) -> bool:
    """Return whether a credential's text begins with the marker of a cluster we adopt from."""
    marker = parse_marker(text)
    return marker is not None and marker.is_adopted_by(identity, owner)


def _has_issued(facts: Facts) -> bool:
    """Return whether Entra lists what this cluster may have published for the resource."""
    issued = (c for c in facts.ours.values() if not facts.is_pending(c))
    return any(not facts.is_abandoned(c) for c in issued)
