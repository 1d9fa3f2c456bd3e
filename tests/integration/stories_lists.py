"""Lists of repositories and entities in one resource: made, told one by one, counted, changed."""

from __future__ import annotations

from typing import Any, Final

import yaml

from demo.exchanging import exchange, token_of
from demo.stack import ROOT
from tests.integration.installation import Installation
from tests.integration.stories_federation import AUDIENCE, Federated, of_a_team

_GITHUB: Final = "https://token.actions.githubusercontent.com"
_CREATE: Final = "application.federatedIdentityCredentials.create"


def _lists(repositories: int, branches: int, *more: dict[str, str]) -> dict[str, Any]:
    """Return a source with so many repositories and branches, and more entities."""
    return {
        "organization": "contoso",
        "subjectFormat": "Name",
        "repositories": [{"name": f"r{n}"} for n in range(repositories)],
        "entities": [*({"type": "Branch", "name": f"b{n}"} for n in range(branches)), *more],
    }


def _pairs(repositories: int, branches: int) -> set[tuple[str, str]]:
    """Return issuers and subjects of so many."""
    return {
        (_GITHUB, f"repo:contoso/r{r}:ref:refs/heads/b{b}")
        for r in range(repositories)
        for b in range(branches)
    }


def _problems(f: Federated) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = f.team.status()["federatedIdentityProblems"]
    return found


def a_list_is_made_told_and_changed(i: Installation) -> None:
    """One is in the way and one is refused at first: the others are made, and the one is told."""
    f = of_a_team(i, "lists", federation={"sources": [], "gitHub": [{"organization": "contoso"}]})
    _, taken = min(_pairs(2, 3))
    made = f.put(name="by-hand", issuer=_GITHUB, subject=taken, audiences=[AUDIENCE])
    refusal = {"status": 400, "code": "Request_BadRequest", "message": "no"}
    match = {"app": f.team.client_id, "operation": _CREATE}
    i.add_rule(fault="graph-error", count=1, match=match, **refusal)
    f.apply(gitHub=_lists(2, 3))
    f.team.until(lambda: f.pairs() == _pairs(2, 3), "the others are made", seconds=90)
    f.team.until(lambda: f.team.has("Stalled", "True", "CredentialConflict"), "it is told")
    f.team.until(lambda: len(_problems(f)) == 1, "only the one in the way is told")
    (told,) = _problems(f)
    assert (told["subject"], told["reason"]) == (taken, "CredentialConflict")
    assert len(f.team.status()["federatedIdentities"]) == 5
    message = f.team.condition("Stalled")["message"]
    assert message.startswith("5 of 6 federated credentials exist as the spec asks.")
    f.edit(made["id"], description=message.rsplit(": ", 1)[1])
    f.ready(seconds=90)
    assert f.pairs() == _pairs(2, 3)
    assert made["id"] in {c["id"] for c in f.listed()}
    assert exchange(i.emulator, f.team.client_id, token_of(i.emulator, "github", taken)) == ""
    f.team.change(federatedIdentity={"gitHub": _lists(1, 2)})
    f.team.until(lambda: f.pairs() == _pairs(1, 2), "what was taken out goes", seconds=90)
    f.ready()


def the_example_comes_to_be_ready(i: Installation) -> None:
    """Two repositories with three branches, applied for a team of its own."""
    f = of_a_team(i, "example")
    text = (ROOT / "examples" / "federation-github-lists.yaml").read_text()
    grant, resource = yaml.safe_load_all(text)
    f.team.grant(federation=grant["spec"]["federation"])
    f.apply(**resource["spec"]["federatedIdentity"])
    f.ready(seconds=90)
    assert len(f.listed()) == 6
    subject = "repo:contoso@4242/web@424243:ref:refs/heads/next"
    assert exchange(i.emulator, f.team.client_id, token_of(i.emulator, "github", subject)) == ""


def a_list_that_does_not_fit_is_counted_before_the_first(i: Installation) -> None:
    """Eighteen beside three of others: not one is asked for until there is room for all."""
    f = of_a_team(i, "room", federation={"sources": [], "gitHub": [{"organization": "contoso"}]})
    for n in range(3):
        f.put(name=f"full-{n}", issuer="https://x.example", subject=f"s{n}", audiences=[AUDIENCE])
    f.apply(gitHub=_lists(6, 3))
    f.team.until(lambda: f.team.has("Stalled", "True", "QuotaExceeded"), "it is told")
    message = f.team.condition("Stalled")["message"]
    assert "needs 18 federated credentials, the application has 3 of others" in message
    assert i.requests(f.team.client_id, _CREATE) == []
    path = f"/applications/{f.team.client_id}/federatedIdentityCredentials/full-1"
    i.emulator.call("DELETE", path)
    f.ready(seconds=120)
    assert len(f.listed()) == 20


def a_part_that_is_not_granted_keeps_all_away(i: Installation) -> None:
    """Pull requests beside branches: nothing is made, and what is not allowed is named."""
    entry = {"organization": "contoso", "repositories": ["r0", "r1"]}
    f = of_a_team(i, "part", federation={"sources": [], "gitHub": [entry]})
    f.apply(gitHub=_lists(2, 1, {"type": "PullRequest"}))
    f.team.until(lambda: f.team.has("Stalled", "True", "NotGranted"), "it is refused")
    assert "leaves out r0 PullRequest, r1 PullRequest" in f.team.condition("Stalled")["message"]
    assert i.requests(f.team.client_id) == []
    f.team.change(federatedIdentity={"gitHub": _lists(2, 1)})
    f.ready()
    assert f.pairs() == _pairs(2, 1)
