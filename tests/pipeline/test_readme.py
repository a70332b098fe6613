import re
import subprocess
import sys
from pathlib import Path

import pytest

from ann2snn.commands.readme import filled, generated

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("part", generated(ROOT))
def test_every_generated_part_is_what_make_readme_would_write(part: str) -> None:
    assert filled(README, {part: generated(ROOT)[part]})[1] == []


def test_a_stale_part_is_named_and_filled_anew(tmp_path: Path) -> None:
    other = README.replace("| ANN |", "| ANN, once |").replace("`conversion.reset`", "`reset`", 1)
    assert filled(other, generated(ROOT)) == (README, ["results", "toggles"])
    (tmp_path / "README.md").write_text(other, encoding="utf-8")
    (tmp_path / "artifacts").symlink_to(ROOT / "artifacts")

    def readme(*arguments: str) -> subprocess.CompletedProcess[str]:
        path = f"{ROOT / 'src'}:{ROOT}"
        return subprocess.run(
            [sys.executable, "-m", "ann2snn.commands.readme", *arguments],
            cwd=tmp_path, env={"PYTHONPATH": path, "PATH": ""}, capture_output=True, text=True,
        )  # fmt: skip

    stale = readme("--check")
    assert stale.returncode == 1
    assert "README.md is stale: results, toggles; run `make readme`" in stale.stderr
    assert readme().returncode == 0
    assert (tmp_path / "README.md").read_text(encoding="utf-8") == README
    assert readme("--check").returncode == 0


def test_a_part_without_its_markers_is_refused() -> None:
    with pytest.raises(ValueError, match=r"lacks the part between <!-- results: make readme -->"):
        filled("# Title", {"results": lambda: ""})


def test_every_file_that_the_readme_links_to_is_there() -> None:
    targets = [part.split(")")[0] for part in README.split("](")[1:]]
    assert targets
    for target in targets:
        assert (ROOT / target).exists(), target


def test_the_map_names_rooms_and_files_that_are_there() -> None:
    rooms = README.split("| room |")[1].split("\n\n")[0].splitlines()[2:]
    house = ROOT / "src" / "ann2snn"
    named = re.findall(r"`([a-z_/.]+)`", "\n".join(row.split("|")[1] for row in rooms))
    assert {path.name for path in house.iterdir() if (path / "__init__.py").exists()} == {
        "data", "ann", "conversion", "simulation", "report",
        *(name.strip("/") for name in named if name.endswith("/")),
    }  # fmt: skip
    for row in rooms[1:]:
        _, room, _, first, _ = row.split("|")
        looked = re.findall(r"`([a-z_/.]+)`", first)[0]
        inside = re.findall(r"`([a-z_/.]+)`", room)[0]
        assert (house / looked).exists() or (house / inside / looked).exists(), looked
