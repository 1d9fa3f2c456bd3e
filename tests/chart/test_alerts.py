"""Each alert fires when it should and only then, has a runbook, and uses metrics that exist."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import click
import pytest
import yaml

from appcredential.cli.main import commands
from charts.monitoring import alerts, metrics
from tests.chart.alert_cases import CASES
from tests.chart.helming import CHART, ROOT, Helm, documents, one

RULES: Final = (CHART / "files" / "alerts.yaml").read_text()
NAMES: Final = [alert["name"] for alert in alerts(RULES)]
RUNBOOKS: Final = ROOT / "docs" / "runbooks"
SWITCH: Final = (
    *("--set", "metrics.rules.enabled=true", "--set", "metrics.rules.kubeStateMetrics=true"),
    *("--set", "metrics.rules.renderMode=alwaysRender"),
)
# What kubectl itself can do, of which the runbooks need a little.
KUBECTL: Final = frozenset(
    {"get", "describe", "logs", "rollout", "top", "auth", "scale", "delete", "create", "patch"}
)
needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is missing: apt-get install prometheus"
)


def rendered(helm: Helm, *words: str) -> list[dict[str, Any]]:
    """Return the groups of rules."""
    rule = one(documents(helm.template(*SWITCH, *words)), "PrometheusRule")
    return list(rule["spec"]["groups"])


@pytest.fixture(scope="module")
def bare_rules(helm: Helm, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rules as rendered, but for what a unit test does not compare: texts and intervals."""
    groups = rendered(helm)
    for group in groups:
        del group["interval"]
        for rule in group["rules"]:
            del rule["annotations"]
    path = tmp_path_factory.mktemp("rules") / "rules.yaml"
    path.write_text(yaml.safe_dump({"groups": groups}))
    return path


def promtool(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run promtool."""
    return subprocess.run(
        ["promtool", *map(str, words)], capture_output=True, text=True, timeout=120, check=False
    )


@needs_promtool
def test_prometheus_takes_the_rules(helm: Helm, tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(yaml.safe_dump({"groups": rendered(helm)}))
    done = promtool("check", "rules", path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(NAMES)} rules found" in done.stdout


@needs_promtool
def test_the_alerts_fire_when_they_should_and_not_otherwise(bare_rules: Path) -> None:
    paths = []
    for number, (name, case) in enumerate(CASES.items()):
        paths.append(bare_rules.parent / f"{number:02}-{re.sub('[^a-z0-9]+', '-', name)}.yaml")
        paths[-1].write_text(yaml.safe_dump(case.document(NAMES)))
    done = promtool("test", "rules", *paths)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
@pytest.mark.parametrize(
    ("rule", "was", "is_now", "case"),
    [
        ("AppCredentialExpiring", "0.7 *", "1.9 *", "one hour, renewed on schedule"),
        ("AppCredentialExpiring", "> time() - 3600", "> time() + 999999999", "a successor waits"),
        ("AppCredentialIdentityExpiring", "0.7 *", "1.1 *", "the operator's own day, renewed"),
        (
            "AppCredentialIdentityExpiring",
            "0.7 *",
            "0.1 *",
            "the operator's own thirty days, never",
        ),
        ("AppCredentialIdentityExpiring", " > 0)", ")", "the operator's Secret holds another"),
        ("AppCredentialIdentityExpiringSoon", "NotOurs", "", "the operator cannot renew its own"),
        ("AppCredentialNotReady", "unless on (name", "or on (name", "of a tenant that is down"),
        ("AppCredentialNotReady", "Observing", "Other", "a resource is only observed"),
        ("AppCredentialForeignCredentials", "[1h] offset", "[1m] offset", "a new leader counts"),
        ("AppCredentialOperatorAbsent", "build_info", "info", "a rotation fails"),
    ],
)
def test_a_rule_that_is_wrong_is_found(
    bare_rules: Path, tmp_path: Path, rule: str, was: str, is_now: str, case: str
) -> None:
    document = yaml.safe_load(bare_rules.read_text())
    (found,) = (r for g in document["groups"] for r in g["rules"] if r["alert"] == rule)
    assert was in found["expr"]
    found["expr"] = found["expr"].replace(was, is_now)
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(document))
    (tested,) = (found for name, found in CASES.items() if name.startswith(case))
    path = tmp_path / "case.yaml"
    path.write_text(yaml.safe_dump(tested.document([rule])))
    assert promtool("test", "rules", path).returncode == 1


def test_every_alert_has_a_case_in_which_it_fires() -> None:
    firing = {name for case in CASES.values() for fires in case.firing.values() for name in fires}
    assert firing == set(NAMES)


def test_every_alert_has_what_a_person_needs(helm: Helm) -> None:
    url = ("--set", "metrics.rules.runbookUrl=https://wiki.example.com/runbooks")
    rules = [rule for group in rendered(helm, *url) for rule in group["rules"]]
    assert [rule["alert"] for rule in rules] == NAMES
    for rule in rules:
        name, told = rule["alert"], rule["annotations"]
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}
        assert set(told) == {"summary", "description", "runbook_url"}
        assert told["runbook_url"] == f"https://wiki.example.com/runbooks/{name}.md"
        assert len(told["summary"]) < 130
        assert told["description"].endswith((".", "?"))
        assert "%" not in f"{rule['expr']}{told}".replace("30 %", ""), "a part was not filled in"


def test_thresholds_and_labels_are_values(helm: Helm) -> None:
    words = ("--set", "shards=3", "--set-json", 'metrics.rules.alertLabels={"team":"platform"}')
    more = ("--set", "metrics.rules.expiringSeconds=777,metrics.rules.patience=2m")
    rules = {r["alert"]: r for g in rendered(helm, *words, *more) for r in g["rules"]}
    assert "< 777)" in rules["AppCredentialExpiring"]["expr"]
    assert rules["AppCredentialStalled"]["for"] == "2m"
    assert "< 3" in rules["AppCredentialNoLeader"]["expr"]
    assert all(rule["labels"]["team"] == "platform" for rule in rules.values())


def test_alerts_without_an_operator_are_asked_for(helm: Helm) -> None:
    words = ("--set", "metrics.rules.kubeStateMetrics=false")
    assert [group["name"] for group in rendered(helm, *words)] == ["appcredential"]


def test_every_metric_that_an_alert_uses_exists() -> None:
    known = {found.name for found in metrics()}
    own = yaml.safe_load(RULES)
    texts = [*own["parts"].values(), *(alert["expr"] for alert in own["alerts"])]
    used = {name for text in texts for name in re.findall(r"\b(?:appcredential|process)_\w+", text)}
    others = {name for name in used if name.startswith("appcredential_resource_")}
    assert len(used) > 20
    assert used - others <= known


@pytest.mark.parametrize("name", NAMES)
def test_every_alert_has_its_runbook(name: str) -> None:
    text = (RUNBOOKS / f"{name}.md").read_text()
    assert text.startswith(f"# {name}\n")
    for heading in ("Look", "Do", "May it wait?"):
        assert f"\n## {heading}\n" in text
    assert len(text.splitlines()) < 60


def test_no_runbook_is_left_over() -> None:
    assert {path.stem for path in RUNBOOKS.iterdir()} == set(NAMES)


@pytest.mark.parametrize("path", sorted(RUNBOOKS.iterdir()), ids=lambda path: path.stem)
def test_the_commands_of_a_runbook_exist(path: Path) -> None:
    blocks = re.findall(r"```sh\n(.*?)```", path.read_text(), re.DOTALL)
    typed = [command for block in blocks for command in _commands(block)]
    assert typed
    for program, verb, *words in typed:
        assert program in {"kubectl", "jq"}
        if program == "kubectl" and verb == "appcredential":
            _check_command(words)
        elif program == "kubectl":
            assert verb in KUBECTL, (verb, *words)


def _commands(block: str) -> list[list[str]]:
    """Return the words of each command, those of a pipeline one by one."""
    lexer = shlex.shlex(block, posix=True, punctuation_chars="|&\n")
    lexer.whitespace, lexer.commenters = " \t", ""
    found: list[list[str]] = [[]]
    for word in lexer:
        if set(word) <= {"|", "&", "\n"}:
            found.append([])
        else:
            found[-1].append(word)
    return [words for words in found if words and not re.match(r"[A-Z_]+=", words[0])]


def _check_command(words: list[str]) -> None:
    """Hold a command line of kubectl appcredential against the program's own commands."""
    command = commands.commands[words[0]]
    options = {o for p in command.params if isinstance(p, click.Option) for o in p.opts}
    assert {word for word in words if word.startswith("-")} <= options, words
