"""What the story sees of the installation, and how it waits for it."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from demo.reporting import Reporter
from demo.seed import CLIENT_ID
from demo.signing_in import signs_in
from demo.stack import Stack

NAMESPACE: Final = "shop"
NAME: Final = "orders"
SECRET: Final = "orders-entra"


class StoryError(Exception):
    """A step did not happen."""


class Observing:
    """What every chapter has: ways to look, to wait, and to tell that a step happened."""

    def __init__(self, stack: Stack, reporter: Reporter) -> None:
        self._stack = stack
        self._tell = reporter
        self._shown: set[str] = set()
        self._seen: list[str] = []

    def tick(self, step: str) -> None:
        """Tell that a step happened."""
        self._seen.append(step)
        self._tell.seen(step)

    def wait(self, what: str, condition: Callable[[], bool], seconds: float) -> None:
        """Wait until a condition holds, with live progress.

        Raises:
            StoryError: it did not hold in time.
        """
        deadline = time.monotonic() + seconds
        while not condition():
            self._stack.operator.child.check()
            self._tell_conditions()
            self._tell.waiting(f"waiting for: {what}")
            if time.monotonic() > deadline:
                raise StoryError(f"not within {seconds:g} s: {what}\n{self._describe()}")
            time.sleep(0.3)
        self._tell_conditions()

    def _tell_conditions(self) -> None:
        for condition in self.status().get("conditions") or ():
            line = f"{condition['type']}={condition['status']} {condition['reason']}"
            key = f"{condition['type']} {line}"
            if key not in self._shown:
                self._shown.add(key)
                self._tell.say(line)

    def _condition(self, kind: str, name: str = NAME) -> str:
        conditions = self.status(name).get("conditions") or ()
        return next((str(c["status"]) for c in conditions if c["type"] == kind), "")

    def status(self, name: str = NAME) -> dict[str, Any]:
        """Return an AppCredential's status."""
        status: dict[str, Any] = self._kubectl_json("get", "appcred", name).get("status") or {}
        return status

    def _describe(self) -> str:
        done = self._stack.cluster.kubectl("describe", "appcred", NAME, "-n", NAMESPACE)
        return done.stdout

    def _kubectl_json(self, *arguments: str) -> dict[str, Any]:
        done = self._stack.cluster.kubectl(*arguments, "-n", NAMESPACE, "-o", "json")
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def _credentials(self) -> list[dict[str, Any]]:
        return self._stack.emulator.credentials(CLIENT_ID)

    def signs_in(self, values: Mapping[str, str]) -> bool:
        """Tell whether values sign in."""
        return signs_in(values, self._stack.emulator.ca_file, self._stack.emulator.url)

    def values(self, name: str = SECRET) -> dict[str, str]:
        """Return what a workload that mounts the Secret reads now."""
        return decoded(self._kubectl_json("get", "secret", name))


def decoded(secret: Mapping[str, Any]) -> dict[str, str]:
    """Return the values of a Secret."""
    return {k: base64.b64decode(v).decode() for k, v in secret["data"].items()}
