"""All settings, from environment variables `APPCREDENTIAL_*`, read once at start.

All faults are reported together. Each names its variable, and the other one when two values do
not go together. A test compares docs/settings.md with `FIELDS`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import Any, Final

from appcredential.domain.lifecycle_settings import LifecycleSettings
from appcredential.domain.shards import MOST_SHARDS, Shard
from appcredential.domain.spec.durations import format_duration
from appcredential.setting_values import (
    PREFIX,
    REFUSED,
    Fault,
    fault,
    parser_for,
    unknown,
    variable,
)


class SettingsError(Exception):
    """One or more environment variables cannot be used; the message lists them all."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of the process, by theme. Each has the variable `APPCREDENTIAL_` + its name."""

    # --- this operator and its cluster ------------------------------------------------------

    namespace: str = "appcredential-system"
    """The operator's own, with the Secrets of its identity, the revocations and the Lease."""
    pod_name: str = "appcredential"
    """Names the holder of the Lease and of pending Secrets."""
    watch_namespaces: tuple[str, ...] = ()
    """The namespaces whose AppCredentials are served; empty means all."""
    cluster_id: str = ""
    """Names the cluster in Entra; empty means the uid of the namespace kube-system."""
    adopt_cluster_ids: tuple[str, ...] = ()
    """Ids of lost clusters: what they issued is used from restored Secrets until it is due."""
    installation: str = "appcredential"
    """Names this installation in its namespace, the same for all replicas."""
    claim_namespace: str = "default"
    """Where the Lease is by which installations in one cluster exclude each other."""
    shards: int = 1
    """Into how many operators the namespaces are divided; the same for all of them."""
    shard: int = 0
    """Which of them this process is, from 0 on."""
    replace_claim: str = ""
    """The text of another installation's claim, or of one with another id, to replace."""
    allowed_secret_keys: tuple[str, ...] = ()
    """Labels and annotations that users may put on Secrets: keys, and prefixes with their slash."""
    secret_labels: tuple[tuple[str, str], ...] = ()
    """Labels of every Secret that the operator writes, such as those that admission demands."""
    checked_issuers: tuple[str, ...] = ()
    """Issuers whose discovery documents are read, to warn of what Entra could not use."""

    # --- Entra: whom to trust, a custom cloud, and the operator's own tokens ----------------

    ca_file: str = ""
    """PEM file with authorities to trust for every cloud, besides those trusted anyway."""
    custom_authority: str = ""
    """URL of the token endpoint's host for `cloud: Custom`."""
    custom_graph: str = ""
    """URL of the Graph root for `cloud: Custom`."""
    custom_ca_file: str = ""
    """PEM file with the only authorities to trust for both."""
    service_account_token_file: str = "/var/run/secrets/kubernetes.io/serviceaccount/token"
    """The operator's own token, which names the issuer of this cluster's tokens."""
    custom_token_audience: str = ""
    """The audience of the token for `workloadIdentity` with `cloud: Custom`."""
    identity_token_file: str = "/var/run/secrets/azure/tokens/azure-identity-token"
    """The projected token with which `workloadIdentity` signs in."""

    # --- the process ------------------------------------------------------------------------

    health_address: str = ""
    """Address of /livez and /readyz; empty means all: a node probes by IPv4 or IPv6."""
    health_port: int = 8080
    """Its port; 0 picks a free one."""
    metrics_address: str = "127.0.0.1"
    """Address of /metrics; empty means all. They name every resource of the cluster."""
    metrics_port: int = 8081
    """Its port; 0 picks a free one."""
    report: bool = False
    """Whether /report is served beside the probes, to who may list AppCredentials."""
    report_team_label: str = "team"
    """The key of the label by which it counts teams; empty means by namespace."""
    log_level: str = "INFO"
    """DEBUG, INFO, WARNING or ERROR."""
    workers: int = 20
    """How many resources are reconciled at a time."""

    # --- leader election --------------------------------------------------------------------

    lease_duration: timedelta = timedelta(seconds=60)
    """How long a Lease lasts: a standby takes over after that."""
    lease_renew: timedelta = timedelta(seconds=10)
    """How often the leader renews it."""
    effect_margin: timedelta = timedelta(seconds=30)
    """An effect starts only with this much of the Lease left."""
    mint_margin: timedelta = timedelta(seconds=45)
    """The same for the issue of a credential, which takes two servers."""

    # --- periodic work ----------------------------------------------------------------------

    cluster_looks_per_second: int = 20
    """How many Secrets and other objects are looked at in a second, to see whether they changed."""
    cluster_look_ceiling: timedelta = timedelta(minutes=10)
    """Each of these objects is looked at within this time, whatever that costs."""
    watch_secrets: bool = False
    """Whether the metadata of published Secrets is watched, which needs a right to list Secrets."""
    relist: timedelta = timedelta(minutes=5)
    """How often a list of our own replaces what the watches reported."""
    ticket_absence: timedelta = timedelta(minutes=10)
    """A revocation is done after its owner was absent for this long."""
    ticket_poll: timedelta = timedelta(seconds=30)
    """How often the scheduled revocations are read."""
    inventory_rate: int = 33
    """How many applications lists may show in a second: so few are looked at often."""
    inventory_ceiling: timedelta = timedelta(minutes=10)
    """How long at most until lists show all applications again, however many there are."""

    published_sign_in_interval: timedelta = timedelta(minutes=30)
    """The least time between two such sign-ins with one credential."""

    # --- requests to Graph ------------------------------------------------------------------
    permission_retry: timedelta = timedelta(minutes=10)
    """How long nothing is tried again after Graph denied a permission."""
    write_spacing: timedelta = timedelta(seconds=1)
    """The time between two writes to one application."""
    conflict_spacing: timedelta = timedelta(seconds=10)
    """The same after a 409."""

    lifecycle: LifecycleSettings = field(default_factory=LifecycleSettings)
    """The timings of the lifecycle's rules, each with a variable of its own, too."""

    @property
    def own_shard(self) -> Shard:
        """The part of the cluster that this process works on."""
        return Shard(self.shard, self.shards)

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        """Read the settings.

        Raises:
            SettingsError: with every fault, unknown `APPCREDENTIAL_` names included.
        """
        faults: list[str] = []
        own = _read(cls, _OWN, environ, faults)
        lifecycle = _read(LifecycleSettings, _LIFECYCLE, environ, faults)
        known = {variable(name) for name in (*_OWN, *_LIFECYCLE)}
        faults += [
            f"{name}: {unknown(name)}"
            for name in sorted(environ)
            if name.startswith(PREFIX) and name not in known and name not in _FOREIGN
        ]
        faults += [f"{name}: {REFUSED[name]}" for name in sorted(REFUSED.keys() & environ.keys())]
        unread = {fault.split(":")[0] for fault in faults}
        settings = cls(**own, lifecycle=LifecycleSettings(**lifecycle))
        faults += [f.text for f in _cross_faults(settings) if not unread & set(f.variables)]
        if faults:
            raise SettingsError(faults)
        return settings


def _read(
    kind: type, names: tuple[str, ...], environ: Mapping[str, str], faults: list[str]
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    types = {f.name: str(f.type) for f in fields(kind)}
    for name in names:
        raw = environ.get(variable(name))
        if raw is None:
            continue
        try:
            found[name] = parser_for(name, types[name])(raw)
        except ValueError as exc:
            faults.append(f"{variable(name)}: {exc}")
    return found


def _cross_faults(settings: Settings) -> Iterator[Fault]:
    """Yield the faults with which the operator could never do its work."""
    for name in POSITIVE:
        if not _value(settings, name):
            least = "1" if isinstance(_value(settings, name), int) else "1s"
            yield fault((name,), f"must not be 0; set at least {least}")
    ports = [name for name in ("health_port", "metrics_port") if _value(settings, name) > 65535]
    yield from (fault((name,), "must be a port from 0 to 65535") for name in ports)
    yield from _shard_faults(settings)
    for margin in MARGINS:
        yield from _margin_fault(settings, margin)
    if settings.lifecycle.mint_backoff > settings.lifecycle.mint_backoff_cap_unpublished:
        longest = format_duration(settings.lifecycle.mint_backoff_cap_unpublished)
        yield fault(("mint_backoff",), f"must be at most {longest}, to which it doubles")
    for low, high in ORDERED:
        if _value(settings, low) > _value(settings, high):
            remedy = f"must be at most {variable(high)}; lower it or raise {variable(high)}"
            yield fault((low, high), remedy)


def _shard_faults(settings: Settings) -> Iterator[Fault]:
    """Check that the process is one of its shards."""
    if settings.shards > MOST_SHARDS:
        yield fault(("shards",), f"must be from 1 to {MOST_SHARDS}")
    elif settings.shard >= settings.shards > 0:
        remedy = (
            f"must be from 0 to {settings.shards - 1}, because {variable('shards')} is "
            f"{settings.shards}; lower it, or raise {variable('shards')} for all operators"
        )
        yield fault(("shard", "shards"), remedy)


def _margin_fault(settings: Settings, margin: str) -> Iterator[Fault]:
    """Check that a Lease that is renewed in time always has the margin left."""
    least = settings.lease_renew + _value(settings, margin)
    if settings.lease_duration < least:
        text = (
            f"{variable('lease_renew')} and {variable(margin)} together must be at most "
            f"{variable('lease_duration')}; raise that to {format_duration(least)}, or lower them"
        )
        yield Fault(tuple(map(variable, ("lease_duration", "lease_renew", margin))), text)


def _value(settings: Settings, name: str) -> Any:
    return getattr(settings if name in _OWN else settings.lifecycle, name)


_OWN: Final = tuple(f.name for f in fields(Settings) if f.name != "lifecycle")
_LIFECYCLE: Final = tuple(f.name for f in fields(LifecycleSettings))
_FOREIGN: Final = frozenset({variable("cache")})  # the local cluster's build cache
POSITIVE: Final = (
    *("shards", "published_sign_in_interval"),
    *("workers", "lease_duration", "lease_renew", "relist", "ticket_poll", "permission_retry"),
    *("settle", "intent_respect", "min_lifetime", "mint_backoff", "directory_resync", "full_check"),
    *("cluster_looks_per_second", "cluster_look_ceiling", "inventory_rate", "inventory_ceiling"),
    *("secret_check", "first_proof_count", "next_proof_count", "max_open_revocations"),
)
"""With 0 in one of these, the operator would do nothing, or work without a pause."""
MARGINS: Final = ("effect_margin", "mint_margin")
"""Each together with `lease_renew` may not be longer than `lease_duration`."""
ORDERED: Final = (("next_proof_spread_min", "next_proof_spread_max"),)
"""Pairs: the first may not be greater than the second."""
FIELDS: Final = tuple(variable(name) for name in (*_OWN, *_LIFECYCLE))
"""All variables."""
