"""A small campaign; `python -m tests.system.campaign` runs one of any size."""

from pathlib import Path

import pytest

from tests.system.campaign import FAULTS, campaign, print_table


@pytest.mark.system
def test_nothing_is_silently_wrong_lost_doubled_or_hung(tmp_path: Path) -> None:
    table = campaign(20, 1, tmp_path)
    print_table(table)
    assert sum(found["cases"] for found in table.values()) == 62
    assert not [(kind, fault) for kind, found in table.items() for fault in FAULTS if found[fault]]
