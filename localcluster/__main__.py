"""`python -m localcluster`: a local Kubernetes cluster from the command line."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from localcluster.binaries import locate, version_of
from localcluster.detached import Keeper, State
from localcluster.errors import ClusterError
from localcluster.helm import locate_helm
from localcluster.keeper import keep
from localcluster.node.binaries import locate_node
from localcluster.node.capabilities import assert_capable
from localcluster.node.node import first_process, load_images
from localcluster.progress import to_stderr
from localcluster.tools import TOOLS, locate_tool

NOT_RUNNING = "no cluster is running; start one with: python -m localcluster up"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit status."""
    options = _parser().parse_args(arguments)
    commands: dict[str, Callable[[], int]] = {
        "build": _build,
        "helm": _helm,
        "tool": lambda: _tool(options.name),
        "capable": _capable,
        "up": lambda: _up(scheduler=options.scheduler, node=options.node),
        "keep": lambda: keep(scheduler=options.scheduler, node=options.node),
        "load": lambda: _load(options.archives),
        "down": _down,
        "status": _status,
        "kubectl": lambda: _kubectl(options.rest),
    }
    try:
        return commands[options.command]()
    except ClusterError as error:
        to_stderr(f"error: {error}")
        return 1
    except KeyboardInterrupt:
        to_stderr("interrupted")
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m localcluster",
        description="A real Kubernetes control plane on this machine.",
        epilog="Settings: KUBEBUILDER_ASSETS names a folder with etcd, kube-apiserver and "
        "kubectl; APPCREDENTIAL_CACHE replaces ~/.cache/appcredential.",
    )
    commands = parser.add_subparsers(
        dest="command", required=True, metavar="build|helm|tool|capable|up|load|down|status|kubectl"
    )
    commands.add_parser("build", help="build the binaries (once; about six minutes on two cores)")
    commands.add_parser(
        "helm", help="build helm (once; 90 seconds on two cores) and print its path"
    )
    tool = commands.add_parser(
        "tool", help="build a program that checks or publishes (once) and print its path"
    )
    tool.add_argument("name", choices=sorted(TOOLS))
    commands.add_parser("capable", help="check whether a node can run here; status 1 if not")
    up = commands.add_parser("up", help="start in the background and print exports for the shell")
    up.add_argument("--scheduler", action="store_true", help="also start kube-scheduler")
    up.add_argument(
        "--node", action="store_true", help="also start a node that runs pods; needs root"
    )
    load = commands.add_parser("load", help="load image archives into the node")
    load.add_argument("archives", nargs="+", type=Path, metavar="archive")
    commands.add_parser("down", help="stop and remove everything")
    commands.add_parser("status", help="show the running processes; status 3 if there are none")
    kubectl = commands.add_parser("kubectl", help="run kubectl as the administrator: kubectl -- …")
    kubectl.add_argument("rest", nargs=argparse.REMAINDER)
    # The background process that `up` starts. People do not call it, so it has no help.
    keeping = commands.add_parser("keep")
    keeping.add_argument("--scheduler", action="store_true")
    keeping.add_argument("--node", action="store_true")
    return parser


def _build() -> int:
    binaries = locate(to_stderr)
    to_stderr(f"Kubernetes {version_of(binaries.apiserver)} is in {binaries.folder}")
    return 0


def _helm() -> int:
    print(locate_helm(to_stderr))
    return 0


def _tool(name: str) -> int:
    print(locate_tool(name, to_stderr))
    return 0


def _capable() -> int:
    assert_capable()
    to_stderr("this machine can run a node")
    return 0


def _up(*, scheduler: bool, node: bool) -> int:
    keeper = Keeper()
    with keeper.alone(to_stderr):
        state = keeper.state()
        if state is None:
            # Build in the foreground, where Ctrl-C works.
            if node:
                assert_capable()
                locate_node(to_stderr)
            locate(to_stderr)
            state = keeper.start(scheduler=scheduler, node=node, progress=to_stderr)
        else:
            to_stderr(f"already up at {state.server}")
            wanted = {"kube-scheduler": scheduler, "kubelet": node}
            for name in (name for name, asked in wanted.items() if asked):
                if name not in state.components:
                    to_stderr(f"note: it runs without a {name}; run down first to change that")
    folder = shlex.quote(str(Path(state.kubectl).parent))
    print(f'export PATH={folder}:"$PATH"')
    print(f"export KUBECONFIG={shlex.quote(state.kubeconfig)}")
    if sys.stdout.isatty():
        to_stderr('paste these lines, or run: eval "$(python -m localcluster up)"')
    return 0


def _load(archives: list[Path]) -> int:
    state = Keeper().state()
    if state is None or "kubelet" not in state.components:
        raise ClusterError("no node is running; start one with: python -m localcluster up --node")
    for archive in archives:
        load_images(first_process(Path(state.folder)), archive.absolute())
    return 0


def _down() -> int:
    keeper = Keeper()
    with keeper.alone(to_stderr):
        stopped = keeper.stop()
    to_stderr("stopped" if stopped else "no cluster was running")
    return 0


def _status() -> int:
    keeper = Keeper()
    state = keeper.state()
    if state is None:
        to_stderr(NOT_RUNNING)
        if words := keeper.last_words():
            to_stderr(f"the last one ended by itself:\n{words}")
        return 3
    print(f"server      {state.server}")
    print(f"kubeconfig  {state.kubeconfig}")
    for name, pid in state.components.items():
        print(f"process     {name} ({pid})")
    return 0


def _kubectl(rest: list[str]) -> int:
    state = Keeper().state()
    if state is None:
        raise ClusterError(NOT_RUNNING)
    words = rest[1:] if rest[:1] == ["--"] else rest
    os.execve(state.kubectl, ["kubectl", *words], _environment(state))  # noqa: S606 - no shell wanted


def _environment(state: State) -> dict[str, str]:
    cache = str(Path(state.folder) / "kubectl-cache")
    return {**os.environ, "KUBECONFIG": state.kubeconfig, "KUBECACHEDIR": cache}


if __name__ == "__main__":
    sys.exit(main())
