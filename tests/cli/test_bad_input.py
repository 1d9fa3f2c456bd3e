"""Whatever answers in place of a cluster, each command ends with one line and status 1.

The commands are those that docs/cli.md shows; a server of this test's own answers as clusters do
that are of no use.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from appcredential.cli import api, entry
from tests.cli.scenes import document, published
from tests.cli.test_documented import TYPED

EVIL: Final = "\x1b]0;owned\x07\x1b[31mred\u202e"
OFFLINE: Final = {"completion"}
KNOWN: Final = {
    *("list", "status", "rotate", "revoke", "suspend", "resume", "check", "wait", "audit")
}
ASKING: Final = [words for words in TYPED if words[0] in KNOWN]


def status(code: int, message: str, **more: Any) -> bytes:
    return json.dumps({"kind": "Status", "code": code, "message": message, **more}).encode()


NO_CLUSTER: Final = "does not answer as a Kubernetes API server"
ANSWERS: Final[dict[str, tuple[int, bytes, str]]] = {
    "signed out": (401, status(401, "Unauthorized"), "sign in again"),
    "no rights": (403, status(403, f"you cannot list it {EVIL}"), "you cannot list it"),
    "no CRDs": (404, b"404 page not found\n", "the CRDs are missing"),
    "too busy": (429, status(429, "too many requests"), "cannot answer now (429)"),
    "broken": (500, status(500, EVIL), "cannot answer now (500)"),
    "a portal": (
        200,
        b"<html>Sign in, please</html>",
        NO_CLUSTER,
    ),
    "a redirect": (302, b"", "refuses"),
    "a list": (200, b"[]", NO_CLUSTER),
    "too deep": (200, b"[" * 100_000, NO_CLUSTER),
}


@contextmanager
def answering(code: int, body: bytes) -> Iterator[str]:
    """Answer every request alike; yield the address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(code)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return what makes a kubeconfig for an address the person's own."""

    def write(address: str) -> None:
        path = tmp_path / "kubeconfig"
        cluster = {"name": "c", "cluster": {"server": address}}
        context = {"name": "x", "context": {"cluster": "c", "user": "u", "namespace": "shop"}}
        users = [{"name": "u", "user": {"token": "t"}}]
        made = {"clusters": [cluster], "contexts": [context], "users": users}
        path.write_text(yaml.safe_dump({**made, "current-context": "x"}))
        monkeypatch.setenv("KUBECONFIG", str(path))

    return write


def told(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """Run what fails; return its one line."""
    assert entry.main(words) == 1, words
    shown = capsys.readouterr()
    assert shown.out == ""
    (line,) = shown.err.splitlines()
    assert line.startswith("error: ")
    assert line.isprintable()
    return line


def test_every_command_is_tried() -> None:
    assert {words[0] for words in ASKING} == KNOWN


@pytest.mark.parametrize("name", ANSWERS)
def test_what_is_no_cluster_is_told_in_one_line(
    name: str, use: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    code, body, said = ANSWERS[name]
    with answering(code, body) as address:
        use(address)
        for words in ASKING:
            assert said in told(words, capsys), words


@pytest.mark.parametrize(
    "body", ["{}", '{"metadata": 5}', '{"metadata": {"name": "orders", "annotations": "x"}}']
)
def test_a_plan_of_what_is_no_app_credential_is_one_line(
    body: str, use: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    with answering(200, body.encode()) as address:
        use(address)
        assert entry.main(["plan", "orders", "--without-entra"]) == 1
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("error: ")


def test_a_list_without_end_is_given_up(
    use: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "_MOST_PAGES", 3)
    with answering(200, b'{"items": [], "metadata": {"continue": "x"}}') as address:
        use(address)
        assert "no end" in told(["list"], capsys)


def test_no_answer_is_told_in_one_line(use: Any, capsys: pytest.CaptureFixture[str]) -> None:
    use("http://127.0.0.1:1")
    for words in ASKING:
        assert "No answer from the API server at http://127.0.0.1:1" in told(words, capsys), words


@pytest.mark.parametrize("address", ["", "nowhere", f"http://{EVIL}", "ftp://127.0.0.1:1", "[::"])
def test_an_odd_address_is_told_in_one_line(
    address: str, use: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    use(address)
    told(["list"], capsys)


@pytest.mark.parametrize("word", [EVIL, "A", "..", "a b", "-"])
def test_an_odd_name_is_asked_of_nobody(
    word: str, use: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    use("http://127.0.0.1:1")
    for command in ("status", "rotate", "suspend", "wait", "audit"):
        line = told([command, word], capsys)
        assert "No answer" not in line
    assert "no name of a namespace" in told(["list", "-n", word.replace("-", "_")], capsys)


def test_a_list_that_lies_about_itself_is_shown_as_far_as_it_can_be(
    use: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    odd: list[Any] = [
        document("orders", published()),
        {"metadata": {"name": EVIL, "namespace": EVIL}, "spec": 7, "status": [1]},
        {"metadata": 5},
        {},
        "nothing",
    ]
    body = json.dumps({"items": odd, "metadata": {"continue": 0}}).encode()
    with answering(200, body) as address:
        use(address)
        for words in (["list"], ["list", "-A", "-o", "wide"], ["list", "-o", "json"]):
            assert entry.main(words) == 0
            shown = capsys.readouterr().out
            assert "orders" in shown
            assert all(line.isprintable() for line in shown.splitlines())
