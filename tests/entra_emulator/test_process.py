"""The emulator as a process: its options, its certificate, its start and its end."""

from __future__ import annotations

import os
import signal
import ssl
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from entra_emulator.__main__ import main
from entra_emulator.tls import server_context

ROOT = Path(__file__).parents[2]
SEED = ROOT / "examples" / "emulator" / "seed.json"
TENANT = "11111111-1111-4111-8111-111111111111"
SECRET = "an-example-that-opens-nothing-else-0000"
OPERATOR = "22222222-2222-4222-8222-222222222222"


@contextmanager
def running(folder: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start the emulator; yield the process and its URL as soon as it listens."""
    ready = folder / "ready"
    command = [sys.executable, "-m", "entra_emulator", "--tls-dir", str(folder / "tls")]
    process = subprocess.Popen(
        [*command, "--listen", "127.0.0.1:0", "--ready-file", str(ready), *options],
        env={**os.environ, "PYTHONPATH": str(ROOT / "operator")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        deadline = time.monotonic() + 30
        while not ready.exists():
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield process, ready.read_text().strip()
    finally:
        process.kill()
        process.communicate()


def client(folder: Path) -> httpx.Client:
    return httpx.Client(verify=ssl.create_default_context(cafile=folder / "tls" / "ca.pem"))


def test_process_serves_its_seed_and_ends_on_sigterm(tmp_path: Path) -> None:
    with running(tmp_path, "--seed", str(SEED)) as (process, url), client(tmp_path) as http:
        answer = http.post(
            f"{url}/contoso.example/oauth2/v2.0/token",
            data={
                "grant_type": "client_credentials",
                "client_id": OPERATOR,
                "client_secret": SECRET,
                "scope": "https://graph.microsoft.com/.default",
            },
        )
        assert answer.status_code == 200
        process.send_signal(signal.SIGTERM)
        output, errors = process.communicate(timeout=20)
    assert process.returncode == 0
    assert f"listening on {url}" in output
    assert errors == ""


def test_verbose_log_names_operations_and_no_secret(tmp_path: Path) -> None:
    with running(tmp_path, "--seed", str(SEED), "--verbose") as (process, url):
        with client(tmp_path) as http:
            secret = "canary-3141"
            http.post(f"{url}/{TENANT}/oauth2/v2.0/token", data={"client_secret": secret})
            http.get(f"{url}/v1.0/applications?$filter=appId eq 'canary-2718'")
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "token" in errors
    assert "application.list" in errors
    assert "canary" not in output + errors


def test_faults_file_replaces_the_faults_of_the_seed(tmp_path: Path) -> None:
    faults = tmp_path / "faults.json"
    faults.write_text('{"rules": [{"fault": "token-error", "code": 90033}]}')
    options = ("--seed", str(SEED), "--faults", str(faults))
    with running(tmp_path, *options) as (_, url), client(tmp_path) as http:
        answer = http.post(f"{url}/{TENANT}/oauth2/v2.0/token", data={})
    assert answer.status_code == 503


def test_certificate_carries_the_hostnames_that_were_asked_for(tmp_path: Path) -> None:
    names = ("--hostname", "entra.test.example", "--hostname", "10.1.2.3")
    with running(tmp_path, *names) as (_, url):
        port = int(url.rpartition(":")[2])
        text = ssl.get_server_certificate(("127.0.0.1", port))
    certificate = x509.load_pem_x509_certificate(text.encode())
    names_there = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    dns = names_there.get_values_for_type(x509.DNSName)
    addresses = [str(one) for one in names_there.get_values_for_type(x509.IPAddress)]
    assert dns == ["localhost", "entra.test.example"]
    assert addresses == ["127.0.0.1", "::1", "10.1.2.3"]


def test_nobody_trusts_it_without_its_authority(tmp_path: Path) -> None:
    with (
        running(tmp_path) as (_, url),
        httpx.Client(verify=ssl.create_default_context()) as http,
        pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        http.get(f"{url}/emulator/healthz")


def test_authority_and_tokens_survive_a_restart(tmp_path: Path) -> None:
    form = {
        "grant_type": "client_credentials",
        "client_id": OPERATOR,
        "client_secret": SECRET,
        "scope": "https://graph.microsoft.com/.default",
    }
    with running(tmp_path, "--seed", str(SEED)) as (_, url), client(tmp_path) as http:
        body = http.post(f"{url}/{TENANT}/oauth2/v2.0/token", data=form).json()
    authority = (tmp_path / "tls" / "ca.pem").read_bytes()
    (tmp_path / "ready").unlink()
    with running(tmp_path, "--seed", str(SEED)) as (_, url), client(tmp_path) as http:
        headers = {"Authorization": f"Bearer {body['access_token']}"}
        assert http.get(f"{url}/v1.0/applications", headers=headers).status_code == 200
    assert (tmp_path / "tls" / "ca.pem").read_bytes() == authority


def test_private_keys_are_for_the_owner_only(tmp_path: Path) -> None:
    with running(tmp_path):
        pass
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "tls").iterdir()}
    assert modes == {"ca.pem": 0o644, "ca-key.pem": 0o600, "token-signing-key.pem": 0o600}


def test_lost_certificate_is_written_again_from_its_key(tmp_path: Path) -> None:
    server_context(tmp_path, ["localhost"])
    before = (tmp_path / "ca.pem").read_bytes()
    (tmp_path / "ca.pem").unlink()
    server_context(tmp_path, ["localhost"])
    assert (tmp_path / "ca.pem").read_bytes() == before


def test_an_authority_made_elsewhere_is_used_by_its_own_names(tmp_path: Path) -> None:
    """Other programs identify a key by another hash, or store it in SEC1."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "made by helm")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier(b"a name of its own"), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(Encoding.PEM)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    (tmp_path / "tls").mkdir()
    (tmp_path / "tls" / "ca-key.pem").write_bytes(private + pem)
    with running(tmp_path) as (_, url), client(tmp_path) as http:
        assert http.get(f"{url}/emulator/healthz").status_code == 200
    assert (tmp_path / "tls" / "ca.pem").read_bytes() == pem


@pytest.mark.parametrize("name", ["ca-key.pem", "token-signing-key.pem"])
def test_key_of_another_kind_is_named_with_the_remedy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    content = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / name).write_bytes(content)
    assert main(["--tls-dir", str(tmp_path), "--listen", ":0"]) == 2
    assert f"{name} holds no" in capsys.readouterr().err


@pytest.mark.parametrize(
    "content",
    [
        "{",
        '{"tenant": []}',
        '{"tenants": [{"applications": [{"owners": ["nobody"]}]}]}',
        '{"faults": {"rules": [{"fault": "trottle"}]}}',
    ],
)
def test_bad_seed_ends_the_start_with_2_and_a_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str
) -> None:
    seed = tmp_path / "seed.json"
    seed.write_text(content)
    assert main(["--tls-dir", str(tmp_path), "--listen", ":0", "--seed", str(seed)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("entra_emulator: ")
    assert len(error.splitlines()) == 1


def test_missing_seed_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--tls-dir", str(tmp_path), "--seed", str(tmp_path / "none.json")]) == 2
    assert "none.json" in capsys.readouterr().err


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--tls-dir", "x", "--listen", "localhost"],
        ["--tls-dir", "x", "--listen", "localhost:99999"],
        ["--tls-dir", "x", "--listen", "localhost:x"],
        ["--tls-dir", "x", "--what"],
        ["--tls-dir", "x", "--issuer", "https://i.example"],
        ["--tls-dir", "x", "--issuer", "https://i.example="],
        ["--tls-dir", "x", "--issuer", "http://i.example=ca.pem"],
    ],
)
def test_bad_options_are_refused(capsys: pytest.CaptureFixture[str], options: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(options)
    assert caught.value.code == 2
    assert "usage" in capsys.readouterr().err


def test_issuers_are_named_on_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    server_context(tmp_path / "other", ())
    urls = ["https://a.example", "https://b.example/path/"]
    options = [f"--issuer={url}={tmp_path}/other/ca.pem" for url in urls]
    with running(tmp_path, *options) as (_, address), client(tmp_path) as http:
        found = http.get(f"{address}/emulator/issuers").json()
    assert [one["url"] for one in found] == urls


def test_an_authority_of_an_issuer_that_is_missing_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    issuer = f"https://i.example={tmp_path}/none.pem"
    assert main(["--tls-dir", str(tmp_path), "--listen", ":0", "--issuer", issuer]) == 2
    assert "none.pem" in capsys.readouterr().err


def test_taken_port_ends_the_start_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with running(tmp_path) as (_, url):
        address = url.removeprefix("https://")
        assert main(["--tls-dir", str(tmp_path / "tls"), "--listen", address]) == 2
    assert "address already in use" in capsys.readouterr().err
