"""What the commands read and write: AppCredentials, their Events, and the pods of a namespace."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from appcredential.cli.app_credential import AppCredential, Document
from appcredential.cli.connection import Connection
from appcredential.cli.errors import CliError, ExpiredListError
from appcredential.cli.text import plain
from appcredential.domain.pod_secrets import used_secrets

_ROOT: Final = "/apis/appcredential.io/v1alpha1"
_NAME: Final = re.compile(r"[a-z0-9]([-.a-z0-9]*[a-z0-9])?")
_PAGE: Final = 500
_MOST: Final = 100_000
_MOST_PAGES: Final = 1_000
"""Five times as many as full pages take: a page may be shorter, and a list may claim to go on."""
_TRIES: Final = 2
_EVENTS: Final = 5
_FINISHED: Final = "status.phase!=Succeeded,status.phase!=Failed"

Progress = Callable[[int, int | None], None]
"""Called after each page with what was read, and how many remain if the API server says so."""


def unseen(_read: int, _remaining: int | None) -> None:
    """Show no progress."""


class Api:
    """The objects of one API server."""

    def __init__(self, connection: Connection) -> None:
        """Use a connection.

        Raises:
            CliError: its namespace has a name that no namespace can have.
        """
        if not _NAME.fullmatch(connection.namespace):
            raise CliError(f"{plain(connection.namespace)!r} is no name of a namespace.")
        self.connection = self._connection = connection
        self.now = connection.now
        self.namespace = connection.namespace

    def get(self, namespace: str, name: str) -> AppCredential:
        """Read one AppCredential.

        Raises:
            NotThereError, ForbiddenError, NoAnswerError, CliError: see `refusals.py`.
        """
        if not _NAME.fullmatch(name):
            raise CliError(f"{plain(name)!r} is no name of an AppCredential.")
        return _one(self._connection.request("GET", _path(namespace, name)))

    def find(
        self, namespace: str, selector: str = "", progress: Progress = unseen
    ) -> list[AppCredential]:
        """Read the AppCredentials of a namespace, or of all if it is empty, page by page.

        A list that expires between two pages is begun anew once.

        Raises:
            CliError: as `get`; or there are more than the tool can show.
        """
        query = [("labelSelector", selector)] if selector else []
        for left in reversed(range(_TRIES)):
            try:
                return [
                    AppCredential(found) for found in self._pages(_path(namespace), query, progress)
                ]
            except ExpiredListError:
                if not left:
                    raise
        raise AssertionError("the last try either returns or raises")

    def some(self, namespace: str) -> Sequence[AppCredential]:
        """Read the first page of the AppCredentials of a namespace.

        Raises:
            CliError: as `get`.
        """
        page = self._connection.request("GET", _path(namespace), query=[("limit", str(_PAGE))])
        return [AppCredential(item.document) for item in Document(page).entries("items")]

    def patch(
        self, resource: AppCredential, patch: Mapping[str, Any], *, dry_run: bool = False
    ) -> AppCredential:
        """Change an AppCredential by a merge patch; unknown fields are refused.

        Raises:
            ChangedError, NotThereError, ForbiddenError, NoAnswerError, CliError: see `refusals.py`.
        """
        query = [("fieldValidation", "Strict"), ("fieldManager", "kubectl-appcredential")]
        query += [("dryRun", "All")] if dry_run else []
        path = _path(resource.namespace, resource.name)
        return AppCredential(self._connection.request("PATCH", path, query=query, body=patch))

    def events(self, resource: AppCredential) -> list[Document]:
        """Read the latest Events of an AppCredential, the newest first.

        Raises:
            CliError: as `get`.
        """
        selector = f"involvedObject.uid={resource.at('metadata', 'uid')}"
        found = self._connection.request(
            "GET",
            f"/api/v1/namespaces/{quote(resource.namespace)}/events",
            query=[("fieldSelector", selector), ("limit", str(_PAGE))],
        )
        events = Document(found).entries("items")
        return sorted(events, key=lambda e: event_time(e) or "", reverse=True)[:_EVENTS]

    def all_events(
        self, namespace: str, name: str = "", progress: Progress = unseen
    ) -> list[Mapping[str, Any]]:
        """Read the Events about AppCredentials.

        Args:
            namespace: where; all if empty.
            name: of the AppCredential; all if empty.
            progress: called after each page.

        Raises:
            CliError: as `get`.
        """
        if name and not _NAME.fullmatch(name):
            raise CliError(f"{plain(name)!r} is no name of an AppCredential.")
        about = "involvedObject.kind=AppCredential"
        selector = f"{about},involvedObject.name={name}" if name else about
        within = f"/namespaces/{quote(namespace, safe='')}" if namespace else ""
        return list(self._pages(f"/api/v1{within}/events", [("fieldSelector", selector)], progress))

    def pods_using(self, namespace: str, secret: str) -> list[str]:
        """Return the names of the unfinished pods of a namespace that use a Secret.

        Raises:
            CliError: as `get`.
        """
        path = f"/api/v1/namespaces/{quote(namespace)}/pods"
        pods = map(Document, self._pages(path, [("fieldSelector", _FINISHED)], unseen))
        return [pod.name for pod in pods if secret in used_secrets(pod.at("spec") or {})]

    def read(
        self, path: str, query: Sequence[tuple[str, str]] = (), *, all_pages: bool = False
    ) -> list[Document]:
        """Read one object, or a list to its last page.

        Raises:
            CliError: as `get`.
        """
        if all_pages:
            return list(map(Document, self._pages(path, list(query), unseen)))
        return [Document(self._connection.request("GET", path, query=query))]

    def try_out(self, document: Mapping[str, Any], live: AppCredential | None) -> AppCredential:
        """Have the API server check an AppCredential and fill in its defaults; nothing is kept.

        Args:
            document: a manifest whose metadata has name and namespace.
            live: the resource of that name; None where there is none.

        Raises:
            ForbiddenError, NoAnswerError, CliError: see `refusals.py`.
        """
        namespace, name = document["metadata"]["namespace"], document["metadata"]["name"]
        query = [("dryRun", "All"), ("fieldValidation", "Strict")]
        query += [("fieldManager", "kubectl-appcredential")]
        if live is None:
            path, method, body = _path(namespace), "POST", document
        else:
            kept = {
                key: value
                for key, value in live.document["metadata"].items()
                if key not in {"managedFields", "labels", "annotations"}
            }
            path, method = _path(namespace, name), "PUT"
            body = {**document, "metadata": {**document["metadata"], **kept}}
        return _one(self._connection.request(method, path, query=query, body=body))

    def review(self, path: str, body: Mapping[str, Any]) -> Document:
        """Ask what somebody may do; the API server keeps nothing of it.

        Raises:
            CliError: as `get`.
        """
        return Document(self._connection.request("POST", path, body=body))

    def _pages(
        self, path: str, query: list[tuple[str, str]], progress: Progress
    ) -> Iterator[Mapping[str, Any]]:
        read, token = 0, ""
        for _ in range(_MOST_PAGES):
            wanted = [*query, ("limit", str(_PAGE)), *([("continue", token)] if token else [])]
            page = Document(self._connection.request("GET", path, query=wanted))
            items = page.entries("items")
            read += len(items)
            progress(read, page.number("metadata", "remainingItemCount"))
            yield from (item.document for item in items)
            token = str(page.at("metadata", "continue") or "")
            if not token:
                return
            if read >= _MOST:
                raise CliError(f"There are more than {_MOST} objects: narrow it by -n or -l.")
        raise CliError("The API server's list has no end.")


def _one(document: Mapping[str, Any]) -> AppCredential:
    """Return what was answered as an AppCredential, if it is any object at all."""
    found = AppCredential(document)
    if not found.name:
        raise CliError("What the API server answered is no AppCredential.")
    return found


def event_time(event: Document) -> str:
    """Return when an Event was seen last, as the API server writes it; empty if it does not say."""
    for path in (("series", "lastObservedTime"), ("lastTimestamp",), ("eventTime",)):
        found = event.text(*path)
        if found:
            return found
    return event.text("metadata", "creationTimestamp")


def _path(namespace: str, name: str = "") -> str:
    """Return the path of an AppCredential, of those of a namespace, or of all."""
    within = f"/namespaces/{quote(namespace, safe='')}" if namespace else ""
    return f"{_ROOT}{within}/appcredentials" + (f"/{quote(name, safe='')}" if name else "")
