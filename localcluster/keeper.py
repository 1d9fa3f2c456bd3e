"""The background process that `up` starts: it holds one cluster until SIGTERM."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from dataclasses import asdict

from localcluster.cluster import Cluster
from localcluster.detached import READY, Keeper, State
from localcluster.errors import ClusterError

WATCH_SECONDS = 2.0


def keep(*, scheduler: bool, node: bool) -> int:
    """Start a cluster, announce it on standard output, and stay until SIGTERM or a crash."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    keeper = Keeper()
    if not keeper.take_lock():
        print("another cluster is running", file=sys.stderr)
        return 1
    try:
        with Cluster(scheduler=scheduler, node=node, progress=_say) as cluster:
            _announce(keeper, cluster)
            while not stop.wait(WATCH_SECONDS):
                cluster.check()
    except ClusterError as error:
        # Standard error is the log that `up` and `status` show.
        print(error, file=sys.stderr)
        return 1
    finally:
        keeper.forget()
    return 0


def _say(line: str) -> None:
    print(line, flush=True)


def _announce(keeper: Keeper, cluster: Cluster) -> None:
    state = State(
        pid=os.getpid(),
        server=cluster.server,
        kubeconfig=str(cluster.kubeconfig),
        kubectl=str(cluster.binaries.kubectl),
        folder=str(cluster.folder),
        components=cluster.pids,
    )
    keeper.publish(state)
    _say(READY + json.dumps(asdict(state)))
    # Nobody reads standard output from here on, and a write to a closed pipe would end us.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
