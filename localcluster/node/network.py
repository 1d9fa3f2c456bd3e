"""The link between the machine and the node, and its addresses."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, ip_network
from typing import Any

from localcluster.errors import ClusterError

#: Reserved for benchmarks (RFC 2544), so hardly any machine has a route to it.
RANGE = IPv4Network("198.18.0.0/20")
PODS = IPv4Network("10.244.0.0/24")
NODE_LINK = "node0"


@dataclass(frozen=True, slots=True)
class Network:
    """The link between the machine and the node: its name and its two addresses."""

    link: str
    subnet: IPv4Network

    @property
    def host(self) -> IPv4Address:
        """The machine's address on the link."""
        return self.subnet[1]

    @property
    def node(self) -> IPv4Address:
        """The node's address on the link."""
        return self.subnet[2]


def free_subnet(routed: Iterable[str]) -> IPv4Network:
    """Return a subnet without a route on this machine.

    Args:
        routed: destinations of routes, as in `ip -json route`; the default route does not count.

    Raises:
        ClusterError: the machine has routes to all of `RANGE`.
    """
    taken = [ip_network(each) for each in routed if each not in {"default", "0.0.0.0/0"}]
    for subnet in RANGE.subnets(new_prefix=30):
        if not any(subnet.overlaps(each) for each in taken if isinstance(each, IPv4Network)):
            return subnet
    raise ClusterError(f"the machine has routes to all of {RANGE}: no address is left for a node")


def choose(link: str) -> Network:
    """Return addresses that are free now."""
    routes = _ip("-4", "route", "show", "table", "all")
    return Network(link, free_subnet(route["dst"] for route in routes))


def connect(network: Network, pid: int) -> None:
    """Make the link to the network namespace of a process, and give both ends their addresses.

    Raises:
        ClusterError: traffic to the node would not go through the link.
    """
    _run("ip", "link", "add", network.link, "type", "veth", "peer", NODE_LINK, "netns", str(pid))
    _run("ip", "address", "add", f"{network.host}/30", "dev", network.link)
    _run("ip", "link", "set", network.link, "up")
    inside = ["nsenter", "--target", str(pid), "--net", "ip"]
    _run(*inside, "address", "add", f"{network.node}/30", "dev", NODE_LINK)
    _run(*inside, "link", "set", NODE_LINK, "up")
    _run(*inside, "route", "add", "default", "via", str(network.host))
    assert_reached_by_link(network)


def assert_reached_by_link(network: Network) -> None:
    """Raise `ClusterError` if traffic to the node would not go through the link."""
    (route,) = _ip("route", "get", str(network.node))
    if route.get("dev") != network.link:
        raise ClusterError(
            f"traffic to the node's address {network.node} would go through {route.get('dev')} and "
            f"not through our own link {network.link}: refusing to send anything there"
        )


def disconnect(link: str) -> None:
    """Remove the link; does nothing if it is gone already."""
    subprocess.run(["ip", "link", "delete", link], capture_output=True, check=False)


def _ip(*words: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(_run("ip", "-json", *words) or "[]")
    return found


def _run(*words: str) -> str:
    done = subprocess.run(words, capture_output=True, text=True, timeout=20, check=False)
    if done.returncode != 0:
        raise ClusterError(f"{' '.join(words)}: {done.stderr.strip()}")
    return done.stdout
