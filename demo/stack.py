"""A complete installation on one machine: Kubernetes, the Entra emulator and the operator."""

from __future__ import annotations

import json
import ssl
import tempfile
import time
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from demo.exchanging import add_cluster_issuer
from demo.processes import OPERATOR_ACCOUNT, OPERATOR_NAMESPACE, Child, StackError
from demo.seed import OPERATOR_SECRET
from localcluster import Cluster

ROOT = Path(__file__).parents[1]
CRDS = ROOT / "crds"
RBAC = ROOT / "examples" / "deploy" / "rbac.yaml"

QUICK: Mapping[str, str] = {
    # Much shorter than the defaults, so that a credential's whole life fits into a minute.
    "APPCREDENTIAL_MIN_LIFETIME": "60s",
    "APPCREDENTIAL_SETTLE": "6s",
    "APPCREDENTIAL_REMOVAL_FLOOR": "5s",
    "APPCREDENTIAL_MIN_REMAINING": "5s",
    "APPCREDENTIAL_EXPIRED_GRACE": "5s",
    "APPCREDENTIAL_ISSUED_BEFORE_SPACING": "1s",
    "APPCREDENTIAL_ARRIVAL_GRACE": "5s",
    "APPCREDENTIAL_DELETION_SETTLE": "1s",
    "APPCREDENTIAL_INTENT_RESPECT": "3s",
    "APPCREDENTIAL_MINT_BACKOFF": "1s",
    "APPCREDENTIAL_MISSING_APPLICATION_WINDOW": "4s",
    "APPCREDENTIAL_TICKET_ABSENCE": "2s",
    "APPCREDENTIAL_TICKET_POLL": "1s",
    "APPCREDENTIAL_PERMISSION_RETRY": "5s",
    "APPCREDENTIAL_CLUSTER_LOOK_CEILING": "5s",
    "APPCREDENTIAL_SECRET_CHECK": "5s",
    "APPCREDENTIAL_FEDERATED_QUIET": "6s",
    "APPCREDENTIAL_FEDERATED_OVERLAP": "5s",
    "APPCREDENTIAL_FEDERATED_PROOF_SPACING": "5s",
    "APPCREDENTIAL_ISSUER_AGREEMENT": "5s",
    # The local cluster issues tokens under its own address, which only the emulator can reach.
    "APPCREDENTIAL_ALLOW_PRIVATE_ISSUERS": "true",
    "APPCREDENTIAL_LEASE_DURATION": "6s",
    "APPCREDENTIAL_LEASE_RENEW": "1s",
    "APPCREDENTIAL_EFFECT_MARGIN": "2s",
    "APPCREDENTIAL_MINT_MARGIN": "3s",
    "APPCREDENTIAL_LOG_LEVEL": "DEBUG",
}


class EmulatorProcess:
    """The Entra emulator as a process, and its admin API.

    Args:
        folder: where its certificate authority and its log are kept.
        seed: its initial state.
        address: the IP address that it listens on.
    """

    def __init__(
        self, folder: Path, seed: Mapping[str, Any], *, address: str = "127.0.0.1"
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._ready = folder / "ready"
        seed_file = folder / "seed.json"
        seed_file.write_text(json.dumps(seed))
        arguments = ["entra_emulator", "--listen", f"{address}:0", "--tls-dir", str(folder)]
        arguments += ["--hostname", address]
        arguments += ["--ready-file", str(self._ready), "--seed", str(seed_file)]
        self.child = Child("the emulator", arguments, folder / "emulator.log", {})
        self.ca_file = folder / "ca.pem"
        self.url = self._wait()

    def _wait(self) -> str:
        deadline = time.monotonic() + 30
        while not self._ready.exists() or not self._ready.read_text().strip():
            self.child.check()
            if time.monotonic() > deadline:
                raise StackError(f"the emulator was not ready:\n{self.child.tail()}")
            time.sleep(0.05)
        url = self._ready.read_text().strip().rstrip("/")
        self.child.wait_until_ready(f"{url}/emulator/healthz", self.context(), 30)
        return url

    def context(self) -> ssl.SSLContext:
        """Return a TLS context that trusts the emulator."""
        return ssl.create_default_context(cafile=self.ca_file)

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Call the admin API below `/emulator`; return the decoded answer."""
        request = urllib.request.Request(  # noqa: S310 - https to ourselves
            f"{self.url}/emulator{path}",
            method=method,
            data=json.dumps(body).encode() if body is not None else None,
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10, context=self.context()) as answer:  # noqa: S310
            raw = answer.read()
        return json.loads(raw) if raw else None

    def credentials(self, client_id: str) -> list[dict[str, Any]]:
        """Return an application's password credentials without replica lag, and without values."""
        found: list[dict[str, Any]] = self.call("GET", f"/applications/{client_id}")[
            "passwordCredentials"
        ]
        return found


class OperatorProcess:
    """The operator as a process, with the rights of its own ServiceAccount.

    Attributes:
        arguments: the module that is started, and its arguments.
    """

    arguments: tuple[str, ...] = ("appcredential", "run")

    def __init__(
        self,
        cluster: Cluster,
        emulator: EmulatorProcess | None,
        folder: Path,
        settings: Mapping[str, str] = QUICK,
        name: str = "operator",
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        kubeconfig = cluster.service_account_kubeconfig(
            OPERATOR_NAMESPACE, OPERATOR_ACCOUNT, folder / f"{name}.kubeconfig"
        )
        self.token_file = folder / f"{name}.token"
        write_own_token(cluster, OPERATOR_NAMESPACE, self.token_file)
        env = {
            "KUBECONFIG": str(kubeconfig),
            "APPCREDENTIAL_SERVICE_ACCOUNT_TOKEN_FILE": str(self.token_file),
            "APPCREDENTIAL_NAMESPACE": OPERATOR_NAMESPACE,
            "APPCREDENTIAL_POD_NAME": name,
            "APPCREDENTIAL_HEALTH_ADDRESS": "127.0.0.1",
            "APPCREDENTIAL_HEALTH_PORT": "0",
            "APPCREDENTIAL_METRICS_PORT": "0",
            **settings,
        }
        if emulator is not None:
            env |= {
                "APPCREDENTIAL_CUSTOM_AUTHORITY": emulator.url,
                "APPCREDENTIAL_CUSTOM_GRAPH": emulator.url,
                "APPCREDENTIAL_CUSTOM_CA_FILE": str(emulator.ca_file),
            }
        self._folder, self._name, self._env = folder, name, env
        self._begins = 0
        self.child = self._start()

    def _start(self) -> Child:
        log = self._folder / f"{self._name}.log"
        return Child("the operator", self.arguments, log, self._env)

    def restart(self) -> None:
        """Start the process again after it ended."""
        self._begins = self.child.log.stat().st_size
        self.child = self._start()

    @property
    def health_url(self) -> str:
        """The base URL of /livez and /readyz; port 0 until the log names the port."""
        return self._url("health_port")

    @property
    def metrics_url(self) -> str:
        """The URL of /metrics; port 0 until the log names the port."""
        return f"{self._url('metrics_port')}/metrics"

    def _url(self, name: str) -> str:
        port = 0
        with self.child.log.open("rb") as log:
            log.seek(self._begins)  # what was before is of a process that has ended
            lines = log.read().decode(errors="replace").splitlines(keepends=True)
        for line in lines:
            if f'"{name}"' in line and line.endswith("\n"):
                port = int(json.loads(line)[name])
        return f"http://127.0.0.1:{port}"

    def wait_until_ready(self, seconds: float = 60) -> None:
        """Wait for /readyz."""
        deadline = time.monotonic() + seconds
        while self.health_url.endswith(":0"):
            self.child.check()
            if time.monotonic() > deadline:
                raise StackError(f"the operator did not start:\n{self.child.tail()}")
            time.sleep(0.1)
        self.child.wait_until_ready(f"{self.health_url}/readyz", None, seconds)

    def metrics(self) -> dict[str, float]:
        """Return all samples of /metrics, each under its name with its labels."""
        url = self.metrics_url
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310
            lines = answer.read().decode().splitlines()
        samples = [line.rsplit(" ", 1) for line in lines if line and not line.startswith("#")]
        return {name: float(value) for name, value in samples}


def write_own_token(cluster: Cluster, namespace: str, path: Path) -> None:
    """Write the operator's ServiceAccount token, which a kubelet would mount and renew."""
    path.touch(mode=0o600)
    path.write_text(cluster.service_account_token(namespace, OPERATOR_ACCOUNT))


class Stack:
    """The whole installation: started in order, and removed again."""

    def __init__(
        self,
        seed: Mapping[str, Any],
        settings: Mapping[str, str] = QUICK,
        progress: Callable[[str], None] = lambda _line: None,
        process: type[OperatorProcess] = OperatorProcess,
    ) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="appcredential-")
        self.folder = Path(self._folder.name)
        self._progress = progress
        self._seed = seed
        self._settings = settings
        self._process = process
        self.cluster = Cluster(progress=progress)

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _start(self) -> None:
        self.cluster.start()
        self._progress("installing the custom resource definitions and the operator's rights")
        self.cluster.install_crds(CRDS)
        self.cluster.kubectl("apply", "--server-side", "-f", RBAC)
        self._progress("starting the Entra emulator")
        self.emulator = EmulatorProcess(self.folder / "entra", self._seed)
        add_cluster_issuer(self.cluster, self.emulator)
        self._make_identity()
        self._progress("starting the operator")
        self.operator = self._process(
            self.cluster, self.emulator, self.folder / "operator", self._settings
        )
        self.operator.wait_until_ready()

    def _make_identity(self) -> None:
        """Create the Secret with the operator's own credential, which the EntraTenant names."""
        manifest = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "operator-identity", "namespace": OPERATOR_NAMESPACE},
            "stringData": {"clientSecret": OPERATOR_SECRET},
        }
        self.cluster.kubectl("apply", "--server-side", "-f", "-", input=json.dumps(manifest))

    def stop(self) -> None:
        """Stop the processes and the cluster, and remove their files."""
        for name in ("operator", "emulator"):
            part = getattr(self, name, None)
            if part is not None:
                part.child.stop()
        self.cluster.stop()
        self._folder.cleanup()
