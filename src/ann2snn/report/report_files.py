"""Writes `report/`: figures with their data, the page, and the rows for machines."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

from ann2snn.records import Json, write_json
from ann2snn.report.chart import save_chart
from ann2snn.report.figures import all_charts
from ann2snn.report.findings import findings
from ann2snn.report.page import report_page
from ann2snn.report.results import Point, read_results
from ann2snn.report.rows import result_rows


def write_report(artifacts: Path, target: Path, strict: bool = True) -> None:
    """Replaces what is in `target` by the report on `artifacts`, once it is whole.

    Equal artifacts give equal bytes. Without `strict`, findings that do not hold are left out.

    Raises:
        ValueError: a file of `artifacts` is broken, or a sentence of the findings does not hold.
        FileNotFoundError: `artifacts` holds no study.
    """
    results = read_results(artifacts)
    found = findings(results, strict)
    charts = all_charts(results)
    temporary = target.with_name(f".{target.name}.new")
    before = target.with_name(f".{target.name}.old")
    for folder in (temporary, before):
        shutil.rmtree(folder, ignore_errors=True)
    (temporary / "figures").mkdir(parents=True)
    try:
        for chart in charts:
            save_chart(chart, temporary / "figures")
        for study in results.studies:
            for point in study.points:
                write_json(
                    temporary / "metrics" / study.name / f"{point.name}.json", _metrics(point)
                )
        to_artifacts = Path(os.path.relpath(artifacts, target)).as_posix()
        page = report_page(results, charts, found, to_artifacts)
        (temporary / "report.md").write_text(page, encoding="utf-8", newline="\n")
        (temporary / "results.json").write_text(
            _rows_text(result_rows(results)), encoding="utf-8", newline="\n"
        )
        if target.exists():
            target.replace(before)
        temporary.replace(target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        shutil.rmtree(before, ignore_errors=True)


def _metrics(point: Point) -> Json:
    """The few numbers of a point that `dvc metrics show` puts into one row of its table."""
    found = point.metrics
    return {
        "ann": round(found["ann_accuracy"], 2),
        "snn": round(found["snn_accuracy"], 2),
        "steps_to_99": found["steps_to_99"],
        "synops": round(found["synops_per_image"]),
    }


def _rows_text(rows: list[dict[str, Any]]) -> str:
    """A line for each row, so that a changed number is a changed line."""
    lines = ",\n".join(f"  {json.dumps(row, allow_nan=False)}" for row in rows)
    return f'{{"rows": [\n{lines}\n]}}\n'
