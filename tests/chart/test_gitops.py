"""The values of the GitOps examples pass the chart's schema and render."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.chart.helming import Helm, HelmError, documents, one
from tests.gitops.layouts import values_for


@pytest.mark.parametrize("tool", ["argocd", "flux"])
def test_the_values_of_the_example_render(helm: Helm, tool: str, tmp_path: Path) -> None:
    values = values_for(tool)
    path = tmp_path / "values.yaml"
    path.write_text(yaml.safe_dump(values))
    deployment = one(documents(helm.template("-f", path)), "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["image"].startswith(values["image"]["registry"] + "/")
    # The schema is asked: one wrong word is refused.
    path.write_text(yaml.safe_dump({**values, "workloadIdentities": {}}))
    with pytest.raises(HelmError, match="workloadIdentities"):
        helm.template("-f", path)
