"""AppCredentials that are renamed in Git, and back again: another name is another resource."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

from tests.integration.installation import Installation
from tests.integration.repository import CERTIFICATE, SECRET, TRUST, Document, Repository


def renamed_and_back(i: Installation) -> None:
    """Each is known by its name: the new ones get Secrets of their own, the old ones go on."""
    r = Repository(i, "renamed")
    r.issue()
    published, listed = r.published(), r.listed()
    _rename_and_return(r, keeps_secret=False)
    assert r.published() == published, "the workload sees another credential"
    assert listed <= r.listed()


def renamed_under_a_kept_secret_and_back(i: Installation) -> None:
    """The Secret changes hands twice; what it held and what it holds sign in all the time."""
    r = Repository(i, "handed")
    r.issue()
    listed, uids = r.listed(), _uids(r)
    _rename_and_return(r, keeps_secret=True)
    assert listed <= r.listed()
    assert _uids(r) == uids, "a Secret was made anew"


def _rename_and_return(r: Repository, *, keeps_secret: bool) -> None:
    folder = r.documents
    r.documents = [_renamed(d, keeps_secret=keeps_secret) for d in folder]
    _move(r, folder)
    r.stay_away()
    renamed, r.documents = r.documents, folder
    _move(r, renamed)
    r.back()


def _move(r: Repository, before: Sequence[Document]) -> None:
    """Apply the folder as it is now, and prune what it was before, in the order of the tools."""
    r.apply()
    r.kubectl("delete", documents=before)
    r.settled()
    r.signs_in()


def _renamed(document: Document, *, keeps_secret: bool) -> Document:
    found = deepcopy(document)
    name = document["metadata"]["name"]
    found["metadata"]["name"] = f"{name}-renamed"
    if keeps_secret and name != TRUST:
        found["spec"]["secret"]["name"] = name
    return found


def _uids(r: Repository) -> list[Any]:
    return [r.published()[name][0] for name in (SECRET, CERTIFICATE)]
