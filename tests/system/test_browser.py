"""The pages that a person uses, in headless Chromium over the results that git keeps.

With SCREENSHOTS=docs they are kept as docs/mlflow-*.png, which the README shows.
"""

import json
import os
import shutil
import urllib.parse
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ann2snn.tracking.server import place_of
from ann2snn.tracking.sync import sync
from ann2snn.tracking.ui import front_pages
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
    shutil.copytree(ROOT / "artifacts", folder / "artifacts")
    if (ROOT / "report").is_dir():
        shutil.copytree(ROOT / "report", folder / "report")
    return folder


@pytest.fixture(scope="module")
def address(project: Path) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        sync(project)  # 400 runs, which a slow machine sends in minutes
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
    own = [run for run in runs.values() if f"({study})" in run.data.tags.get("studies", "")]
    return [run for run in own if run.data.tags["step"] == "simulation"]


def colours(page: Any, shapes: str) -> list[str]:
    """The colours of the shapes of the first chart that has some."""
    chart = page.locator(".js-plotly-plot").filter(has=page.locator(shapes)).first
    found: list[str] = chart.locator(shapes).evaluate_all(
        "shapes => shapes.map(shape => [shape.style.fill, shape.style.stroke]"
        ".find(colour => colour && colour != 'none'))"
    )
    return found


BARS = ".barlayer .points path"
CURVES = ".scatterlayer .js-line"
TWICE = 2  # MLflow draws each curve as it is, and smoothed


@pytest.mark.parametrize("step", ["ann", "conversion", "simulation"])
@pytest.mark.parametrize("dataset", ["digits", "MNIST", "CIFAR-10 (JPEG copy)"])
def test_each_experiment_opens_on_bars_and_curves_in_different_colours(
    page: Any, address: str, project: Path, dataset: str, step: str
) -> None:
    page.goto(f"{address}/{front_pages(place_of(project))[f'{dataset} {step}']}")
    page.locator(f".js-plotly-plot {BARS}").first.wait_for()
    bars = colours(page, BARS)
    assert len(bars) == len(set(bars)) >= 1
    if step != "conversion":  # which has no curves
        page.locator(f".js-plotly-plot {CURVES}").first.wait_for()
        assert max(Counter(colours(page, CURVES)).values()) <= TWICE
    assert page.get_by_text("No charts in this section").count() == 0
    assert page.get_by_text("0ms", exact=True).count() == 0


def test_all_points_of_every_study_are_told_by_its_parent(
    page: Any, address: str, runs: dict[str, Any]
) -> None:
    parents = {key: run for key, run in runs.items() if key.startswith("study/simulation/")}
    assert len(parents) >= 20
    for key, parent in parents.items():
        note = parent.data.tags["mlflow.note.content"]
        own = points(runs, key.rpartition("/")[2])
        assert parent.data.metrics["points"] == len(own)
        assert all(run.info.run_id in note for run in own), key
    run = parents["study/simulation/cifar10-percentiles"].info
    page.goto(f"{address}/#/experiments/{run.experiment_id}/runs/{run.run_id}?{CLASSIC}")
    page.get_by_text("Show more", exact=True).first.click()
    with page.expect_popup() as opened:
        page.get_by_role("link", name="99th percentile", exact=True).first.click()
    opened.value.get_by_text("a point of").first.wait_for()
    back = opened.value.get_by_role("link", name="percentiles · study cifar10-percentiles")
    back.first.wait_for()


def test_runs_of_which_nobody_knows_how_long_they_took_do_not_last_0_ms(
    page: Any, address: str, runs: dict[str, Any]
) -> None:
    page.goto(f"{address}/{study_page(runs, 'digits-ablation')}")
    page.get_by_text("5 matching runs").wait_for()
    assert page.get_by_text("0ms", exact=True).count() == 0
    assert {run.info.end_time for run in runs.values()} == {None}


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
    bars = colours(page, BARS)
    assert len(bars) == len(set(bars)) == 7
    curves = Counter(colours(page, CURVES))
    assert (len(curves), max(curves.values())) == (7, TWICE)
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
    own = [run for run in points(runs, "cifar10-percentiles") if "percentile" in run.data.params]
    ordered = sorted(own, key=lambda run: float(run.data.params["percentile"]))
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
