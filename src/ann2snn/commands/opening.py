"""Prints the tables that README opens with: `python -m ann2snn.commands.opening`."""

from pathlib import Path

from ann2snn.report.opening import opening_tables

if __name__ == "__main__":
    print(opening_tables(Path.cwd() / "artifacts"))
