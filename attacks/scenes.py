"""The attacks, each from the hands of who can mount it, and what became of it."""

from __future__ import annotations

import resource
import socket
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from attacks import material
from attacks.field import ATTACKER, STRANGER, Field, resources

_KEY_SOURCES: Final = ("inline", "ConfigMap", "tls.key")
_MANY: Final = 300
_HALF_OPEN: Final = 2000
_MANIFESTS: Final = 1300
_SIZES: Final = (8000, 4000, 2000, 1000)


@dataclass(frozen=True, slots=True)
class Attack:
    """One attack.

    Attributes:
        mount: begins it, and returns what the API server said where that is of interest.
        seconds: for how long the others are watched.
        end: returns what became of it.
    """

    name: str
    mount: Callable[[Field], str]
    seconds: float
    end: Callable[[Field], str]


def attacks() -> list[Attack]:
    """Return all of them, in the order in which they are mounted."""
    found = [Attack("none", lambda _: "", 10, lambda _: "")]
    for bits in material.RSA_SIZES:
        found += [_key(bits, source, STRANGER) for source in _KEY_SOURCES]
        found.append(_key(bits, "tls.key", ATTACKER))
    found += [
        Attack("encrypted key, 2^31 rounds, granted", _encrypted, 12, _reasons(ATTACKER)),
        Attack("PFX source, 2^31 MAC rounds, granted", _pfx(2**31 - 1), 6, _reasons(ATTACKER)),
        Attack("PFX source at the bound, granted", _pfx(500_000), 6, _reasons(ATTACKER)),
        Attack("keystore.p12, 150 M MAC rounds in T", _keystore, 20, _reasons(ATTACKER)),
        Attack("32 keys x 682 $(jwk)", _references, 15, _reasons(ATTACKER)),
        Attack(f"{_MANY} on one application", _crowd, 60, _reasons(ATTACKER)),
        Attack(f"{_MANY} created and deleted", _churn, 40, _revocations),
        Attack(
            f"{_MANIFESTS} manifests at the bounds, no grant", _manifests, 15, _reasons(STRANGER)
        ),
        Attack(f"{_HALF_OPEN} half-open requests, probe port", _half_open(0), 15, _opened),
        Attack(f"{_HALF_OPEN} half-open requests, metrics port", _half_open(1), 15, _opened),
        Attack("restart under the biggest key, granted", _restart, 20, _reasons(ATTACKER)),
    ]
    return found


def _reasons(namespace: str) -> Callable[[Field], str]:
    def told(field: Field) -> str:
        return spelled(field.reasons(namespace))

    return told


def spelled(counts: Mapping[str, int]) -> str:
    """Return counts as `3 Published, 1 NotGranted`."""
    ordered = Counter(counts).most_common()
    return ", ".join(f"{number} {reason}" for reason, number in ordered) or "nothing"


def said(answers: Counter[int]) -> str:
    """Return how the API server took what was applied; empty when it took all."""
    refused = {f"refused with {status}": n for status, n in answers.items() if status >= 300}
    return spelled(refused) if refused else ""


# --- keys -----------------------------------------------------------------------------------


def _key(bits: int, source: str, namespace: str) -> Attack:
    grant = "granted" if namespace == ATTACKER else "no grant"
    return Attack(
        f"RSA {bits} {source}, {grant}",
        lambda field: _apply_key(field, namespace, source, material.big_rsa(bits)),
        6,
        _reasons(namespace),
    )


def _apply_key(field: Field, namespace: str, source: str, text: str) -> str:
    core, name = f"/api/v1/namespaces/{namespace}", f"source-{time.monotonic_ns()}"
    end = text.index("-----BEGIN", 1)
    reference = {"name": name, "key": "tls.crt"}
    if source == "inline":
        certificate: dict[str, Any] = {"source": "Inline", "inline": text[:end]}
    elif source == "ConfigMap":
        field.create(f"{core}/configmaps", name, {"data": {"tls.crt": text}})
        certificate = {"source": "ConfigMap", "configMapKeyRef": reference}
    else:
        parts = {"tls.crt": text[:end], "tls.key": text[end:]}
        data = {key: material.encoded(part) for key, part in parts.items()}
        field.create(f"{core}/secrets", name, {"type": "kubernetes.io/tls", "data": data})
        certificate = {"source": "Secret", "secretKeyRef": reference}
    status, _ = field.apply(namespace, f"of-{name}", type="Certificate", certificate=certificate)
    return said(Counter([status]))


def _encrypted(field: Field) -> str:
    text = material.big_rsa(min(material.RSA_SIZES))
    certificate = text[: text.index("-----BEGIN", 1)]
    return _apply_key(field, ATTACKER, "tls.key", certificate + material.encrypted_key(2**31))


def _pfx(rounds: int) -> Callable[[Field], str]:
    def mount(field: Field) -> str:
        core, name = f"/api/v1/namespaces/{ATTACKER}", f"source-{time.monotonic_ns()}"
        data = {"a.pfx": material.encoded(material.keystore(rounds))}
        field.create(f"{core}/secrets", name, {"type": "Opaque", "data": data})
        certificate = {"source": "Secret", "secretKeyRef": {"name": name, "key": "a.pfx"}}
        wanted = {"type": "Certificate", "certificate": certificate}
        status, _ = field.apply(ATTACKER, f"of-{name}", **wanted)
        return said(Counter([status]))

    return mount


def _restart(field: Field) -> str:
    told = _apply_key(field, ATTACKER, "tls.key", material.big_rsa(max(material.RSA_SIZES)))
    field.restart()
    return told


# --- what is rendered -----------------------------------------------------------------------


def _keystore(field: Field) -> str:
    core = f"/api/v1/namespaces/{ATTACKER}"
    field.create(
        f"{core}/secrets",
        "password",
        {"type": "Opaque", "data": {"password": material.encoded("x" * 24)}},
    )
    pkcs12 = {"passwordSecretKeyRef": {"name": "password", "key": "password"}}
    status, _ = field.apply(
        ATTACKER, "store", type="Certificate", certificate={"keystore": {"pkcs12": pkcs12}}
    )
    path = field.secret(ATTACKER, "store")
    for _ in range(150):
        target = field.get(path)
        if target.get("data"):
            break
        time.sleep(0.1)
    else:
        return said(Counter([status])) or "never published"
    target["data"]["keystore.p12"] = material.encoded(material.keystore(150_000_000))
    field.put(path, target)
    return "edited"


def _references(field: Field) -> str:
    data = {f"k{number}": {"value": "$(jwk)" * 682} for number in range(32)}
    status, _ = field.apply(
        ATTACKER,
        "wide",
        type="Certificate",
        certificate={"privateKey": {"algorithm": "RSA", "size": 4096}},
        secret={"data": data},
    )
    return said(Counter([status]))


# --- many -----------------------------------------------------------------------------------


def _crowd(field: Field) -> str:
    answers = Counter(field.apply(ATTACKER, f"crowd-{n}")[0] for n in range(_MANY))
    return said(answers)


def _churn(field: Field) -> str:
    answers = Counter(field.apply(ATTACKER, f"churn-{n}")[0] for n in range(_MANY))
    field.clear(ATTACKER)
    return said(answers)


def _revocations(field: Field) -> str:
    return f"{field.open_revocations()} revocations scheduled"


def _manifests(field: Field) -> str:
    """Send the largest ones, and where the API server refuses them, the largest it takes."""
    size = next((s for s in _SIZES if _manifest(field, 0, s) < 300), 0)
    if not size:
        return "refused at any size"
    answers: Counter[int] = Counter()
    end = time.monotonic() + 40
    while answers.total() < _MANIFESTS and time.monotonic() < end:
        answers[_manifest(field, answers.total() + 1, size)] += 1
    return f"{answers[201]} of {32 * size // 1000} KB"


def _manifest(field: Field, number: int, size: int) -> int:
    data = {f"k{key}": {"value": "x" * size} for key in range(32)}
    return field.apply(STRANGER, f"wide-{number}", secret={"data": data})[0]


# --- connections ----------------------------------------------------------------------------

_open: list[socket.socket] = []


def _half_open(index: int) -> Callable[[Field], str]:
    def mount(field: Field) -> str:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 3 * _HALF_OPEN)), hard))
        port, refused = field.ports()[index], 0
        for _ in range(_HALF_OPEN):
            try:
                connection = socket.create_connection(("127.0.0.1", port), timeout=1)
                connection.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n")
            except OSError:
                refused += 1
                continue
            _open.append(connection)
        return f"{refused} refused"

    return mount


def _opened(_field: Field) -> str:
    """Close all, and return how many the operator had kept."""
    kept = 0
    for connection in _open:
        connection.settimeout(0)
        try:
            kept += connection.recv(4096) == b"?"  # nothing is answered to half a request
        except BlockingIOError:
            kept += 1
        except OSError:
            pass
        connection.close()
    _open.clear()
    return f"{kept} of {_HALF_OPEN} still open"


def tidy(field: Field) -> None:
    """Delete what the attackers applied, and give the operator a moment for that."""
    for namespace in (ATTACKER, STRANGER):
        field.clear(namespace)
    end = time.monotonic() + 8
    while time.monotonic() < end:
        if not any(field.get(resources(n)).get("items") for n in (ATTACKER, STRANGER)):
            return
        time.sleep(0.5)
