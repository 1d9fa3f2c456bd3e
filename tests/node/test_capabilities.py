"""Each reason why a machine cannot run a node is told, with what a person can do."""

from __future__ import annotations

import os
import shutil
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from localcluster import ClusterError
from localcluster.node import capabilities, cgroups, network
from localcluster.node.capabilities import PROGRAMS, Machine, reasons

ABLE = Machine()


def test_an_able_machine_has_no_reason() -> None:
    assert reasons(ABLE) == []


@pytest.mark.parametrize(
    ("machine", "says"),
    [
        (Machine(linux=False), ["a node needs Linux"]),
        (Machine(root=False), ["a node needs root"]),
        (
            Machine(programs=frozenset(PROGRAMS) - {"ctr", "containerd", "iptables"}),
            ["not installed: containerd, iptables (on Debian: make node-packages)"],
        ),
        (
            Machine(controllers=frozenset()),
            ["no writable cgroup of version 1 for cpu, cpuacct, cpuset, memory, "],
        ),
        (
            Machine(controllers=frozenset(cgroups.NEEDED) - {"pids"}),
            ["no writable cgroup of version 1 for pids: "],
        ),
        (
            Machine(refused={"a pair of linked devices (veth)": "Operation not supported"}),
            ["the kernel refuses a pair of linked devices (veth): Operation not supported"],
        ),
        (
            Machine(controllers=frozenset(), refused={"a file system over another": "no"}),
            ["no writable cgroup", "the kernel refuses a file system over another: no"],
        ),
    ],
)
def test_each_reason(machine: Machine, says: list[str]) -> None:
    found = reasons(machine)
    assert len(found) == len(says)
    assert all(text.startswith(start) for text, start in zip(found, says, strict=True))


MOUNTS = """\
30 20 0:26 / /sys/fs/cgroup ro - tmpfs tmpfs rw
31 30 0:27 / /sys/fs/cgroup/memory rw,nosuid shared:5 - cgroup cgroup rw,memory
32 30 0:28 /box /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
33 30 0:29 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd
34 30 0:30 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
"""
OWN = "4:memory:/user/me\n3:cpu,cpuacct:/box/inner\n2:name=systemd:/\n0::/\n"


def test_hierarchies_are_found_where_they_are_mounted() -> None:
    assert cgroups.hierarchies(MOUNTS, OWN) == [
        cgroups.Hierarchy(("memory",), Path("/sys/fs/cgroup/memory/user/me")),
        cgroups.Hierarchy(("cpu", "cpuacct"), Path("/sys/fs/cgroup/cpu,cpuacct/inner")),
        cgroups.Hierarchy(("name=systemd",), Path("/sys/fs/cgroup/systemd")),
    ]


def test_a_group_outside_of_what_is_mounted_is_not_ours_to_use() -> None:
    assert cgroups.hierarchies(MOUNTS, "3:cpu,cpuacct:/elsewhere\n") == []


def test_version_2_alone_has_no_hierarchies() -> None:
    assert cgroups.hierarchies("30 20 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n", OWN) == []


def test_addresses_that_the_machine_routes_are_not_taken() -> None:
    first = network.free_subnet(["default", "10.0.0.0/8", "192.168.7.3", "fd00::/64"])
    assert first == IPv4Network("198.18.0.0/30")
    assert network.free_subnet(["198.18.0.1", "198.18.0.4/30"]) == IPv4Network("198.18.0.8/30")


def test_no_address_left_is_told() -> None:
    with pytest.raises(ClusterError, match=r"routes to all of 198\.18\.0\.0/20"):
        network.free_subnet(["198.18.0.0/15"])


def test_what_the_kernel_refuses_is_found_by_trying(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda name: name)
    monkeypatch.setattr(capabilities, "_try", lambda namespaces, command: f"no {command[0]}")
    assert capabilities.look().refused == {
        "a pair of linked devices (veth)": "no ip",
        "rules for addresses (iptables nat)": "no iptables",
        "a file system over another (overlay)": "no mount",
    }


def test_a_refusal_is_told_in_the_words_of_who_refused() -> None:
    assert capabilities._try([], ["true"]) == ""
    assert "No such file" in capabilities._try([], ["ls", "/nowhere"])
    assert capabilities._try([], ["false"]) == "false ended with status 1"
