"""A platform's AppCredentials, the same each time: for the report's tests and its pictures."""

from __future__ import annotations

import random
from typing import Any, Final

from appcredential.report.page import Origin
from appcredential.report.rows import Row, row_of
from tests.cli.scenes import (
    NOW,
    READY,
    RECONCILING,
    condition,
    conditions,
    day,
    document,
    published,
    spec,
)

TEAMS: Final = ("checkout", "search", "billing", "logistics", "identity", "data-platform")
TENANTS: Final = ("default", "partners")
TYPES: Final = ("ClientSecret", "ClientSecret", "Certificate", "FederatedIdentity")
SERVICES: Final = ("api", "worker", "gateway", "exporter", "sync", "batch", "mailer", "reports")
ORIGIN: Final = Origin(
    scope="all namespaces",
    is_whole=True,
    team_label="team",
    told="Made by kubectl appcredential report.",
)


def fleet(size: int = 96) -> list[dict[str, Any]]:
    """Return so many AppCredentials, of which some are in trouble."""
    chance = random.Random(20261129)  # noqa: S311 - the same each time
    found = _troubled()
    while len(found) < size:
        number = len(found)
        team = chance.choice(TEAMS)
        kind = chance.choice(TYPES)
        ends = chance.choice((28, 45, 60, 75, 90, 120)) + chance.uniform(-9, 9)
        name = f"{chance.choice(SERVICES)}-{number:02}" if number >= len(SERVICES) else "api"
        found.append(
            _resource(
                name,
                team,
                chance.choice((*TENANTS, "default")),
                _status(kind, name, ends, chance.choice((0, 0, 0, 1, 2)), number),
                type=kind,
            )
        )
    return found


def rows(size: int = 96) -> list[Row]:
    """Return their rows."""
    return [row_of(found, "team") for found in fleet(size)]


def _status(kind: str, name: str, ends: float, foreign: int, number: int) -> dict[str, Any]:
    shown = {"displayName": f"{name.replace('-', ' ').title()}"}
    if kind == "FederatedIdentity":
        return {**conditions(READY), "application": shown, "inventory": {"federated": 1}}
    found = published(ends=ends, application=shown, renewalTime=day(ends - 20))
    found["credential"]["startTime"] = day(ends - 90 - number % 3 * 40)
    found["inventory"] = {"managed": 1, "foreign": foreign, "expired": foreign // 2}
    return found


def _resource(
    name: str, team: str, tenant: str, status: dict[str, Any], **change: Any
) -> dict[str, Any]:
    client_id = f"33333333-3333-4333-8333-{abs(hash_of(team + name)) % 10**12:012}"
    wanted = spec(application={"clientId": client_id}, tenantRef={"name": tenant}, **change)
    found = document(name, status, spec=wanted, labels={"team": team})
    found["metadata"]["namespace"] = team
    return found


def hash_of(text: str) -> int:
    """Return a number that is the same in each process."""
    return int.from_bytes(text.encode()[-5:], "big")


def _troubled() -> list[dict[str, Any]]:
    gone = published(ends=-0.4, application={"displayName": "Invoice archive"})
    gone["inventory"] = {"managed": 1, "foreign": 3, "expired": 2}
    refused = conditions(
        condition("Ready", "False", "NotGranted", "Nothing is published yet."),
        condition(
            "Stalled",
            "True",
            "NotGranted",
            "No ApplicationGrant allows namespace search a ClientSecret for the application: ask "
            "an administrator to grant it.",
        ),
    )
    blocked = published(
        ends=2.6,
        application={"displayName": "Payments"},
        renewalTime=day(-17),
        conditions=[
            READY,
            condition("Expiring", "True", "RenewalDue", "It ends in 2 days without a successor."),
            condition(
                "Stalled",
                "True",
                "PermissionDenied",
                "Graph refuses to change the application: make the operator an owner of it, or "
                "grant it Application.ReadWrite.OwnedBy (Authorization_RequestDenied).",
            ),
        ],
        inventory={"managed": 1, "foreign": 2, "expired": 1},
    )
    silent = published(ends=11, application={"displayName": "Route planner"}, renewalTime=day(-2))
    failing = published(
        ends=6.2,
        application={"displayName": "Sign-in portal"},
        renewalTime=day(-9),
        conditions=[
            READY,
            condition(
                "Expiring",
                "True",
                "RotationFailing",
                "Entra refuses the successor's sign-in (AADSTS7000215); another one is issued in "
                "25 minutes.",
            ),
            RECONCILING,
        ],
    )
    pending = published(
        ends=24,
        application={"displayName": "Basket"},
        conditions=[READY, RECONCILING],
        pending={"keyId": "p", "waitingFor": "a proof of sign-in"},
        renewalTime=day(-1),
    )
    return [
        _resource("invoices", "billing", "default", gone),
        _resource("indexer", "search", "default", refused),
        _resource("payments", "checkout", "default", blocked),
        _resource("routes", "logistics", "partners", silent),
        _resource("portal", "identity", "default", failing),
        _resource("basket", "checkout", "default", pending),
        _resource("legacy-export", "billing", "partners", published(ends=38), suspend=True),
    ]


NOW_SHOWN: Final = NOW
