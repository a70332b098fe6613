"""A small campaign; `python -m tests.system.campaign --full` runs the large one."""

from pathlib import Path

import pytest

from tests.system.campaign.cases import FAULTS, print_table
from tests.system.campaign.kinds import KINDS, campaign

# kinds that no whole run has shown to be free of faults of their own; --full runs them
UNPROVEN = ("broken params.yaml", "fault of the machine", "fault of a server")
PROVEN = {name: kind for name, kind in KINDS.items() if name not in UNPROVEN}


@pytest.mark.system
def test_nothing_is_silently_wrong_lost_doubled_or_hung(tmp_path: Path) -> None:
    numbers = {name: range(kind.small) for name, kind in PROVEN.items()}
    table = campaign(numbers, 1, tmp_path)
    print_table(table)
    assert {name: found["cases"] for name, found in table.items()} == {
        name: kind.small for name, kind in PROVEN.items()
    }
    assert not [(kind, fault) for kind, found in table.items() for fault in FAULTS if found[fault]]
