from pathlib import Path

from ann2snn.config.toggle_table import toggle_table
from ann2snn.report.opening import opening_tables
from bench.section import written

ROOT = Path(__file__).parents[2]


def test_the_toggles_in_the_readme_are_those_of_the_code() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    table = text.split("conversion simulation -->\n")[1].split("\n<!-- end of toggles")[0]
    assert table == toggle_table(["conversion", "simulation"])


def test_every_file_that_the_readme_links_to_is_there() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    targets = [part.split(")")[0] for part in text.split("](")[1:]]
    assert targets
    for target in targets:
        assert (ROOT / target).exists(), target


def test_the_numbers_that_the_readme_opens_with_are_those_of_the_results() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    tables = text.split("commands.opening -->\n")[1].split("\n<!-- end of results")[0]
    assert tables == opening_tables(ROOT / "artifacts")


def test_the_speeds_in_the_readme_are_those_that_were_measured() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    measured = text.split("bench.section -->\n")[1].split("\n<!-- end of speeds")[0]
    assert measured == written()
