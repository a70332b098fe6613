"""The four pages a person uses, in headless Chromium over the CIFAR-10 results that git keeps.

With SCREENSHOTS=docs they are kept as docs/mlflow-*.png, which the README shows.
"""

import json
import os
import shutil
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.tracking.local_server import served
from tests.tracking.project_with_results import runs_of

ROOT = Path(__file__).parents[2]
CHROMIUM = Path("/usr/bin/chromium")
# Without the switches about background work Chromium calls hosts outside this machine.
SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
CLASSIC = "workflowType=machine_learning"
PATIENCE = 60_000

pytestmark = [
    pytest.mark.system,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.skipif(
        not CHROMIUM.is_file(), reason=f"no Chromium at {CHROMIUM}: apt-get install chromium"
    ),
]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not (ROOT / "artifacts" / "simulation" / "cifar10-ablation").is_dir():
        pytest.skip("the CIFAR-10 studies are not in artifacts/")
    folder = tmp_path_factory.mktemp("browser")
    for step in ("data", "ann", "conversion", "simulation"):
        for path in sorted((ROOT / "artifacts" / step).glob("cifar10*")):
            shutil.copytree(path, folder / "artifacts" / step / path.name)
    if (ROOT / "report").is_dir():
        shutil.copytree(ROOT / "report", folder / "report")
    return folder


@pytest.fixture(scope="module")
def address(project: Path) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        with served(project) as uri:
            yield uri


@pytest.fixture(scope="module")
def runs(project: Path, address: str) -> dict[str, Any]:
    return runs_of(project)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=str(CHROMIUM), args=SWITCHES)
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1600, "height": 900})
    # MLflow opens its chat beside the first page of a new browser.
    context.add_init_script(
        "localStorage.setItem('mlflow.assistant.panelOpen_v1', 'false');"
        "localStorage.setItem('mlflow.assistant.fab.autoOpenedOnFirstLoad_v1', 'true')"
    )
    opened = context.new_page()
    opened.set_default_timeout(PATIENCE)
    yield opened
    context.close()


def keep(page: Any, name: str) -> None:
    """A screenshot for the README, when it is asked for."""
    if folder := os.environ.get("SCREENSHOTS"):
        page.wait_for_timeout(2000)  # lines and bars are drawn in motion
        page.screenshot(path=str(ROOT / folder / f"mlflow-{name}.png"))


def study_page(runs: dict[str, Any], study: str) -> str:
    experiment = runs[f"study/simulation/{study}"].info.experiment_id
    return f"#/experiments/{experiment}/runs?{CLASSIC}&viewStateShareKey=study-{study}"


def points(runs: dict[str, Any], study: str) -> list[Any]:
    own = [run for run in runs.values() if study in run.data.tags.get("studies", "")]
    return [run for run in own if run.data.tags["step"] == "simulation"]


def test_the_runs_table_shows_the_ablation(page: Any, address: str, runs: dict[str, Any]) -> None:
    page.goto(f"{address}/{study_page(runs, 'cifar10-ablation')}")
    for run in points(runs, "cifar10-ablation"):
        page.get_by_text(run.info.run_name, exact=True).first.wait_for()
    for column in ("snn_accuracy", "steps_to_99", "reset", "input", "normalization"):
        page.get_by_role("columnheader", name=column).first.wait_for()
    assert page.get_by_text("5 matching runs").is_visible()
    keep(page, "runs")


def test_the_chart_page_draws_bars_and_curves(
    page: Any, address: str, runs: dict[str, Any]
) -> None:
    page.goto(f"{address}/{study_page(runs, 'cifar10-percentiles')}&compareRunsMode=CHART")
    page.locator(".js-plotly-plot .barlayer .bars path").first.wait_for()
    page.locator(".js-plotly-plot .scatterlayer .js-line").first.wait_for()
    bars = page.locator(".js-plotly-plot").filter(has=page.locator(".barlayer path")).first
    assert bars.locator(".barlayer .points path").count() == 7
    keep(page, "charts")


def test_the_run_page_shows_curves_and_artifacts(
    page: Any, address: str, runs: dict[str, Any]
) -> None:
    run = points(runs, "cifar10-ablation")[0].info
    own = f"{address}/#/experiments/{run.experiment_id}/runs/{run.run_id}"
    page.goto(f"{own}/artifacts?{CLASSIC}")
    page.get_by_text("record.json").first.wait_for()
    page.goto(f"{own}/model-metrics?{CLASSIC}")
    page.locator(".js-plotly-plot .scatterlayer .js-line").first.wait_for()
    keep(page, "run")


def test_a_study_shows_its_table(page: Any, address: str, runs: dict[str, Any]) -> None:
    run = runs["study/simulation/cifar10-ablation"].info
    page.goto(f"{address}/#/experiments/{run.experiment_id}/runs/{run.run_id}/artifacts?{CLASSIC}")
    page.get_by_text("points.csv").first.click()
    page.get_by_text("snn_accuracy").first.wait_for()


def test_the_compare_page_compares_two_percentiles(
    page: Any, address: str, runs: dict[str, Any]
) -> None:
    ordered = sorted(
        points(runs, "cifar10-percentiles"), key=lambda run: float(run.data.params["percentile"])
    )
    two = [ordered[0], ordered[-1]]
    chosen = urllib.parse.quote(json.dumps([run.info.run_id for run in two]))
    experiments = urllib.parse.quote(json.dumps([two[0].info.experiment_id]))
    page.goto(f"{address}/#/compare-runs?runs={chosen}&experiments={experiments}&{CLASSIC}")
    page.get_by_text("Comparing 2 Runs from 1 Experiment").first.wait_for()
    for run in two:
        page.get_by_text(run.info.run_name, exact=True).first.wait_for()
    page.locator(".js-plotly-plot").first.wait_for()
    assert [run.data.params["percentile"] for run in two] == ["95", "100"]
    keep(page, "compare")
