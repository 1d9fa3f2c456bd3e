"""What Prometheus reads, minute by minute, and which alerts that makes.

Every alert that is not named at a time must not fire then.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

Firing: TypeAlias = Mapping[str, Mapping[str, Mapping[str, str]]]
"""By time: alerts with their labels."""

HOUR: Final = 3600
DAY: Final = 24 * HOUR
ORDERS: Final = {"namespace": "shop", "name": "orders"}
ORDERS_LABELS: Final = 'namespace="shop",name="orders"'
TENANT: Final = {"tenant": "default"}
WELL: Final[Mapping[str, str]] = {
    'appcredential_build_info{instance="a"}': "1x9999",
    'appcredential_leader{instance="a"}': "1x9999",
    'appcredential_leader{instance="b"}': "0x9999",
    'appcredential_tenant_ready_status{tenant="default",condition="True"}': "1x9999",
    'appcredential_tenant_ready_status{tenant="default",condition="False"}': "0x9999",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Series in promtool's notation, and the alerts of them.

    Attributes:
        minutes: between two samples, and between two evaluations.
        without: series of WELL that are not there.
    """

    series: Mapping[str, str]
    firing: Firing
    minutes: int = 1
    without: tuple[str, ...] = field(default=())

    def document(self, alerts: list[str]) -> dict[str, Any]:
        """Return the test as promtool reads it."""
        well = {k: v for k, v in WELL.items() if not k.startswith(self.without or ("-",))}
        end = max(map(_minutes, self.firing)) // self.minutes + 2
        expected = [
            {
                "eval_time": time,
                "alertname": alert,
                "exp_alerts": [{"exp_labels": fires[alert]}] if alert in fires else [],
            }
            for time, fires in self.firing.items()
            for alert in alerts
        ]
        return {
            "rule_files": ["rules.yaml"],
            "evaluation_interval": f"{self.minutes}m",
            "tests": [
                {
                    "interval": f"{self.minutes}m",
                    "input_series": [
                        {"series": name, "values": values.replace("x9999", f"x{end}")}
                        for name, values in {**well, **self.series}.items()
                    ],
                    "alert_rule_test": expected,
                }
            ],
        }


def _minutes(time: str) -> int:
    """Return the minutes of a time such as 6d1h."""
    units = {"d": 24 * 60, "h": 60, "m": 1}
    return sum(int(n) * units[unit] for n, unit in re.findall(r"(\d+)([dhm])", time))


def shown(metric: str, values: str, **labels: str) -> dict[str, str]:
    """Return a series of the resource, which two processes show."""
    named = {**ORDERS, **labels}
    text = ",".join(f'{label}="{value}"' for label, value in named.items())
    return {f'appcredential_{metric}{{{text},instance="{one}"}}': values for one in "ab"}


def ending(end: int, renewal: int) -> dict[str, str]:
    """Return the series of a credential that is never renewed."""
    return {
        **shown("info", "1x9999", tenant="default", type="ClientSecret"),
        **shown("expiration_timestamp_seconds", f"{end}x9999"),
        **shown("renewal_timestamp_seconds", f"{renewal}x9999"),
    }


def identity(end: str, renewal: str = "") -> dict[str, str]:
    """Return the series of the operator's own credential; without a time nobody renews it."""
    times = {"expiration": end, **({"renewal": renewal} if renewal else {})}
    return {
        f'appcredential_tenant_identity_{what}_timestamp_seconds{{tenant="default"}}': values
        for what, values in times.items()
    }


def _warning(**labels: str) -> dict[str, str]:
    return {**ORDERS, "severity": "warning", **labels}


def _critical(**labels: str) -> dict[str, str]:
    return {**ORDERS, "severity": "critical", **labels}


EXPIRING: Final = {"AppCredentialExpiring": _warning()}
SOON: Final = {**EXPIRING, "AppCredentialExpiringSoon": _warning()}
IMMINENT: Final = {**SOON, "AppCredentialExpiryImminent": _critical()}
EXPIRED: Final = {**IMMINENT, "AppCredentialExpired": _critical()}
IDENTITY_EXPIRING: Final = {"AppCredentialIdentityExpiring": {**TENANT, "severity": "warning"}}
IDENTITY_SOON: Final = {
    **IDENTITY_EXPIRING,
    "AppCredentialIdentityExpiringSoon": {**TENANT, "severity": "critical"},
}
TENANT_DOWN: Final = {
    "AppCredentialTenantNotReady": {**TENANT, "severity": "critical"},
}
DOWN: Final = {
    'appcredential_tenant_ready_status{tenant="default",condition="True"}': "0x9999",
    'appcredential_tenant_ready_status{tenant="default",condition="False"}': "1x9999",
}
NEVER: Final[Mapping[str, Mapping[str, str]]] = {}

ENDS_IN_TWENTY_DAYS: Final = {
    "5d20h": NEVER,
    "6d8h": IDENTITY_EXPIRING,
    "16d20h": IDENTITY_EXPIRING,
    "17d8h": IDENTITY_SOON,
}

CASES: Final[Mapping[str, Case]] = {
    "ninety days, renewed on schedule, from a day before the renewal": Case(
        minutes=30,
        series={
            **shown("expiration_timestamp_seconds", f"{31 * DAY}x48 {121 * DAY}x9999"),
            **shown("renewal_timestamp_seconds", f"{DAY}x48 {91 * DAY}x9999"),
        },
        firing=dict.fromkeys(("1h", "23h", "24h", "25h", "40h", "30d"), NEVER),
    ),
    "one hour, renewed on schedule, again and again": Case(
        series={
            **shown("expiration_timestamp_seconds", "3600x41 6000x39 8400x39 10800x39"),
            **shown("renewal_timestamp_seconds", "2400x41 4800x39 7200x39 9600x39"),
        },
        firing={f"{minute}m": NEVER for minute in range(1, 160, 3)},
    ),
    "ninety days, never renewed, from twenty days before the end": Case(
        minutes=30,
        series=ending(20 * DAY, -10 * DAY),
        firing={
            "5d": NEVER,
            "6d": NEVER,
            "6d1h": EXPIRING,
            "17d": EXPIRING,
            "17d1h": SOON,
            "19d18h": SOON,
            "19d19h": IMMINENT,
            "20d": EXPIRED,
        },
    ),
    "two years with a week for the renewal: five days are enough": Case(
        minutes=30,
        series=ending(14 * DAY, 7 * DAY),
        firing={"8d": NEVER, "9d2h": NEVER, "9d4h": EXPIRING, "11d2h": SOON},
    ),
    "one hour, never renewed": Case(
        series=ending(3600, 2400),
        firing={
            "40m": NEVER,
            "46m": NEVER,
            "52m": EXPIRING,
            "56m": {**SOON, "AppCredentialExpiryImminent": _critical()},
            "60m": EXPIRED,
        },
    ),
    "nobody renews it at all": Case(
        minutes=30,
        series={
            **shown("expiration_timestamp_seconds", f"{20 * DAY}x9999"),
        },
        firing={"5d": NEVER, "6d1h": EXPIRING},
    ),
    "a successor waits for its window, which then passes in vain": Case(
        minutes=30,
        series={
            **ending(14 * DAY, 0),
            **shown("pending_publish_timestamp_seconds", f"{10 * DAY}x9999"),
        },
        firing={"9d": NEVER, "10d": NEVER, "10d2h": EXPIRING},
    ),
    "of a tenant that is down, only what loses a sign-in is told besides": Case(
        minutes=30,
        series={
            **ending(20 * DAY, -10 * DAY),
            **DOWN,
            **shown("ready_status", "1x9999", condition="False"),
            **shown("stalled", "1x9999", reason="PermissionDenied"),
            **shown(
                "condition", "1x9999", condition="Ready", status="True", reason="RotationFailing"
            ),
            **shown("condition", "1x9999", condition="Verified", status="False", reason="X"),
        },
        firing={
            "1h": TENANT_DOWN,
            "7d": TENANT_DOWN,
            "18d": {**TENANT_DOWN, "AppCredentialExpiringSoon": _warning()},
        },
        without=("appcredential_tenant_ready_status",),
    ),
    "a rotation fails; another fails again and again; a third once": Case(
        series={
            **shown(
                "condition", "1x99", condition="Ready", status="True", reason="RotationFailing"
            ),
            'appcredential_rotation_failures_consecutive{namespace="shop",name="once"}': "1x99",
        },
        firing={"10m": NEVER, "16m": {"AppCredentialRotationFailing": _warning()}},
    ),
    "the leader has failed three times": Case(
        series=shown("rotation_failures_consecutive", "3x99"),
        firing={"10m": NEVER, "16m": {"AppCredentialRotationFailing": _warning()}},
    ),
    "a resource is stalled": Case(
        series=shown("stalled", "1x99", reason="NotGranted"),
        firing={"10m": NEVER, "16m": {"AppCredentialStalled": _warning(reason="NotGranted")}},
    ),
    "a revocation is blocked, which is told at once and once": Case(
        series=shown("stalled", "1x99", reason="RevocationBlocked"),
        firing={t: {"AppCredentialRevocationBlocked": _critical()} for t in ("1m", "40m")},
    ),
    "a resource is not ready": Case(
        series={
            **shown("ready_status", "0x99", condition="True"),
            **shown("ready_status", "1x99", condition="Unknown"),
        },
        firing={"10m": NEVER, "16m": {"AppCredentialNotReady": _warning()}},
    ),
    "a resource is only observed": Case(
        series={
            **shown("ready_status", "1x99", condition="False"),
            **shown("condition", "1x99", condition="Ready", status="False", reason="Observing"),
        },
        firing={"16m": NEVER, "40m": NEVER},
    ),
    "Entra refuses what is published": Case(
        series=shown(
            "condition", "1x99", condition="Verified", status="False", reason="SignInRejected"
        ),
        firing={
            "4m": NEVER,
            "6m": {"AppCredentialVerificationFailing": _critical(reason="SignInRejected")},
        },
    ),
    "it has expired, says the operator, and shows no end any more": Case(
        series=shown("condition", "1x99", condition="Ready", status="False", reason="Expired"),
        firing={"1m": {"AppCredentialExpired": _critical()}},
    ),
    "orphans": Case(
        series=shown("orphaned_credentials", "2x99"),
        firing={"50m": NEVER, "61m": {"AppCredentialOrphans": _warning()}},
    ),
    "pods keep a credential that ends in two hours, of one that stays": Case(
        series={
            **ending(30 * DAY, 20 * DAY),
            **shown("retirements_waiting", "1x99"),
            **shown("retire_timestamp_seconds", f"{2 * HOUR}x99"),
        },
        firing={"4m": NEVER, "6m": {"AppCredentialPodsHoldReplaced": _warning()}},
    ),
    "a revocation of something deleted is overdue": Case(
        series={'appcredential_ticket_overdue_seconds{tenant="default"}': "3700x99"},
        firing={
            "10m": NEVER,
            "16m": {"AppCredentialRevocationOverdue": {**TENANT, "severity": "warning"}},
        },
    ),
    "the operator's own credential ends, and nobody renews it": Case(
        minutes=240,
        series=identity(f"{20 * DAY}x9999"),
        firing=ENDS_IN_TWENTY_DAYS,
    ),
    "the operator's own thirty days, renewed on schedule, from the middle": Case(
        minutes=240,
        series=identity(f"{15 * DAY}x30 {35 * DAY}x9999", f"{5 * DAY}x30 {25 * DAY}x9999"),
        firing=dict.fromkeys(("1d", "2d", "4d", "5d", "5d4h", "21d4h", "24d", "25d"), NEVER),
    ),
    "the operator's own day, renewed on schedule": Case(
        minutes=10,
        series=identity("86400x98 144000x9999", "57600x98 115200x9999"),
        firing=dict.fromkeys(("1h", "9h", "15h", "16h", "16h20m", "24h", "31h"), NEVER),
    ),
    "the operator's own thirty days, never renewed, from the last eleven": Case(
        minutes=120,
        series=identity(f"{11 * DAY}x9999", f"{DAY}x9999"),
        firing={
            "3d22h": NEVER,
            "4d4h": IDENTITY_EXPIRING,
            "7d22h": IDENTITY_EXPIRING,
            "8d4h": IDENTITY_SOON,
        },
    ),
    "the operator's own ninety days, never renewed, of which two weeks are told": Case(
        minutes=240,
        series=identity(f"{20 * DAY}x9999", f"{-10 * DAY}x9999"),
        firing=ENDS_IN_TWENTY_DAYS,
    ),
    "the operator cannot renew its own credential, which is known before it is due": Case(
        minutes=240,
        series={
            **identity(f"{20 * DAY}x9999", f"{18 * DAY}x9999"),
            'appcredential_tenant_stalled{tenant="default",reason="IdentitySecretNotOurs"}': (
                "1x9999"
            ),
        },
        firing=ENDS_IN_TWENTY_DAYS,
    ),
    "the operator's Secret holds another certificate than the one in use": Case(
        minutes=240,
        series=identity(f"{20 * DAY}x9999", f"{60 * DAY}x9999"),
        firing=ENDS_IN_TWENTY_DAYS,
    ),
    "the quota is nearly used": Case(
        series={
            'appcredential_directory_quota_used_ratio{tenant="default",quota="writes"}': "0.95x99"
        },
        firing={
            "10m": NEVER,
            "16m": {
                "AppCredentialQuotaNearlyUsed": {
                    **TENANT,
                    "quota": "writes",
                    "severity": "warning",
                }
            },
        },
    ),
    "Graph asks for a pause every two minutes": Case(
        series={'appcredential_directory_pauses_total{tenant="default"}': "0+0.5x99"},
        firing={
            "10m": NEVER,
            "30m": {"AppCredentialThrottled": {**TENANT, "severity": "warning"}},
        },
    ),
    "a third of the requests gets no answer": Case(
        series={
            'appcredential_directory_requests_total{operation="token",code="0"}': "0+1x99",
            'appcredential_directory_requests_total{operation="token",code="200"}': "0+2x99",
        },
        firing={"10m": NEVER, "20m": {"AppCredentialGraphErrors": {"severity": "warning"}}},
    ),
    "lists grow old, and those of a tenant that is down, too": Case(
        series={
            'appcredential_inventory_age_seconds{tenant="default",subject="trusts"}': "1900x99",
            'appcredential_inventory_age_seconds{tenant="down",subject="trusts"}': "1900x99",
            'appcredential_tenant_ready_status{tenant="down",condition="False"}': "1x4 0x4 1x99",
        },
        firing={
            "13m": NEVER,
            "16m": {
                "AppCredentialInventoryOld": {
                    **TENANT,
                    "subject": "trusts",
                    "severity": "warning",
                },
                "AppCredentialTenantNotReady": {"tenant": "down", "severity": "critical"},
            },
        },
    ),
    "a certificate is lost": Case(
        series={'appcredential_certificate_losses_total{outcome="restored"}': "0x5 1x200"},
        firing={
            "5m": NEVER,
            "10m": {"AppCredentialCertificateLost": {"outcome": "restored", "severity": "warning"}},
            "90m": NEVER,
        },
    ),
    "a foreign credential appears, and one resource is new": Case(
        series={
            **shown("foreign_credentials", "6x70 7x150"),
            'appcredential_foreign_credentials{namespace="shop",name="new"}': "_x70 6x150",
        },
        firing={
            "70m": NEVER,
            "75m": {"AppCredentialForeignCredentials": {**ORDERS, "severity": "info"}},
            "140m": NEVER,
        },
    ),
    "a new leader counts a foreign credential a few minutes after it began": Case(
        series={
            f'appcredential_foreign_credentials{{{ORDERS_LABELS},instance="{one}"}}': values
            for one, values in (("a", "7x70"), ("b", "_x71 6x3 7x150"))
        },
        firing=dict.fromkeys(("60m", "73m", "100m", "133m", "135m", "200m"), NEVER),
    ),
    "no operator": Case(
        series={},
        firing={"10m": NEVER, "16m": {"AppCredentialOperatorAbsent": {"severity": "critical"}}},
        without=("appcredential_build_info", "appcredential_leader"),
    ),
    "no leader": Case(
        series={'appcredential_leader{instance="a"}': "0x99"},
        firing={"4m": NEVER, "6m": {"AppCredentialNoLeader": {"severity": "critical"}}},
        without=("appcredential_leader",),
    ),
    "two leaders": Case(
        series={'appcredential_leader{instance="b"}': "1x99"},
        firing={"4m": NEVER, "6m": {"AppCredentialSeveralLeaders": {"severity": "critical"}}},
        without=('appcredential_leader{instance="b"}',),
    ),
    "work makes no progress": Case(
        series={'appcredential_workqueue_stuck_seconds{instance="a"}': "130x99"},
        firing={
            "4m": NEVER,
            "6m": {"AppCredentialReconcileStuck": {"instance": "a", "severity": "critical"}},
        },
    ),
    "one pass never ends": Case(
        series={'appcredential_workqueue_longest_running_seconds{instance="a"}': "310x99"},
        firing={
            "4m": NEVER,
            "6m": {"AppCredentialReconcileStuck": {"instance": "a", "severity": "critical"}},
        },
    ),
    "a clock is behind": Case(
        series={'appcredential_clock_skew_seconds{server="entra",tenant="default"}': "-61x99"},
        firing={
            "4m": NEVER,
            "6m": {"AppCredentialClockSkew": {**TENANT, "server": "entra", "severity": "warning"}},
        },
    ),
    "no operator, and kube-state-metrics shows an end": Case(
        series={
            'appcredential_resource_expiration_timestamp_seconds{namespace="shop",name="orders"}': (
                "3600x99"
            ),
            'appcredential_resource_renewal_timestamp_seconds{namespace="shop",name="orders"}': (
                "2400x99"
            ),
        },
        firing={
            "40m": {"AppCredentialOperatorAbsent": {"severity": "critical"}},
            "55m": {
                "AppCredentialOperatorAbsent": {"severity": "critical"},
                "AppCredentialExpiringWithoutOperator": _critical(),
            },
            "61m": {
                "AppCredentialOperatorAbsent": {"severity": "critical"},
                "AppCredentialExpiringWithoutOperator": _critical(),
                "AppCredentialExpiredWithoutOperator": _critical(),
            },
        },
        without=("appcredential_build_info", "appcredential_leader"),
    ),
    "an operator, and kube-state-metrics shows an end": Case(
        series={
            'appcredential_resource_expiration_timestamp_seconds{namespace="shop",name="orders"}': (
                "3600x99"
            ),
        },
        firing={"55m": NEVER, "61m": NEVER},
    ),
}
