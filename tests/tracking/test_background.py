import time
from pathlib import Path

import pytest

from ann2snn.tracking.background import LOG, sync_in_background


@pytest.mark.timed
def test_a_stage_waits_less_than_0_3_s_and_the_log_tells_what_was_sent(sent_copy: Path) -> None:
    started = time.perf_counter()
    process = sync_in_background(sent_copy)
    assert time.perf_counter() - started < 0.3
    assert process.wait(60) == 0
    assert "0 runs written, 0 updated, 21 there already" in (sent_copy / LOG).read_text()


def test_a_server_that_is_down_is_told_in_the_log(
    sent_copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    assert sync_in_background(sent_copy).wait(60) == 1
    assert "error: MLflow at http://127.0.0.1:9 does not" in (sent_copy / LOG).read_text()
