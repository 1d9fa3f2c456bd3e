"""Forms in which values arrive in Secrets: each is named, and its command converts it."""

from __future__ import annotations

import base64
import re
import subprocess
from pathlib import Path

import pytest

from appcredential.domain.secret.file_forms import client_secret_fault, pem_fault, unfolded
from appcredential.domain.secret.pem import split_bundle
from tests.support.keys import make_certificate
from tests.support.openssl import needs_openssl

GOOD = "Abc8Q~d3f4-g5_h6.i7~j8k9"
MADE = make_certificate("operator")
BUNDLE = MADE.pem + MADE.key_pem
PASSWORD = "hunter2"


def decoded(raw: bytes) -> str:
    """Return bytes as the adapter to the API server gives them."""
    return raw.decode(errors="surrogateescape")


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "is empty: put the client secret there"),
        (GOOD.encode("utf-16"), "written as UTF-16"),
        (GOOD.encode("utf-16-le"), "written as UTF-16"),
        (GOOD.encode("utf-16-be"), "written as UTF-16"),
        (b"\xfe\xff" + GOOD.encode("utf-16-be"), "written as UTF-16"),
        (GOOD.encode("utf-8-sig"), "byte order mark"),
        (GOOD.encode("utf-32"), "UTF-16"),
        (b"\x80\x81\x82", "binary"),
        (b"\x1f\x8b\x08\x00\x00\x00\x00\x00", "binary"),
        (f"{GOOD}\n".encode(), "line break"),
        (f"{GOOD}\r\n".encode(), "line break"),
        (f"{GOOD}\r".encode(), "line break"),
        (f"\n{GOOD}".encode(), "line break"),
        (b"\n", "line break"),
        (f"{GOOD} ".encode(), "blank"),
        (f" {GOOD}".encode(), "blank"),
        (f"{GOOD}\t".encode(), "blank"),
        (f"{GOOD}\xa0".encode(), "blank"),
        (b" ", "blank"),
        (f"{GOOD}\x1b[0m".encode(), "control character"),
        (f"{GOOD}\x00".encode(), "control character"),
    ],
)
def test_what_cannot_be_a_client_secret_is_named(raw: bytes, words: str) -> None:
    fault = client_secret_fault(decoded(raw))
    assert words in fault
    assert GOOD not in fault


@pytest.mark.parametrize("text", [GOOD, "a", "pass word", "pässwörd", "x" * 5000, "a\\nb"])
def test_what_could_be_one_is_tried(text: str) -> None:
    assert client_secret_fault(text) == ""


def openssl(folder: Path, command: str) -> bytes:
    """Run openssl in a folder that holds both.pem, key.pem and cert.pem; return its output."""
    (folder / "both.pem").write_bytes(BUNDLE)
    (folder / "key.pem").write_bytes(MADE.key_pem)
    (folder / "cert.pem").write_bytes(MADE.pem)
    return subprocess.run(
        ["sh", "-c", f"openssl {command}"], cwd=folder, check=True, capture_output=True
    ).stdout


WINDOWS = BUNDLE.decode().replace("\n", "\\r\\n").encode()
LITERAL = BUNDLE.decode().replace("\n", "\\n").encode()


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (BUNDLE.decode().encode("utf-16"), "UTF-16"),
        (BUNDLE.decode().encode("utf-16-le"), "UTF-16"),
        (LITERAL, "is one line"),
        (WINDOWS, "is one line"),
        (base64.b64encode(BUNDLE), "base64 once too often"),
        (base64.encodebytes(BUNDLE), "base64 once too often"),
    ],
)
def test_a_file_in_another_form_is_named_and_converted(
    raw: bytes, words: str, tmp_path: Path
) -> None:
    fault = pem_fault(decoded(raw), "client.pem")
    assert words in fault
    assert _converted(fault, raw, tmp_path) == BUNDLE.decode().strip()
    if "once too often" in words or "one line" in words:
        assert unfolded(decoded(raw)) == BUNDLE.decode()
    else:
        assert unfolded(decoded(raw)) == decoded(raw)


@needs_openssl
@pytest.mark.parametrize(
    "command",
    [
        f"rsa -traditional -aes256 -in key.pem -passout pass:{PASSWORD}",
        f"pkey -aes256 -in key.pem -passout pass:{PASSWORD}",
    ],
)
@pytest.mark.parametrize("has_certificate", [True, False])
def test_an_encrypted_key_is_named_and_converted(
    command: str, has_certificate: bool, tmp_path: Path
) -> None:
    raw = openssl(tmp_path, command) + (MADE.pem if has_certificate else b"")
    fault = pem_fault(decoded(raw), "client.pem")
    assert "encrypted with a password" in fault
    private, chain = split_bundle(_converted(fault, raw, tmp_path))
    assert "ENCRYPTED" not in private
    assert (private != "", chain != "") == (True, has_certificate)
    assert pem_fault(private + chain, "client.pem") == ""


@needs_openssl
def test_a_pfx_is_named_and_converted(tmp_path: Path) -> None:
    raw = openssl(tmp_path, f"pkcs12 -export -in cert.pem -inkey key.pem -passout pass:{PASSWORD}")
    fault = pem_fault(decoded(raw), "client.pem")
    assert "PKCS #12" in fault
    private, chain = split_bundle(_converted(fault, raw, tmp_path))
    assert private
    assert chain
    assert "base64 once too often" in pem_fault(base64.b64encode(raw).decode(), "client.pem")


def _converted(fault: str, raw: bytes, folder: Path) -> str:
    """Run the command in a message, with the password; return what is in plain.pem."""
    found = re.search(r".* with (.* > plain\.pem)$", fault)
    assert found is not None, fault
    (folder / "client.pem").write_bytes(raw)
    options = {"pkey -in": "pkey -passin pass:", "pkcs12 -in": "pkcs12 -passin pass:"}
    command = found[1]
    for plain, asked in options.items():
        command = command.replace(plain, f"{asked}{PASSWORD} -in")
    subprocess.run(["sh", "-c", command], cwd=folder, check=True, capture_output=True)
    return (folder / "plain.pem").read_text().strip()


@pytest.mark.parametrize("raw", [b"", b" \n"])
def test_an_empty_file_is_named(raw: bytes) -> None:
    assert "is empty" in pem_fault(decoded(raw), "tls.crt")


@pytest.mark.parametrize(
    "raw",
    [
        BUNDLE,
        BUNDLE.replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbf" + BUNDLE,
        MADE.der,
        base64.b64encode(MADE.der),
        b"word",
        b"a" * 100_000,
        b"\x30\x80",
    ],
)
def test_what_is_read_or_refused_by_others_is_none_of_these(raw: bytes) -> None:
    assert pem_fault(decoded(raw), "tls.crt") == ""
    assert unfolded(decoded(raw)) == decoded(raw)


def test_base64_of_a_line_is_unfolded_twice() -> None:
    assert unfolded(base64.b64encode(LITERAL).decode()) == BUNDLE.decode()
