"""A table of rows is a mapping: what has no row is refused by name, or is the default of `get`."""

import pytest

from ann2snn.ann.network import NETWORKS
from ann2snn.mechanisms.resets import RESETS
from ann2snn.tables import UnknownRowError


def test_a_name_without_a_row_is_refused_in_plain_words_or_gives_the_default() -> None:
    with pytest.raises(UnknownRowError) as told:
        RESETS["subtrct"]
    assert str(told.value) == (
        "reset must be one of subtract, zero, got 'subtrct'; did you mean subtract?"
    )
    assert RESETS.get("subtrct") is None
    assert NETWORKS.get("pets.model:make") is None
    assert RESETS.get("zero") is RESETS["zero"]
