"""The commands as processes against a real API server: as a person, in a terminal, in a pipe."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from appcredential.cli.api import Api
from appcredential.cli.app_credential import AppCredential
from appcredential.cli.connection import Access, Connection
from appcredential.cli.errors import CliError
from appcredential.cli.text import cells
from appcredential.domain.audit import ANNOTATION
from appcredential.kube.events import KubeEvents
from appcredential.ports.events import EventSubject, Related
from appcredential.runtime.clock import SystemClock
from localcluster import Cluster
from tests.cli.scenes import (
    KEY,
    OLD_KEY,
    PODS,
    STALLED,
    condition,
    conditions,
    document,
    published,
    retiring,
    spec,
)

pytestmark = pytest.mark.cluster

ROOT: Final = Path(__file__).parents[2]
GROUP: Final = "/apis/appcredential.io/v1alpha1"
EVIL: Final = "\x1b]0;owned\x07\x1b[31mOrders\u202e"
COLOUR: Final = re.compile(r"\x1b\[[0-9;]*m")
LIVE: Final = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")
COMMAND: Final = (sys.executable, "-m", "appcredential", "ctl")
_IN_A_TERMINAL: Final = """
import fcntl, os, signal, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # so that ^C reaches it
signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell's background job, as CI may be, ignores it
os.execv(sys.argv[1], sys.argv[1:])
"""
ROLE: Final = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "Role",
    "metadata": {"name": "user"},
    "rules": [
        {
            "apiGroups": ["appcredential.io"],
            "resources": ["appcredentials"],
            "verbs": ["get", "list", "patch"],
        }
    ],
}
BINDING: Final = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "RoleBinding",
    "metadata": {"name": "user"},
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "user"},
    "subjects": [{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "jane"}],
}


class Person:
    """Runs the tool in one namespace."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self.cluster, self.namespace = cluster, namespace
        self.env = {
            **cluster.env(),
            "PYTHONPATH": str(ROOT / "operator"),
            "TERM": "xterm-256color",
        }
        self.env.pop("COLUMNS", None)
        self.env.pop("NO_COLOR", None)

    def run(self, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*COMMAND, *words, "-n", self.namespace],
            env={**self.env, **env},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def did(self, *words: str) -> str:
        done = self.run(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def refused(self, *words: str, **env: str) -> str:
        """Run what fails; return its one line."""
        done = self.run(*words, **env)
        assert done.returncode == 1
        assert done.stdout == ""
        (line,) = done.stderr.splitlines()
        assert line.startswith("error: ")
        return line

    def typed(
        self,
        *words: str,
        answer: str = "",
        columns: int = 40,
        env: Mapping[str, str] | None = None,
    ) -> tuple[int, str]:
        """Run it in a pseudo-terminal of so many columns; return its status and all it wrote."""
        terminal, end = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        child = subprocess.Popen(
            [sys.executable, "-c", _IN_A_TERMINAL, *COMMAND, *words, "-n", self.namespace],
            env={**self.env, **(env or {})},
            stdin=end,
            stdout=end,
            stderr=end,
            start_new_session=True,
        )
        os.close(end)
        written, deadline = b"", time.monotonic() + 60
        while time.monotonic() < deadline:
            if not select.select([terminal], [], [], 1)[0]:
                continue
            try:
                read = os.read(terminal, 1 << 16)
            except OSError:  # the other end is closed
                break
            written += read
            if answer and b"[y/N]" in written:
                os.write(terminal, answer.encode() + b"\n")
                answer = ""
        os.close(terminal)
        return child.wait(timeout=60), written.decode()

    def path(self, name: str = "") -> str:
        return f"{GROUP}/namespaces/{self.namespace}/appcredentials/{name}".rstrip("/")

    def get(self, name: str) -> Any:
        return self.cluster.api.call("GET", self.path(name))

    def make(self, name: str, status: Mapping[str, Any] | None = None, **change: Any) -> None:
        made = document(name, **change)
        made["metadata"] = {
            "name": name,
            **{k: v for k, v in made["metadata"].items() if k in {"labels", "annotations"}},
        }
        del made["status"]
        self.cluster.api.call("POST", self.path(), made)
        if status is not None:
            patch = json.dumps({"status": status})
            words = ("patch", "appcredential", name, "-n", self.namespace)
            self.cluster.kubectl(*words, "--subresource=status", "--type=merge", "-p", patch)


@pytest.fixture
def person(cluster: Cluster, namespace: str) -> Person:
    return Person(cluster, namespace)


@pytest.fixture
def shop(person: Person) -> Person:
    """One that is well, one that is refused, one that is new, one with a name full of escapes."""
    now = datetime.now(UTC)
    person.make("fine", published(now))
    person.make("refused", conditions(condition("Ready", "False", "NotGranted"), STALLED))
    person.make("new")
    evil = {"displayName": EVIL}
    person.make("evil", published(now, ends=50, retiring=retiring(now), application=evil))
    return person


def test_list_shows_what_needs_attention_first(shop: Person) -> None:
    rows = [line.split() for line in shop.did("list").splitlines()]

    assert rows[0][:3] == ["NAME", "READY", "REASON"]
    assert [row[0] for row in rows[1:]] == ["refused", "new", "evil", "fine"]
    assert rows[1][1:3] == ["False", "NotGranted"]


def test_other_programs_read_what_kubectl_writes(shop: Person) -> None:
    words = ("get", "appcredentials", "-n", shop.namespace)
    listed = json.loads(shop.cluster.kubectl(*words, "-o", "json").stdout)["items"]
    by_name = {item["metadata"]["name"]: item for item in listed}

    as_json = json.loads(shop.did("list", "-o", "json"))
    as_yaml = yaml.safe_load(shop.did("list", "-o", "yaml"))

    assert {item["metadata"]["name"]: item for item in as_json["items"]} == by_name
    assert (as_json["kind"], as_json["apiVersion"]) == ("List", "v1")
    assert as_yaml == as_json
    assert json.loads(shop.did("status", "fine", "-o", "json")) == by_name["fine"]
    assert shop.did("list", "-o", "name").splitlines() == [
        f"appcredential.appcredential.io/{name}" for name in ("refused", "new", "evil", "fine")
    ]


def test_status_tells_the_story(shop: Person) -> None:
    story = shop.did("status", "evil")

    assert re.search(rf"^Published +ClientSecret {KEY}$", story, re.MULTILINE)
    assert f"{OLD_KEY}, waits for {PODS}, goes at the latest in 9 d" in story
    assert "a successor is due" in story


@pytest.mark.parametrize(
    "words",
    [
        ("list", "-o", "wide"),
        ("list", "-o", "json"),
        ("list", "-o", "yaml"),
        ("status", "evil"),
    ],
)
def test_no_escape_reaches_the_terminal(shop: Person, words: tuple[str, ...]) -> None:
    shown = shop.did(*words)

    assert all(line.isprintable() for line in shown.splitlines())
    assert "Orders" in shown


def test_a_terminal_of_40_columns(shop: Person) -> None:
    status, shown = shop.typed("list")

    assert status == 0
    assert COLOUR.search(shown)
    rows = [LIVE.sub("", line) for line in shown.splitlines() if "True" in line or "NAME" in line]
    assert len(rows) == 3
    assert max(map(cells, rows)) <= 40
    status, shown = shop.typed("status", "evil")
    assert status == 0
    assert max(cells(LIVE.sub("", line)) for line in shown.splitlines()) <= 40


@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_without_colour(shop: Person, env: dict[str, str]) -> None:
    status, shown = shop.typed("list", env=env)

    assert status == 0
    assert not COLOUR.search(shown)


def test_a_terminal_that_knows_ascii_only(shop: Person) -> None:
    done = shop.run("list", PYTHONIOENCODING="ascii")

    assert done.returncode == 0, done.stderr
    assert "#######---" in done.stdout


@pytest.mark.parametrize(
    "words", [("list",), ("list", "-o", "json"), ("status", "fine"), ("report", "--html=-")]
)
def test_a_closed_pipe_ends_it_in_silence(shop: Person, words: tuple[str, ...]) -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(
            [*COMMAND, *words, "-n", shop.namespace],
            env=shop.env,
            stdout=write,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        os.close(write)

    assert (done.returncode, done.stderr) == (141, "")


def test_a_report_is_a_page_in_a_file_or_on_stdout(shop: Person, tmp_path: Path) -> None:
    file = tmp_path / "report.html"

    done = shop.run("report", "--html", str(file))

    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == f"A report on 4 AppCredentials is in {file}\n"
    page = file.read_text()
    assert page.startswith("<!doctype html>")
    assert f"<h1>AppCredentials of namespace {shop.namespace}</h1>" in page
    assert "1 of 4 need a person." in page
    assert all(line.isprintable() for line in page.splitlines())
    shown = shop.run("report", "--html", "-", "-l", "none=such", PYTHONIOENCODING="ascii")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "There are no AppCredentials." in shown.stdout
    assert "with labels none=such" in shown.stdout
    assert "No such file" in shop.refused("report", "--html", str(tmp_path / "no" / "report.html"))
    assert "--html" in shop.refused("report")


def test_many_pages_are_one_list(person: Person) -> None:
    for number in range(501):
        person.make(f"app-{number:03}", labels={"team": "even" if number % 2 == 0 else "odd"})

    assert len(person.did("list", "-o", "name").splitlines()) == 501
    assert len(person.did("list").splitlines()) == 502
    assert len(person.did("list", "-l", "team=odd", "-o", "name").splitlines()) == 250


class _Kube:
    """What the operator's writer of Events needs of a client."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    async def request(self, method: str, path: str, *, body: Mapping[str, Any]) -> Any:
        return self._cluster.api.call(method, path, body)


def test_audit_reads_back_what_the_operator_writes(person: Person) -> None:
    """The operator's own writer, so that the API server, too, judges what it writes."""
    record = {"version": 1, "change": "Issued", "result": "Done", "credential": {"keyId": KEY}}
    events = KubeEvents(_Kube(person.cluster), SystemClock(), "operator")  # type: ignore[arg-type]
    for name, change in (("orders", "Issued"), ("billing", "Retired")):
        subject = EventSubject(kind="AppCredential", namespace=person.namespace, name=name, uid="u")
        note = {ANNOTATION: json.dumps({**record, "change": change})}
        secret = Related("Secret", person.namespace, "orders-entra")
        asyncio.run(
            events.emit(
                subject, change, "So it is.", warning=False, annotations=note, related=secret
            )
        )

    done = person.run("audit")
    assert done.returncode == 0, done.stderr
    assert re.search(rf"{person.namespace}/orders +Issued +Done +{KEY}", done.stdout)
    assert "Events last an hour" in done.stderr
    assert len(person.did("audit").splitlines()) == 3
    assert len(person.did("audit", "orders", "--since", "5m").splitlines()) == 2
    (found,) = json.loads(person.did("audit", "billing", "-o", "json"))["items"]
    assert found["record"]["change"] == "Retired"
    assert "of a change" in person.run("audit", "nobody").stderr
    assert "cannot list resource" in person.refused("audit", "--as", "nobody")


def test_nothing_there_is_no_failure(person: Person) -> None:
    done = person.run("list")

    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == f"No AppCredentials found in {person.namespace} namespace.\n"


def test_rotate_asks_by_time_and_says_who_may_undo_it(person: Person) -> None:
    person.make("orders", labels={"kustomize.toolkit.fluxcd.io/name": "shop"})

    done = person.run("rotate", "orders")

    time_ = person.get("orders")["spec"]["rotation"]["rotateIssuedBefore"]
    asked = datetime.fromisoformat(time_)
    assert abs((datetime.now(UTC) - asked).total_seconds()) < 60
    assert done.stdout == "appcredential.appcredential.io/orders rotation asked for\n"
    assert done.stderr == (
        f"warning: {person.namespace}/orders is applied by Flux, which may undo this: "
        f"set spec.rotation.rotateIssuedBefore: {time_} in Git.\n"
    )


def test_rotate_waits_until_another_credential_is_published(person: Person) -> None:
    person.make("orders", published(datetime.now(UTC)))
    words = [*COMMAND, "rotate", "orders", "--wait", "--timeout=60s", "-n", person.namespace]

    with subprocess.Popen(words, env=person.env, text=True, stderr=subprocess.PIPE) as running:
        _wait_until(lambda: "rotation" in person.get("orders")["spec"])
        credential = {**published(datetime.now(UTC))["credential"], "keyId": "another"}
        patch = json.dumps({"status": {"observedGeneration": 2, "credential": credential}})
        words = ["patch", "appcredential", "orders", "-n", person.namespace]
        person.cluster.kubectl(*words, "--subresource=status", "--type=merge", "-p", patch)
        _, told = running.communicate(timeout=60)

    assert running.returncode == 0
    assert told == f"{person.namespace}/orders: another is published.\n"


def test_revoke_asks_first_and_says_who_fails(shop: Person) -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "orders-1"},
        "spec": {
            "containers": [
                {
                    "name": "main",
                    "image": "none",
                    "envFrom": [{"secretRef": {"name": "orders-entra"}}],
                }
            ]
        },
    }
    shop.cluster.api.call("POST", f"/api/v1/namespaces/{shop.namespace}/pods", pod)

    status, shown = shop.typed("revoke", "evil", answer="n", columns=200)
    assert status == 1
    assert "Nothing was changed." in shown
    assert f"the operator removes: {KEY}, {OLD_KEY}." in shown
    assert PODS in shown
    assert "Pods that use Secret orders-entra now: orders-1." in shown
    assert "rotation" not in shop.get("evil")["spec"]
    assert shop.typed("revoke", "evil", answer="\x03")[0] == 130

    status, shown = shop.typed("revoke", "evil", answer="y", columns=200)
    assert status == 0, shown
    assert "revokeIssuedBefore" in shop.get("evil")["spec"]["rotation"]


def test_revoke_without_a_terminal_needs_yes(shop: Person) -> None:
    done = shop.run("revoke", "fine")

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "error: revoke asks first, and nobody can answer here: say --yes."
    )
    assert "rotation" not in shop.get("fine")["spec"]
    assert shop.run("revoke", "fine", "--yes").returncode == 0
    assert "revokeIssuedBefore" in shop.get("fine")["spec"]["rotation"]


def test_what_the_schema_refuses_is_told_before_any_question(person: Person) -> None:
    trust = {"type": "FederatedIdentity", "application": spec()["application"]}
    person.make("trust", spec={**trust, "federatedIdentity": {"serviceAccount": {"name": "a"}}})

    for command in ("rotate", "revoke"):
        assert "spec.rotation" in person.refused(command, "trust")


def test_one_that_is_refused_keeps_no_other_from_it(person: Person) -> None:
    trust = {"type": "FederatedIdentity", "application": spec()["application"]}
    trust["federatedIdentity"] = {"serviceAccount": {"name": "a"}}
    for name in ("a", "c"):
        person.make(name, spec=trust, labels={"team": "shop"})
    person.make("b", labels={"team": "shop"})

    done = person.run("rotate", "-l", "team=shop")

    assert done.returncode == 1
    assert [line.partition(": ")[0] for line in done.stderr.splitlines()] == ["error", "error"]
    assert done.stdout.endswith("/b rotation asked for\n")


def test_suspend_and_resume(person: Person) -> None:
    person.make("orders", labels={"team": "shop"})

    assert person.did("suspend", "orders").endswith("/orders suspended\n")
    assert person.get("orders")["spec"]["suspend"] is True
    assert person.did("suspend", "-l", "team=shop").endswith("/orders suspended already\n")
    rotated = person.run("rotate", "orders")
    assert "is suspended: nothing happens until it is resumed." in rotated.stderr
    assert person.did("resume", "orders", "-o", "name") == (
        "appcredential.appcredential.io/orders\n"
    )
    assert person.get("orders")["spec"]["suspend"] is False


def test_check_gives_the_annotation_another_value_each_time(person: Person) -> None:
    person.make("orders", published(datetime.now(UTC)))
    values = set()
    for _ in range(2):
        assert person.did("check", "appcred/orders").endswith("/orders look asked for\n")
        values.add(person.get("orders")["metadata"]["annotations"]["appcredential.io/check"])
    assert len(values) == 2

    waited = person.run("check", "orders", "--wait", "--timeout=1s")
    assert waited.returncode == 0
    assert "status did not change within 1s; Ready is True" in waited.stderr
    assert "status cannot tell which" in waited.stderr


def test_wait_ends_with_the_condition_or_with_its_time(shop: Person) -> None:
    assert shop.did("wait", "fine", "evil").splitlines() == [
        "appcredential.appcredential.io/fine condition met",
        "appcredential.appcredential.io/evil condition met",
    ]
    assert shop.did("wait", "fine", "--for=condition=Stalled=False").endswith("condition met\n")
    line = shop.refused("wait", "refused", "--for=Ready", "--timeout=1s")
    assert line == (
        f"error: timed out waiting for Ready=True of {shop.namespace}/refused: "
        "Stalled is True, NotGranted: No ApplicationGrant allows it."
    )


def test_wait_shows_in_a_terminal_how_things_are(shop: Person) -> None:
    status, shown = shop.typed("wait", "refused", "--timeout=2s", columns=120)

    assert status == 1
    assert f"{shop.namespace}/refused: Stalled is True, NotGranted" in shown


def test_wait_for_a_deletion(person: Person) -> None:
    person.make("orders")
    words = [*COMMAND, "wait", "orders", "--for=delete", "--timeout=60s", "-n", person.namespace]

    with subprocess.Popen(words, env=person.env, text=True, stdout=subprocess.PIPE) as running:
        person.cluster.api.call("DELETE", person.path("orders"))
        told, _ = running.communicate(timeout=60)

    assert running.returncode == 0
    assert told in {"", "appcredential.appcredential.io/orders condition met\n"}
    assert person.did("wait", "orders", "--for=delete") == ""


def test_a_role_in_a_namespace_is_enough(shop: Person) -> None:
    rbac = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{shop.namespace}"
    shop.cluster.api.call("POST", f"{rbac}/roles", ROLE)
    shop.cluster.api.call("POST", f"{rbac}/rolebindings", BINDING)
    as_jane = ("--as", "jane", "--as-group", "system:authenticated")
    _wait_until(lambda: shop.run("list", *as_jane).returncode == 0)

    assert "you may not read them here" in shop.did("status", "fine", *as_jane)
    assert shop.did("rotate", "fine", *as_jane).endswith("rotation asked for\n")
    done = shop.run("revoke", "fine", "--yes", *as_jane)
    assert done.returncode == 0
    assert "is not known, because you may not list pods here" in done.stderr
    line = shop.refused("list", "-A", *as_jane)
    assert 'User "jane" cannot list resource "appcredentials"' in line
    assert line.endswith("at the cluster scope. Name a namespace with -n.")


def test_who_may_nothing_is_told_so(shop: Person) -> None:
    for words in (
        ("list",), ("status", "fine"), ("report", "--html=-"), ("rotate", "fine"), ("wait", "fine"),
    ):  # fmt: skip
        line = shop.refused(*words, "--as", "nobody")
        assert 'User "nobody" cannot' in line
    assert line.count("appcredential") >= 1


def test_what_is_not_there_is_told(person: Person) -> None:
    assert person.refused("status", "ghost") == ('error: appcredentials "ghost" not found')
    assert "No AppCredential has the labels a=b." in person.refused("suspend", "-l", "a=b")
    assert "Give names, or a selector" in person.refused("rotate")
    for name in ("..", "a/", "A", "a?b"):
        assert "is no name of an AppCredential." in person.refused("status", name)
    assert "is no name of a namespace." in Person(person.cluster, "../x").refused("list")


def test_kubectl_finds_it_and_its_completions(shop: Person, tmp_path: Path) -> None:
    for name, function in (
        ("kubectl-appcredential", "main"),
        ("kubectl_complete-appcredential", "complete"),
    ):
        script = tmp_path / name
        script.write_text(
            f"#!{sys.executable}\nimport sys\nfrom appcredential.cli.entry import {function}\n"
            f"sys.exit({function}())\n"
        )
        script.chmod(0o755)
    env = {**shop.env, "PATH": f"{tmp_path}:{shop.env['PATH']}"}

    def kubectl(*words: str) -> str:
        command = [str(shop.cluster.binaries.kubectl), *words]
        return subprocess.run(
            command, env=env, capture_output=True, text=True, timeout=60, check=True
        ).stdout

    assert kubectl("appcredential", "list", "-n", shop.namespace, "-o", "name").endswith("/fine\n")
    assert "revoke" in kubectl("__complete", "appcredential", "re").splitlines()


def test_names_are_completed(shop: Person) -> None:
    code = "from appcredential.cli.entry import complete; complete()"
    done = subprocess.run(
        [sys.executable, "-c", code, "status", "-n", shop.namespace, "re"],
        env=shop.env,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert done.stdout.splitlines() == ["refused", ":4"]


# --- no cluster, other clusters -------------------------------------------------------------


def test_no_cluster_is_one_line(person: Person, tmp_path: Path) -> None:
    kubeconfig = yaml.safe_load(person.cluster.kubeconfig.read_text())
    kubeconfig["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"
    gone = tmp_path / "gone"
    gone.write_text(yaml.safe_dump(kubeconfig))

    for words in (("list",), ("wait", "a", "--timeout=1s")):
        line = person.refused(*words, "--kubeconfig", str(gone))
        assert "No answer from the API server at https://127.0.0.1:1: " in line
        assert "Connection refused" in line


@pytest.mark.parametrize(
    ("text", "words"),
    [(None, "cannot be used"), ("{", "cannot be used"), ("[]", "cannot be used"), ("", "cannot")],
)
def test_a_kubeconfig_that_cannot_be_used_is_one_line(
    person: Person, tmp_path: Path, text: str | None, words: str
) -> None:
    file = tmp_path / "kubeconfig"
    if text is not None:
        file.write_text(text)

    assert words in person.refused("list", "--kubeconfig", str(file))
    assert words in person.refused("list", KUBECONFIG=str(file))


def test_a_context_that_does_not_exist_is_one_line(person: Person) -> None:
    assert "nowhere" in person.refused("list", "--context", "nowhere")


def test_a_cluster_without_the_crds_or_with_older_ones_is_told(person: Person) -> None:
    person.make("orders")
    connection = Connection(Access(kubeconfig=str(person.cluster.kubeconfig)))

    with pytest.raises(CliError, match="the CRDs are missing"):
        connection.request("GET", "/apis/appcredential.io/v9/appcredentials")
    with pytest.raises(CliError, match=r"no field spec\.rotation\.new: its operator is older"):
        Api(connection).patch(
            AppCredential(person.get("orders")), {"spec": {"rotation": {"new": True}}}
        )


def test_a_change_at_an_old_version_is_made_again(person: Person) -> None:
    """The operator writes status while a person types: nobody has to try again."""
    person.make("orders", published(datetime.now(UTC)))
    stale = person.get("orders")
    person.cluster.kubectl(*("annotate", "appcredential", "orders", "a=b", "-n", person.namespace))
    connection = Connection(Access(kubeconfig=str(person.cluster.kubeconfig)))
    api = Api(connection)

    from appcredential.cli.applying import change
    from appcredential.cli.changes import suspended
    from appcredential.cli.options import Session
    from appcredential.cli.terminal import Terminal

    session = Session(api, Terminal())
    change(session, AppCredential(stale), suspended(value=True), lambda *_: True)
    assert person.get("orders")["spec"]["suspend"] is True
    with pytest.raises(CliError, match="was changed meanwhile"):
        change(session, AppCredential(stale), suspended(value=False), lambda *_: False)
    assert person.get("orders")["spec"]["suspend"] is True


def _wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)
