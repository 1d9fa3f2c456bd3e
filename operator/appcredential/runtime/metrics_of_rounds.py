"""The metrics of rounds over all objects, all applications and all published credentials."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge


class LookMetrics:
    """How what was written to the cluster is watched and looked at."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.outcomes = Counter(
            "appcredential_cluster_looks_total",
            "Looks at what was written to the cluster or is made a certificate of.",
            ["outcome"],
            registry=registry,
        )
        self.period = Gauge(
            "appcredential_cluster_look_period_seconds",
            "How long it takes now until each of these objects was looked at once.",
            registry=registry,
        )
        self.secret_watches = Gauge(
            "appcredential_secret_watches",
            "Watches that show changes of published Secrets now.",
            registry=registry,
        )
        self.resumed = Gauge(
            "appcredential_resumed_resources",
            "AppCredentials of which this leader knows the status alone, until its first look.",
            registry=registry,
        )


class InventoryMetrics:
    """How the rounds over all applications of each tenant go."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.age = Gauge(
            "appcredential_inventory_age_seconds",
            "Time since a round over a tenant's applications or trusts last ended well.",
            ["tenant", "subject"],
            registry=registry,
        )
        self.applications = Gauge(
            "appcredential_inventory_applications",
            "Applications in the last round, by the way that it took.",
            ["tenant", "way"],
            registry=registry,
        )
        self.doubts = Counter(
            "appcredential_inventory_doubts_total",
            "Lists that showed something else than the last direct read.",
            registry=registry,
        )


class SignInMetrics:
    """How the sign-ins with published credentials go."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.outcomes = Counter(
            "appcredential_published_sign_ins_total",
            "Sign-ins to see whether what is published still signs in.",
            ["outcome"],
            registry=registry,
        )
        self.period = Gauge(
            "appcredential_published_sign_in_period_seconds",
            "How long it takes until each published credential has signed in once.",
            ["tenant"],
            registry=registry,
        )
