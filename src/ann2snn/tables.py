"""One row for one thing: tables whose rows are added by the files that define them.

A reset, a pooling, a network, a data set, a figure or an engine is one row. Its table loads every
module of the package that such rows live in when it is first read, so that a new file there is all
that a new row takes, and every list of names is derived. Nothing is imported that loads more
than the standard library.
"""

import importlib
import pkgutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from ann2snn.settings import nearest


class Named(Protocol):
    @property
    def name(self) -> str: ...


Row = TypeVar("Row", bound=Named)


class UnknownRowError(KeyError, ValueError):
    """A name that no row of a table has; a KeyError, so that `get` gives its default."""

    __str__ = Exception.__str__  # that of KeyError shows a message as a Python literal


class Table(Mapping[str, Row], Generic[Row]):
    """Rows by name, in the order of the files that add them and of the lines within a file.

    `what` says in the singular what a row is; the modules of `package` add the rows.
    """

    def __init__(self, what: str, package: str) -> None:
        self.what = what
        self.package = package
        self._rows: dict[str, Row] = {}
        self._files: dict[str, str] = {}
        self._loaded = False

    def add(self, row: Row) -> Row:
        """Adds a row and gives it back.

        Raises:
            ValueError: another row has its name.
        """
        if row.name in self._rows:
            raise ValueError(f"there are two rows of the {self.what} {row.name!r}")
        self._rows[row.name] = row
        self._files[row.name] = sys._getframe(1).f_code.co_filename
        return row

    def source_file(self, name: str) -> Path:
        """The file that added the row of that name."""
        row = self[name]
        return Path(self._files[row.name])

    def __getitem__(self, name: str) -> Row:
        """The row of that name.

        Raises:
            UnknownRowError: there is none; says which there are, and which is nearest.
        """
        rows = self._all()
        if name not in rows:
            raise UnknownRowError(
                f"{self.what} must be one of {', '.join(rows)}, got {name!r}"
                + nearest(str(name), list(rows))
            )
        return rows[name]

    def __contains__(self, name: object) -> bool:
        return name in self._all()

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def _all(self) -> dict[str, Row]:
        if not self._loaded:
            self._loaded = True
            home = importlib.import_module(self.package)
            for module in sorted(pkgutil.iter_modules(home.__path__), key=lambda each: each.name):
                importlib.import_module(f"{self.package}.{module.name}")
            # whichever file was imported first
            self._rows = dict(sorted(self._rows.items(), key=lambda row: self._files[row[0]]))
        return self._rows
