"""The programs of other languages that sign in, each made once per content of its sources."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import NoEncryption, pkcs12

from localcluster import gobuild
from localcluster.cache import cache_folder
from localcluster.errors import ClusterError
from localcluster.longrun import run_with_progress
from localcluster.progress import to_stderr
from tests.support.signin_go import SOURCES as GO_SOURCES
from tests.support.signin_go import azidentity_version, locate_signin

SOURCES: Final = GO_SOURCES.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """An identity library, and how its program is started and told whom to trust.

    `needs` names the command without which the program cannot be made here; `trusting` takes the
    CA's file and a folder for files of its own, and returns environment variables.
    """

    language: str
    library: str
    needs: str
    make: Callable[[], list[str]]
    trusting: Callable[[Path, Path], dict[str, str]]

    @property
    def name(self) -> str:
        """What the table calls it."""
        return f"{self.language}: {self.library}"

    @property
    def missing(self) -> bool:
        """Whether this machine cannot make the program."""
        return shutil.which(self.needs) is None

    def command(self) -> list[str]:
        """Return the command that signs in; make the program if it is missing.

        A test that asks for a program which cannot be made here is skipped.
        """
        if self.missing:
            pytest.skip(f"{self.needs} is not installed, so there is no {self.language} program")
        return self.make()


def _node() -> list[str]:
    install = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    folder = _made("javascript", ["package.json", "package-lock.json", "signin.mjs"], install)
    return ["node", str(folder / "signin.mjs")]


def _java() -> list[str]:
    build = ["mvn", "--batch-mode", "compile", "dependency:copy-dependencies"]
    folder = _made("java", ["pom.xml", "src/main/java/SignIn.java"], build) / "target"
    return ["java", "-cp", f"{folder / 'classes'}:{folder / 'dependency'}/*", "SignIn"]


def _made(language: str, names: Sequence[str], build: list[str]) -> Path:
    """Return a copy of the sources in the cache, in which the build command has run."""
    sources, cache = SOURCES / language, cache_folder()

    def fill(folder: Path) -> None:
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(sources / name, folder / name)
        title = f"building the {language} program (once; about a minute)"
        run_with_progress(title, build, dict(os.environ), to_stderr, folder=folder)

    waiting = f"another process is building the {language} program: waiting for it"
    name = f"signin-{language}-{gobuild.digest_of(sources, names)}"
    return gobuild.once(cache, name, to_stderr, waiting, fill)


def _variable(name: str) -> Callable[[Path, Path], dict[str, str]]:
    return lambda ca_file, _folder: {name: str(ca_file)}


def _trust_store(ca_file: Path, folder: Path) -> dict[str, str]:
    """Write the CA as the only entry of a trust store, which a JVM cannot read as PEM."""
    ca = x509.load_pem_x509_certificate(ca_file.read_bytes())
    entry = pkcs12.PKCS12Certificate(ca, b"emulator")
    store = folder / "trust.p12"
    store.write_bytes(pkcs12.serialize_java_truststore([entry], NoEncryption()))
    options = f"-Djavax.net.ssl.trustStore={store} -Djavax.net.ssl.trustStoreType=PKCS12"
    return {"JDK_JAVA_OPTIONS": options}


def _javascript_version() -> str:
    document = json.loads((SOURCES / "javascript" / "package.json").read_text())
    return str(document["dependencies"]["@azure/identity"])


def _java_version() -> str:
    pom = (SOURCES / "java" / "pom.xml").read_text()
    found = re.search(r"azure-identity</artifactId>\s*<version>([^<]+)", pom)
    assert found is not None
    return found.group(1)


GO: Final = Client(
    language="Go",
    library=f"azidentity {azidentity_version().removeprefix('v')}",
    needs=sys.executable,
    make=lambda: [str(locate_signin())],
    trusting=_variable("SSL_CERT_FILE"),
)
OTHERS: Final = (
    Client(
        language="Python",
        library=f"azure-identity {version('azure-identity')}",
        needs=sys.executable,
        make=lambda: [sys.executable, str(SOURCES / "python" / "signin.py")],
        trusting=_variable("REQUESTS_CA_BUNDLE"),
    ),
    Client(
        language="JavaScript",
        library=f"@azure/identity {_javascript_version()}",
        needs="npm",
        make=_node,
        trusting=_variable("NODE_EXTRA_CA_CERTS"),
    ),
    Client(
        language="Java",
        library=f"azure-identity {_java_version()}",
        needs="mvn",
        make=_java,
        trusting=_trust_store,
    ),
)


def main() -> int:
    """Make every program that can be made here, with progress; return the exit status."""
    try:
        for client in (GO, *OTHERS):
            if client.missing:
                to_stderr(f"{client.needs} is not installed: no {client.language} program")
            else:
                client.make()
    except ClusterError as error:
        to_stderr(f"error: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
