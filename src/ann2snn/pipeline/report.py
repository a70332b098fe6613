"""Step report: figures, tables and one page from all that `artifacts` holds."""

import sys
from pathlib import Path


def main() -> None:
    """Writes `report/`; bad or missing artifacts are one message and exit code 1."""
    from ann2snn.report.report_files import write_report

    try:
        write_report(Path.cwd() / "artifacts", Path.cwd() / "report")
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
