"""What is said about a stock of credentials, and how it fits a terminal; no Entra, no cluster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from appcredential.cli.stock import (
    FAR,
    Finding,
    Judge,
    KnownCluster,
    KnownLimits,
    Stock,
    Whose,
)
from appcredential.cli.stock_shown import StockForm, document, rendered, tables
from appcredential.cli.text import cells
from appcredential.domain.marker import (
    Attempt,
    ClusterIdentity,
    Owner,
    attempt_id,
    build_display_name,
)
from appcredential.domain.observed.app_policy import AppPolicy, Restriction
from appcredential.domain.observed.entra import Application, Credential
from appcredential.domain.observed.federated import FederatedCredential, FederatedList
from appcredential.domain.spec.model import ClientId, CredentialType, KeyId, ObjectId
from tests.cli.scenes import CLIENT_ID, KEY, NOW, OLD_KEY

NO_LIMITS = KnownLimits()
HERE = ClusterIdentity.of("here")
THERE = ClusterIdentity.of("there")
ORDERS = Owner("shop", "orders")
KNOWN = KnownCluster(
    cluster=HERE.cluster, owners={ORDERS.hash: "shop/orders"}, keys={OLD_KEY: "shop/former"}
)


def days(number: float) -> datetime:
    return NOW + timedelta(days=number)


def credential(
    name: str = "by hand",
    start: float = -10,
    end: float = 80,
    key_id: str = KEY,
    kind: CredentialType = CredentialType.CLIENT_SECRET,
) -> Credential:
    return Credential(
        key_id=KeyId(key_id), display_name=name, start=days(start), end=days(end), type=kind
    )


def application(*credentials: Credential, name: str = "Orders") -> Application:
    return Application(
        object_id=ObjectId(KEY),
        client_id=ClientId(CLIENT_ID),
        display_name=name,
        credentials=credentials,
        read_time=NOW,
    )


def trusts(*found: FederatedCredential) -> FederatedList:
    return FederatedList(object_id=ObjectId(KEY), credentials=found, read_time=NOW)


def judge(
    cluster: KnownCluster = KNOWN,
    limits: KnownLimits = NO_LIMITS,
    usage: Mapping[KeyId, datetime] | None = None,
) -> Judge:
    return Judge(cluster=cluster, limits=limits, usage=usage, now=NOW)


def marked(identity: ClusterIdentity, owner: Owner = ORDERS) -> str:
    attempt: Attempt = attempt_id(identity, "pending", 1)
    return build_display_name(identity, owner, attempt, "orders service")


@pytest.mark.parametrize(
    ("cluster", "name", "key_id", "whose", "owner"),
    [
        (KNOWN, marked(HERE), KEY, Whose.OURS, "shop/orders"),
        (KNOWN, marked(HERE, Owner("gone", "a")), KEY, Whose.OURS, ""),
        (KNOWN, marked(THERE), KEY, Whose.OTHER_CLUSTER, ""),
        (KNOWN, "by hand", KEY, Whose.FOREIGN, ""),
        (KNOWN, "by hand", OLD_KEY, Whose.OURS, "shop/former"),
        (KnownCluster(), marked(HERE), KEY, Whose.MARKED, ""),
        (replace(KNOWN, cluster=""), marked(HERE), KEY, Whose.MARKED, "shop/orders"),
    ],
)
def test_the_marker_tells_whose_it_is(
    cluster: KnownCluster, name: str, key_id: str, whose: Whose, owner: str
) -> None:
    (held,) = judge(cluster).stock(application(credential(name, key_id=key_id)), None).credentials
    assert (held.whose, held.owner) == (whose, owner)
    assert "appcred1" not in held.name


def found(one: Credential, **known: Any) -> tuple[Finding, ...]:
    (held,) = judge(**known).stock(application(one), None).credentials
    return held.findings


def test_what_has_expired_and_what_never_does() -> None:
    assert found(credential(end=0)) == (Finding.EXPIRED,)
    assert found(credential(end=1)) == ()
    assert found(credential(end=FAR.days)) == (Finding.NEVER_EXPIRES,)


@pytest.mark.parametrize(
    ("limits", "most"),
    [
        (KnownLimits(), 731),
        (KnownLimits(rule=timedelta(days=365)), 365),
        (KnownLimits(tenant=timedelta(days=180)), 180),
        (KnownLimits(tenant=timedelta(days=180), grants={ClientId(CLIENT_ID): timedelta(90)}), 90),
        (
            KnownLimits(
                policy=AppPolicy(
                    restrictions=(
                        Restriction(
                            type=CredentialType.CLIENT_SECRET, max_lifetime=timedelta(days=60)
                        ),
                    )
                )
            ),
            60,
        ),
    ],
)
def test_the_smallest_limit_that_is_known_counts(limits: KnownLimits, most: int) -> None:
    assert found(credential(start=-10, end=most - 10), limits=limits) == ()
    assert found(credential(start=-10, end=most - 8), limits=limits) == (Finding.TOO_LONG,)


def test_unused_needs_a_report_and_thirty_days() -> None:
    old, new = credential(start=-40), credential(start=-20)
    assert found(old) == ()
    assert found(old, usage={}) == (Finding.UNUSED,)
    assert found(new, usage={}) == ()
    assert found(old, usage={KeyId(KEY): days(-29)}) == ()
    assert found(old, usage={KeyId(KEY): days(-30)}) == (Finding.UNUSED,)
    assert found(credential(start=-90, end=-1), usage={}) == (Finding.EXPIRED,)


def fleet(count: int) -> list[Stock]:
    made = []
    for number in range(count):
        secrets = [credential(f"secret {number}", end=number % 300 - 20), credential(marked(HERE))]
        made.append(judge(usage={}).stock(application(*secrets, name="日本" * 12), trusts()))
    return made


@pytest.mark.parametrize("width", [40, 80, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    form = StockForm(wide=False, width=width, only_findings=False)
    trust = FederatedCredential(
        id="i", name="n" * 90, issuer="https://x", subject="s", audiences=("a",), description=""
    )
    stocks = [*fleet(30), judge().stock(application(name="\x1b[31mevil"), trusts(trust))]
    lines = ["".join(part.text for part in line).rstrip() for line in tables(stocks, NOW, form)]
    assert max(map(cells, lines)) <= width
    assert "\x1b" not in "".join(lines)


def test_ten_thousand_credentials_are_shown() -> None:
    stocks = fleet(5_000)
    form = StockForm(wide=False, width=80, only_findings=False)
    assert sum(1 for _ in tables(stocks, NOW, form)) > 20_000
    assert rendered("json", document(stocks, "tenant", NOW, ()))


def test_what_was_not_read_is_said() -> None:
    form = StockForm(wide=False, width=None, only_findings=False)
    lines = list(tables([judge().stock(application(), None)], NOW, form))
    assert "no credentials; federated credentials not read" in lines[1][0].text
    shown = document([judge().stock(application(), None)], "tenant", NOW, ("a note",))
    assert shown["applications"][0]["federatedRead"] is False
    assert "a note" in rendered("yaml", shown)
