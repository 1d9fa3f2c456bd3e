"""Grants by a tag, by labels and with an end: what matches, what does not, what nobody knows."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.grant_match import (
    Asked,
    Lack,
    covers,
    lacks,
    matches,
    may_be_for,
    missing_labels,
    named_client_ids,
)
from appcredential.domain.grants import awaits_tag, evaluate
from appcredential.domain.observed.asker import Asker
from appcredential.domain.observed.entra import Grant
from appcredential.domain.spec.grant import (
    AllApplications,
    GrantedApplications,
    GrantedNamespaces,
    NamedApplications,
    NamedNamespaces,
    SelectedNamespaces,
    TaggedApplications,
    allow_tag,
)
from appcredential.domain.spec.label_selector import (
    LabelOperator,
    LabelRequirement,
    LabelSelector,
)
from appcredential.domain.spec.model import (
    ApplicationGrantSpec,
    CredentialType,
    Limits,
)
from tests.support.builders import CLIENT_ID, NOW, OPERATOR_CLIENT_ID, asker, spec, tenant
from tests.support.federated import GITHUB, federated_spec

SHOP = NamedNamespaces(frozenset({"shop"}))
TAG = "appcredential.io/allow=prod/shop"
SECOND = timedelta(seconds=1)
CERTIFICATES = Limits(types=frozenset({CredentialType.CERTIFICATE}))


def by(
    applications: GrantedApplications | None = None,
    namespaces: GrantedNamespaces = SHOP,
    **more: object,
) -> ApplicationGrantSpec:
    found = NamedApplications(frozenset({CLIENT_ID})) if applications is None else applications
    grant = ApplicationGrantSpec(tenant="default", applications=found, namespaces=namespaces)
    return replace(grant, **more)  # type: ignore[arg-type]


def selecting(key: str, operator: LabelOperator, *values: str) -> SelectedNamespaces:
    return SelectedNamespaces(LabelSelector((LabelRequirement(key, operator, values),)))


PROD = selecting("env", LabelOperator.IN, "prod")
TAGGED = by(TaggedApplications())


def judge(who: Asker, **grants: ApplicationGrantSpec) -> Grant | Problem:
    return evaluate(grants, who, spec(), tenant())


def reason(found: Grant | Problem) -> str:
    return "" if isinstance(found, Grant) else str(found.reason)


@pytest.mark.parametrize(
    ("name", "grant", "who", "lacking"),
    [
        ("all applications", by(AllApplications()), asker(), []),
        ("the tag", TAGGED, asker(tags=("x", TAG)), []),
        ("the tags are unknown", TAGGED, asker(), [Lack.TAGS_UNKNOWN]),
        ("no tag", TAGGED, asker(tags=()), [Lack.TAG]),
        ("another cluster", TAGGED, asker(tags=(allow_tag("test", "shop"),)), [Lack.TAG]),
        ("another namespace", TAGGED, asker(tags=(allow_tag("prod", "stock"),)), [Lack.TAG]),
        ("a wildcard", TAGGED, asker(tags=(allow_tag("prod", "*"),)), [Lack.TAG]),
        ("a wildcard for all", TAGGED, asker(tags=(allow_tag("*", "*"),)), [Lack.TAG]),
        ("another case", TAGGED, asker(tags=(TAG.upper(),)), [Lack.TAG]),
        ("a tag with a blank", TAGGED, asker(tags=(f"{TAG} ",)), [Lack.TAG]),
        ("a label", by(namespaces=PROD), asker(labels={"env": "prod"}), []),
        ("no label", by(namespaces=PROD), asker(labels={}), [Lack.LABELS]),
        ("another value", by(namespaces=PROD), asker(labels={"env": "Prod"}), [Lack.LABELS]),
        ("unknown labels", by(namespaces=PROD), asker(), [Lack.LABELS_UNKNOWN]),
        (
            "kube-system has the label",
            by(namespaces=PROD),
            asker("kube-system", labels={"env": "prod"}),
            [Lack.NAMESPACE],
        ),
        (
            "kube-node-lease has the label",
            by(namespaces=PROD),
            asker("kube-node-lease", labels={"env": "prod"}),
            [Lack.NAMESPACE],
        ),
        (
            "the operator's own namespace has the label",
            by(namespaces=PROD),
            asker("appcredential-system", labels={"env": "prod"}),
            [Lack.NAMESPACE],
        ),
        ("not yet at its end", by(expires=NOW + SECOND), asker(), []),
        ("at its end", by(expires=NOW), asker(), [Lack.EXPIRED]),
        (
            "several",
            by(TaggedApplications(), PROD, limits=CERTIFICATES, expires=NOW),
            asker(labels={}, tags=()),
            [Lack.LABELS, Lack.TAG, Lack.TYPE, Lack.EXPIRED],
        ),
        ("another tenant", by(tenant="other"), asker(), [Lack.TENANT]),
    ],
)
def test_what_a_grant_lacks(
    name: str, grant: ApplicationGrantSpec, who: Asker, lacking: list[Lack]
) -> None:
    asked = Asked(asker=who, spec=spec())
    assert list(lacks(grant, asked)) == lacking, name
    unknown = {Lack.TAGS_UNKNOWN, Lack.LABELS_UNKNOWN}
    expected = None if lacking and set(lacking) <= unknown else not lacking
    assert matches(grant, asked) is expected


def test_one_that_matches_counts_beside_one_that_nobody_knows() -> None:
    found = judge(asker(), a=TAGGED, b=by())
    assert isinstance(found, Grant)
    assert found.name == "b"


def test_while_nobody_knows_nothing_is_refused() -> None:
    found = judge(asker(), tags=TAGGED, other=by(tenant="other"))
    assert isinstance(found, Problem)
    assert (found.reason, found.stalled) == (Reason.GRANT_UNKNOWN, False)
    assert "ApplicationGrant tags allows this" in found.message
    assert "tags of the app registration were not read." in found.message


def test_labels_that_nobody_may_read_are_told_with_the_remedy() -> None:
    found = judge(asker(labels_problem="grant the right."), a=by(namespaces=PROD))
    assert isinstance(found, Problem)
    assert (found.reason, found.stalled) == (Reason.GRANT_UNKNOWN, True)
    assert found.message.endswith("grant the right.")
    found = judge(asker(), a=by(namespaces=PROD))
    assert isinstance(found, Problem)
    assert not found.stalled
    assert found.message.endswith("the labels of the namespace were not read.")


def test_a_grant_that_lacks_something_anyway_leaves_nothing_unknown() -> None:
    expired = by(TaggedApplications(), expires=NOW)
    assert reason(judge(asker(), a=expired)) == "NotGranted"
    assert reason(judge(asker(labels={}), a=by(TaggedApplications(), PROD))) == "NotGranted"


def test_the_operators_own_application_needs_the_word_in_a_wide_grant_too() -> None:
    own = spec(client_id=OPERATOR_CLIENT_ID)
    wide = by(AllApplications())
    found = evaluate({"a": wide, "b": TAGGED}, asker(), own, tenant())
    assert reason(found) == "OperatorIdentity"
    assert not awaits_tag({"b": TAGGED}, asker(), own, tenant())
    named = replace(wide, allow_operator_identity=True)
    assert isinstance(evaluate({"a": named}, asker(), own, tenant()), Grant)


@pytest.mark.parametrize(
    ("grant", "who", "awaits"),
    [
        (TAGGED, asker(), True),
        (TAGGED, asker(tags=()), True),
        (TAGGED, asker("stock"), False),
        (by(TaggedApplications(), limits=CERTIFICATES), asker(), False),
        (by(TaggedApplications(), PROD), asker(labels={}), False),
        (by(TaggedApplications(), PROD), asker(), False),
        (by(TaggedApplications(), expires=NOW), asker(), False),
        (by(NamedApplications(frozenset())), asker(), False),
    ],
)
def test_entra_is_asked_only_where_the_tag_alone_decides(
    grant: ApplicationGrantSpec,
    who: Asker,
    awaits: bool,
) -> None:
    assert awaits_tag({"a": grant}, who, spec(), tenant()) is awaits


# --- what a refusal tells ---------------------------------------------------------------------


def told(who: Asker, **grants: ApplicationGrantSpec) -> str:
    found = judge(who, **grants)
    assert isinstance(found, Problem)
    assert len(found.message) <= 1_900
    json.loads(found.message[found.message.index("{") :])  # the grant is whole
    return found.message


def test_it_names_what_came_close_and_what_that_lacks() -> None:
    message = told(
        asker(labels={"env": "test"}, tags=()),
        tagged=TAGGED,
        label=by(namespaces=PROD),
        old=by(expires=NOW),
        kinds=by(limits=CERTIFICATES),
    )
    assert "kinds (is for other types); " in message
    assert "label (the namespace does not meet env=prod); " in message
    assert "old (has expired) and 1 more." in message
    assert f"lacks the tag {TAG}" in told(asker(tags=()), tagged=TAGGED)
    assert "does not list this application" in told(asker(), a=by(NamedApplications(frozenset())))


def test_what_others_were_granted_is_not_told() -> None:
    stranger = by(namespaces=NamedNamespaces(frozenset({"stock"})))
    away = by(NamedApplications(frozenset()), PROD)
    message = told(asker(labels={}), stock=stranger, away=away, other=by(tenant="other"))
    assert "Close" not in message
    assert "stock" not in message
    assert "env" not in message


def test_a_label_is_told_where_it_alone_is_missing_or_the_tag_too() -> None:
    both = by(TaggedApplications(), PROD)
    assert "does not meet env=prod, the app registration lacks" in told(
        asker(labels={}, tags=()), both=both
    )
    assert "the tags of the app registration were not read" in told(asker(labels={}), both=both)


def test_tags_that_may_be_meant_are_shown_and_others_are_not() -> None:
    tags = ("AppCredential.IO/Allow=prod/shop", allow_tag("test", "shop"), allow_tag("*", "*"))
    message = told(asker(tags=(*tags, allow_tag("prod", "payroll"))), tagged=TAGGED)
    for tag in tags:
        assert tag in message
    assert "payroll" not in message
    assert "no wildcards" in message
    assert "Seen instead" not in told(asker(tags=(allow_tag("prod", "payroll"),)), tagged=TAGGED)
    assert "Seen instead" not in told(asker(tags=tags), named=by(limits=CERTIFICATES))


def test_a_tag_cannot_make_the_message_long_or_move_a_cursor() -> None:
    hostile = f"appcredential.io/allow=\x1b[2J{'x' * 5_000}/shop"
    message = told(asker(tags=(hostile, *(f"{hostile}{n}*" for n in range(50)))), tagged=TAGGED)
    assert "\x1b" not in message


def test_what_does_not_fit_is_left_out_and_the_grant_stays_whole() -> None:
    names = {f"{n}{'n' * 252}": by(limits=CERTIFICATES) for n in range(9)}
    message = told(asker(labels={}), **names, label=by(namespaces=PROD))
    assert "Close" in message
    long = {f"{n}{'n' * 252}": TAGGED for n in range(9)}
    who = replace(asker(tags=()), cluster_id="c" * 300)
    assert "To allow it, an administrator applies" in told(who, **long)


def test_a_source_that_is_not_allowed_is_told() -> None:
    found = evaluate({"a": by()}, asker(), federated_spec(GITHUB), tenant())
    assert isinstance(found, Problem)
    assert "a (does not allow whose tokens this trusts)" in found.message


# --- whom a grant is about --------------------------------------------------------------------


def test_whom_a_change_of_a_grant_concerns() -> None:
    assert covers(by(), "shop", None)
    assert not covers(by(), "stock", None)
    assert covers(by(namespaces=PROD), "stock", {"env": "prod"})
    assert not covers(by(namespaces=PROD), "stock", {})
    assert not covers(by(namespaces=PROD), "stock", None)
    assert missing_labels(by(), asker(labels={})) == ()
    assert missing_labels(by(namespaces=PROD), asker()) == ()
    assert may_be_for(by(), CLIENT_ID)
    assert not may_be_for(by(), "another")
    assert named_client_ids(by()) == {CLIENT_ID}
    assert named_client_ids(TAGGED) == frozenset()
    assert may_be_for(TAGGED, "another")
    assert may_be_for(by(AllApplications()), "another")
