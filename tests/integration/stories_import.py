"""An application with credentials made by hand comes under management, as its guide says."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from demo.seed import OPERATOR_ID, OPERATOR_SECRET, TENANT_ID
from tests.docs.reading import ROOT
from tests.integration.installation import Installation, Team
from tests.integration.stories_federation import Federated
from tests.support.keys import make_certificate
from tests.support.pods import Pod, new_pod

_SECRET: Final = "orders-entra"
_VALUE: Final = "made-by-hand-and-read-by-a-workload-00000"
_IN_THE_WAY: Final = (
    *("SecretConflict", "Observing"),
    *("CredentialConflict", "CredentialConflict"),
)
"""What status says before the Secret and the federated credentials are handed over."""
_GITHUB: Final = "https://token.actions.githubusercontent.com"


def six_credentials_made_by_hand_come_under_management(i: Installation) -> None:
    """Observe changes nothing; managed, the workload never fails, and what is theirs stays."""
    team = i.team("imported", granted=False, displayName="Orders", **_by_hand())
    trusts, folder = Federated(team), i.folder / "imported"
    trusts.account("orders")
    trusts.put(name="orders", issuer=_issuer(i), subject=_subject(team))
    trusts.put(name="github", issuer=_GITHUB, subject="repo:contoso/shop:environment:production")
    i.make_secret(team.namespace, _SECRET, _values(i, team))
    foreign, before = _held(i, team), team.secret(_SECRET)
    done = _tool(team, "import", "--client-id", team.client_id, "--secret", _SECRET,
                 "--name", "orders", "--output-dir", str(folder))  # fmt: skip
    assert "4 AppCredentials; 1 credentials are left out" in done.stderr
    names = ("orders", "orders-certificate", "orders-orders", "orders-github")
    with (
        Pod(i.emulator, lambda: team.values(_SECRET), is_mounted=False) as started,
        Pod(i.emulator, lambda: team.values(_SECRET), is_mounted=True) as mounted,
    ):
        i.cluster.kubectl("apply", "-f", folder / "1-grant.yaml", "-f", folder / "2-observe.yaml")
        for name, reason in zip(names, _IN_THE_WAY, strict=True):
            _until_ready_is(team, name, reason)
        assert (_held(i, team), team.secret(_SECRET)) == (foreign, before), "it only reports"
        _do_what_is_said(team, trusts, folder / "3-manage.yaml")
        for name in names[:2]:
            _until_ready_is(team, name, "Observing")
        assert _held(i, team) == foreign
        i.cluster.kubectl("apply", "-f", folder / "3-manage.yaml")
        for name in names[:2]:
            team.ready(name, seconds=90)
        for name in names[2:]:
            trusts.ready(name, seconds=90)
        assert new_pod(i.emulator, team.values(_SECRET), folder / "pod") == "ClientSecretCredential"
        seen = mounted.tries
        i.until(lambda: mounted.tries > seen + 3, "the workload goes on")
    assert (started.failures, mounted.failures) == ([], []), "no sign-in is lost"
    assert team.values(_SECRET)["AZURE_CLIENT_SECRET"] != _VALUE
    assert foreign < _held(i, team), "what others made is untouched"
    assert len(trusts.listed()) == 2, "the trusts were handed over, not made again"
    assert team.minted() == 1
    shown = json.loads(_tool(team, "inventory", "orders", "-o", "json").stdout)
    (application,) = shown["applications"]
    owners = {c["owner"] for c in application["credentials"] if c["whose"] == "ours"}
    assert owners == {f"{team.namespace}/{name}" for name in names}


def _until_ready_is(team: Team, name: str, reason: str) -> None:
    def holds() -> bool:
        return team.condition("Ready", name).get("reason") == reason

    team.until(holds, f"{name} says {reason}", name)


def _by_hand() -> dict[str, Any]:
    certificate = make_certificate().pem.decode()
    return {
        "passwords": [
            {"displayName": "by hand", "value": _VALUE, "endInDays": 365},
            {"displayName": "spare", "endDateTime": "2299-12-31T00:00:00Z"},
            {"displayName": "forgotten", "startInDays": -800, "endInDays": -70},
        ],
        "keys": [{"certificate": certificate, "displayName": "CN=orders"}],
    }


def _issuer(i: Installation) -> str:
    found: str = i.cluster.api.call("GET", "/.well-known/openid-configuration")["issuer"]
    return found


def _subject(team: Team) -> str:
    return f"system:serviceaccount:{team.namespace}:orders"


def _values(i: Installation, team: Team) -> dict[str, str]:
    return {
        "AZURE_TENANT_ID": TENANT_ID,
        "AZURE_CLIENT_ID": team.client_id,
        "AZURE_AUTHORITY_HOST": i.emulator.url,
        "AZURE_CLIENT_SECRET": _VALUE,
    }


def _held(i: Installation, team: Team) -> set[str]:
    """Return the ids of all that the application truly has."""
    found = i.emulator.call("GET", f"/applications/{team.client_id}")
    keys = {one["keyId"] for kind in ("password", "key") for one in found[f"{kind}Credentials"]}
    return keys | {one["id"] for one in found["federatedIdentityCredentials"]}


def _do_what_is_said(team: Team, trusts: Federated, file: Path) -> None:
    """Run the commands of a file's comments; the Azure CLI's is done in the emulator."""
    lines = file.read_text().splitlines()
    for words in (shlex.split(line[1:]) for line in lines if line.startswith("#   ")):
        if words[0] == "kubectl":
            team.i.cluster.kubectl(*words[1:])
        else:
            options = dict(zip(words[5::2], words[6::2], strict=True))
            change = json.loads(options["--parameters"])
            trusts.edit(options["--federated-credential-id"], **change)


def _tool(team: Team, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the tool as a person who signs in by variables."""
    emulator = team.i.emulator
    done = subprocess.run(
        [sys.executable, "-m", "appcredential", "ctl", *words, "-n", team.namespace],
        env={
            **os.environ,
            **team.i.cluster.env(),
            "PYTHONPATH": str(ROOT / "operator"),
            "APPCREDENTIAL_CUSTOM_AUTHORITY": emulator.url,
            "APPCREDENTIAL_CUSTOM_GRAPH": emulator.url,
            "APPCREDENTIAL_CUSTOM_CA_FILE": str(emulator.ca_file),
            "AZURE_CLIENT_ID": OPERATOR_ID,
            "AZURE_CLIENT_SECRET": OPERATOR_SECRET,
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert _VALUE not in done.stdout + done.stderr
    return done
