"""The notebooks run from start to end, from both folders, and are committed with their outputs."""

import ast
import asyncio
from pathlib import Path
from typing import Any

import nbformat
import pytest

from ann2snn.report.report_files import write_report
from tests.report.example_artifacts import example_artifacts

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


def execute(path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The outputs of all cells, run in `folder` with this checkout's package."""
    from nbclient import NotebookClient

    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))
    notebook = read(path)
    client = NotebookClient(
        notebook, timeout=60, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    asyncio.run(client.async_execute())
    return outputs_of(notebook)


def outputs_of(notebook: Any) -> list[dict[str, Any]]:
    return [dict(output) for cell in notebook.cells for output in cell.get("outputs", [])]


def figures_in(outputs: list[dict[str, Any]]) -> int:
    return sum("image/png" in output.get("data", {}) for output in outputs)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This project with its report; where it has none, one with invented results on digits."""
    if (ROOT / "report" / "results.json").is_file():
        return ROOT
    folder = tmp_path_factory.mktemp("example")
    write_report(example_artifacts(folder, "digits"), folder / "report")
    (folder / "notebooks").mkdir()
    return folder


@pytest.mark.timed
@pytest.mark.timeout(60)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_shows_the_figures_that_are_stored_in_it_within_a_minute(
    project: Path, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = project if path == NOTEBOOKS[0] else project / "notebooks"
    shown = figures_in(execute(path, folder, monkeypatch))
    assert shown >= 2
    if project == ROOT:
        assert shown == figures_in(outputs_of(read(path))), "run `make notebooks`"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_committed_as_it_ran_and_defines_nothing(path: Path) -> None:
    cells = [cell for cell in read(path).cells if cell.cell_type == "code"]
    counts = [cell.execution_count for cell in cells]
    assert counts == list(range(1, len(cells) + 1)), "run `make notebooks`"
    for cell in cells:
        assert not any(output.output_type == "error" for output in cell.outputs)
        tree = ast.walk(ast.parse(cell.source))
        assert not any(isinstance(node, ast.FunctionDef | ast.ClassDef) for node in tree)


def test_the_live_notebook_computes_and_its_exercises_fold_their_answers() -> None:
    cells = read(ROOT / "notebooks" / "live.ipynb").cells
    code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    for call in ("convert(", "simulate(", "result.trains", "result.potentials", '"signed"'):
        assert call in code
    exercises = cells[-1].source
    assert exercises.count("<details>") == exercises.count("**") // 2 >= 4
