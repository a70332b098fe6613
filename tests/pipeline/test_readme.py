import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ann2snn.commands.readme import filled, generated
from ann2snn.config.composition import composed
from ann2snn.pipeline.study_file import default_studies
from tests.pipeline.project import environment

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
TOGGLES = (ROOT / "docs" / "toggles.md").read_text(encoding="utf-8")
STALE = TOGGLES.replace("| `conversion.reset` |", "| `conversion.rest` |")
LINK = re.compile(r"\]\(([^)\s]+)\)")


@pytest.mark.parametrize(
    "page", ["README.md", "docs/toggles.md", "docs/imagenet.md", "docs/speed.md"]
)
def test_the_generated_parts_of_a_page_are_what_the_code_and_the_results_say(page: str) -> None:
    parts = generated(ROOT)[page]
    assert parts
    _, stale = filled((ROOT / page).read_text(encoding="utf-8"), parts, page)
    assert stale == [], "run `make readme`"


def test_a_stale_part_is_named_and_filled_anew() -> None:
    parts = generated(ROOT)["docs/toggles.md"]
    assert STALE != TOGGLES
    assert filled(STALE, parts, "docs/toggles.md") == (TOGGLES, ["toggles"])
    with pytest.raises(ValueError, match=r"docs/toggles\.md lacks the part between"):
        filled(TOGGLES.replace("<!-- end of toggles -->", ""), parts, "docs/toggles.md")


def test_the_command_says_which_part_of_which_page_is_stale_and_writes_nothing(
    tmp_path: Path,
) -> None:
    for name in ("conf", "artifacts", "bench"):
        (tmp_path / name).symlink_to(ROOT / name)
    for name in ("params.yaml", "README.md", "docs/imagenet.md", "docs/speed.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(ROOT / name, tmp_path / name)
    (tmp_path / "docs" / "toggles.md").write_text(STALE, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "ann2snn.commands.readme", "--check"],
        cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "docs/toggles.md (toggles)" in done.stderr
    assert (tmp_path / "docs" / "toggles.md").read_text(encoding="utf-8") == STALE


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_and_heading_that_a_page_links_to_is_there(page: Path) -> None:
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        name, _, heading = target.partition("#")
        file = (page.parent / name) if name else page
        assert file.exists(), target
        if heading:
            words = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            slugs = {re.sub(r"[^\w -]", "", word).lower().replace(" ", "-") for word in words}
            assert heading in slugs, target


def test_readme_leads_to_every_page_and_is_short() -> None:
    assert len(README.splitlines()) <= 200
    linked = set(LINK.findall(README))
    for page in (ROOT / "docs").glob("*.md"):
        assert f"docs/{page.name}" in linked
    start = README.split("## Start")[1].split("```sh\n")[1].splitlines()
    assert [line.split(" #")[0].split(" <")[0].strip() for line in start[:3]] == [
        "git clone", "make demo", "make test",
    ]  # fmt: skip


def test_the_numbers_of_readmes_first_lines_are_those_of_the_results() -> None:
    rows = json.loads((ROOT / "report" / "results.json").read_text())["rows"]
    best = {row["study"]: row for row in rows if row["study"] in ("cifar10-best", "mnist-best")}
    cifar10, mnist = best["cifar10-best"], best["mnist-best"]
    assert (
        f"CIFAR-10 (JPEG copy): SNN {cifar10['snn_accuracy']:.2f} %, ANN"
        f" {cifar10['ann_accuracy']:.2f} %, 99 % of the ANN from step {cifar10['steps_to_99']} on"
    ) in README
    assert f"MNIST: {mnist['snn_accuracy']:.2f} and {mnist['ann_accuracy']:.2f} %" in README
    few = {(row["study"], row["point"]): row["snn_accuracy"] for row in rows}
    eight, four = (few["cifar10-few-steps", f"burst-{steps}"] for steps in (8, 4))
    assert f"{eight:.2f} % after 8 steps (`experiment=few_steps`)" in README
    assert f"and {four:.2f} % after 4 (99th percentile)" in README
    single = few["cifar10-few-steps", "chosen-8"]
    assert f"single signed spikes have {single:.2f} % after 8" in README
    mnist_few = few["mnist-few-steps", "chosen-8"]
    assert f"on MNIST {mnist_few:.2f} % after 8 (balanced thresholds)" in README
    studies = default_studies(ROOT)
    for study, point, toggles in (
        ("cifar10-few-steps", "burst-8", ["experiment=few_steps"]),
        ("cifar10-few-steps", "burst-4",
         ["experiment=few_steps", "conversion.percentile=99", "conversion.calibration=none",
          "conversion.for_steps=0", "simulation.steps=4"]),
        ("cifar10-few-steps", "chosen-8",
         ["experiment=few_steps", "conversion.spikes=signed", "conversion.percentile=99.9",
          "conversion.normalization=squared_error"]),
        ("mnist-few-steps", "chosen-8",
         ["experiment=few_steps", "conversion.spikes=signed", "conversion.percentile=99.9",
          "conversion.normalization=balanced", "conversion.calibration=none",
          "conversion.for_steps=0"]),
    ):  # fmt: skip
        told, made = composed(toggles), composed(studies[study].points[point])
        assert told.conversion == made.conversion, point
        assert told.simulation == made.simulation, point
    measured = json.loads((ROOT / "bench" / "results.json").read_text())["rows"]
    times = [row for row in measured if row["table"] == "peers" and row["threads"] == 1]
    event = next(row for row in times if row["mode"] == "event")
    others = [
        row["microseconds"]
        for row in times
        if row["tool"] not in ("ann2snn", "plain torch", "torch")
    ]
    assert f"takes {event['microseconds']:.1f} µs on one thread" in README
    part = {7: "a seventh", 8: "an eighth", 9: "a ninth", 10: "a tenth"}[round(1 / event["ratio"])]
    assert f"{part} of the ANN's forward pass" in README
    assert f"libraries takes {min(others):.1f} µs" in README


def quick_start() -> str:
    found: list[str] = re.findall(r"^```python\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    return found[0]


def test_the_quick_start_is_fifteen_lines_that_run_as_they_stand(tmp_path: Path) -> None:
    lines = [line for line in quick_start().splitlines() if line]
    assert len(lines) <= 15
    told = f"{quick_start()}\nprint('ACCURACY', result.metrics()['snn_accuracy'])"
    done = subprocess.run(
        [sys.executable, "-c", told], cwd=tmp_path, env=environment(), capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    assert "neuron" in done.stdout, "print(spec)"
    assert float(done.stdout.split("ACCURACY")[1]) > 90


def test_the_map_names_every_room_and_files_that_are_there() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    _, _, *rows = text.split("| room |")[1].split("\n\n")[0].splitlines()
    house = ROOT / "src" / "ann2snn"
    cells = [[re.findall(r"`([a-z_/.]+)`", cell) for cell in row.split("|")] for row in rows]
    rooms = {name.strip("/") for row in cells for name in row[1] if name.endswith("/")}
    five = {"data", "ann", "conversion", "simulation", "report"}
    assert rooms | five == {path.parent.name for path in house.glob("*/__init__.py")}
    for row in cells:
        first = row[3][0]
        assert (house / first).exists() or (house / row[1][0] / first).exists(), first
