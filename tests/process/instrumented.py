"""`python -m tests.process.instrumented run`: the real operator, with its effects noted.

The adapters' methods are wrapped from outside before the real `main` runs, so no
production code knows of it. Every effect is written to `effects.jsonl` when it begins
and when it is done; `armed.json` names one at which the process kills, stops or terminates itself.
Every secret value that the process was given is kept in `secrets.jsonl`. All are in the
folder that `INSTRUMENTED_FOLDER` names. `INSTRUMENTED_BREAK` makes this
one of the broken operators of broken.py, to show that its fault is caught.
The file `clock` there says by how many seconds this machine's clock was set.
"""

from __future__ import annotations

import asyncio
import functools
import json
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, NoReturn

from appcredential.__main__ import main
from appcredential.domain.secret.pem import split_bundle
from appcredential.entra.directory import GraphDirectory
from appcredential.entra.operator_token import OperatorToken
from appcredential.entra.signin import TokenEndpoint
from appcredential.kube.app_credentials import KubeResources
from appcredential.kube.outputs import KubeOutputs
from appcredential.kube.revocations import KubeRevocations
from appcredential.kube.secret_store import KubeSecrets
from appcredential.kube.service_accounts import KubeServiceAccounts
from appcredential.ports.kube import Intent
from appcredential.runtime.clock import SystemClock
from tests.process.broken import BROKEN

Method = Callable[..., Awaitable[Any]]

_EFFECTS: Final[tuple[tuple[type, str, str], ...]] = (
    (KubeResources, "set_finalizer", "finalizer"),
    (KubeResources, "apply_status", "status"),
    (KubeSecrets, "put_intent", "intent"),
    (KubeSecrets, "put_minted", "minted"),
    (KubeSecrets, "put_abandoned", "abandoned"),
    (KubeSecrets, "put_target", "target"),
    (KubeSecrets, "delete_pending", "delete pending"),
    (KubeSecrets, "delete_target", "delete target"),
    (KubeRevocations, "put", "ticket"),
    (KubeRevocations, "delete", "delete ticket"),
    (GraphDirectory, "add_password", "addPassword"),
    (GraphDirectory, "remove_password", "removePassword"),
    (GraphDirectory, "add_certificate", "addCertificate"),
    (GraphDirectory, "remove_certificate", "removeCertificate"),
    (GraphDirectory, "add_federated", "createFederated"),
    (GraphDirectory, "update_federated", "updateFederated"),
    (GraphDirectory, "remove_federated", "removeFederated"),
    (KubeServiceAccounts, "annotate", "annotate"),
    (KubeOutputs, "put", "output"),
    (KubeOutputs, "delete", "delete output"),
    (TokenEndpoint, "with_secret", "sign-in"),
    (TokenEndpoint, "with_certificate", "sign-in"),
)
_IN_FLIGHT_SECONDS: Final = 5.0  # the pause between two writes included


class Recorder:
    """Notes effects, and ends or stops the process at the armed one."""

    def __init__(self, folder: Path) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        self._log = os.open(folder / "effects.jsonl", flags, 0o600)
        self._armed = folder / "armed.json"
        self._arming = ""
        self._seen = 0

    def wrap(self, owner: type, method: str, name: str) -> None:
        """Replace a method by one that notes what it does."""
        inner: Method = getattr(owner, method)

        @functools.wraps(inner)
        async def noted(*args: Any, **words: Any) -> Any:
            effect = "release finalizer" if words.get("present") is False else name
            how = self._begin(effect)
            if how == "kill in flight":
                request = asyncio.ensure_future(inner(*args, **words))
                await asyncio.wait({request}, timeout=_IN_FLIGHT_SECONDS)
                _die()
            if how == "terminate":
                # As a kubelet does; the effect that began is to be finished.
                os.kill(os.getpid(), signal.SIGTERM)
            try:
                answer = await inner(*args, **words)
            except BaseException as error:
                self._note(effect, "failed", type(error).__name__)
                raise
            self._note(effect, "done")
            if how == "kill":
                _die()
            if how == "stop":
                os.kill(os.getpid(), signal.SIGSTOP)
            return answer

        setattr(owner, method, noted)

    def _begin(self, effect: str) -> str:
        """Note the beginning; return what is to happen at this one."""
        self._note(effect, "begun")
        try:
            armed = json.loads(self._armed.read_text())
        except FileNotFoundError:
            return ""
        if armed["id"] != self._arming:
            self._arming, self._seen = armed["id"], 0
        if armed["effect"] != effect:
            return ""
        self._seen += 1
        return str(armed["how"]) if self._seen == armed["occurrence"] else ""

    def _note(self, effect: str, phase: str, error: str = "") -> None:
        line = {
            "time": time.monotonic(),
            "pid": os.getpid(),
            "effect": effect,
            "phase": phase,
            "error": error,
        }
        os.write(self._log, json.dumps(line).encode() + b"\n")


def _die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("SIGKILL comes at once")


def _follow_clock(folder: Path) -> None:
    """Show the operator the time of a clock that a test sets."""
    setting, true_now = folder / "clock", SystemClock.now

    def now(self: SystemClock) -> datetime:
        offset = float(setting.read_text()) if setting.exists() else 0.0
        return true_now(self) + timedelta(seconds=offset)

    setattr(SystemClock, "now", now)  # noqa: B010


def _keep_secrets(folder: Path) -> None:
    """Write every value that must not be seen elsewhere to `secrets.jsonl`."""
    log = os.open(folder / "secrets.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    add_password: Method = GraphDirectory.add_password
    get_token: Method = OperatorToken.get_token
    known: set[str] = set()

    def keep(value: str) -> None:
        if value not in known:
            known.add(value)
            os.write(log, json.dumps(value).encode() + b"\n")

    async def adding(self: GraphDirectory, *args: Any, **words: Any) -> Any:
        made = await add_password(self, *args, **words)
        keep(made.value.reveal())
        return made

    async def getting(self: OperatorToken, *args: Any, **words: Any) -> Any:
        made = await get_token(self, *args, **words)
        keep(made.token)
        return made

    put_intent: Method = KubeSecrets.put_intent

    async def staging(self: KubeSecrets, intent: Intent, live: Any) -> Any:
        if intent.staged is not None:
            private, _ = split_bundle(intent.staged.value.reveal())
            # A log has one line where PEM has many: each of them tells.
            for line in private.splitlines()[1:-2]:
                keep(line)
        return await put_intent(self, intent, live)

    setattr(GraphDirectory, "add_password", adding)  # noqa: B010
    _keep_tokens(keep)
    setattr(OperatorToken, "get_token", getting)  # noqa: B010
    setattr(KubeSecrets, "put_intent", staging)  # noqa: B010


def _keep_tokens(keep: Callable[[str], None]) -> None:
    """The same for tokens of ServiceAccounts that a proof is made with."""
    ask_token: Method = KubeServiceAccounts.token

    async def asking(self: KubeServiceAccounts, *args: Any, **words: Any) -> Any:
        made = await ask_token(self, *args, **words)
        keep(made.reveal())
        return made

    setattr(KubeServiceAccounts, "token", asking)  # noqa: B010


if __name__ == "__main__":
    own_folder = Path(os.environ["INSTRUMENTED_FOLDER"])
    if "INSTRUMENTED_BREAK" in os.environ:
        BROKEN[os.environ["INSTRUMENTED_BREAK"]]()
    _keep_secrets(own_folder)
    _follow_clock(own_folder)
    recorder = Recorder(own_folder)
    for adapter, method_name, effect_name in _EFFECTS:
        recorder.wrap(adapter, method_name, effect_name)
    sys.exit(main())
