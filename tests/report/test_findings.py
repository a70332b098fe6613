"""Findings: sentences that hold, and a report that is not built where one does not."""

import dataclasses
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ann2snn.records import Record
from ann2snn.report.findings import TEMPLATES, BrokenClaimError, about, findings
from ann2snn.report.results import Point, Results, read_results
from tests.report.changed_results import changed, with_settings, with_study

ROOT = Path(__file__).parents[2]
COMMITTED = read_results(ROOT / "artifacts")
SECTIONS = about(COMMITTED)
# What a number may be in the words of a sentence: a name, a year, or the level that a column names.
NAMES = re.compile(r"CIFAR-10|cifar10-[a-z-]+|et al\. \d{4}|99(\.9+)?th percentile|99th|99 %")


def other_points(point: Point) -> Iterator[Point]:
    """The point with another number, one at a time."""
    yield changed(point, steps_to_99=None)
    yield changed(point, steps_to_99=1)
    for name in ("interval_low", "interval_high"):
        yield changed(point, **{name: 50.0})
    for name, value in point.metrics.items():
        if isinstance(value, float) or name in ("synops_per_image", "macs_per_image"):
            yield changed(point, **{name: 0.01 * value})
            yield changed(point, **{name: 100.0 if value <= 100 else 100.0 * value})
    record = point.simulation
    for name, curve in record.curves.items():
        for other in ([0.01 * value for value in curve], curve[::-1]):
            curves = {**record.curves, name: other}
            yield dataclasses.replace(point, simulation=dataclasses.replace(record, curves=curves))
    toggles = (("bias", False), ("bias", True), ("final", False), ("pooling", "max"))
    for name, setting in toggles:
        yield with_settings(point, "ann", **{name: setting})
    for name, value in (("percentile", 12.5), ("reset", "other"), ("normalization", "none")):
        yield with_settings(point, "conversion", **{name: value})
    if point.conversion:
        details = point.conversion.details
        layers = [
            {**layer, "saturating": None if layer.get("saturating") is None else 0.5}
            for layer in details["layers"]
        ]
        tops = {
            name: {**found, "largest": found["percentile_99.9"]}
            for name, found in details.get("outliers", {}).items()
        }
        for changes in ({**details, "layers": layers}, {**details, "outliers": tops}):
            conversion = dataclasses.replace(point.conversion, details=changes)
            yield dataclasses.replace(point, conversion=conversion)


def other_results(section: str) -> Iterator[Results]:
    """The committed results with one number changed: in the section's own study first."""
    for study in sorted(COMMITTED.studies, key=lambda study: study.name != section):
        for place, point in enumerate(study.points):
            for other in other_points(point):
                points = (*study.points[:place], other, *study.points[place + 1 :])
                yield with_study(COMMITTED, dataclasses.replace(study, points=points))


def made_by(section: str, results: Results) -> list[tuple[str, bool]]:
    """The sentences of a section, and whether each holds."""
    return SECTIONS[section].judge(results, SECTIONS)[0].made


def test_every_sentence_holds_for_the_committed_results() -> None:
    assert findings(COMMITTED).keys() == SECTIONS.keys()


@pytest.mark.parametrize("name", SECTIONS)
def test_a_changed_number_breaks_each_sentence_and_the_report_names_it(name: str) -> None:
    unbroken = dict(enumerate(sentence for sentence, _ in made_by(name, COMMITTED)))
    for results in other_results(name):
        made = made_by(name, results)
        broken = {place for place, (_, holds) in enumerate(made) if not holds}
        for place in broken & unbroken.keys():
            with pytest.raises(BrokenClaimError, match=re.escape(made[place][0])):
                findings(results)
            del unbroken[place]
        if not unbroken:
            return
    assert unbroken == {}


def test_every_study_has_a_finding_of_at_most_three_sentences() -> None:
    found = findings(COMMITTED)
    assert found.keys() == {"best-results", *(study.name for study in COMMITTED.studies)}
    for name, finding in found.items():
        sentences = re.split(r"\. |\.$", finding.summary.replace("et al.", "et al"), flags=re.M)
        assert 1 <= len([words for words in sentences if words.strip()]) <= 3, name


def test_every_number_of_a_sentence_is_looked_up() -> None:
    text = (TEMPLATES / "findings.md").read_text(encoding="utf-8")
    words = re.sub(r"(?s){#.*?#}|{%.*?%}|{{.*?}}|^## .*?$", "", text, flags=re.M)
    assert re.findall(r".*\d.*", NAMES.sub("", words)) == []


def test_findings_are_only_of_the_data_set_that_they_name() -> None:
    study = next(study for study in COMMITTED.studies if study.name == "cifar10-ablation")
    other = with_study(COMMITTED, dataclasses.replace(study, dataset="CIFAR-10.1"))
    assert "cifar10-ablation" not in findings(other)


def test_digits_alone_have_their_findings() -> None:
    digits = tuple(study for study in COMMITTED.studies if study.network == "digits")
    found = findings(dataclasses.replace(COMMITTED, studies=digits))
    assert found.keys() == {"best-results", *(study.name for study in digits)}
    assert found["best-results"].summary.startswith("On digits")


def test_a_point_that_a_finding_needs_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    study = next(study for study in COMMITTED.studies if study.name == "cifar10-inputs")
    short = with_study(COMMITTED, dataclasses.replace(study, points=study.points[:1]))
    with pytest.raises(BrokenClaimError, match="cifar10-inputs: there is no point poisson of"):
        findings(short)
    assert findings(short, strict=False)["cifar10-inputs"].summary == ""
    assert "left out: report/findings.md says" in capsys.readouterr().err


def test_the_report_step_fails_with_the_sentence_except_in_an_experiment_and_a_demo(
    tmp_path: Path,
) -> None:
    for folder in ("data/digits", "simulation/digits-ablation", "conversion/digits-ablation"):
        shutil.copytree(ROOT / "artifacts" / folder, tmp_path / "artifacts" / folder)
    path = tmp_path / "artifacts" / "simulation" / "digits-ablation" / "default.json"
    record = Record.read(path)
    interval = {"interval_low": 99.0, "interval_high": 100.0}
    dataclasses.replace(record, metrics={**record.metrics, "snn_accuracy": 99.9, **interval}).write(
        path
    )

    def build(**variables: str) -> subprocess.CompletedProcess[str]:
        environment = {"PYTHONPATH": str(ROOT / "src"), "PATH": "", **variables}
        command = [sys.executable, "-m", "ann2snn.pipeline.report"]
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )

    failed = build()
    assert failed.returncode == 1
    assert "digits-ablation: Max-norm raises the accuracy from 99.90 % to" in failed.stderr
    assert not (tmp_path / "report").exists()
    for variables in ({"DVC_EXP_BASELINE_REV": "abc"}, {}):
        if not variables:
            shutil.rmtree(tmp_path / "report")
            (tmp_path / ".demo").touch()
        done = build(**variables)
        assert done.returncode == 0, done.stderr
        assert "left out: report/findings.md says" in done.stderr
        assert "Max-norm raises" not in (tmp_path / "report" / "report.md").read_text()
