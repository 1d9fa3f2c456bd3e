"""A real Prometheus that reads operators and evaluates the chart's rules."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.process.waiting import wait_for

BINARY = shutil.which("prometheus")


@dataclass(frozen=True, slots=True)
class Series:
    """One series of an answer: its labels and its samples, each a time and a number."""

    labels: dict[str, str]
    samples: list[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Prometheus:
    """A running Prometheus."""

    url: str
    log: Path

    def query(self, expr: str) -> list[Series]:
        """Evaluate an expression now; fail if it is none."""
        answer = self._get("query", query=expr)
        assert answer["status"] == "success", answer
        return [
            Series(one["metric"], [(t, float(v)) for t, v in one.get("values") or [one["value"]]])
            for one in answer["data"]["result"]
        ]

    def alerts(self) -> list[dict[str, Any]]:
        """Return the alerts that are pending or firing, with their texts."""
        return list(self._get("alerts")["data"]["alerts"])

    def began(self, **labels: str) -> dict[str, float]:
        """Return since when each alert with these labels has been firing, by its name."""
        wanted = "".join(f',{name}="{value}"' for name, value in labels.items())
        found = self.query(f'ALERTS{{alertstate="firing"{wanted}}}[15m]')
        return {one.labels["alertname"]: one.samples[0][0] for one in found}

    def tail(self) -> str:
        """Return the last lines of its output."""
        return self.log.read_text(errors="replace")[-2000:]

    def _get(self, what: str, **words: str) -> Any:
        address = f"{self.url}/api/v1/{what}?{urllib.parse.urlencode(words)}"
        try:
            with urllib.request.urlopen(address, timeout=10) as answer:  # noqa: S310
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return json.loads(error.read())


@contextmanager
def prometheus(
    folder: Path, targets: Iterable[str], groups: list[dict[str, Any]]
) -> Iterator[Prometheus]:
    """Run Prometheus in a folder; wait until it answers, and end it afterwards.

    Args:
        folder: for its files.
        targets: host and port of what it reads, once a second.
        groups: of rules.
    """
    folder.mkdir(parents=True)
    (folder / "rules.yaml").write_text(yaml.safe_dump({"groups": groups}))
    job = {
        "job_name": "appcredential",
        "honor_labels": True,
        "static_configs": [{"targets": list(targets)}],
    }
    intervals = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config = {"global": intervals, "rule_files": ["rules.yaml"], "scrape_configs": [job]}
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{held.getsockname()[1]}"
    running = Prometheus(f"http://{address}", folder / "log")
    with running.log.open("wb") as output:
        process = subprocess.Popen(
            [
                str(BINARY),
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address={address}",
            ],
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_for(lambda: _is_ready(running.url), "Prometheus", 30, running.tail)
        yield running
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/-/ready", timeout=2) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except OSError:
        return False
