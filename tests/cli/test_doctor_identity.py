"""What `doctor` says of the end of the operator's own credential, and what to do about it."""

from __future__ import annotations

from typing import Final

import pytest

from appcredential.cli.doctor.directory import tenants
from appcredential.cli.doctor.findings import Finding, Gravity
from tests.cli.installations import read, tenant, well
from tests.cli.scenes import day

PROBLEM: Final = "It is not renewed. Make the operator an owner."
BLOCKED: Final = {"renewalProblem": PROBLEM}
LATE: Final = {"expirationTime": day(20), "renewalTime": day(-9)}
SEE: Final = "The operator renews it at {}: see that it runs."
CERTIFICATE: Final = (
    "Register a new certificate in Entra, and put it into the Secret own-certificate."
)
SECRET: Final = "Create a new client secret in Entra, and put it into the Secret own-clientSecret."
BY_HAND: Final = "Not by kubectl apply: docs/guides/operator-identity.md has the commands."


def told(kind: str, *, rotated: bool, **status: str) -> Finding:
    """Return the finding about a credential of that kind, of which status says so much."""
    made = tenant(identity=status)
    rotation = {"rotation": {"lifetime": "30d"}} if rotated else {}
    made["spec"]["identity"] = {kind: {"secretRef": {"name": f"own-{kind}"}, **rotation}}
    (finding,) = (f for f in tenants(well(tenants=read(made))) if "own credential" in f.about)
    return finding


def check(found: Finding, gravity: Gravity, text: str, remedy: str) -> None:
    assert (found.gravity, found.remedy) == (gravity, remedy)
    assert found.text.endswith(text)


@pytest.mark.parametrize(
    ("kind", "status", "gravity", "text", "remedy"),
    [
        ("clientSecret", {"expirationTime": day(3)}, Gravity.RISK, "ends in 3 d.", SECRET),
        ("certificate", {"expirationTime": day(3)}, Gravity.RISK, "ends in 3 d.", CERTIFICATE),
        ("clientSecret", {"expirationTime": day(-1)}, Gravity.BROKEN, "24 h ago.", SECRET),
        ("clientSecret", {"expirationTime": day(60)}, Gravity.FINE, "ends in 60 d.", ""),
        # The spec had `rotation` until just now, and status still tells of it.
        (
            "certificate",
            {"expirationTime": day(13), "renewalTime": day(3)},
            Gravity.RISK,
            "ends in 13 d.",
            CERTIFICATE,
        ),
        ("clientSecret", {}, Gravity.UNCHECKED, "Entra's portal can", ""),
    ],
    ids=str,
)
def test_what_a_person_replaces(
    kind: str, status: dict[str, str], gravity: Gravity, text: str, remedy: str
) -> None:
    check(told(kind, rotated=False, **status), gravity, text, remedy)


@pytest.mark.parametrize("kind", ["certificate", "clientSecret"])
@pytest.mark.parametrize(
    ("status", "gravity", "text", "remedy"),
    [
        (LATE, Gravity.RISK, "in 20 d. Its renewal was due 9 d ago.", SEE.format(day(-9))),
        ({**LATE, **BLOCKED}, Gravity.RISK, "in 20 d.", PROBLEM),
        (BLOCKED, Gravity.RISK, "Nothing says when it ends.", PROBLEM),
        ({"expirationTime": day(13)}, Gravity.RISK, "in 13 d.", SEE.format("an unknown time")),
        (
            # The Secret holds another one than the one in use, which Entra refuses.
            {"expirationTime": day(13), "renewalTime": day(60)},
            Gravity.RISK,
            "in 13 d.",
            SEE.format(day(60)),
        ),
        (
            {"expirationTime": day(13), "renewalTime": day(3)},
            Gravity.FINE,
            "in 13 d. Its renewal is due in 3 d.",
            "",
        ),
        (
            {"expirationTime": day(9.5), "renewalTime": day(-0.5)},
            Gravity.FINE,
            "in 9 d. Its renewal was due 12 h ago.",
            "",
        ),
        (
            {"expirationTime": day(0.3), "renewalTime": day(-0.03)},
            Gravity.FINE,
            "in 7 h. Its renewal was due 43 min ago.",
            "",
        ),
    ],
    ids=str,
)
def test_what_the_operator_renews(
    kind: str, status: dict[str, str], gravity: Gravity, text: str, remedy: str
) -> None:
    check(told(kind, rotated=True, **status), gravity, text, remedy)


@pytest.mark.parametrize(("kind", "new"), [("certificate", CERTIFICATE), ("clientSecret", SECRET)])
def test_what_has_ended_is_renewed_by_hand_where_nothing_else_can(kind: str, new: str) -> None:
    """It may be late for what status says, so both are told."""
    found = told(kind, rotated=True, expirationTime=day(-1), renewalTime=day(-9), **BLOCKED)
    assert (found.gravity, found.remedy) == (Gravity.BROKEN, f"{PROBLEM} {new} {BY_HAND}")
    found = told(kind, rotated=True, expirationTime=day(-1), renewalTime=day(-9))
    assert found.remedy == f"{new} {BY_HAND}"
