"""The story of a status: what is published, proven, pending, retiring, and what is next."""

from __future__ import annotations

import pytest

from appcredential.cli.app_credential import AppCredential
from appcredential.cli.story import chapters, lines
from appcredential.cli.text import cells
from tests.cli.scenes import (
    KEY,
    NOW,
    OLD_KEY,
    PODS,
    READY,
    RECONCILING,
    STALLED,
    condition,
    day,
    published,
    resource,
    retiring,
    spec,
)


def told(found: AppCredential) -> dict[str, list[str]]:
    return {chapter.label: list(chapter.paragraphs) for chapter in chapters(found, NOW)}


def test_what_is_well_is_told_shortly() -> None:
    story = told(resource("orders", published()))

    assert story["State"] == [
        "shop/orders · Published",
        "Ready is True, Published: The Secret holds a valid credential.",
    ]
    assert story["Published"] == [
        f"ClientSecret {KEY}",
        "Secret orders-entra, written 30 d ago",
        "███████░░░ ends in 60 d (2027-01-28T12:00:00Z)",
    ]
    assert story["Proven"][-1] == "signed in 24 h ago, as of the last change of status"
    assert story["Next"] == ["in 30 d (2026-12-29T12:00:00Z): a successor is due"]
    assert not {"Attention", "Under way", "Pending", "Retiring"} & set(story)


def test_a_successor_and_a_predecessor_are_told_with_what_they_wait_for() -> None:
    pending = {
        "keyId": "k",
        "startTime": day(-1),
        "publishTime": day(2),
        "waitingFor": "the window",
    }
    gone = {"keyId": "third", "retireTime": day(3)}
    story = told(resource("orders", published(pending=pending, retiring=[*retiring(), gone])))

    assert story["Pending"] == ["k, issued 24 h ago", "waits for the window"]
    assert story["Retiring"] == [
        f"{OLD_KEY}, waits for {PODS}, goes at the latest in 10 d",
        "third, goes soonest in 3 d",
    ]
    assert [line.split(": ")[1] for line in story["Next"]] == [
        "the successor is published",
        "third may go",
        "a successor is due",
    ]


def test_what_is_stalled_needs_a_person_and_ends_unless_it_is_renewed() -> None:
    story = told(resource("orders", published(conditions=[READY, STALLED])))

    assert story["Attention"] == [
        "Stalled, so a person has to act. NotGranted: No ApplicationGrant allows it."
    ]
    assert story["Next"] == [
        "in 60 d (2027-01-28T12:00:00Z): the published credential ends, unless it is renewed"
    ]


@pytest.mark.parametrize(
    ("found", "label", "words"),
    [
        (resource("a", published(ends=-1)), "Attention", "is an operator running?"),
        (resource("a", published(renewalTime=day(-2))), "Attention", "was due 2 d ago"),
        (
            resource("a", published(conditions=[condition("Expiring", "True", "RenewalDue")])),
            "Attention",
            "Expiring. RenewalDue",
        ),
        (
            resource("a", published(removedCertificate={"keyId": "k"})),
            "Attention",
            "removed the certificate k",
        ),
        (resource("a", published(conditions=[RECONCILING])), "Under way", "Being issued."),
        (resource("a", published(), deletionTimestamp=day(0)), "Under way", "being deleted"),
        (resource("a"), "State", "has not looked at it yet"),
        (resource("a"), "Published", "nothing yet in Secret a"),
        (resource("a", published(), generation=2), "State", "an earlier version of the spec"),
        (resource("a", spec=spec(suspend=True)), "Next", "Suspended"),
        (resource("a", spec=spec(mode="Observe")), "Next", "only reports"),
        (
            resource(
                "a",
                {"federatedIdentities": [{"id": "i", "issuer": "https://i", "subject": "s"}]},
                spec=spec(type="FederatedIdentity"),
            ),
            "Trusts",
            "s of https://i",
        ),
        (
            resource(
                "a",
                {
                    "federatedIdentityProblems": [
                        {"issuer": "https://i", "subject": "s", "reason": "CredentialConflict"}
                    ]
                },
                spec=spec(type="FederatedIdentity"),
            ),
            "Trusts",
            "not s of https://i: CredentialConflict",
        ),
    ],
)
def test_what_else_is_told(found: AppCredential, label: str, words: str) -> None:
    assert words in " ".join(told(found)[label])


def test_a_federated_identity_has_no_secret() -> None:
    assert "Published" not in told(resource("a", spec=spec(type="FederatedIdentity")))


@pytest.mark.parametrize("width", [40, 80, 120])
def test_every_line_fits(width: int) -> None:
    found = resource(
        "orders",
        published(conditions=[STALLED], retiring=retiring(), pending={"keyId": KEY}),
    )

    shown = ["".join(p.text for p in line) for line in lines(chapters(found, NOW), width)]

    assert max(map(cells, shown)) <= width
    assert len([line for line in shown if line.startswith("State")]) == 1


def test_terminal_escapes_are_taken_out() -> None:
    evil = "\x1b]0;owned\x07\u202e"
    found = resource(
        "orders",
        published(
            application={"displayName": evil},
            retiring=[{"keyId": evil, "waitingFor": evil}],
            conditions=[condition("Ready", "True", evil, evil)],
        ),
    )

    text = "".join(p.text for line in lines(chapters(found, NOW), None) for p in line)

    assert text.isprintable()
    assert "owned" in text
