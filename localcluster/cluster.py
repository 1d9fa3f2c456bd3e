"""A Kubernetes control plane that lives as long as its Python object."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from localcluster import audit, kubeconfig, tokens
from localcluster.api import Api
from localcluster.binaries import Binaries, locate
from localcluster.controlplane import ControlPlane
from localcluster.errors import ClusterError, ComponentError, KubectlError
from localcluster.node.binaries import NodeBinaries, locate_node
from localcluster.node.capabilities import assert_capable
from localcluster.node.node import Node
from localcluster.progress import Progress, silent, spell_duration

#: Another program may take a free port before the component listens on it.
ATTEMPTS = 3
PORT_TAKEN = "address already in use"


class Cluster:
    """etcd, API server and controller manager, with RBAC on and real ServiceAccount tokens."""

    def __init__(
        self,
        *,
        scheduler: bool = False,
        audited: bool = False,
        node: bool = False,
        binaries: Binaries | None = None,
        progress: Progress = silent,
        timeout: float = 90,
    ) -> None:
        self._scheduler = scheduler
        self._audited = audited
        self._node = node
        self._binaries = binaries
        self._progress = progress
        self._timeout = timeout
        self._running: ControlPlane | None = None

    def start(self) -> Self:
        """Start everything; return when the API server is ready and ServiceAccounts exist."""
        if sys.platform != "linux":
            raise ClusterError("localcluster needs Linux: it ties its processes to their parent")
        if self._running is not None:
            raise ClusterError("this cluster is already started")
        binaries = self._binaries or locate(self._progress)
        node = self._node_binaries() if self._node else None
        started = time.monotonic()
        for left in reversed(range(ATTEMPTS)):
            try:
                self._running = ControlPlane(
                    binaries,
                    self._progress,
                    scheduler=self._scheduler,
                    audited=self._audited,
                    timeout=self._timeout,
                    node=node,
                )
                break
            except ComponentError as error:
                if PORT_TAKEN not in str(error) or not left:
                    raise
        took = spell_duration(time.monotonic() - started)
        self._progress(f"Kubernetes is ready at {self.server} after {took}")
        return self

    def _node_binaries(self) -> NodeBinaries:
        assert_capable()
        return locate_node(self._progress)

    def stop(self) -> None:
        """Stop all processes and remove the folder; does nothing if nothing runs."""
        running, self._running = self._running, None
        if running is not None:
            running.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def server(self) -> str:
        """The API server's address."""
        return self._live.server

    @property
    def issuer(self) -> str:
        """The issuer of ServiceAccount tokens; its keys can be read anonymously."""
        return self._live.issuing.issuers[0]

    def reissue(self, issuer: str = "", *, new_key: bool = False, timeout: float = 60) -> None:
        """Change the issuer or the signing key by a restart of the API server.

        The API server goes on accepting older tokens. It serves the discovery documents of the
        first issuer only; if the new issuer has an address of its own, the caller must serve them
        there.

        Args:
            issuer: the URL of the new issuer; empty keeps the present one.
            new_key: sign with a new key from now on.
            timeout: seconds until the API server must be ready again.
        """
        self._live.reissue(issuer or self.issuer, new_key=new_key, timeout=timeout)

    @property
    def ca_file(self) -> Path:
        """The CA certificate that verifies the API server and the issuer."""
        return self._live.keys.ca_file

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig, mode 0600."""
        return self._live.kubeconfig

    @property
    def folder(self) -> Path:
        """The folder of this cluster: keys, logs, data."""
        return self._live.folder.path

    @property
    def audit_log(self) -> Path:
        """The log of ServiceAccounts' requests, if the cluster was made with `audited`."""
        return audit.log_file(self.folder)

    @property
    def binaries(self) -> Binaries:
        """The binaries in use."""
        return self._live.binaries

    @property
    def pids(self) -> dict[str, int]:
        """The process id of every component, by name."""
        return self._live.children.pids

    def check(self) -> None:
        """Raise `ComponentError` with the end of the log if a component has died."""
        self._live.children.check()

    def log(self, component: str, lines: int = 15) -> str:
        """Return the end of a component's log."""
        return self._live.children[component].tail(lines)

    def env(self) -> dict[str, str]:
        """Return the environment for a process that acts as this cluster's administrator."""
        path = os.pathsep.join([str(self.binaries.folder), os.environ.get("PATH", os.defpath)])
        cache = str(self.folder / "kubectl-cache")
        return {
            **os.environ,
            "PATH": path,
            "KUBECONFIG": str(self.kubeconfig),
            # A person's own preferences and cache must not change what tests see.
            "KUBERC": "off",
            "KUBECACHEDIR": cache,
        }

    def kubectl(
        self,
        *args: str | Path,
        input: str | None = None,  # noqa: A002 - named as in subprocess.run
        check: bool = True,
        timeout: float = 60,
    ) -> subprocess.CompletedProcess[str]:
        """Run kubectl as the administrator.

        Raises:
            KubectlError: the command failed and `check` is set, or it took longer than `timeout`
                seconds; the message contains kubectl's error.
            ComponentError: a component has died.
        """
        command = [str(self.binaries.kubectl), *map(str, args)]
        try:
            done = subprocess.run(
                command,
                # Empty input, so that kubectl never waits for the terminal.
                input=input or "",
                env=self.env(),
                capture_output=True,
                text=True,
                timeout=timeout,
                check=False,
            )
        except subprocess.TimeoutExpired:
            self.check()
            raise KubectlError(
                f"{_spell(args)}: still running after {timeout:g} s", -1, ""
            ) from None
        if check and done.returncode != 0:
            # A dead API server explains the failure better than kubectl does.
            self.check()
            message = f"{_spell(args)} failed ({done.returncode}): {_said(done)}"
            raise KubectlError(message, done.returncode, done.stderr)
        return done

    def install_crds(self, folder: Path, timeout: float = 30) -> None:
        """Apply all manifests of the folder and wait until the API server serves the kinds."""
        self.kubectl("apply", "--server-side", "-f", folder)
        wait = ("wait", "--for=condition=Established", f"--timeout={timeout:g}s")
        self.kubectl(*wait, "-f", folder, timeout=timeout + 10)

    def service_account_token(
        self,
        namespace: str,
        name: str,
        *,
        audiences: Sequence[str] = (),
        seconds: int = 3600,
    ) -> str:
        """Request a bound token, as a kubelet does; without audiences it is for the API server."""
        return tokens.request_token(self._live.api, namespace, name, audiences, seconds)

    def service_account_kubeconfig(
        self, namespace: str, name: str, path: Path, *, seconds: int = 24 * 3600
    ) -> Path:
        """Write a kubeconfig (0600) with a bound token, for a process that runs under RBAC."""
        token = self.service_account_token(namespace, name, seconds=seconds)
        return kubeconfig.with_token(path, self.server, self.ca_file, token, namespace)

    @property
    def node(self) -> Node:
        """The node, if the cluster was made with `node`."""
        if self._live.node is None:
            raise ClusterError("this cluster has no node: make it with node=True")
        return self._live.node

    @property
    def api(self) -> Api:
        """A client that sends plain requests as the administrator."""
        return self._live.api

    @property
    def _live(self) -> ControlPlane:
        if self._running is None:
            raise ClusterError("the cluster is not running: call start() first")
        return self._running


def _spell(args: Sequence[str | Path]) -> str:
    return " ".join(["kubectl", *map(str, args)])


def _said(done: subprocess.CompletedProcess[str]) -> str:
    """Return kubectl's error message, without debug lines (`E1125 06:10:50 …`) if possible."""
    lines = done.stderr.splitlines()
    for_people = [line for line in lines if not re.match(r"[EWI]\d{4} ", line)]
    return "\n".join(for_people or lines).strip() or done.stdout.strip()
