"""The report as files: whole, equal on every run, and honest about what it shows."""

import csv
import dataclasses
import json
import re
import shutil
from pathlib import Path

import pytest

from ann2snn.records import Record, write_json
from ann2snn.report.report_files import write_report
from ann2snn.report.results import KINDS, read_results
from ann2snn.report.terminal_table import accuracy_table
from tests.report.example_artifacts import ABLATION, IMAGES, example_artifacts, write_study

COLUMNS = [
    "study", "point", "network", "dataset", "part", "steps", "images", "ann_accuracy",
    "snn_accuracy", "interval", "steps_to_99", "spikes_per_neuron", "synops_per_image",
    "macs_per_image", "exact", "seed", "run", "snn_accuracy_last50", "agreement", "undecided",
    "accuracy_softmax", "accuracy_potential", "accuracy_count", "mean_rate",
    "pool_operations_per_image", "first_layer_macs", "energy_ratio", "training_seed", "epochs",
    "chance", "first_steps", "at_99", "outputs", "early_exit", "saturating", "outliers",
]  # fmt: skip


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    write_report(example_artifacts(folder), folder / "report")
    return folder


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Artifacts with one short study."""
    artifacts = tmp_path / "artifacts"
    write_study(artifacts, "only", "ablation", "Title", "digits", dict(list(ABLATION.items())[:2]))
    return artifacts


def content(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def change(path: Path, **metrics: object) -> None:
    record = Record.read(path)
    dataclasses.replace(record, metrics=metrics).write(path)


def test_equal_artifacts_give_equal_bytes_in_any_folder(project: Path, tmp_path: Path) -> None:
    shutil.copytree(project / "artifacts", tmp_path / "elsewhere" / "artifacts")
    write_report(tmp_path / "elsewhere" / "artifacts", tmp_path / "elsewhere" / "report")
    first, second = content(project / "report"), content(tmp_path / "elsewhere" / "report")
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []


def test_no_file_names_a_folder_of_this_machine_a_date_or_a_version(project: Path) -> None:
    for name, data in content(project / "report").items():
        for word in (bytes(project), b"dc:date", b"matplotlib v", b"Matplotlib v", b"tEXt"):
            assert word not in data, f"{name} holds {word!r}"


def test_every_figure_lies_beside_its_svg_and_its_data(project: Path) -> None:
    names = {Path(name) for name in content(project / "report" / "figures")}
    stems = {name.with_suffix("").name for name in names if name.suffix == ".png"}
    assert names == {Path(f"{stem}.{kind}") for stem in stems for kind in ("png", "svg", "csv")}
    page = (project / "report" / "report.md").read_text(encoding="utf-8")
    assert all(f"figures/{name})" in page for name in names)


def test_results_have_a_row_for_every_point_with_the_named_columns(project: Path) -> None:
    rows = json.loads((project / "report" / "results.json").read_text(encoding="utf-8"))["rows"]
    points = [p for study in read_results(project / "artifacts").studies for p in study.points]
    last = [row for row, after in zip(rows, [*rows[1:], {"run": ""}], strict=True)
            if row["run"] != after["run"]]  # fmt: skip
    assert [row["run"] for row in last] == [point.simulation.key for point in points]
    assert [row["steps"] for row in last] == [point.metrics["steps"] for point in points]
    few = [row["steps"] for row in rows if row["study"] == "example-few-steps"]
    assert few.count(4) == few.count(8) > 0
    assert all(list(row) == COLUMNS for row in rows)
    lowest = next(
        row for row in rows if (row["study"], row["point"]) == ("example-ablation", "default")
    )
    assert lowest["interval"] == [pytest.approx(15.4), pytest.approx(16.6)]
    assert rows[0]["dataset"] == "CIFAR-10 (JPEG copy)"


def test_every_run_link_of_the_page_leads_to_its_record(project: Path) -> None:
    page = (project / "report" / "report.md").read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\((.*?)\)", page) if not link.startswith("#")]
    records = [link for link in links if "artifacts/" in link]
    assert len(records) >= len(read_results(project / "artifacts").studies)
    assert all((project / "report" / link).is_file() for link in links)


def test_the_page_opens_with_the_best_results(project: Path) -> None:
    page = (project / "report" / "report.md").read_text(encoding="utf-8")
    headings = [line for line in page.splitlines() if line.startswith("## ")]
    assert headings[0] == "## Best results"
    assert len(headings) == 1 + len(read_results(project / "artifacts").studies)


def test_the_page_lists_its_sections_and_every_entry_leads_to_one(project: Path) -> None:
    page = (project / "report" / "report.md").read_text(encoding="utf-8")
    headings = [line.removeprefix("## ") for line in page.splitlines() if line.startswith("## ")]
    anchors = [re.sub(r"[^a-z0-9 -]", "", words.lower()).replace(" ", "-") for words in headings]
    assert re.findall(r"\(#(.*?)\)", page) == anchors


def test_the_copy_is_named_where_it_stands_beside_the_papers_numbers(project: Path) -> None:
    page = (project / "report" / "report.md").read_text(encoding="utf-8")
    assert (
        "of the original CIFAR-10, its ANN has 87.86 %; these are of CIFAR-10 (JPEG copy)" in page
    )
    assert "87.73 (from memory, unverified)" in page


def test_another_data_set_is_never_put_beside_the_papers_bars(small: Path) -> None:
    write_report(small, small.parent / "report")
    page = (small.parent / "report" / "report.md").read_text(encoding="utf-8")
    assert "the paper's bars" not in page.lower()
    assert "original CIFAR-10" not in page
    with (small.parent / "report" / "figures" / "only.csv").open(encoding="utf-8") as file:
        assert {row["published_accuracy"] for row in csv.DictReader(file)} == {""}


def test_a_study_of_an_unknown_kind_is_drawn_all_the_same(small: Path) -> None:
    write_study(small, "new", "something", "New", "digits", dict(list(ABLATION.items())[:2]))
    assert "something" not in KINDS
    write_report(small, small.parent / "report")
    assert (small.parent / "report" / "figures" / "new.png").is_file()


def test_missing_statistics_and_manifests_leave_their_figures_out(small: Path) -> None:
    (small / "conversion" / "only" / "statistics.json").unlink()
    write_report(small, small.parent / "report")
    names = {path.name for path in (small.parent / "report" / "figures").iterdir()}
    assert "only-activations.png" not in names
    assert "only.png" in names


def test_broken_artifacts_leave_the_old_report_as_it_was(small: Path) -> None:
    report = small.parent / "report"
    write_report(small, report)
    before = content(report)
    write_json(small / "conversion" / "only" / "statistics.json", {"first": {"max": 1}})
    with pytest.raises(ValueError, match="statistics of study only lack 'image_maxima' of layer"):
        write_report(small, report)
    assert content(report) == before
    assert sorted(path.name for path in small.parent.iterdir()) == ["artifacts", "report"]


def test_statistics_of_another_network_are_refused(small: Path) -> None:
    write_json(small / "conversion" / "only" / "statistics.json", {"other": {}})
    with pytest.raises(ValueError, match="only name other, its conversion names first, second"):
        write_report(small, small.parent / "report")


def test_the_first_layer_is_the_first_of_the_graph_not_of_the_alphabet(project: Path) -> None:
    rows = (project / "report" / "figures" / "example-best-activations.csv").read_text()
    assert {line.split(",")[1] for line in rows.splitlines()[1:]} == {"first"}


def test_a_new_report_holds_nothing_of_the_old_one(small: Path) -> None:
    report = small.parent / "report"
    write_report(small, report)
    (report / "figures" / "stale.png").touch()
    write_report(small, report)
    assert not (report / "figures" / "stale.png").exists()


def test_a_folder_without_studies_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no study under .*simulation: run `dvc repro`"):
        write_report(tmp_path / "artifacts", tmp_path / "report")


def test_a_study_without_its_kind_is_refused(small: Path) -> None:
    write_json(small / "simulation" / "only" / "study.json", {"study": "only", "title": "T"})
    with pytest.raises(ValueError, match=r"not a study: it lacks dataset, kind, labels, network"):
        read_results(small)


def test_a_study_without_points_is_refused(small: Path) -> None:
    path = small / "simulation" / "only" / "study.json"
    write_json(path, {**json.loads(path.read_text(encoding="utf-8")), "order": []})
    with pytest.raises(ValueError, match=r"study\.json has no points"):
        read_results(small)


@pytest.mark.parametrize(
    ("text", "message"), [("{", "is not JSON"), ("[]", "must hold a JSON object, got list")]
)
def test_a_broken_study_file_is_named(small: Path, text: str, message: str) -> None:
    path = small / "simulation" / "only" / "study.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        read_results(small)


def test_a_record_of_another_run_is_refused(small: Path) -> None:
    folder = small / "simulation" / "only"
    shutil.copyfile(folder / "default.json", folder / "max-norm.json")
    with pytest.raises(ValueError, match=r"max-norm\.json has the key \w{12}, its study names"):
        read_results(small)


def test_a_record_without_its_metrics_is_refused(small: Path) -> None:
    change(small / "simulation" / "only" / "default.json", snn_accuracy=1.0, images=IMAGES)
    with pytest.raises(ValueError, match=r"default\.json lacks the metrics ann_accuracy, int"):
        read_results(small)


def test_the_terminal_table_shows_all_studies(project: Path) -> None:
    table = accuracy_table(project / "artifacts")
    assert "+ 99.9th percentile" in table
    assert "88.40" in table
    assert "step 120" in table
    assert "never" in table
    assert "Poolings" in table
