"""`dvc metrics show` is one readable table, and `dvc plots show` draws without a network."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import vl_convert
import yaml

ROOT = Path(__file__).parents[2]
VIEWS = {"ablation": ("bars", "label"), "percentiles": ("curves", "step")}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with the report and with those parts of dvc.yaml that show it."""
    folder = tmp_path_factory.mktemp("views")
    hidden = shutil.ignore_patterns("*.png", "*.svg", "tmp", "cache", "vega.js", "config.local")
    for name in (".dvc", "report"):
        shutil.copytree(ROOT / name, folder / name, ignore=hidden)
    content = declared()
    shown = {name: content[name] for name in ("metrics", "plots")}
    (folder / "dvc.yaml").write_text(yaml.safe_dump(shown), encoding="utf-8")
    for words in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "all"]):
        who = ["-c", "user.name=n", "-c", "user.email=n@example.org", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *who, *words], cwd=folder, check=True)
    return folder


def declared() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))
    return content


def dvc(folder: Path, *words: str) -> str:
    command = [sys.executable, "-m", "dvc", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout


def test_metrics_are_a_table_of_four_columns_with_a_row_for_each_point(project: Path) -> None:
    head, *rows = dvc(project, "metrics", "show").splitlines()
    assert head.split() == ["Path", "ann", "snn", "steps_to_99", "synops"]
    assert max(map(len, [head, *rows])) <= 100
    points = json.loads((project / "report/results.json").read_text(encoding="utf-8"))["rows"]
    names = {f"report/metrics/{each['study']}/{each['point']}.json" for each in points}
    assert {row.split()[0] for row in rows} == names


def test_the_difference_of_metrics_is_of_the_point_that_changed(project: Path) -> None:
    path = project / "report/metrics/digits-ablation/default.json"
    before = path.read_text(encoding="utf-8")
    accuracy = json.loads(before)["snn"]
    path.write_text(before.replace(str(accuracy), str(accuracy - 10)), encoding="utf-8")
    _, *rows = dvc(project, "metrics", "diff").splitlines()
    path.write_text(before, encoding="utf-8")
    (row,) = rows
    assert row.split()[0] == "report/metrics/digits-ablation/default.json"
    assert row.split()[-1] == "-10.0"


def test_plots_hold_their_data_and_load_nothing_from_a_network(project: Path) -> None:
    dvc(project, "plots", "show")
    page = (project / "dvc_plots/index.html").read_text(encoding="utf-8")
    assert re.findall(r'src="([^"]*)"', page) == ["../.dvc/plots/vega.js"]
    drawn = re.findall(r"var spec = (\{.*?\});\s*vegaEmbed", page, re.DOTALL)
    assert len(drawn) == len(declared()["plots"])
    for spec in map(json.loads, drawn):
        assert len(spec["data"]["values"]) >= 5
        assert "<svg" in vl_convert.vegalite_to_svg(spec)


@pytest.mark.parametrize("kind", VIEWS)
def test_every_study_of_a_kind_has_its_plot(kind: str) -> None:
    studies = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))["studies"]
    plots = {path: look for entry in declared()["plots"] for path, look in entry.items()}
    for name in (name for name, study in studies.items() if study["kind"] == kind):
        look = plots[f"report/figures/{name}.csv"]
        assert (look["template"], look["x"]) == VIEWS[kind]
