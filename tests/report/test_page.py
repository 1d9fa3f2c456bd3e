"""The page: what it says, that it needs nothing else, and that nothing in it is markup but ours."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from appcredential.report import style
from appcredential.report.markup import Markup, fill
from appcredential.report.page import Origin, render
from appcredential.report.rows import Row, row_of
from appcredential.report.sections import MOST_LANES, MOST_STUCK
from appcredential.report.tables import MOST_APPLICATIONS, MOST_GROUPS, MOST_ROWS
from tests.cli.scenes import NOW, STALLED, conditions, day, document, published
from tests.report.fleet import ORIGIN, fleet, rows
from tests.report.reading import Element, Read, read

EVIL: Final = (
    "\"><script>alert('x')</script><img src=x onerror=alert(1)>&amp;\x1b[31m\u202e{0}{name}"
)
PAGE_BYTES: Final = 1_600_000
SAMPLE: Final = render(rows(), ORIGIN, NOW)


@pytest.fixture(scope="module")
def page() -> Read:
    """The page of the fleet."""
    return read(SAMPLE)


def rendered(*documents: dict[str, Any], origin: Origin = ORIGIN) -> Read:
    return read(render([row_of(found, "team") for found in documents], origin, NOW))


def texts(found: Read, name: str) -> list[str]:
    return [element.text for element in found.all(name)]


def main_text(found: Read) -> str:
    (main,) = found.all("main")
    return main.text


# --- what it says ---------------------------------------------------------------------------


def test_the_verdict_comes_first(page: Read) -> None:
    verdict = next(e for e in page.all("p") if e.attributes.get("class") == "verdict")

    assert verdict.text == (
        "5 of 96 need a person. The next credential to end without a successor is "
        "checkout/payments: 2026-12-02 02:24 in 2 d."
    )
    assert texts(page, "dd") == ["2", "1", "2", "1", "1", "89"]


def test_what_is_stuck_says_why_and_what_to_type(page: Read) -> None:
    cards = [e.text for e in page.all("li")]
    (payments,) = [text for text in cards if text.startswith("checkout/payments")]

    assert "PermissionDenied" in payments
    assert "make the operator an owner of it" in payments
    assert "ends 2026-12-02 02:24 in 2 d" in payments
    assert payments.endswith(
        "kubectl appcredential status payments -n checkout\n"
        "kubectl appcredential check payments -n checkout --wait\n"
    )
    assert [t.partition(" ")[0] for t in texts(page, "h3")] == [
        "billing/invoices",
        "search/indexer",
        "checkout/payments",
        "identity/portal",
        "logistics/routes",
    ]


def test_times_are_absolute_and_relative(page: Read) -> None:
    exact = [e.attributes["datetime"] for e in page.all("time")]

    assert len(exact) > 96
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", time) for time in exact)
    assert "As of 2026-11-29 12:00 UTC. Made by kubectl appcredential report." in "".join(
        texts(page, "header")
    )


def test_the_timeline_has_the_same_as_a_table(page: Read) -> None:
    details, one_by_one = page.all("details")
    (caption,) = [t for t in texts(page, "figcaption") if t.startswith("Ends and renewals")]

    assert caption == "Ends and renewals by week: 1 ended already, 2 will end without a successor"
    assert "before014" in details.text  # one has ended, four were to be renewed
    cells = re.findall(r"\(in \d+ d\)(\d+)", details.text)
    assert len(cells) > 10
    assert "checkout/paymentsPermissionDenied2026-12-02 02:24 in 2 d" in one_by_one.text
    assert one_by_one.text.count("in ") >= MOST_LANES


def test_credentials_are_counted_by_team_tenant_type_and_age(page: Read) -> None:
    captions = texts(page, "caption")

    for expected in (
        "By team (label team, or else namespace)",
        "By EntraTenant",
        "By type",
        "By age of what is published",
        "Applications with foreign or expired credentials: 28 of 28",
        "96 of 96 AppCredentials: what needs attention first, then what ends first",
    ):
        assert expected in captions


def test_foreign_credentials_are_counted_once_for_each_application() -> None:
    def one(name: str, managed: int, foreign: int) -> dict[str, Any]:
        counted = {"managed": managed, "foreign": foreign, "expired": 1}
        return document(name, published(inventory=counted))

    text = main_text(rendered(one("a", 1, 4), one("b", 2, 3)))

    # Of five credentials three are ours, though each resource counts the other's as foreign.
    assert "2 foreign and 1 expired credentials in 1 applications" in text


def test_a_part_says_that_others_may_count_as_foreign() -> None:
    found = published(inventory={"managed": 1, "foreign": 1, "expired": 0})
    part = Origin(scope="namespace shop", is_whole=False, team_label="", told="")

    assert "this page leaves out count as foreign" in main_text(
        rendered(document("a", found), origin=part)
    )
    assert "this page leaves out" not in main_text(rendered(document("a", found)))


def test_without_any_and_without_an_end() -> None:
    nothing = rendered()
    assert "There are no AppCredentials." in "".join(texts(nothing, "header"))
    assert "Nothing needs a person." in main_text(nothing)

    new = rendered(document("new"))
    assert "No credential with an end is published." in main_text(new)
    assert "None of 1 needs a person." in "".join(texts(new, "header"))


def test_what_was_read_earlier_says_so() -> None:
    origin = replace(ORIGIN, told="Served by pod-1, which stands by.", read=NOW)

    (header,) = texts(rendered(origin=origin), "header")
    assert "Served by pod-1, which stands by." in header
    assert "All of them were last listed at 2026-11-29 12:00" in header


# --- nothing is markup but ours -------------------------------------------------------------


def hostile() -> dict[str, Any]:
    """An object that holds markup, terminal escapes and braces wherever text can be."""
    status = published(
        ends=-1,
        application={"displayName": EVIL},
        secretRef={"name": EVIL},
        conditions=[
            {"type": kind, "status": "True", "reason": EVIL, "message": EVIL}
            for kind in ("Stalled", "Expiring", "Reconciling", "Ready")
        ],
        pending={"waitingFor": EVIL},
        inventory={"managed": 1, "foreign": 2, "expired": 1},
    )
    found = document(EVIL, status)
    found["metadata"] |= {"namespace": EVIL, "labels": {"team": EVIL}}
    found["spec"] = {"type": EVIL, "tenantRef": {"name": EVIL}, "application": {"clientId": EVIL}}
    return found


def test_whatever_comes_from_the_cluster_is_text() -> None:
    origin = Origin(scope=EVIL, is_whole=False, team_label=EVIL, told=EVIL)

    page = rendered(hostile(), origin=origin)

    assert len(page.all("script")) == 1
    assert page.all("script")[0].text == style.SCRIPT
    assert page.all("img") == []
    for element in page.elements:
        assert not [name for name in element.attributes if name.startswith("on")]
        assert "style" not in element.attributes, "the policy forbids it"
    assert "alert('x')</script>" in main_text(page)
    assert "\x1b" not in main_text(page)
    assert "\u202e" not in main_text(page)


def test_an_escape_that_is_forgotten_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same with a page that escapes nothing."""
    monkeypatch.setattr("appcredential.report.markup.escape", lambda text, **_: text)

    with pytest.raises((AssertionError, IndexError, KeyError)):
        test_whatever_comes_from_the_cluster_is_text()


def test_what_is_typed_is_one_word_for_a_shell() -> None:
    found = document("$(reboot)", published(ends=-1, conditions=[STALLED]))

    (code,) = rendered(found).all("code")
    assert "status '$(reboot)' -n shop" in code.text


def test_markup_passes_as_it_is_and_text_does_not() -> None:
    assert fill("<p>{a}{b}</p>", a="<&>\"'", b=Markup("<br>")) == (
        "<p>&lt;&amp;&gt;&quot;&#x27;<br></p>"
    )
    assert fill("{n}", n=3) == "3"


# --- it needs nothing else, and has bounds --------------------------------------------------


def test_nothing_comes_from_outside(page: Read) -> None:
    for element in page.elements:
        assert "src" not in element.attributes
        href = element.attributes.get("href", "#")
        assert href.startswith("#"), href
    assert "url(" not in style.STYLE
    assert "@import" not in style.STYLE
    policy = page.all("meta")[1].attributes["content"]
    assert policy == style.POLICY
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy


def many(size: int) -> list[Row]:
    """Rows of distinct teams and applications, all in trouble."""
    made = []
    for number in range(size):
        found = document(
            f"service-with-a-long-name-{number:06}",
            published(
                ends=number % 400 - 20,
                conditions=[{**STALLED, "message": "It is stuck. " * 60}],
                application={"displayName": f"Application {number}"},
                inventory={"managed": 1, "foreign": 2, "expired": 1},
            ),
            labels={"team": f"team-{number}"},
        )
        found["spec"]["application"] = {"clientId": f"id-{number}"}
        made.append(row_of(found, "team"))
    return made


def test_ten_thousand_are_counted_and_the_page_stays_small() -> None:
    text = render(many(10_000), ORIGIN, NOW)

    assert len(text.encode()) < PAGE_BYTES
    page = read(text)
    assert "10000 of 10000 need a person." in "".join(texts(page, "header"))
    assert f"{10_000 - MOST_STUCK} more need a person." in main_text(page)
    assert len(page.all("h3")) == MOST_STUCK
    (caption,) = [t for t in texts(page, "caption") if "AppCredentials" in t]
    assert caption == (
        f"{MOST_ROWS} of 10000 AppCredentials: what needs attention first, then what ends first; "
        "9000 that need the least attention are left out here, and counted above"
    )
    assert f"The credentials that end first: {MOST_LANES} of 10000" in texts(page, "figcaption")
    assert f"{MOST_APPLICATIONS} of 10000" in main_text(page)
    assert f"{10_000 - MOST_GROUPS} others" in main_text(page)


def test_the_bounds_are_those_that_the_document_tells() -> None:
    told = (Path(__file__).parents[2] / "docs" / "cli.md").read_text()

    assert (
        f"the first {MOST_STUCK} that need a person, {MOST_LANES} that end first, "
        f"{MOST_ROWS:,} in the table"
    ) in told


# --- everybody can read it ------------------------------------------------------------------


def test_it_has_landmarks_captions_and_scopes(page: Read) -> None:
    (root,) = page.all("html")
    assert root.attributes["lang"] == "en"
    for landmark in ("header", "nav", "main", "footer", "h1", "title"):
        assert len(page.all(landmark)) == 1, landmark
    assert page.all("nav")[0].attributes["aria-label"]
    assert len(page.all("table")) == len(page.all("caption"))
    for head in page.all("th"):
        assert head.attributes["scope"] in {"col", "row"}
    ids = [e.attributes["id"] for e in page.elements if "id" in e.attributes]
    assert len(set(ids)) == len(ids)
    for element in page.elements:
        for name in ("aria-labelledby", "for"):
            assert element.attributes.get(name, ids[0]) in ids
    assert {e.attributes["href"][1:] for e in page.all("a")} <= set(ids)


def test_each_picture_has_words_or_repeats_some(page: Read) -> None:
    for picture in page.all("svg"):
        said = picture.attributes.get("aria-hidden") == "true"
        assert said or picture.attributes["aria-labelledby"]


def test_what_scrolls_can_be_reached_by_keyboard(page: Read) -> None:
    for element in page.elements:
        if element.attributes.get("class") == "wide":
            assert element.attributes["tabindex"] == "0"
            assert element.attributes["role"] == "group"
            assert named(element)


def named(element: Element) -> bool:
    return bool(element.attributes.get("aria-label") or element.attributes.get("aria-labelledby"))


def palettes() -> list[dict[str, str]]:
    """The colours by name: in the light, in the dark, and on paper."""
    blocks = re.findall(r":root \{(.*?)\}", style.STYLE, re.DOTALL)
    return [dict(re.findall(r"--([\w-]+): (#\w+)", block)) for block in blocks]


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("palette", palettes(), ids=["light", "dark", "paper"])
def test_text_has_enough_contrast(palette: dict[str, str]) -> None:
    for ground in ("paper", "card", "bad-wash"):
        for ink in ("ink", "soft", "bad", "warn", "work", "good"):
            found = contrast(palette[ink], palette[ground])
            assert found >= 4.5, f"{ink} on {ground}: {found:.2f}"
        assert contrast(palette["calm"], palette[ground]) >= 3


def test_it_has_a_form_for_paper_and_one_for_the_dark() -> None:
    assert "@media print" in style.STYLE
    assert "prefers-color-scheme: dark" in style.STYLE


def test_the_same_rows_make_the_same_page() -> None:
    assert render(reversed(rows()), ORIGIN, NOW) == SAMPLE
    assert render(rows(), ORIGIN, NOW + timedelta(days=1)) != SAMPLE
    assert len(fleet()) == 96
    assert day(0).startswith("2026-11-29")


def test_a_federated_one_has_nothing_that_ends() -> None:
    found = document("trust", conditions(STALLED))
    found["spec"]["type"] = "FederatedIdentity"

    text = main_text(rendered(found))
    assert "nothing of it ends" in text
    assert "federated: nothing that ends" in text
