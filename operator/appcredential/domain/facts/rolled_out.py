"""Whether pods from before a publish still use the Secret, for `retireWhen: RolledOut`. Pure.

A pod reads environment variables once, and many programs read files once. So a pod that was created
before the publish may still sign in with what the Secret held then, whatever it holds now. For a
minute after the publish, which may itself take a settle time, a kubelet may still hand out the
former content.

Such pods only become fewer: the API server alone says when a pod was created. So what one whole
list shows to be over stays over.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from appcredential.domain.conditions import Problem
from appcredential.domain.facts.clocks import cluster_ahead
from appcredential.domain.facts.facts import Facts
from appcredential.domain.facts.retirement import pods_decide, replaced_since, retire_time
from appcredential.domain.observed.pods import PodUser, SeenPods
from appcredential.domain.observed.target import Retiring
from appcredential.domain.promised import required
from appcredential.domain.spec.certificate import CertificateSource

KUBELET_LAG: Final = timedelta(seconds=60)
MAX_PAUSE: Final = timedelta(hours=1)
"""Between two looks, however long pods stay."""

_SHARE_OF_WAIT: Final = 4
_NONE: Final = timedelta(0)


def secrets_in_use(facts: Facts) -> frozenset[str]:
    """Return the Secrets in which workloads find a credential of this resource.

    One that others fill with the certificate counts too: workloads may mount it themselves, and a
    revocation names them.
    """
    certificate, names = facts.spec.certificate, {facts.spec.secret.name}
    if certificate.source is CertificateSource.SECRET:
        names.add(required(certificate.ref).name)
    return frozenset(names)


def seen_pods(facts: Facts) -> SeenPods | None:
    """Return the last look at these Secrets' pods."""
    seen = facts.observation.pods
    return seen if seen is not None and seen.secrets == secrets_in_use(facts) else None


def unreadable_pods(facts: Facts) -> Problem | None:
    """Return why the last look showed nothing."""
    seen = seen_pods(facts)
    return seen.found if seen is not None and isinstance(seen.found, Problem) else None


def laggards(facts: Facts, entry: Retiring) -> tuple[PodUser, ...]:
    """Return the pods that may still use a replaced credential, oldest first.

    One that was created in the future counts: a clock was wrong, and nobody knows when it was.
    """
    seen = seen_pods(facts)
    if seen is None or isinstance(seen.found, Problem):
        return ()
    last, ahead = last_time(facts, entry), seen.time + facts.settings.max_clock_skew
    return tuple(pod for pod in seen.found.users if pod.created < last or pod.created > ahead)


def is_rolled_out(facts: Facts, entry: Retiring) -> bool:
    """Return whether a look has shown that no pod can use a replaced credential any more."""
    seen = seen_pods(facts)
    if seen is None or isinstance(seen.found, Problem) or laggards(facts, entry):
        return False
    # After a look that began earlier, one more such pod may have been created.
    began = seen.began + (facts.observation.cluster_skew or _NONE)
    return began >= last_time(facts, entry)


def is_up_to_pods(facts: Facts, entry: Retiring) -> bool:
    """Return whether a replaced credential is left whose overlap is over, so that pods decide."""
    is_left = entry.key_id in facts.ours and facts.entra_now >= retire_time(facts, entry)
    return is_left and pods_decide(facts, entry)


def is_held_by_pods(facts: Facts, entry: Retiring) -> bool:
    """Return whether only pods, or what keeps them from being read, let a credential stay."""
    is_seen = seen_pods(facts) is not None
    return is_seen and is_up_to_pods(facts, entry) and not is_rolled_out(facts, entry)


def is_unseen(facts: Facts) -> bool:
    """Return whether no look has shown yet what is so now, and one will."""
    seen, problem = seen_pods(facts), unreadable_pods(facts)
    return seen is None or (problem is not None and not problem.stalled)


def next_pod_look(facts: Facts, due: Iterable[Retiring]) -> datetime | None:
    """Return when to look at the pods that hold these credentials; None while none does.

    The longer a credential waits, the longer the pause: a rollout that was begun for it ends soon.
    """
    seen = seen_pods(facts)
    held = [entry for entry in due if is_held_by_pods(facts, entry)]
    if seen is None or not held:
        return None
    by_our_clock = facts.entra_now - facts.now
    waits = seen.time + by_our_clock - max(retire_time(facts, entry) for entry in held)
    return seen.time + min(max(waits / _SHARE_OF_WAIT, facts.settings.settle), MAX_PAUSE)


def last_time(facts: Facts, entry: Retiring) -> datetime:
    """Return until when a pod may have been given the credential, by the API server's clock.

    A target Secret that was restored may name a publish from before its own creation. The settle
    time covers how long writing the target Secret may have taken. A clock that was ahead then may
    have been set right since. If nobody knows how far it was, both clocks were within the limit.
    """
    since = max(replaced_since(facts, entry), required(facts.target).creation_time)
    most = 2 * facts.settings.max_clock_skew
    return surely_read(facts, since, most if entry.ahead is None else entry.ahead)


def surely_read(facts: Facts, since: datetime, ahead: timedelta) -> datetime:
    """Return when a pod that is created then reads what was published, by the API server's clock.

    Args:
        facts: what is true now.
        since: the publish by Entra's clock.
        ahead: how far the API server's clock was ahead of it then.
    """
    ahead = max(ahead, cluster_ahead(facts.observation) or _NONE)
    return since + KUBELET_LAG + facts.settings.settle + ahead
