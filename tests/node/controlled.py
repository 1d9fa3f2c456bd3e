"""Deployments and StatefulSets whose pods are started with the Secret's values."""

from __future__ import annotations

import os
import subprocess
import threading
from pathlib import Path
from typing import Any, Final, Self

from tests.conftest import wait_until
from tests.integration.installation import Team
from tests.node import pods
from tests.node.pods import PATIENCE, SignIn

_APPS: Final = "/apis/apps/v1"
_LOOK_SECONDS: Final = 0.5


class Controlled:
    """One of them, created in a team's namespace, and all that any of its pods says.

    A pod that is removed takes its log along, so each log is followed until its pod's end.

    Args:
        kind: Deployment or StatefulSet.
        folder: where the logs are kept.
        spec: further fields of its spec.
    """

    def __init__(self, team: Team, kind: str, name: str, folder: Path, **spec: Any) -> None:
        self._team, self._kind, self.name = team, kind, name
        self._folder = folder / name
        self._folder.mkdir()
        self._followed: dict[str, subprocess.Popen[bytes]] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow_all, name=f"follow {name}")
        template = pods.manifest(name, ["environment"], {}, "default")
        (container,) = template["spec"]["containers"]
        container["envFrom"] = [{"secretRef": {"name": "app"}}]
        del template["metadata"]["name"]
        body = {
            "apiVersion": "apps/v1",
            "kind": kind,
            "metadata": {"name": name},
            "spec": {"selector": {"matchLabels": {"app": name}}, "template": template, **spec},
        }
        team.i.kube.create(f"{_APPS}/namespaces/{team.namespace}/{kind.lower()}s", body)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        for process in self._followed.values():
            process.terminate()
            process.wait()

    def restart(self) -> None:
        """Ask its controller for new pods, as `kubectl rollout restart` does."""
        self._kubectl("rollout", "restart", f"{self._kind}/{self.name}")

    def wait_until_rolled(self) -> None:
        """Wait until only new pods are there."""
        self._kubectl("rollout", "status", f"{self._kind}/{self.name}", "--timeout=90s")

    def delete_pods(self) -> None:
        """Delete its pods, as a person does whose controller replaces none by itself."""
        self._kubectl("delete", "pods", "-l", f"app={self.name}")

    def live(self) -> set[str]:
        """Return the uids of its pods that are not ending."""
        found = pods.pods(self._team.i.cluster, self._team.namespace, f"app={self.name}")
        return {pod["metadata"]["uid"] for pod in found}

    def sign_ins(self, uid: str = "") -> list[SignIn]:
        """Return what one pod said, or all that ever were."""
        logs = [self._log(uid)] if uid else sorted(self._folder.iterdir())
        return [one for log in logs if log.exists() for one in pods.sign_ins_in(log.read_text())]

    def sign_in_with(self, value: str, number: int) -> None:
        """Wait until so many pods are there, and each of them signs in, with this value."""
        before = {uid: len(self.sign_ins(uid)) for uid in self.live()}

        def all_do() -> bool:
            uids = self.live()
            said = [self.sign_ins(uid)[before.get(uid, 0) :] for uid in uids]
            return len(uids) == number and all(
                len(one) > 1 and one[-1] == SignIn(value, "") for one in said
            )

        wait_until(all_do, f"{number} pods of {self.name} sign in with it", PATIENCE)

    def _log(self, uid: str) -> Path:
        return self._folder / f"{uid}.log"

    def _follow_all(self) -> None:
        while not self._stop.wait(_LOOK_SECONDS):
            found = pods.pods(self._team.i.cluster, self._team.namespace, f"app={self.name}")
            for pod in found:
                if pods.is_ready(pod) and pod["metadata"]["uid"] not in self._followed:
                    self._follow(pod["metadata"]["name"], pod["metadata"]["uid"])

    def _follow(self, name: str, uid: str) -> None:
        cluster = self._team.i.cluster
        words = ["logs", name, "-n", self._team.namespace, "--follow"]
        with self._log(uid).open("wb") as log:
            self._followed[uid] = subprocess.Popen(
                [str(cluster.binaries.kubectl), *words],
                env=cluster.env(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.DEVNULL,
                cwd=os.sep,
            )

    def _kubectl(self, *words: str) -> None:
        self._team.i.cluster.kubectl(*words, "-n", self._team.namespace, timeout=100)
