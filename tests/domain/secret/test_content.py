"""What the target Secret holds: what workloads read, and what of others stays."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appcredential.domain.observed.target import Abandoned, RetireCause, Retiring, Target
from appcredential.domain.secret.annotations import Name
from appcredential.domain.secret.content import (
    Rendering,
    digest,
    is_rendered,
    render,
    template_values,
)
from appcredential.domain.secret.entries import dump_abandoned
from appcredential.domain.secret.records import Publication, pending_name
from appcredential.domain.secret.value import find_value
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import AppCredentialSpec
from appcredential.domain.spec.secret import DataEntry, GenerateOnce, Preset, Template
from tests.support.builders import (
    CLIENT_ID,
    IDENTITY,
    ISSUED,
    MINUTE,
    NEXT,
    NEXT_ATTEMPT,
    NEXT_SECRET,
    NOW,
    OBJECT_ID,
    OLD,
    OWNER,
    SECRET,
    TENANT_ID,
    abandoned,
    attempt,
    minted,
    retiring,
    spec,
    target,
    tenant,
)
from tests.support.federated import federated_spec

AUTHORITY = "https://login.microsoftonline.com/"
COOKIE: DataEntry = GenerateOnce(length=8)


def published(
    *,
    retiring: tuple[Retiring, ...] = (),
    abandoned: tuple[Abandoned, ...] = (),
    is_verified: bool = True,
    is_next: bool = False,
) -> Publication:
    return Publication(
        owner=str(OWNER),
        cluster=IDENTITY.cluster,
        tenant_id=TENANT_ID,
        object_id=OBJECT_ID,
        credential=minted(NEXT, attempt=NEXT_ATTEMPT, value=NEXT_SECRET) if is_next else minted(),
        verified_time=ISSUED + MINUTE if is_verified else None,
        published_time=ISSUED + 2 * MINUTE,
        retiring=retiring,
        abandoned=abandoned,
    )


def rendered(
    wanted: AppCredentialSpec,
    live: Target | None = None,
    *,
    records: Publication | None = None,
    value: SecretValue = SECRET,
    may_generate: bool = True,
) -> Rendering:
    return render(
        wanted,
        tenant(),
        value,
        records if records is not None else published(),
        live,
        (lambda n: SecretValue("g" * n)) if may_generate else None,
    )


def live(given: Rendering) -> Target:
    """Return the Secret after that rendering was written."""
    return replace(target(), data=given.data, labels=given.labels, annotations=given.annotations)


def edited(
    t: Target,
    *,
    data: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
) -> Target:
    """Return T after somebody else added to it."""
    return replace(
        t,
        data={**t.data, **{k: SecretValue(v) for k, v in (data or {}).items()}},
        labels={**t.labels, **(labels or {})},
        annotations={**t.annotations, **(annotations or {})},
    )


def revealed(given: Rendering) -> dict[str, str]:
    return {key: value.reveal() for key, value in given.data.items()}


def with_preset(preset: Preset) -> AppCredentialSpec:
    default = spec()
    return replace(default, secret=replace(default.secret, preset=preset))


AZURE = {
    "AZURE_TENANT_ID": TENANT_ID,
    "AZURE_CLIENT_ID": CLIENT_ID,
    "AZURE_AUTHORITY_HOST": AUTHORITY,
    "AZURE_CLIENT_SECRET": SECRET.reveal(),
}
RAW = {
    "tenantId": TENANT_ID,
    "clientId": CLIENT_ID,
    "clientSecret": SECRET.reveal(),
    "authorityHost": AUTHORITY,
}


# --- keys ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (spec(), AZURE),
        (with_preset(Preset.RAW), RAW),
        (
            spec(data={"CONNECTION": Template("id=$(clientId);secret=$(clientSecret)")}),
            {**AZURE, "CONNECTION": f"id={CLIENT_ID};secret={SECRET.reveal()}"},
        ),
        (
            spec(data={"cfg": Template('{"t":"$(tenantId)","p":$(mountPath:json)}')}),
            {**AZURE, "cfg": f'{{"t":"{TENANT_ID}","p":"/var/run/secrets/appcredential"}}'},
        ),
        (
            spec(data={"price": Template("$$5, $$(clientSecret)")}),
            {**AZURE, "price": "$5, $(clientSecret)"},
        ),
        (spec(data={"cookie": COOKIE}), {**AZURE, "cookie": "gggggggg"}),
    ],
    ids=["default preset", "Raw", "a template", "two in one", "literal dollars", "generated"],
)
def test_a_new_secret_holds(wanted: AppCredentialSpec, expected: dict[str, str]) -> None:
    assert revealed(rendered(wanted)) == expected


BEFORE = spec(
    data={"CONNECTION": Template("$(clientSecret)"), "cookie": COOKIE},
    labels={"team": "shop"},
    annotations={"note": "ours"},
)


@pytest.mark.parametrize(
    ("wanted", "gone"),
    [
        (BEFORE, set()),
        (replace(BEFORE, secret=replace(BEFORE.secret, data={"cookie": COOKIE})), {"CONNECTION"}),
        (
            replace(
                BEFORE,
                secret=replace(BEFORE.secret, data={"CONNECTION": Template("$(clientSecret)")}),
            ),
            {"cookie"},
        ),
        (spec(), {"CONNECTION", "cookie"}),
        (with_preset(Preset.RAW), {"CONNECTION", "cookie", *AZURE}),
    ],
    ids=["unchanged", "a template left", "a generated one left", "all left", "another preset"],
)
def test_a_key_of_ours_goes_when_it_is_not_wanted_and_others_stay(
    wanted: AppCredentialSpec, gone: set[str]
) -> None:
    before = edited(live(rendered(BEFORE)), data={"theirs": "x", "ca.crt": "y"})
    after = rendered(wanted, before)
    assert before.data.keys() - after.data.keys() == gone
    assert revealed(after)["theirs"] == "x"
    assert revealed(after)["ca.crt"] == "y"


def test_labels_and_annotations_of_ours_go_and_others_stay() -> None:
    before = edited(
        live(rendered(BEFORE)),
        labels={"theirs": "l"},
        annotations={"theirs/note": "a"},
    )
    after = rendered(spec(), before)
    assert after.labels == {"app.kubernetes.io/managed-by": "appcredential", "theirs": "l"}
    assert {k for k in after.annotations if not k.startswith("appcredential.io/")} == {
        "theirs/note"
    }


def test_a_key_that_the_spec_names_is_taken_over_from_others() -> None:
    before = edited(live(rendered(spec())), data={"CONNECTION": "theirs"})
    after = rendered(spec(data={"CONNECTION": Template("$(clientId)")}), before)
    assert revealed(after)["CONNECTION"] == CLIENT_ID


def test_a_changed_spec_changes_labels_and_annotations_in_place() -> None:
    after = rendered(
        spec(labels={"team": "web"}, annotations={"note": "new"}), live(rendered(BEFORE))
    )
    assert (after.labels["team"], after.annotations["note"]) == ("web", "new")


# --- values made once ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("held", "length", "may_generate", "expected"),
    [
        (None, 8, True, "gggggggg"),
        ("first", 8, True, "first"),
        ("first", 64, True, "first"),
        ("", 8, True, ""),
        ("first", 8, False, "first"),
        (None, 8, False, None),
    ],
    ids=[
        "made when missing",
        "taken from the Secret ever after",
        "another length makes no new one",
        "an empty one is a value too",
        "looking makes nothing",
        "looking leaves a missing one out",
    ],
)
def test_a_generated_value(
    held: str | None, length: int, may_generate: bool, expected: str | None
) -> None:
    before = live(rendered(spec()))
    if held is not None:
        before = edited(before, data={"cookie": held})
    after = rendered(
        spec(data={"cookie": GenerateOnce(length=length)}), before, may_generate=may_generate
    )
    assert revealed(after).get("cookie") == expected


def test_a_rotation_changes_the_secret_and_no_generated_value() -> None:
    wanted = spec(data={"cookie": COOKIE, "dsn": Template("$(clientSecret:url)")})
    before = edited(live(rendered(wanted)), data={"cookie": "made-once"})
    after = revealed(rendered(wanted, before, records=published(is_next=True), value=NEXT_SECRET))
    assert after["AZURE_CLIENT_SECRET"] == after["dsn"] == NEXT_SECRET.reveal()
    assert after["cookie"] == "made-once"


# --- what stands in annotations ------------------------------------------------------------


def test_the_annotations_are_a_permanent_format() -> None:
    records = published(
        retiring=(
            retiring(OLD, since=NOW, end=NOW + MINUTE),
            retiring(
                NEXT,
                since=NOW,
                end=NOW,
                cause=RetireCause.STRANDED,
                removed=NOW,
                secret="",
                ahead=None,
            ),
        ),
        abandoned=(abandoned(time=NOW),),
    )
    assert rendered(spec(labels={"team": "a"}), records=records).annotations == {
        "appcredential.io/owner": "shop/orders",
        "appcredential.io/cluster": IDENTITY.cluster,
        "appcredential.io/tenant-id": TENANT_ID,
        "appcredential.io/application-object-id": OBJECT_ID,
        "appcredential.io/key-id": "key-published",
        "appcredential.io/attempt": minted().attempt,
        "appcredential.io/value-sha256": SECRET.sha256(),
        "appcredential.io/not-before": "2026-11-12T10:00:00Z",
        "appcredential.io/expires": "2027-02-10T10:00:00Z",
        "appcredential.io/verified-time": "2026-11-12T10:01:00Z",
        "appcredential.io/published-time": "2026-11-12T10:02:00Z",
        "appcredential.io/retiring": (
            '[{"keyId":"key-old","end":"2026-11-22T10:01:00Z","since":"2026-11-22T10:00:00Z",'
            '"cause":"Replaced","secret":"orders-entra","ahead":0},{"keyId":"key-next","end":"2026-11-22T10:00:00Z",'
            '"since":"2026-11-22T10:00:00Z","cause":"Stranded","removed":"2026-11-22T10:00:00Z"}]'
        ),
        "appcredential.io/abandoned": (
            f'[{{"attempt":"{NEXT_ATTEMPT}","time":"2026-11-22T10:00:00Z"}}]'
        ),
        "appcredential.io/rendered": (
            '{"keys":["AZURE_AUTHORITY_HOST","AZURE_CLIENT_ID","AZURE_CLIENT_SECRET",'
            '"AZURE_TENANT_ID"],"labels":["team"],"annotations":[]}'
        ),
    }


def test_a_record_that_no_longer_holds_is_not_kept() -> None:
    before = live(rendered(spec(), records=published(retiring=(retiring(),))))
    after = rendered(spec(), before, records=published(is_verified=False)).annotations
    assert "appcredential.io/verified-time" not in after
    assert "appcredential.io/retiring" not in after


def test_the_last_five_attempts_are_kept() -> None:
    entries = tuple(abandoned(attempt(number=n), time=NOW) for n in range(7))
    kept = [e["attempt"] for e in json.loads(dump_abandoned(entries))]
    assert kept == [e.attempt for e in entries[2:]]


@pytest.mark.parametrize(
    "damaged",
    [
        "",
        "no JSON",
        "[]",
        '"keys"',
        "{}",
        '{"keys":"AZURE_CLIENT_ID","labels":{"team":1},"annotations":null}',
        "[" * 100_000,
    ],
    ids=["empty", "no JSON", "a list", "a text", "nothing in it", "other shapes", "far too deep"],
)
def test_a_damaged_list_of_what_we_wrote_loses_nothing(damaged: str) -> None:
    before = edited(
        live(rendered(BEFORE)), data={"theirs": "x"}, annotations={Name.RENDERED: damaged}
    )
    after = rendered(spec(), before)
    assert after.data.keys() >= before.data.keys()
    assert after.labels.keys() >= before.labels.keys()
    assert revealed(after) | AZURE == revealed(after)
    assert json.loads(after.annotations[Name.RENDERED])["keys"] == sorted(AZURE)


# --- comparing -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("t", "expected"),
    [
        (live(rendered(BEFORE)), True),
        (edited(live(rendered(BEFORE)), data={"theirs": "x"}, labels={"theirs": "x"}), True),
        (edited(live(rendered(BEFORE)), annotations={"theirs": "x"}), True),
        (edited(live(rendered(BEFORE)), data={"cookie": "theirs, and now the one"}), False),
        (edited(live(rendered(BEFORE)), data={"AZURE_CLIENT_ID": "x"}), False),
        (edited(live(rendered(BEFORE)), data={"CONNECTION": "x"}), False),
        (edited(live(rendered(BEFORE)), labels={"team": "x"}), False),
        (edited(live(rendered(BEFORE)), annotations={"note": "x"}), False),
        (edited(live(rendered(BEFORE)), annotations={"appcredential.io/key-id": "x"}), False),
        (edited(live(rendered(BEFORE)), annotations={"appcredential.io/added": "x"}), False),
        (replace(live(rendered(BEFORE)), labels={}), False),
        (replace(live(rendered(BEFORE)), annotations={}), False),
        (live(rendered(spec())), False),
    ],
    ids=[
        "as written",
        "with keys and labels of others",
        "with annotations of others",
        "another generated value, which is no longer recorded",
        "a preset key edited",
        "a template key edited",
        "a label edited",
        "an annotation edited",
        "a record edited",
        "something under our prefix",
        "labels lost",
        "records lost",
        "a spec with less in it",
    ],
)
def test_it_tells_what_has_to_be_repaired(t: Target, expected: bool) -> None:
    assert is_rendered(t, rendered(BEFORE, t, may_generate=False)) is expected


def test_the_value_is_found_under_any_key() -> None:
    for preset in Preset:
        data = rendered(with_preset(preset)).data
        assert find_value(data, SECRET.sha256()) == SECRET
        assert find_value(data, NEXT_SECRET.sha256()) is None
    assert find_value({}, SECRET.sha256()) is None


def test_a_trust_has_no_value_to_refer_to() -> None:
    values = template_values(federated_spec(), tenant(), SECRET, {})
    assert SECRET.reveal() not in values.values()


def test_only_data_holds_the_value() -> None:
    found = rendered(BEFORE, records=published(retiring=(retiring(),)))
    assert "canary" not in repr(found)
    assert "canary" not in f"{found.annotations} {found.labels}"


def test_names_and_digests_are_permanent() -> None:
    assert pending_name(OWNER.hash) == f"appcredential-pending-{OWNER.hash}"
    assert digest("a")[:16] == "ca978112ca1bbdca"


KEYS = st.sampled_from(["A", "B", "C", "cookie"])
ENTRIES = st.dictionaries(KEYS, st.sampled_from([COOKIE, Template("$(clientId)"), Template("x")]))
TEXTS = st.dictionaries(st.sampled_from(["team", "note", "theirs"]), st.sampled_from("xy"))
SPECS = st.builds(spec, data=ENTRIES, labels=TEXTS, annotations=TEXTS)
THEIRS = st.dictionaries(st.sampled_from(["ca.crt", "extra"]), st.sampled_from("xy"))


@settings(derandomize=True, max_examples=150)
@given(first=SPECS, then=SPECS, theirs=THEIRS)
def test_what_was_written_is_as_wanted_and_nothing_of_others_is_lost(
    first: AppCredentialSpec, then: AppCredentialSpec, theirs: dict[str, str]
) -> None:
    before = edited(live(rendered(first)), data=theirs, annotations=theirs)
    after = live(rendered(then, before))
    assert is_rendered(after, rendered(then, after, may_generate=False))
    assert after.data.keys() == theirs.keys() | AZURE.keys() | then.secret.data.keys()
    assert {k: after.annotations[k] for k in theirs} == theirs


@pytest.mark.parametrize(
    ("micro", "shown"), [(0, "10:00:00"), (1, "10:00:01"), (999_999, "10:00:01")]
)
def test_an_overlap_begins_no_earlier_than_the_publish(micro: int, shown: str) -> None:
    moment = NOW.replace(microsecond=micro)
    written = target(published_time=moment, retiring=(retiring(since=moment),)).annotations
    assert written["appcredential.io/published-time"] == f"2026-11-22T{shown}Z"
    assert json.loads(written["appcredential.io/retiring"])[0]["since"] == f"2026-11-22T{shown}Z"
