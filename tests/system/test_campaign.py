"""A small campaign; `python -m tests.system.campaign --full` runs the large one."""

from pathlib import Path

import pytest

from tests.system.campaign.cases import FAULTS, print_table
from tests.system.campaign.kinds import KINDS, campaign


@pytest.mark.system
def test_nothing_is_silently_wrong_lost_doubled_or_hung(tmp_path: Path) -> None:
    numbers = {name: range(kind.small) for name, kind in KINDS.items()}
    table = campaign(numbers, 1, tmp_path)
    print_table(table)
    assert {name: found["cases"] for name, found in table.items()} == {
        name: kind.small for name, kind in KINDS.items()
    }
    assert not [(kind, fault) for kind, found in table.items() for fault in FAULTS if found[fault]]
