"""Step report: figures, tables and one page from all that `artifacts` holds."""

import os
from pathlib import Path

from ann2snn.errors import errors_are_told

DEMO = ".demo"
"""The file that marks a folder as a demo."""


def main() -> None:
    """Writes `report/`; bad or missing artifacts are one message and exit code 1, and so is a
    finding that does not hold, except in `dvc exp run`, whose results are meant to differ, and in a
    demo, whose network another processor trains to other weights."""
    from ann2snn.progress import Progress
    from ann2snn.report.report_files import write_report

    strict = "DVC_EXP_BASELINE_REV" not in os.environ and not Path(DEMO).is_file()
    with errors_are_told(), Progress("drawing the report"):
        write_report(Path.cwd() / "artifacts", Path.cwd() / "report", strict)


if __name__ == "__main__":
    main()
