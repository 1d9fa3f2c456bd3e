"""The command lines of all components."""

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
    """Loopback ports that were free a moment ago, and the API server's address."""

    apiserver: int
    etcd: int
    etcd_peer: int
    address: str


def free_ports(address: str = LOOPBACK) -> Ports:
    """Ask the kernel for free ports; hold all of them at once, so that they differ."""
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
    """Write a new CA and its certificates into the folder; the API server's names `address`."""
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
    """Return etcd's command line.

    Without fsync, because the data dies with the cluster. With TLS, because otherwise any local
    user could read Secrets.
    """
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
    """Issuers and keys of ServiceAccount tokens: the first sign, the others are still accepted."""

    issuers: tuple[str, ...]
    keys: tuple[KeyPair, ...]

    def flags(self) -> Command:
        """Return the API server's flags."""
        issuers = [f"--service-account-issuer={issuer}" for issuer in self.issuers]
        known = [f"--service-account-key-file={key.certificate}" for key in self.keys]
        return [*issuers, *known, f"--service-account-signing-key-file={self.keys[0].key}"]


def apiserver(binaries: Binaries, keys: Credentials, ports: Ports, issuing: Issuing) -> Command:
    """Return the API server's command line, with authorization as in production."""
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
        # Kubernetes refuses a loopback address as endpoint of the Service `kubernetes`.
        return ["--endpoint-reconciler-type=none"]
    return [
        f"--kubelet-certificate-authority={keys.ca_file}",
        f"--kubelet-client-certificate={keys.admin.certificate}",
        f"--kubelet-client-key={keys.admin.key}",
        "--kubelet-preferred-address-types=InternalIP",
    ]


def controller_manager(binaries: Binaries, keys: Credentials, kubeconfig: Path) -> Command:
    """Return the command line of the controller manager.

    It makes ServiceAccounts, root CA ConfigMaps and garbage collection work.
    """
    return [
        binaries.controller_manager,
        f"--kubeconfig={kubeconfig}",
        f"--service-account-private-key-file={keys.service_accounts.key}",
        f"--root-ca-file={keys.ca_file}",
        "--use-service-account-credentials=true",
        # With the default of 20 requests a second its start takes four seconds longer.
        "--kube-api-qps=500",
        "--kube-api-burst=1000",
        "--leader-elect=false",
        "--secure-port=0",
        "--profiling=false",
    ]


def scheduler(binaries: Binaries, kubeconfig: Path) -> Command:
    """Return the scheduler's command line; only a cluster with nodes needs it."""
    return [
        binaries.scheduler,
        f"--kubeconfig={kubeconfig}",
        "--leader-elect=false",
        "--secure-port=0",
        "--profiling=false",
    ]
