"""Seeds, and the formats of secrets and tokens."""

from __future__ import annotations

import copy
import pickle
import ssl
import string
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import msgspec
import pytest

from entra_emulator.admin.seed import Seed, read_document, read_file
from entra_emulator.jose.jwt import BadTokenError, TokenSigner, decode_segment, encode_segment
from entra_emulator.values.secret_text import SecretText, digest_of, hint_of, new_secret
from tests.support.emulator import Emulator
from tests.support.graph_user import GraphUser

ROOT = Path(__file__).parents[3]
SEED = ROOT / "examples" / "emulator" / "seed.json"
OPERATOR = "22222222-2222-4222-8222-222222222222"
ORDERS = "33333333-3333-4333-8333-333333333333"
MULTI = "55555555-5555-4555-8555-555555555555"


@pytest.fixture
def example(tls_dir: Path) -> Iterator[Emulator]:
    with Emulator(tls_dir, seed=msgspec.json.decode(SEED.read_bytes())) as emulator:
        yield emulator


def test_example_seed_is_what_the_emulator_then_holds(example: Emulator) -> None:
    orders = example.application(ORDERS)
    ends = [datetime.fromisoformat(one["endDateTime"]) for one in orders["passwordCredentials"]]
    assert [one["displayName"] for one in orders["passwordCredentials"]] == [
        "made by hand in the portal",
        "forgotten",
    ]
    assert ends[0] - example.now() > timedelta(days=199)
    assert example.now() - ends[1] > timedelta(days=169)
    assert example.application(MULTI)["signInAudience"] == "AzureADMultipleOrgs"
    assert len(orders["owners"]) == 1


def test_operator_of_the_example_manages_what_it_owns_and_nothing_else(example: Emulator) -> None:
    context = ssl.create_default_context(cafile=example.ca_file)
    secret = "an-example-that-opens-nothing-else-0000"
    with httpx.Client(verify=context) as client:
        user = GraphUser(example, client, "contoso.example", OPERATOR, secret)
        user.add_password(example.application(ORDERS)["id"])
        other = example.application(MULTI)["id"]
        assert user.call("POST", f"applications/{other}/addPassword", {}).status_code == 403


def test_absolute_times_are_kept_to_the_digit(emulator: Emulator, tenant: str) -> None:
    row = {"startDateTime": "2020-01-01T00:00:00Z", "endDateTime": "2020-06-01T02:00:00+02:00"}
    app = emulator.create_application(tenant, passwords=[row])
    [made] = emulator.application(app.id)["passwordCredentials"]
    assert made["startDateTime"] == "2020-01-01T00:00:00Z"
    assert made["endDateTime"] == "2020-06-01T00:00:00Z"


def test_faults_of_a_seed_are_set_after_its_objects(tls_dir: Path) -> None:
    """All replicas show the objects of a seed from the beginning."""
    seed = {"tenants": [{"applications": [{}]}], "faults": {"profile": "realistic"}}
    with Emulator(tls_dir, seed=seed) as emulator:
        change = emulator.do(lambda world: world.settled_change())
        assert change.settled_at() == change.at
        assert emulator.do(lambda world: world.settings.profile) == "realistic"


def test_error_in_a_seed_names_file_and_place(tmp_path: Path) -> None:
    path = tmp_path / "seed.json"
    path.write_text('{"tenants": [{"applications": [{"passwords": [{"vlaue": "canary-5"}]}]}]}')
    with pytest.raises(ValueError, match="vlaue") as caught:
        read_file(Seed, path)
    assert str(path) in str(caught.value)
    assert "$.tenants[0].applications[0].passwords[0]" in str(caught.value)
    assert "canary-5" not in str(caught.value)


def test_secret_of_a_seed_is_wrapped_when_it_is_read() -> None:
    document = {"tenants": [{"applications": [{"passwords": [{"value": "canary-6"}]}]}]}
    assert "canary-6" not in repr(read_document(Seed, document))


def test_secret_never_shows_by_accident() -> None:
    """S2."""
    secret = SecretText("canary-8")
    assert [str(secret), repr(secret), f"{secret}", repr([secret])] == ["***"] * 3 + ["[***]"]
    for serialise in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError):
            serialise(secret)


def test_made_secrets_have_the_shape_of_entras() -> None:
    """S1: forty characters, of which the first three are the hint."""
    made = [new_secret() for _ in range(200)]
    allowed = set(string.ascii_letters + string.digits + "_.~-")
    assert len({one.reveal() for one in made}) == 200
    for secret in made:
        text = secret.reveal()
        assert (len(text), text[3].isdigit(), text[4:6]) == (40, True, "Q~")
        assert set(text) <= allowed
        assert hint_of(secret) == text[:3]


def test_digests_are_salted_and_recognise_only_their_secret() -> None:
    """S2."""
    secret = new_secret()
    first, second = digest_of(secret), digest_of(secret)
    assert first.digest != second.digest
    assert first.matches(secret)
    assert not first.matches(new_secret())


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> TokenSigner:
    return TokenSigner.load_or_create(tmp_path_factory.mktemp("signer"))


def test_signer_reads_its_own_tokens_with_and_without_padding(signer: TokenSigner) -> None:
    """T1, T2: times may be fractions, and the signer does not check them."""
    claims = {"exp": datetime(2026, 1, 1, tzinfo=UTC).timestamp() + 0.5}
    token = signer.sign(claims)
    padded = token + "=" * (-len(token.split(".")[2]) % 4)
    assert padded != token
    assert signer.read(token) == claims
    assert signer.read(padded) == claims


def test_signer_refuses_the_tokens_of_others(signer: TokenSigner, tmp_path: Path) -> None:
    other = TokenSigner.load_or_create(tmp_path).sign({})
    head, _, signature = signer.sign({}).split(".")
    payload = encode_segment(b'{"roles": ["x"]}')
    changed = f"{head}.{payload}.{signature}"
    for token in (other, changed, "", "a.b", "a.b.c", "..", "é.é.é"):
        with pytest.raises(BadTokenError):
            signer.read(token)


def test_segments_round_trip() -> None:
    for length in range(6):
        data = bytes(range(250, 250 + length))
        assert decode_segment(encode_segment(data)) == data
