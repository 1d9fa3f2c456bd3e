from __future__ import annotations

import base64
import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from appcredential.domain.spec.model import CredentialType
from appcredential.domain.spec.templates import (
    MAX_REFERENCES,
    TEMPLATE_NAMES,
    Literal,
    Part,
    Reference,
    Values,
    parse_template,
    render_template,
    rendered_bytes,
)

KIND = CredentialType.CLIENT_SECRET
VALUES = {
    "tenantId": "t",
    "clientId": "c",
    "clientSecret": 'a"b~/ ö$(clientId)',
    "authorityHost": "https://login.example/",
    "azureEnvironment": "public",
    "mountPath": "/mnt",
}
PARTS: list[tuple[str, tuple[Part, ...]]] = [
    ("$$(a)" * 40, (Literal("$(a)" * 40),)),
    ("$(clientId)" * 16, (Reference("clientId"),) * 16),
    ("", ()),
    ("text", (Literal("text"),)),
    ("$(clientId)", (Reference("clientId"),)),
    ("a$(clientId:url)b", (Literal("a"), Reference("clientId", "url"), Literal("b"))),
    ("$$(clientId)", (Literal("$(clientId)"),)),
    ("$$$(clientId)", (Literal("$"), Reference("clientId"))),
    ("$$$$", (Literal("$$"),)),
    ("$x $", (Literal("$x $"),)),
    ("$(clientId", (Literal("$(clientId"),)),
    ("$(a$$", (Literal("$(a$"),)),
    ("$(", (Literal("$("),)),
]
RENDERED = [
    ("id=$(clientId);tenant=$(tenantId)", "id=c;tenant=t"),
    ("$(mountPath)/client.pem", "/mnt/client.pem"),
    ("$(authorityHost)", "https://login.example/"),
    # What a value holds is never read as a reference again.
    ("$(clientSecret)", 'a"b~/ ö$(clientId)'),
    ("$(clientSecret:base64)", "YSJifi8gw7YkKGNsaWVudElkKQ=="),
    ("$(clientSecret:url)", "a%22b~%2F%20%C3%B6%24%28clientId%29"),
]
REFUSED = [
    ("$(clientId)" * 17, "more than 16 values"),
    ("$(" * 17, "more than 16 values"),
    ("$(clientid)", "unknown name"),
    ("$()", "unknown name"),
    ("$( clientId)", "unknown name"),
    ("$(a $(clientId)", "unknown name"),
    ("$(clientId:hex)", "unknown format"),
    ("$(clientId:)", "unknown format"),
    ("$(clientId:json:url)", "unknown format"),
]


@pytest.mark.parametrize(("text", "expected"), PARTS)
def test_parts(text: str, expected: tuple[Part, ...]) -> None:
    assert parse_template(text, KIND) == expected


@pytest.mark.parametrize(("text", "expected"), RENDERED)
def test_renders(text: str, expected: str) -> None:
    assert render_template(parse_template(text, KIND), Values(VALUES)) == expected


def test_json_is_a_quoted_string() -> None:
    text = '{"s": $(clientSecret:json)}'
    found = json.loads(render_template(parse_template(text, KIND), Values(VALUES)))
    assert found == {"s": VALUES["clientSecret"]}


@pytest.mark.parametrize(("text", "message"), REFUSED)
def test_refuses(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_template(text, KIND)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (CredentialType.CERTIFICATE, "$(clientSecret)"),
        (CredentialType.CLIENT_SECRET, "$(privateKey)"),
        (CredentialType.CLIENT_SECRET, "$(thumbprint)"),
    ],
)
def test_names_are_those_of_the_type(kind: CredentialType, text: str) -> None:
    with pytest.raises(ValueError, match="unknown name"):
        parse_template(text, kind)
    other = next(k for k in CredentialType if k is not kind)
    assert parse_template(text, other)


def test_a_file_is_written_as_it_is_or_as_base64() -> None:
    kind, raw = CredentialType.CERTIFICATE, bytes(range(128, 256))
    values = {"pkcs12": raw.decode(errors="surrogateescape")}
    found = render_template(parse_template("$(pkcs12:base64)", kind), Values(values))
    assert base64.b64decode(found) == raw
    assert render_template(parse_template("$(pkcs12)", kind), Values(values)) == values["pkcs12"]
    with pytest.raises(ValueError, match="is no text"):
        parse_template("$(pkcs12:json)", kind)


@given(text=st.text())
def test_any_text_can_be_written_literally(text: str) -> None:
    escaped = text.replace("$", "$$")
    assert render_template(parse_template(escaped, KIND), Values({})) == text


@given(names=st.lists(st.sampled_from(TEMPLATE_NAMES[KIND]), max_size=MAX_REFERENCES))
def test_every_name_has_its_value(names: list[str]) -> None:
    text = "".join(f"$({name})" for name in names)
    assert render_template(parse_template(text, KIND), Values(VALUES)) == "".join(
        VALUES[n] for n in names
    )


TEXTS = st.lists(
    st.one_of(
        st.sampled_from(
            ["$", "$$", "$(", ")", ":", "$(clientId)", "$(clientSecret:url)", "a", "ö"]
        ),
        st.text(max_size=3),
    ),
    max_size=60,
).map("".join)


@settings(derandomize=True, max_examples=500, deadline=None)
@given(text=TEXTS)
@example("$(" * 2048)
@example("$$" * 2048)
@example("$(" + "$$(" * 1365)
def test_any_text_is_parsed_within_the_bounds_or_refused_by_name(text: str) -> None:
    parts: tuple[Part, ...] = ()
    message = "refers "
    try:
        parts = parse_template(text, KIND)
    except ValueError as error:
        message = str(error)
    assert message.startswith("refers ")
    references = [part for part in parts if isinstance(part, Reference)]
    assert len(references) <= MAX_REFERENCES
    assert len(parts) <= 2 * MAX_REFERENCES + 1
    rendered = render_template(parts, Values(VALUES))
    sizes = {name: len(value.encode()) for name, value in VALUES.items()}
    assert len(rendered.encode(errors="surrogateescape")) <= rendered_bytes(parts, sizes)
