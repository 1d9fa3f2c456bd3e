"""The command line of every component."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path

from localcluster.binaries import Binaries
from localcluster.pki import SERVER_NAMES, Authority, KeyPair, write_service_account_keys

Command = list[str | Path]
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Ports:
    """Loopback ports that were free a moment ago, and where the API server listens."""

    apiserver: int
    etcd: int
    etcd_peer: int
    address: str


def free_ports(address: str = LOOPBACK) -> Ports:
    """Ask the kernel; all are held at once, so that they differ."""
    sockets = [socket.socket() for _ in range(3)]
    try:
        for each in sockets:
            each.bind((LOOPBACK, 0))
        first, second, third = (int(each.getsockname()[1]) for each in sockets)
    finally:
        for each in sockets:
            each.close()
    return Ports(apiserver=first, etcd=second, etcd_peer=third, address=address)


@dataclass(frozen=True, slots=True)
class Credentials:
    """All keys of one cluster."""

    authority: Authority
    ca_file: Path
    server: KeyPair
    service_accounts: KeyPair
    admin: KeyPair
    controller_manager: KeyPair
    scheduler: KeyPair


def make_credentials(folder: Path, address: str = LOOPBACK) -> Credentials:
    """Write a new authority and what it issues into the folder; the server's is for `address`."""
    authority = Authority(folder)
    return Credentials(
        authority=authority,
        ca_file=authority.file,
        server=authority.issue("kube-apiserver", serves=sorted({*SERVER_NAMES, address})),
        service_accounts=write_service_account_keys(folder),
        admin=authority.issue("localcluster-admin", organisation="system:masters"),
        controller_manager=authority.issue("system:kube-controller-manager"),
        scheduler=authority.issue("system:kube-scheduler"),
    )


def etcd(binaries: Binaries, keys: Credentials, ports: Ports, folder: Path) -> Command:
    """No fsync: the data lives as long as the cluster. TLS, or any local user reads Secrets."""
    client, peer = (f"https://{LOOPBACK}:{port}" for port in (ports.etcd, ports.etcd_peer))
    return [
        binaries.etcd,
        "--name=localcluster",
        f"--data-dir={folder}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=localcluster={peer}",
        f"--cert-file={keys.server.certificate}",
        f"--key-file={keys.server.key}",
        f"--trusted-ca-file={keys.ca_file}",
        "--client-cert-auth",
        f"--peer-cert-file={keys.server.certificate}",
        f"--peer-key-file={keys.server.key}",
        f"--peer-trusted-ca-file={keys.ca_file}",
        "--peer-client-cert-auth",
        "--unsafe-no-fsync",
        "--log-level=error",
    ]


@dataclass(frozen=True, slots=True)
class Issuing:
    """Who issues ServiceAccount tokens: the first signs, tokens of the others are still known."""

    issuers: tuple[str, ...]
    keys: tuple[KeyPair, ...]

    def flags(self) -> Command:
        """Return what the API server is told of it."""
        issuers = [f"--service-account-issuer={issuer}" for issuer in self.issuers]
        known = [f"--service-account-key-file={key.certificate}" for key in self.keys]
        return [*issuers, *known, f"--service-account-signing-key-file={self.keys[0].key}"]


def apiserver(binaries: Binaries, keys: Credentials, ports: Ports, issuing: Issuing) -> Command:
    """Authorisation is on, as in a cluster that matters."""
    return [
        binaries.apiserver,
        f"--bind-address={ports.address}",
        f"--advertise-address={ports.address}",
        f"--secure-port={ports.apiserver}",
        f"--etcd-servers=https://{LOOPBACK}:{ports.etcd}",
        f"--etcd-cafile={keys.ca_file}",
        f"--etcd-certfile={keys.server.certificate}",
        f"--etcd-keyfile={keys.server.key}",
        f"--tls-cert-file={keys.server.certificate}",
        f"--tls-private-key-file={keys.server.key}",
        f"--client-ca-file={keys.ca_file}",
        *issuing.flags(),
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--service-cluster-ip-range=10.96.0.0/16",
        *_for_nodes(keys, ports),
        "--allow-privileged=true",
        "--profiling=false",
    ]


def _for_nodes(keys: Credentials, ports: Ports) -> Command:
    if ports.address == LOOPBACK:
        # A loopback address may not be an endpoint of the Service `kubernetes`.
        return ["--endpoint-reconciler-type=none"]
    return [
        f"--kubelet-certificate-authority={keys.ca_file}",
        f"--kubelet-client-certificate={keys.admin.certificate}",
        f"--kubelet-client-key={keys.admin.key}",
        "--kubelet-preferred-address-types=InternalIP",
    ]


def controller_manager(binaries: Binaries, keys: Credentials, kubeconfig: Path) -> Command:
    """Makes ServiceAccounts, root CA ConfigMaps and garbage collection work."""
    return [
        binaries.controller_manager,
        f"--kubeconfig={kubeconfig}",
        f"--service-account-private-key-file={keys.service_accounts.key}",
        f"--root-ca-file={keys.ca_file}",
        "--use-service-account-credentials=true",
        # The default of 20 a second makes its own start wait for four seconds.
        "--kube-api-qps=500",
        "--kube-api-burst=1000",
        "--leader-elect=false",
        "--secure-port=0",
        "--profiling=false",
    ]


def scheduler(binaries: Binaries, kubeconfig: Path) -> Command:
    """Only for those who bring nodes."""
    return [
        binaries.scheduler,
        f"--kubeconfig={kubeconfig}",
        "--leader-elect=false",
        "--secure-port=0",
        "--profiling=false",
    ]
