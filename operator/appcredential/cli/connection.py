"""Requests to the API server as the person of a kubeconfig: JSON in, JSON out.

The synchronous client of the library does: a command asks one thing after the other, and
needs neither aiohttp nor an event loop.
"""

from __future__ import annotations

import binascii
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import urllib3
import yaml
from kubernetes import client, config

from appcredential import __version__
from appcredential.cli.errors import CliError, NoAnswerError
from appcredential.cli.refusals import refusal
from appcredential.cli.text import plain
from appcredential.domain.clock_skew import http_date

JSON: Final = "application/json"
MERGE_PATCH: Final = "application/merge-patch+json"
_TIMEOUT: Final = (10, 60)
_LARGEST: Final = 128 * 1024 * 1024
_CHUNK: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Access:
    """As whom, and where; what is empty is the kubeconfig's own."""

    kubeconfig: str = ""
    context: str = ""
    namespace: str = ""
    user: str = ""
    groups: tuple[str, ...] = ()


class Connection:
    """Requests to one API server."""

    def __init__(self, access: Access) -> None:
        """Read the kubeconfig; nothing is sent yet.

        Raises:
            CliError: it is missing or cannot be used.
        """
        self._configuration = client.Configuration()
        # Neither retries, of which the library tells on stderr, nor redirects, which a token must
        # not follow.
        self._configuration.retries = False
        of_context = _configure(self._configuration, access)
        _check_address(str(self._configuration.host))
        self.namespace = access.namespace or of_context or "default"
        self._api = client.ApiClient(self._configuration)
        self._headers = {"User-Agent": f"kubectl-appcredential/{__version__}"}
        if access.user:
            self._headers["Impersonate-User"] = access.user
        self._groups = access.groups
        self._ahead = timedelta(0)

    def now(self) -> datetime:
        """Return the API server's time; this machine's before the first answer."""
        return datetime.now(UTC) + self._ahead

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Sequence[tuple[str, str]] = (),
        body: Mapping[str, Any] | None = None,
        accept: str = JSON,
    ) -> dict[str, Any]:
        """Send one request and return the decoded answer.

        Raises:
            CliError: it failed; the class says how, the message why, in one line.
        """
        sent = MERGE_PATCH if method == "PATCH" else JSON
        headers = {**self._headers, "Accept": accept, **({"Content-Type": sent} if body else {})}
        params = self._api.param_serialize(
            method,
            path,
            query_params=list(query),
            header_params=headers,
            body=body,
            auth_settings=["BearerToken"],
        )
        method, url, sent_headers, sent_body, _ = params
        all_headers = urllib3.HTTPHeaderDict(sent_headers)
        for group in self._groups:
            all_headers.add("Impersonate-Group", group)
        try:
            answer = self._api.call_api(
                method, url, all_headers, sent_body, _request_timeout=_TIMEOUT
            ).response
            raw = b""
            for chunk in answer.stream(_CHUNK):
                raw += chunk
                if len(raw) > _LARGEST:
                    raise CliError("The API server's answer is too large: narrow it by -n or -l.")
        except (urllib3.exceptions.HTTPError, client.ApiException, OSError) as exc:
            raise NoAnswerError(self._unreachable(exc)) from exc
        self._note_time(answer.headers.get("Date"))
        return self._decoded(method, path, answer.status, raw)

    def _decoded(self, method: str, path: str, status: int, raw: bytes) -> dict[str, Any]:
        try:
            document = json.loads(raw)
        except (ValueError, RecursionError):
            document = None
        if not 200 <= status < 300:
            raise refusal(status, document if isinstance(document, dict) else {}, method, path)
        if not isinstance(document, dict):
            host = plain(self._configuration.host)
            raise CliError(f"{host} does not answer as a Kubernetes API server does.")
        return document

    def _unreachable(self, error: Exception) -> str:
        host = plain(self._configuration.host)
        cause = getattr(error, "reason", None) or error
        why = plain(str(cause)).rpartition("object at 0x")[2].partition(">: ")[2]
        return f"No answer from the API server at {host}: {why or plain(str(cause))}"

    def _note_time(self, date: str | None) -> None:
        time = http_date(date or "")
        if time is not None:
            # A Date has whole seconds, so this is never ahead of the API server: a credential that
            # is issued right after a rotation was asked for was not issued before that.
            self._ahead = time - datetime.now(UTC)


def _configure(configuration: Any, access: Access) -> str:
    """Fill a configuration; return the namespace of its context."""
    where = access.kubeconfig or os.environ.get("KUBECONFIG") or config.KUBE_CONFIG_DEFAULT_LOCATION
    try:
        if not access.kubeconfig and not access.context and _is_in_cluster(where):
            config.load_incluster_config(client_configuration=configuration)
            return ""
        contexts, active = config.list_kube_config_contexts(where)
        if access.context:
            active = next((c for c in contexts if c["name"] == access.context), active)
        config.load_kube_config(where, access.context or None, configuration)
        return str((active.get("context") or {}).get("namespace") or "")
    except (
        config.ConfigException,
        yaml.YAMLError,
        OSError,
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        binascii.Error,
    ) as exc:
        why = plain(str(exc)) or type(exc).__name__
        raise CliError(f"The kubeconfig {plain(where)} cannot be used: {why}") from exc


def _check_address(host: str) -> None:
    """Check the API server's address, about which the library would warn in its own words.

    Raises:
        CliError: it is none.
    """
    try:
        parts = urlsplit(host)
        is_address = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        is_address = False
    if not is_address:
        raise CliError(
            f"The kubeconfig's server {plain(host)!r} is no address: it begins with https://."
        )


def _is_in_cluster(kubeconfig: str) -> bool:
    """Return whether this is a pod without a kubeconfig, as kubectl judges it."""
    files = (Path(name).expanduser() for name in kubeconfig.split(os.pathsep))
    return "KUBERNETES_SERVICE_HOST" in os.environ and not any(file.exists() for file in files)
