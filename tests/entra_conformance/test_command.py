"""The command: what it asks for, and that it never shows a value."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from entra_conformance.__main__ import main
from entra_conformance.client import Client
from entra_conformance.keys import OwnKey
from entra_conformance.outcome import CannotCheckError
from entra_conformance.redacted import Redacted, Vault
from entra_conformance.target import EMULATED, Target
from entra_emulator.errors.tokens import TokenError
from entra_emulator.graph import passwords as password_calls
from entra_emulator.jose.jwt import TokenSigner
from entra_emulator.rules.passwords import new_password
from entra_emulator.tokens import client_login
from tests.entra_conformance.conftest import Suite
from tests.support.emulator import Emulator
from tests.support.keys import make_certificate

WHO = ["--tenant", "contoso.example", "--client-id", "22222222-2222-4222-8222-222222222222"]


class Terminal(io.StringIO):
    """A terminal at which somebody types a line."""

    def isatty(self) -> bool:
        return True


def test_it_asks_before_it_writes(
    suite: Suite, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal("no\n"))
    ran = suite()
    assert ran.code == 2
    assert "Type yes to go on:" in ran.out
    assert ran.report["stopped"] == "nothing was written"
    assert emulator.requests() == []
    monkeypatch.setattr("sys.stdin", Terminal("yes\n"))
    assert suite().code == 0


def test_without_a_terminal_it_wants_yes(
    suite: Suite, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("yes\n"))
    ran = suite()
    assert ran.code == 2
    assert "--yes" in ran.report["stopped"]
    assert emulator.requests() == []


@pytest.mark.parametrize(
    ("options", "secret", "told"),
    [
        ([], "x" * 40, "--target emulator"),
        (WHO[:2], "x" * 40, "--client-id"),
        (WHO, None, "AZURE_CLIENT_SECRET"),
        ([*WHO, "--certificate", "/dev/null"], None, "PEM"),
        ([*WHO, "--certificate", "missing.pem"], None, "missing.pem"),
    ],
)
def test_what_is_missing_is_told(
    options: list[str],
    secret: str | None,
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("AZURE_CLIENT_CERTIFICATE_PATH", raising=False)
    monkeypatch.delenv("AZURE_CLIENT_SECRET", raising=False)
    if secret is not None:
        monkeypatch.setenv("AZURE_CLIENT_SECRET", secret)
    assert main(options) == 2
    assert told in capsys.readouterr().out


def test_an_encrypted_key_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "encrypted.pem"
    protected = serialization.BestAvailableEncryption(b"password")
    form = serialization.PrivateFormat.PKCS8
    made = make_certificate()
    file.write_bytes(made.key.private_bytes(serialization.Encoding.PEM, form, protected) + made.pem)
    assert main([*WHO, "--read-only", "--certificate", str(file)]) == 2
    assert "without password" in capsys.readouterr().out


def test_results_that_cannot_be_written_are_printed_and_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--target", "emulator", "--read-only", "--json", str(tmp_path)]) == 2
    told = capsys.readouterr()
    assert "T1 " in told.out
    assert str(tmp_path) in told.err


async def test_an_answer_without_end_is_given_up(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("entra_conformance.client._LARGEST", 100)
    target = Target(
        authority=emulator.url,
        graph=emulator.url,
        tenant="common",
        client_id="any",
        ca_file=emulator.ca_file,
        patience=EMULATED,
    )
    async with Client(target, Vault()) as client:
        with pytest.raises(CannotCheckError, match="too large"):
            await client.get_url("common/v2.0/.well-known/openid-configuration")


def test_a_refused_sign_in_ends_the_run(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "a-wrong-one-0000000000000000000000000000")
    ran = suite("--yes")
    assert ran.code == 2
    assert "AADSTS7000215" in ran.report["stopped"]
    assert ran.report["results"] == []


def test_it_signs_in_with_a_certificate(
    suite: Suite, emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make_certificate()
    file = tmp_path / "certificate.pem"
    file.write_bytes(made.bundle)
    monkeypatch.delenv("AZURE_CLIENT_SECRET")
    emulator.add_key(suite.client_id, certificate=made.base64)
    ran = suite("--read-only", "--certificate", str(file))
    assert ran.code == 0


def test_no_value_is_shown(
    suite: Suite, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also if a server repeats a refused secret in its error, as this one does."""
    values: set[str] = set()
    make, sign, check = (
        new_password,
        TokenSigner.sign,
        client_login._check_secret,
    )

    def noting_password(*wanted: Any) -> Any:
        values.add(wanted[3].reveal())
        return make(*wanted)

    def noting_token(signer: TokenSigner, *claims: Any, **more: Any) -> str:
        token = sign(signer, *claims, **more)
        values.add(token)
        return token

    def repeating(record: Any, view: Any, secret: Any, sees: Any, now: Any) -> Any:
        values.add(secret.reveal())
        try:
            return check(record, view, secret, sees, now)
        except TokenError as error:
            raise TokenError(error.code, app=secret.reveal()) from None

    monkeypatch.setattr(password_calls, "new_password", noting_password)
    monkeypatch.setattr(TokenSigner, "sign", noting_token)
    monkeypatch.setattr(client_login, "_check_secret", repeating)
    ran = suite("--yes")
    assert len(values) > 8
    shown = ran.out + str(ran.report)
    invented = "wrong-on-purpose"  # what a check sends on purpose opens nothing
    assert [one for one in values if one in shown and invented not in one] == []


def test_a_redacted_value_does_not_show_itself() -> None:
    value = Redacted("canary-0123456789")
    key = OwnKey.make("canary")
    for text in (repr(value), str(value), f"{value}", repr([value]), repr(key)):
        assert "canary-" not in text
        assert "PrivateKey" not in text
