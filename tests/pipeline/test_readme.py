import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ann2snn.commands.readme import filled, generated
from tests.pipeline.project import environment

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("part", ["results", "toggles", "speeds"])
def test_a_generated_part_of_the_readme_is_what_the_code_and_the_results_say(part: str) -> None:
    _, stale = filled(README, {part: generated(ROOT)[part]})
    assert stale == [], "run `make readme`"


def test_a_stale_part_is_named_and_filled_anew() -> None:
    old = README.replace("| `conversion.reset` |", "| `conversion.rest` |")
    parts = generated(ROOT)
    assert old != README
    assert filled(old, parts) == (README, ["toggles"])
    with pytest.raises(ValueError, match="lacks the part between"):
        filled(README.replace("<!-- end of speeds -->", ""), parts)


def test_the_command_says_of_a_stale_readme_which_part_is_and_writes_nothing(
    tmp_path: Path,
) -> None:
    for name in ("conf", "artifacts", "bench"):
        (tmp_path / name).symlink_to(ROOT / name)
    shutil.copyfile(ROOT / "params.yaml", tmp_path / "params.yaml")
    stale = README.replace("| `conversion.reset` |", "| `conversion.rest` |")
    (tmp_path / "README.md").write_text(stale, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "ann2snn.commands.readme", "--check"],
        cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "toggles" in done.stderr
    assert (tmp_path / "README.md").read_text(encoding="utf-8") == stale


def test_every_file_that_the_readme_links_to_is_there() -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", README)
    assert targets
    for target in targets:
        assert (ROOT / target).exists(), target


def test_the_map_names_every_room_and_files_that_are_there() -> None:
    _, _, *rows = README.split("| room |")[1].split("\n\n")[0].splitlines()
    house = ROOT / "src" / "ann2snn"
    cells = [[re.findall(r"`([a-z_/.]+)`", cell) for cell in row.split("|")] for row in rows]
    rooms = {name.strip("/") for row in cells for name in row[1] if name.endswith("/")}
    five = {"data", "ann", "conversion", "simulation", "report"}
    assert rooms | five == {path.parent.name for path in house.glob("*/__init__.py")}
    for row in cells[1:]:
        first = row[3][0]
        assert (house / first).exists() or (house / row[1][0] / first).exists(), first
