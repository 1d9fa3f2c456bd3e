"""Each promise is broken once, and the story that watches over it is seen to fail."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from demo.exchanging import add_cluster_issuer
from demo.processes import Child
from demo.stack import RBAC, EmulatorProcess, OperatorProcess
from localcluster import Cluster
from tests.integration import stories_deletion, stories_gitops, stories_issue, stories_repair
from tests.integration import stories_rotation as rotation
from tests.integration import stories_windows as windows
from tests.integration.at_once import Story
from tests.integration.confined import Confined, make_namespaces

pytestmark = [pytest.mark.cluster, pytest.mark.process]


@dataclass(frozen=True, slots=True)
class Break:
    """A broken operator, the story that must fail with it, and what it must say."""

    variant: str
    story: Story
    said: str

    def __str__(self) -> str:
        """Return the name, for pytest."""
        return self.variant


BREAKS = (
    Break(
        "publishes_unproven",
        stories_issue.nothing_unproven_is_published,
        "published without a sign-in",
    ),
    Break("says_ready", stories_issue.nothing_unproven_is_published, "Ready without a credential"),
    Break(
        "takes_any_secret",
        stories_repair.a_secret_of_somebody_else_is_untouched,
        "somebody else's Secret was written",
    ),
    Break(
        "forgets_the_overlap",
        rotation.a_due_renewal_overlaps,
        "removed before the overlap was over|do not both sign in",
    ),
    Break(
        "takes_foreign_credentials",
        rotation.what_others_made_is_untouched,
        "a foreign credential is gone",
    ),
    Break(
        "ignores_suspend", rotation.a_suspended_resource_is_left_alone, "written while suspended"
    ),
    Break("ignores_windows", windows.a_renewal_waits_for_its_window, "before its window"),
    Break(
        "needs_no_grant",
        stories_deletion.what_is_not_granted_causes_no_call,
        "asked without a grant",
    ),
    Break(
        "revokes_at_once",
        stories_deletion.a_revocation_waits_out_the_grace,
        "within the grace period",
    ),
    Break(
        "revokes_at_once",
        stories_gitops.deleted_and_applied_again,
        "revoked before the tool came back",
    ),
    Break(
        "renews_what_is_created_again",
        stories_gitops.created_anew_by_force,
        "issued anew",
    ),
    Break(
        "revokes_what_is_retained",
        stories_deletion.retain_leaves_a_working_credential,
        "a retained credential was removed",
    ),
)


class BrokenOperator(OperatorProcess):
    """The operator as tests/integration/broken.py starts it."""

    def _start(self) -> Child:
        log = self._folder / f"{self._name}.log"
        return Child("the operator", ["tests.integration.broken", "run"], log, self._env)


def _install(
    cluster: Cluster, emulator: EmulatorProcess, folder: Path, variant: str, stories: int
) -> Confined:
    (own,) = make_namespaces(cluster, "operator", 1)
    watched = make_namespaces(cluster, "shop", stories)
    settings = {"KUBECONFIG": str(cluster.kubeconfig), "BROKEN": variant}
    folder = folder / variant
    return Confined(
        cluster,
        emulator,
        folder,
        settings,
        namespace=own,
        watched=watched,
        process=BrokenOperator,
    )


@pytest.fixture(scope="module")
def told(
    cluster: Cluster,
    emulator: EmulatorProcess,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Iterator[dict[Break, Future[None]]]:
    """The selected stories, told at the same time by one broken operator for each variant."""
    specs = [getattr(item, "callspec", None) for item in request.session.items]
    asked = [spec.params.get("broken_one") for spec in specs if spec is not None]
    selected = [one for one in BREAKS if one in asked]
    cluster.kubectl("apply", "--server-side", "-f", RBAC)
    add_cluster_issuer(cluster, emulator)
    folder = tmp_path_factory.mktemp("broken")
    with ExitStack() as stack:
        installed = {}
        for variant, count in Counter(one.variant for one in selected).items():
            running = installed[variant] = _install(cluster, emulator, folder, variant, count)
            stack.callback(running.close)
        if selected:
            next(iter(installed.values())).make_tenant("default")
        for running in installed.values():
            running.operator.wait_until_ready()
        pool = stack.enter_context(ThreadPoolExecutor(max_workers=max(len(selected), 1)))
        yield {one: pool.submit(one.story, installed[one.variant]) for one in selected}


@pytest.mark.parametrize("broken_one", BREAKS, ids=str)
def test_a_broken_promise_is_seen(broken_one: Break, told: dict[Break, Future[None]]) -> None:
    with pytest.raises((AssertionError, pytest.fail.Exception), match=broken_one.said):
        told[broken_one].result()


def test_every_variant_is_tried() -> None:
    # Not imported: that would load the SDKs into the tests.
    module = ast.parse(Path(__file__).with_name("broken.py").read_text())
    functions = {node.name for node in module.body if isinstance(node, ast.FunctionDef)}
    assert {one.variant for one in BREAKS} == {n for n in functions if not n.startswith("_")}
